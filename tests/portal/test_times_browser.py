"""A customer chooses a time on a phone: asked, held, taken, changed; clean for axe in both languages and themes."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from fieldservice.foundation.db import db, session, write
from fieldservice.foundation.tokens import link_token
from tests.dispatch.plans.test_plan_browser import AXE, RULES
from tests.served import Served
from tests.workorders.scene import Scene, make_order, make_request, make_scene

pytestmark = pytest.mark.browser


@pytest.fixture
def path(sqlite_app: Flask) -> str:
    """The private page of a P2 that nobody has planned."""
    scene: Scene = make_scene()
    request = write(lambda: make_request(scene.station, priority="P2"))
    write(lambda: make_order(scene.station, request=session.merge(request)))
    return "/t/" + link_token("track", session.merge(request).number)


@pytest.fixture
def served(sqlite_app: Flask, path: str, tmp_path: Path) -> Iterator[Served]:
    session.rollback()
    with Served(sqlite_app, db.engine, tmp_path / "server.log") as running:
        yield running


@pytest.mark.parametrize(
    ("language", "scheme", "first", "other"),
    [("zh", "light", "选择上门时间", "改时间"), ("en", "dark", "Choose a time", "Another time")],
)
def test_S_03_a_customer_takes_a_time_and_changes_it(
    browser: Browser, served: Served, path: str, language: str, scheme: str, first: str, other: str
) -> None:
    page = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme=scheme).new_page()  # type: ignore[arg-type]
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"http://127.0.0.1:{served.port}{path}?lang={language}")
    _clean(page)
    _take(page, first, 0)
    told = page.locator(".portal-eta").inner_text()
    _take(page, other, 2)
    expect(page.locator(".portal-eta")).not_to_have_text(told)
    expect(page.locator(".portal-who")).to_contain_text("陆建国" if language == "zh" else "Lu Jianguo")
    page.get_by_role("button", name=other).click()
    page.fill("input[name=day]", "2026-12-24")
    page.locator(".portal-day button").click()
    expect(page.locator("[data-none]")).to_be_visible()
    _clean(page)
    assert complaints == []
    page.context.close()


def _take(page: Page, button: str, number: int) -> None:
    page.get_by_role("button", name=button).dblclick()
    expect(page.locator("#times .choice")).to_have_count(6)
    _clean(page)
    page.locator("#times .choice").nth(number).click()
    page.locator("#times .btn-primary").dblclick()
    expect(page.locator(".toast")).to_be_visible()
    expect(page.locator("#times .choice")).to_have_count(0)


def _clean(page: Page) -> None:
    """No fault for axe, nothing wider than the screen."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("rules => axe.run(document, { runOnly: rules })", RULES)
    assert [(one["id"], one["nodes"][0]["html"][:200]) for one in found["violations"]] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
