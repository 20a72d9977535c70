"""The main job as its people see it, in real browsers: report, inbox, triage, plan, visit, sign-off, figures.

Every screen is looked at by axe in phone, tablet and desktop width and left as a picture in build/shots.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, expect

from config import ROOT
from fieldservice.foundation.db import db, session, write
from tests.company import SERIAL, make_company
from tests.conftest import PASSWORD, make_user
from tests.served import Served
from tests.waiting import wait_until
from tests.workorders.test_tablet_browser import Tablet, photo

pytestmark = pytest.mark.browser
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PHONE, TABLET, DESKTOP = (390, 844), (820, 1180), (1440, 900)
WORDS = {
    "zh": "2# 轧机减速机输出轴往下滴油，半小时一小摊，已停线。",
    "en": "The output shaft of the No. 2 mill gearbox drips oil; the line is stopped.",
}
RECEIVED = {"zh": "报修已收到", "en": "Your report has arrived"}


@pytest.fixture
def served(sqlite_app: Flask, tmp_path: Path) -> Iterator[Served]:
    station = write(lambda: make_company(email="lu@demo.test", password=PASSWORD))["station"]
    make_user("dispatcher", station, email="zhou@demo.test", name="周敏", password=PASSWORD)
    make_user("director", email="gao@demo.test", name="高远", password=PASSWORD)
    session.rollback()
    with Served(sqlite_app, db.engine, tmp_path / "server.log") as running:
        yield running


class Cast:
    """Everybody's browser in one language, and what their consoles complained about."""

    def __init__(self, browser: Browser, served: Served, language: str, shots: Path) -> None:
        self.browser, self.served, self.language, self.shots = browser, served, language, shots
        self.base = f"http://127.0.0.1:{served.port}"
        self.complaints: list[str] = []
        self.contexts: list[BrowserContext] = []

    def person(self, size: tuple[int, int], name: str | None = None) -> Page:
        locale = "zh-CN" if self.language == "zh" else "en-GB"
        context = self.browser.new_context(
            viewport={"width": size[0], "height": size[1]}, locale=locale, bypass_csp=True
        )
        self.contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        if name:
            page.goto(f"{self.base}/login?lang={self.language}")
            page.fill("input[name=email]", f"{name}@demo.test")
            page.fill("input[name=password]", PASSWORD)
            page.click("main button[type=submit]")
            page.wait_for_load_state()
        return page

    def look(self, page: Page, name: str, sizes: tuple[tuple[int, int], ...] = (PHONE, TABLET, DESKTOP)) -> None:
        """The screen in each width: a picture, axe, and nothing wider than the window."""
        before = page.viewport_size
        page.evaluate(AXE.read_text())
        for width, height in sizes:
            page.set_viewport_size({"width": width, "height": height})
            page.screenshot(path=str(self.shots / f"story-{name}-{width}-{self.language}.png"), full_page=True)
            found = page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)
            broken = [(one["id"], one["nodes"][0]["target"]) for one in found["violations"]]
            assert (name, width, broken) == (name, width, [])
            wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert (name, width, max(wide, 0)) == (name, width, 0)
        assert before is not None
        page.set_viewport_size(before)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_report_becomes_a_kept_promise(browser: Browser, served: Served, language: str, shots: Path) -> None:
    cast = Cast(browser, served, language, shots)
    inbox = cast.person(DESKTOP, "zhou")
    inbox.goto(f"{cast.base}/requests")

    customer = cast.person(PHONE)
    tracking = _reports(cast, customer)
    order = _triages(cast, inbox)
    _assigns(cast, inbox, order)
    _agrees(cast, customer, tracking)
    _visits(cast, served)
    _signs_off(cast, customer)
    _reads_figures(cast)
    report = inbox.request.get(f"{cast.base}/work-orders/{order}/report.pdf")
    assert (report.status, report.body()[:5]) == (200, b"%PDF-")
    assert cast.complaints == []


def _reports(cast: Cast, page: Page) -> str:
    """A customer at the machine; gives the address of the tracking page."""
    page.goto(f"{cast.base}/?lang={cast.language}")
    cast.look(page, "home")
    page.goto(f"{cast.base}/report")
    page.fill("#description", WORDS[cast.language])
    page.locator("input[name=severity][value=line_stop]").check()
    page.fill("#serial", SERIAL)
    page.locator("#serial").blur()
    expect(page.locator(".intake-machine")).to_be_visible()
    page.locator("#photos").set_input_files(photo())  # type: ignore[arg-type]
    page.fill("input[name=name]", "何工" if cast.language == "zh" else "Mr He")
    page.fill("input[name=phone]", "139 1234 0608")
    cast.look(page, "report")
    page.locator("form .btn-primary").dblclick()
    expect(page.locator("h1")).to_have_text(RECEIVED[cast.language])
    cast.look(page, "received")
    page.click("main a.btn-primary")
    page.wait_for_url("**/t/**")
    return page.url


def _triages(cast: Cast, page: Page) -> str:
    """The report has come up in the inbox by itself, once; it becomes an order."""
    row = page.locator(".intake-words a")
    expect(page.locator("main")).to_contain_text(WORDS[cast.language][:16], timeout=20_000)
    assert row.count() == 1
    cast.look(page, "inbox")
    row.first.click()
    page.wait_for_url("**/requests/SR-*")
    page.select_option("#work_type", "gearbox_seal_change")
    expect(page.locator("#brings")).to_be_visible()
    cast.look(page, "request")
    page.click(".wo-triage button.btn-primary")
    page.wait_for_url("**/work-orders/WO-*")
    return page.url.split("/")[-1].split("?")[0]


def _assigns(cast: Cast, page: Page, order: str) -> None:
    page.goto(f"{cast.base}/work-orders/{order}")
    cast.look(page, "order")
    page.goto(f"{cast.base}/dispatch?order={order}")
    expect(page.locator(".sg[data-first]")).to_be_visible()
    expect(page.locator(".tml-corner")).not_to_be_empty()  # the lanes have come
    cast.look(page, "dispatch")
    page.click(".sg[data-first] button")
    expect(page.locator(".tml-bar[aria-selected=true]")).to_be_visible()
    page.click("#drawer .visit .btn-primary")
    expect(page.locator("#drawer .visit .btn-primary")).to_have_count(0)
    cast.look(page, "dispatch-sent", (DESKTOP,))


def _agrees(cast: Cast, page: Page, tracking: str) -> None:
    page.goto(tracking)
    cast.look(page, "track-planned")
    page.click("form[action$='/confirm'] button")
    expect(page.locator("form[action$='/confirm']")).to_have_count(0)


def _visits(cast: Cast, served: Served) -> None:
    tablet = Tablet(cast.browser, served, cast.language)
    page = tablet.page
    tablet.to_work()
    for field, value in (("shaft_wear", "0.05"), ("oil_temperature", "61")):
        tablet.read(field, value)
    for moment in ("before", "after"):
        page.locator(f"#field-seal_{moment} input[type=file]").set_input_files(photo())  # type: ignore[arg-type]
    page.locator("#field-leak_point .tablet-options button").first.click()
    page.locator(".tablet-panel > .btn-block").click()
    page.click("[data-step=completed]")
    page.locator(".tablet-pattern").first.click()
    expect(page.locator("#left .notice")).to_be_visible()
    tablet.sign()
    page.click("[data-step=completed]")
    expect(page.locator(".tablet-foot .chip")).to_be_visible()
    expect(page.locator(".sync[data-s=ok]")).to_be_visible(timeout=30_000)
    cast.complaints += tablet.complaints


def _signs_off(cast: Cast, page: Page) -> None:
    """The page has followed by itself; the customer is content and says so."""
    page.reload()
    cast.look(page, "track-resolved")
    page.click("form[action*='sign'] button")
    expect(page.locator("form[action*='sign']")).to_have_count(0)
    expect(page.locator(".portal-rate")).to_have_count(5)  # a page that is still being read has fewer
    for stars in page.locator(".portal-rate").all():
        stars.locator("label").first.click()
    cast.look(page, "track-survey", (PHONE,))
    page.click("#survey button[type=submit]")
    expect(page.locator("#survey form")).to_have_count(0)
    cast.look(page, "track-closed", (PHONE,))


def _reads_figures(cast: Cast) -> None:
    page = cast.person(DESKTOP, "gao")

    def kept() -> bool:
        page.goto(f"{cast.base}/board")
        return "100" in page.locator("main").inner_text()

    wait_until(kept, seconds=30, what="the kept promise is counted")
    cast.look(page, "board")
    page.goto(f"{cast.base}/stations/WXXW")
    cast.look(page, "station")
    page.goto(f"{cast.base}/board/promise_kept")
    cast.look(page, "figure")
