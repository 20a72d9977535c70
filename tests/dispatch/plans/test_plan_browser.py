"""A day planned in a real browser: asked, followed, looked at, applied; clean for axe in both languages and themes."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from config import ROOT
from fieldservice.foundation.db import db, session, write
from fieldservice.workorders import booking
from tests.conftest import PASSWORD, make_user
from tests.served import Served
from tests.workorders.cast import FAR
from tests.workorders.scene import Scene, local_at, make_order, make_scene, make_technician

pytestmark = pytest.mark.browser
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture
def scene(sqlite_app: Flask) -> Scene:
    made = make_scene()
    make_user("dispatcher", made.station.id, email="zhou@demo.test", name="Zhou", password=PASSWORD)
    write(lambda: make_technician(made.station, "马俊", "Ma Jun"))
    write(lambda: [make_order(made.station, place=FAR), make_order(made.station, skills={"spindle": 2})])
    held = write(lambda: make_order(made.station))
    write(lambda: booking.schedule_visit(session.merge(held), session.merge(made.lu), local_at(14)))
    return made


@pytest.fixture
def served(sqlite_app: Flask, scene: Scene, tmp_path: Path) -> Iterator[Served]:
    session.rollback()
    with Served(sqlite_app, db.engine, tmp_path / "server.log") as running:
        yield running


@pytest.mark.parametrize(("language", "scheme"), [("zh", "light"), ("en", "dark")])
def test_D_07_a_day_is_planned_and_applied(
    browser: Browser, served: Served, scene: Scene, language: str, scheme: str
) -> None:
    base = f"http://127.0.0.1:{served.port}"
    context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{base}/login?lang={language}")
    page.fill("input[name=email]", "zhou@demo.test")
    page.fill("input[name=password]", PASSWORD)
    page.click("main button[type=submit]")
    page.wait_for_url("**/dispatch*")
    page.goto(f"{base}/dispatch/plans")
    _clean(page)
    page.click(".plan-ask button[type=submit]")
    expect(page.locator("#plan[data-state=ready]")).to_be_visible()  # followed by itself
    expect(page.locator("tr[data-order]")).to_have_count(2)
    expect(page.locator(".why li").first).to_contain_text("可于" if language == "zh" else "could go at")
    expect(page.locator("dispatch-map canvas")).to_be_visible()
    page.hover(f"tr[data-order='{scene.order.number}']")
    assert page.evaluate("document.getElementById('plan-map').highlight.id") == scene.order.number
    _clean(page)
    page.click("button[name=all]")
    expect(page.locator("#plan[data-state=applied]")).to_be_visible()
    expect(page.locator(".toast")).to_be_visible()
    assert complaints == []
    context.close()


def _clean(page: Page) -> None:
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate(f"axe.run(document, {{runOnly: {RULES}}})")["violations"]
    assert not found, [(one["id"], [node["html"][:160] for node in one["nodes"]]) for one in found]
