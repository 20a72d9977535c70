"""A week filled, refused for its hole, filled and published, and a shift handed over: in a real browser, zh and en."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from fieldservice.foundation.db import db, session
from tests.conftest import PASSWORD, make_user
from tests.dispatch.cover.conftest import DAYS, Team, make_team, put
from tests.dispatch.test_board_browser import AXE, RULES
from tests.served import Served

pytestmark = pytest.mark.browser
SIZES = {"station_manager": (1440, 900), "technician": (390, 844)}
WORDS = {
    "en": {
        "hole": "Nobody is there at one time of this week: Sat 5 Dec 18:00 – Sun 6 Dec 08:00",
        "done": "15 shifts were published.",
        "swapped": "The shift was swapped.",
    },
    "zh": {
        "hole": "本周有 1 处无人值班：12月5日 周六 18:00 – 12月6日 周日 08:00",
        "done": "已发布 15 个班次。",
        "swapped": "换班完成。",
    },
}


class Screen:
    """Somebody signed in, noting everything a console would complain about."""

    def __init__(self, browser: Browser, served: Served, email: str, language: str, role: str) -> None:
        self.base, width = f"http://127.0.0.1:{served.port}", SIZES[role]
        context = browser.new_context(viewport={"width": width[0], "height": width[1]}, locale="en-GB")
        self.page: Page = context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(f"{self.base}/login?lang={language}")
        self.page.fill("input[name=email]", email)
        self.page.fill("input[name=password]", PASSWORD)
        self.page.click("main button[type=submit]")
        self.page.wait_for_url(lambda url: "/login" not in url)

    def _heard(self, said: Any) -> None:
        if said.type == "error" and not re.search("status of 4(09|22)", said.text):  # noted for each refusal
            self.complaints.append(said.text)

    def open(self, path: str) -> Page:
        self.page.goto(f"{self.base}{path}")
        return self.page

    def check(self) -> None:
        """Nothing for axe, and nothing wider than the screen."""
        self.page.evaluate(AXE.read_text("utf-8"))
        found = self.page.evaluate("rules => axe.run({ runOnly: rules }).then(done => done.violations)", RULES)
        assert [f"{one['id']}: {one['nodes'][0]['html'][:90]}" for one in found] == []
        assert self.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert self.complaints == []


@pytest.fixture
def served(sqlite_app: Flask, sqlite_team: Team, tmp_path: Path) -> Iterator[Served]:
    session.rollback()
    with Served(sqlite_app, db.engine, tmp_path / "server.log") as running:
        yield running


@pytest.mark.parametrize("language", ["zh", "en"])
def test_t03_fill_refused_fill_the_hole_publish_and_swap(
    browser: Browser, served: Served, sqlite_team: Team, language: str, shots: Path
) -> None:
    team, words = sqlite_team, WORDS[language]
    desk = Screen(browser, served, "boss@demo.test", language, "station_manager")
    page = desk.open("/admin/roster?station=WXXW&week=2026-11-30")
    page.check(f"input[name=technician][value='{team.lu}']")
    for box in page.locator("input[name=weekday]").all():
        box.check()
    page.fill("[name=start]", "08:00")
    page.fill("[name=end]", "18:00")
    page.fill("[name=weeks]", "1")
    page.locator("#fill .btn-primary").click()
    expect(page.locator(".admin-shift[data-draft]")).to_have_count(14)
    publish = page.locator("form[action$='/roster/publish'] button")
    publish.click()
    expect(page.locator("main [role=alert]")).to_contain_text(words["hole"])
    desk.check()
    page.screenshot(path=shots / f"roster-hole-{language}.png", full_page=True)
    page.locator(".roster-gaps .btn").click()  # fills in who is free, the day and the hours
    expect(page.locator("[name=start]")).to_have_value("18:00")
    page.locator("#fill .btn-primary").click()
    expect(page.locator(".roster-gaps")).to_have_count(0)
    publish.click()
    expect(page.locator(".toast").first).to_contain_text(words["done"])
    expect(page.locator(".admin-shift[data-draft]")).to_have_count(0)
    desk.check()
    page.screenshot(path=shots / f"roster-published-{language}.png", full_page=True)

    lu = Screen(browser, served, "lu@demo.test", language, "technician")
    page = lu.open("/roster/mine")
    lu.check()
    page.screenshot(path=shots / f"duties-{language}.png", full_page=True)
    page.locator(".duty-list .btn").first.click()
    lu.check()
    page.select_option("#to", f"t{team.wu}")
    page.locator("main form .btn-primary").click()
    expect(page.locator(".duty-list [data-s=mute]")).to_have_count(1)

    wu = Screen(browser, served, "wu@demo.test", language, "technician")
    page = wu.open("/roster/mine")
    page.locator("section .btn-primary").click()
    page.locator("button[formaction$='/accept']").click()
    expect(page.locator("h1")).to_be_visible()

    page = desk.open("/admin/roster?station=WXXW&week=2026-11-30")
    page.locator("[aria-labelledby=swaps] .btn").click()
    desk.check()
    page.screenshot(path=shots / f"swap-{language}.png", full_page=True)
    page.locator("button[formaction$='/agree']").click()
    expect(page.locator(".toast").first).to_contain_text(words["swapped"])
    page = wu.open("/roster/mine")
    expect(page.locator(".duty-list > li")).to_have_count(2)
    assert wu.complaints == []


@pytest.fixture
def sqlite_team(sqlite_app: Flask) -> Team:
    """Xu's nights are drafts already, all but Saturday's; the Sunday before is published."""
    team = make_team()
    put(team, team.xu, [-1], 18, 32, state="published", on_call=True)
    put(team, team.xu, [day for day in DAYS if day != 5], 18, 32, on_call=True)
    put(team, team.xu, [5], 6, 7)
    make_user("station_manager", team.station, email="boss@demo.test", password=PASSWORD)
    for name in ("lu", "xu", "wu"):
        make_user(
            "technician", team.station, email=f"{name}@demo.test", password=PASSWORD, technician_id=getattr(team, name)
        )
    return team
