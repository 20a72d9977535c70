"""Why a level is what it is, read and ordered by keyboard and mouse: in a real browser, zh and en, wide and narrow."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, expect

from fieldservice.foundation.db import db, session, write
from fieldservice.foundation.time import Clock, now
from fieldservice.parts.stocking import running, services
from fieldservice.parts.transfers.models import Transfer
from tests.conftest import PASSWORD, make_user
from tests.dispatch.cover.test_cover_browser import Screen
from tests.parts.scene import Scene
from tests.parts.test_levels_network import central
from tests.parts.test_stocking import here, sold_out, twenty_months
from tests.served import Served

pytestmark = pytest.mark.browser
WORDS = {
    "en": ("How it is reckoned", "days of waiting for its stock", "Order what is ticked", "One transfer was asked"),
    "zh": ("计算依据", "等该库有货", "订购所选", "已申请 1 笔调拨"),
}


@pytest.fixture
def stocked(sqlite_app: Flask, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Scene:
    here(monkeypatch)
    made = twenty_months()
    central(made, 500)
    running.run_here(write(lambda: services.ask(at=now(), run=False).id))
    sold_out(made)
    make_user("storekeeper", made.station, email="keeper@demo.test", password=PASSWORD)
    return made


@pytest.fixture
def served(sqlite_app: Flask, stocked: Scene, tmp_path: Path) -> Iterator[Served]:
    session.rollback()
    with Served(sqlite_app, db.engine, tmp_path / "server.log") as running_server:
        yield running_server


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("role", ["station_manager", "technician"])  # 1440 and 390 px wide
def test_the_reasons_of_a_level_are_read_and_what_is_short_is_ordered(
    browser: Browser, served: Served, language: str, role: str
) -> None:
    how, wait, order, done = WORDS[language]
    screen = Screen(browser, served, "keeper@demo.test", language, role)
    page = screen.open("/parts/levels?short=1&q=SEAL")
    reasons = page.get_by_text(how).first
    expect(reasons).to_be_visible()
    reasons.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text(wait).first).to_be_visible()
    screen.check()
    page.get_by_role("button", name=order).click()
    expect(page.get_by_text(done).first).to_be_visible()
    session.rollback()
    assert session.query(Transfer).one().state == "approved"
    screen.check()
