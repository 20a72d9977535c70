"""My van in a real browser: what is owed, with its age, in both languages, and without a network."""

from decimal import Decimal
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, expect

from fieldservice.foundation.db import session, write
from fieldservice.foundation.time import now
from fieldservice.workorders import findings
from tests.conftest import PASSWORD
from tests.served import Served
from tests.store.test_to_bring_back import called_off, handed_out
from tests.workorders.on_tour import SEAL, Tour, make_tour
from tests.workorders.test_tablet_browser import Tablet as Screen
from tests.workorders.test_tablet_browser import served
from tests.workorders.test_tablet_commands import Tablet

__all__ = ["served"]  # a fixture
pytestmark = pytest.mark.browser


@pytest.fixture
def tour(sqlite_app: Flask) -> Tour:
    made = make_tour(password=PASSWORD).at_work()
    called_off(handed_out(Tablet(sqlite_app, made)))
    numbers = {"serial": "NEW-1", "removed_serial": "OLD-1"}
    write(lambda: findings.use_part(made.visit, made.part(), Decimal(1), now(), **numbers))
    session.rollback()
    return made


@pytest.mark.parametrize(
    ("language", "size", "words"),
    [
        ("zh", (390, 844), ("待交回旧件", "待退回的未用备件", "今天")),
        ("en", (1180, 820), ("Old parts to drop off", "Unused parts to give back", "today")),
    ],
)
def test_what_is_owed_stands_with_the_van(
    browser: Browser, served: Served, tour: Tour, language: str, size: tuple[int, int], words: tuple[str, ...],
    shots: Path,
) -> None:  # fmt: skip
    screen = Screen(browser, served, language, size)
    page = screen.page
    page.evaluate("location.hash = '#van'")
    old, unused = page.locator(".card", has_text=words[0]), page.locator(".card", has_text=words[1])
    expect(old).to_contain_text("OLD-1")
    expect(old).to_contain_text(tour.order.number)
    expect(unused).to_contain_text(SEAL)
    expect(unused).to_contain_text(words[2])
    screen.look(shots / f"tablet-van-owed-{size[0]}-{language}.png")
    screen.context.set_offline(True)
    page.evaluate("location.hash = '#today'")
    page.evaluate("location.hash = '#van'")
    expect(old).to_contain_text("OLD-1")
    page.fill("input[type=search]", SEAL)  # whoever looks for a part sees the stock alone
    expect(old).to_have_count(0)
    assert screen.complaints == []
