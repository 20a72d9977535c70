"""The day plan in a real browser against a real server: by keyboard, live, undone, and clean for axe."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from config import ROOT
from fieldservice.foundation.db import db, session, write
from fieldservice.workorders import booking
from fieldservice.workorders.models import Visit
from tests.conftest import PASSWORD, make_user
from tests.served import Served
from tests.workorders.scene import Scene, local_at, make_order, make_scene, make_technician

pytestmark = pytest.mark.browser
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture
def scene(sqlite_app: Flask) -> Scene:
    made = make_scene()
    for name in ("zhou", "wang"):
        make_user("dispatcher", made.station.id, email=f"{name}@demo.test", name=name.title(), password=PASSWORD)
    return made


@pytest.fixture
def served(sqlite_app: Flask, scene: Scene, tmp_path: Path) -> Iterator[Served]:
    session.rollback()
    with Served(sqlite_app, db.engine, tmp_path / "server.log") as running:
        yield running


class Desk:
    """A dispatcher at 1440×900, signed in, noting everything a console would complain about."""

    def __init__(self, browser: Browser, served: Served, email: str, **context: Any) -> None:
        self.base = f"http://127.0.0.1:{served.port}"
        self.context = browser.new_context(viewport={"width": 1440, "height": 900}, **context)
        self.page: Page = self.context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(f"{self.base}/login?lang=zh")
        self.page.fill("input[name=email]", f"{email}@demo.test")
        self.page.fill("input[name=password]", PASSWORD)
        self.page.click("main button[type=submit]")
        self.page.wait_for_url("**/dispatch*")

    def open(self, query: str = "") -> Page:
        self.page.goto(f"{self.base}/dispatch{query}")
        return self.page


def test_assigned_by_keyboard_seen_by_the_other_and_undone(browser: Browser, served: Served, scene: Scene) -> None:
    zhou, wang = (Desk(browser, served, name) for name in ("zhou", "wang"))
    number = scene.order.number
    page, other = zhou.open(), wang.open()
    page.focus(".queue .qc")
    page.keyboard.press("Enter")
    expect(page.locator("#drawer")).to_contain_text(number)
    page.locator(".sg[data-first] button").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_contain_text(f"{number} 已派给陆建国")
    expect(page.locator(".rt-bar[aria-current]")).to_contain_text(number)
    expect(other.locator(".rt-bar")).to_contain_text(number)  # the other board follows by itself
    expect(other.locator("#queue .count")).to_have_text("0")
    page.click(".toast button")
    expect(page.locator(".toast")).to_contain_text("已撤销")
    expect(other.locator(".rt-bar")).to_have_count(0)
    expect(other.locator("#queue .count")).to_have_text("1")
    page.keyboard.press("Escape")
    expect(page.locator("#drawer")).to_be_hidden()
    assert zhou.complaints == wang.complaints == []


def test_a_step_on_what_changed_is_refused_in_place(browser: Browser, served: Served, scene: Scene) -> None:
    visit = write(lambda: booking.schedule_visit(scene.order, scene.lu, local_at(13)))
    desk = Desk(browser, served, "zhou")
    page = desk.open(f"?visit={visit.id}")
    page.evaluate("document.querySelectorAll('[data-live]').forEach(part => delete part.dataset.live)")  # as if offline
    write(lambda: booking.reschedule_visit(session.get_one(Visit, visit.id), starts_at=local_at(15)))
    page.click("text=派给工程师")
    alert = page.locator("#drawer [role=alert]")
    expect(alert).to_contain_text("改过，现在是：陆建国、15:00、已排程")
    expect(page.locator(".visit")).to_contain_text("15:00–17:00")


def test_arrows_go_between_cards_and_bars(browser: Browser, served: Served, scene: Scene) -> None:
    def build() -> None:
        chen = make_technician(scene.station, "陈志远", "Chen Zhiyuan")
        for technician, hour in ((scene.lu, 9), (scene.lu, 13), (chen, 14)):
            order = make_order(scene.station)
            booking.schedule_visit(order, technician, local_at(hour), duration_min=60, at=local_at(8))
        make_order(scene.station, priority="P4")

    write(build)
    page = Desk(browser, served, "zhou").open()
    page.focus(".queue .qc >> nth=0")
    page.keyboard.press("ArrowDown")
    expect(page.locator(".queue .qc >> nth=1")).to_be_focused()
    page.focus(".rt-bar >> nth=0")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".rt-bar >> nth=1")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.locator(".rt-bar >> nth=2")).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(page.locator(".rt-bar >> nth=1")).to_be_focused()


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(browser: Browser, served: Served, scene: Scene, language: str, theme: str) -> None:
    titles = {"zh": "液压站漏油", "en": "Hydraulic leak"}
    waiting = write(lambda: make_order(scene.station, customer=scene.customer, titles=titles))
    visit = write(lambda: booking.schedule_visit(scene.order, scene.lu, local_at(13)))
    desk = Desk(browser, served, "zhou", color_scheme=theme, bypass_csp=True)
    for query in ("?", f"?order={waiting.number}&", f"?visit={visit.id}&", "?days=3&"):
        page = desk.open(f"{query}lang={language}")
        for summary in page.query_selector_all(".drawer summary"):
            summary.click()
        page.evaluate(AXE.read_text(encoding="utf-8"))
        found = page.evaluate("rules => axe.run(document, {runOnly: {type: 'tag', values: rules}})", RULES)
        problems = [(one["id"], [node["target"] for node in one["nodes"]]) for one in found["violations"]]
        assert problems == [], (query, language, theme)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page scrolls sideways"
    assert desk.complaints == []
