"""The office's pages about tablets in a real browser: live, by press, clean for axe at every width."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from config import ROOT
from fieldservice.accounts.services import create_user
from fieldservice.foundation.db import db, write
from tests.served import Served
from tests.workorders.on_tour import SEAL, make_tour
from tests.workorders.test_tablet_commands import Tablet
from tests.workorders.test_tablet_office import WORRIES, hello

pytestmark = [pytest.mark.browser, pytest.mark.slow]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SECRET = "a long enough pass phrase 7"


@pytest.fixture
def tablet(sqlite_app: Flask) -> Tablet:
    """A tablet with a day behind it: what was refused, what was flagged, and other tablets that fare badly."""
    found = Tablet(sqlite_app, make_tour())
    station = found.tour.station_id
    write(lambda: create_user(
        email="hall@demo.test", name="何丽", password=SECRET, grants=[("dispatcher", station)],
    ))  # fmt: skip
    for index, (report, _words, _mark) in enumerate(WORRIES):
        hello(found, device=f"tab-{index}", report=report)
    found.go("accepted")
    found.send("part", part=SEAL, quantity=1)
    found.send("summary", summary="换了油封，试运行无滴漏。" * 12, technical_note="轴磨损 0.05 mm")
    found.send("note", words="没有这个任务", visit=987654)
    found.post(found.command("note", "2026-11-25T13:30:00+08:00", words="门卫换人了"))
    return found


@pytest.fixture
def served(sqlite_app: Flask, tablet: Tablet, tmp_path: Path) -> Iterator[Served]:
    with Served(sqlite_app, db.engine, tmp_path / "server.log") as running:
        yield running


@pytest.mark.parametrize(("language", "theme"), [("zh", "light"), ("en", "dark")])
def test_both_pages_are_clean_and_decide_by_a_press(
    browser: Browser, served: Served, tablet: Tablet, shots: Path, language: str, theme: Any
) -> None:
    page = browser.new_context(bypass_csp=True, reduced_motion="reduce", color_scheme=theme).new_page()
    base = f"http://127.0.0.1:{served.port}"
    page.goto(f"{base}/login?lang={language}")
    page.fill("input[name=email]", "hall@demo.test")
    page.fill("input[name=password]", SECRET)
    page.click("main button[type=submit]")
    page.wait_for_load_state()
    for path in ("devices", "devices/1", "reviews"):
        page.goto(f"{base}/tablets/{path}")
        look(page, f"tablet-office-{path.replace('/', '-')}-{language}", shots)
    page.locator("article").first.get_by_role("button", name="知悉" if language == "zh" else "Noted").click()
    expect(page.locator("article")).to_have_count(3)
    page.locator("article").filter(has_text="试运行无滴漏").get_by_role("button").first.click()
    expect(page.locator("article .notice[role=alert]")).to_be_visible()
    look(page, f"tablet-office-refused-{language}", shots)
    page.goto(f"{base}/tablets/reviews")
    page.evaluate("window.same = true")
    with_signal(tablet, base)
    expect(page.locator("article")).to_have_count(4)  # live
    assert page.evaluate("window.same === true")
    page.context.close()


def with_signal(tablet: Tablet, base: str) -> None:
    """The tablet sends something that does not fit, to the running server."""
    import json
    from urllib.request import Request, urlopen

    body = json.dumps({"device_id": "tab-1", "commands": [tablet.command("move", to="completed")]}).encode()
    headers = {**tablet.headers, "Content-Type": "application/json"}
    with urlopen(Request(f"{base}/api/v1/tablet/commands", body, headers), timeout=20) as answer:
        assert json.load(answer)["results"][0]["status"] == "rejected"


def look(page: Page, name: str, shots: Path) -> None:
    page.evaluate(AXE.read_text(encoding="utf-8"))
    for size, width, height in (("phone", 390, 844), ("tablet", 820, 1180), ("desktop", 1440, 900)):
        page.set_viewport_size({"width": width, "height": height})
        page.screenshot(path=str(shots / f"{name}-{size}.png"), full_page=True)
        assert not page.evaluate("document.documentElement.scrollWidth > innerWidth"), f"{name} {size}: too wide"
        found = page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)["violations"]
        assert not found, [(name, size, one["id"], one["nodes"][0]["target"]) for one in found]
