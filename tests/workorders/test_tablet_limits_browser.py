"""In a real browser: a full visit opens no camera, and an account that owes something is led to."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, expect

from fieldservice.foundation.db import db, session
from fieldservice.workorders.models import TabletCommand
from tests.conftest import PASSWORD
from tests.served import Served
from tests.workorders.on_tour import Tour, make_tour
from tests.workorders.test_tablet_browser import SIZES, Tablet

pytestmark = pytest.mark.browser


@pytest.fixture
def tour(sqlite_app: Flask) -> Tour:
    return make_tour(password=PASSWORD).at_work()


@pytest.fixture
def served(sqlite_app: Flask, tour: Tour, tmp_path: Path) -> Iterator[Served]:
    session.rollback()
    with Served(sqlite_app, db.engine, tmp_path / "server.log") as running:
        yield running


def test_a_full_visit_opens_no_camera(browser: Browser, served: Served, tour: Tour) -> None:
    page = Tablet(browser, served, "zh", SIZES[0]).page
    page.evaluate(f"location.hash = 'visit/{tour.visit_id}/photos'")
    page.evaluate(
        """async () => { const { app } = document.getElementById('tablet');
        const told = await app.store.kept('snapshot');
        await app.store.keep('snapshot', { ...told, limits: { ...told.limits, photos: 0 } });
        await app.load(); }"""
    )
    opened: list[object] = []
    page.on("filechooser", lambda chooser: opened.append(chooser))
    page.locator(".photo-add").last.click()
    expect(page.get_by_text("不能再加")).to_be_visible()
    assert opened == []


def test_what_the_account_owes_is_said_and_nothing_is_lost(browser: Browser, served: Served, tour: Tour) -> None:
    page = Tablet(browser, served, "en", SIZES[0]).page
    owed = '{"code": "second_factor_owed", "detail": "Your role needs a second factor."}'
    page.route(
        "**/tablet/commands", lambda route: route.fulfill(status=403, content_type="application/json", body=owed)
    )
    page.evaluate(
        f"""() => {{ const {{ app }} = document.getElementById('tablet');
        return app.record('note', app.visit({tour.visit_id}), {{ words: 'gate closed' }}); }}"""
    )
    pill = page.locator(".sync")
    expect(pill).to_contain_text("Your account first")
    pill.click()
    expect(page.get_by_role("link", name="Open your account")).to_have_attribute("href", "/account")
    expect(page.locator(".tablet-outbox li")).to_have_count(1)
    page.unroute("**/tablet/commands")
    page.get_by_role("button", name="Send now").click()
    expect(pill).to_contain_text("All sent")
    session.rollback()
    assert session.query(TabletCommand).filter_by(kind="note").count() == 1
