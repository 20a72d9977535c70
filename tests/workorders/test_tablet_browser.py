"""The tablet in a real browser against a real server: a whole job, no network, double presses, refusals."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import pytest
from flask import Flask
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from config import ROOT
from fieldservice.foundation.db import db, session, write
from fieldservice.mechanisms.files.models import StoredFile
from fieldservice.workorders import booking
from fieldservice.workorders.models import Answer, PartUse, TabletCommand, Visit
from tests.conftest import PASSWORD
from tests.served import Served
from tests.signing import sign
from tests.waiting import wait_until
from tests.workorders.on_tour import Tour, make_tour

pytestmark = pytest.mark.browser
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SIZES = ((820, 1180), (1180, 820), (390, 844))
MOST_TOUCHES = 6  # UI §4, after Start, not counting readings, photos and the signature
SMALL = """[...document.querySelectorAll('button, a, input, select, textarea, label.photo-add, label.check')]
  .filter(e => e.offsetParent && !e.matches('.skip, .sr, [type=radio], [type=checkbox]'))
  .filter(e => { const box = e.getBoundingClientRect(); return box.height > 0 && box.height < 47.5; })
  .map(e => e.outerHTML.slice(0, 120))"""
COUNT_TOUCHES = """() => { window.touches = 0;
  addEventListener('click', event => {
    if (event.isTrusted && !event.target.closest('canvas, .num-in, .photo-add, input')) window.touches += 1;
  }, true); }"""


@pytest.fixture
def tour(sqlite_app: Flask) -> Tour:
    return make_tour(password=PASSWORD)


@pytest.fixture
def served(sqlite_app: Flask, tour: Tour, tmp_path: Path) -> Iterator[Served]:
    session.rollback()
    with Served(sqlite_app, db.engine, tmp_path / "server.log") as running:
        yield running


class Tablet:
    """Lu's tablet, signed in, noting what a console would complain about."""

    def __init__(
        self,
        browser: Browser,
        served: Served,
        language: str = "zh",
        size: tuple[int, int] = SIZES[0],
        theme: Literal["light", "dark"] = "light",
    ) -> None:
        self.base = f"http://127.0.0.1:{served.port}"
        width, height = size
        self.context = browser.new_context(
            viewport={"width": width, "height": height}, bypass_csp=True, color_scheme=theme
        )
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(15_000)
        self.complaints: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.sign_in(language)

    def sign_in(self, language: str = "zh") -> None:
        self.page.goto(f"{self.base}/login?lang={language}&next=/tablet")
        self.page.fill("input[name=email]", "lu@demo.test")
        self.page.fill("input[name=password]", PASSWORD)
        self.page.click("main button[type=submit]")
        expect(self.page.locator(".tablet-next")).to_be_visible()

    def step(self, to: str, following: str | None = None) -> None:
        self.page.wait_for_timeout(750)  # a second press within 700 ms is taken for the same press
        self.page.click(f"[data-step={to}]")
        if following and self.page.locator("[data-leave=all]").count():  # tools to take along, a customer to call
            self.page.click("[data-leave=all]")
        if following:
            expect(self.page.locator(f"[data-step={following}]")).to_be_visible()

    def to_work(self) -> None:
        self.step("accepted", "en_route")
        self.step("en_route", "on_site")
        self.page.evaluate("location.hash = document.querySelector('a[href^=\"#visit\"]')?.hash || location.hash")
        self.step("on_site", "in_progress")
        self.step("in_progress", "completed")

    def tab(self, name: str) -> None:
        self.page.click(f"#tab-{name}")
        expect(self.page.locator(f"#tab-{name}")).to_have_attribute("aria-selected", "true")

    def read(self, field: str, value: str) -> None:
        box = self.page.locator(f"#field-{field} input").first
        box.fill(value)
        box.press("Enter")
        expect(self.page.locator(f"#field-{field} .tol circle")).to_be_visible()

    def look(self, picture: Path) -> None:
        """axe, targets for gloves, nothing wider than the window; and a picture to look at."""
        self.page.screenshot(path=str(picture))
        self.page.evaluate(AXE.read_text())
        found = self.page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)
        assert [(one["id"], one["nodes"][0]["target"]) for one in found["violations"]] == []
        assert self.page.evaluate(SMALL) == []
        assert not self.page.evaluate("document.documentElement.scrollWidth > innerWidth")

    def sign(self) -> None:
        sign(self.page)


def photo(colour: str = "#336655") -> dict[str, Any]:
    made = BytesIO()
    Image.new("RGB", (2400, 1800), colour).save(made, "JPEG")
    return {"name": "seal.jpg", "mimeType": "image/jpeg", "buffer": made.getvalue()}


def fresh(tour: Tour) -> Visit:
    session.rollback()
    session.expire_all()
    return tour.visit


@pytest.mark.parametrize(
    ("language", "size", "theme"),
    [("zh", SIZES[0], "dark"), ("en", SIZES[1], "light"), ("zh", SIZES[2], "light"), ("en", SIZES[2], "dark")],
)
def test_a_standard_job_closes_with_six_touches_after_start(
    browser: Browser, served: Served, tour: Tour, language: str, size: tuple[int, int], theme: Any, shots: Path
) -> None:
    tablet = Tablet(browser, served, language, size, theme)
    page, width = tablet.page, size[0]

    def look(name: str) -> None:
        tablet.look(shots / f"tablet-{name}-{width}-{language}.png")

    look("today")
    tablet.to_work()
    page.evaluate(f"({COUNT_TOUCHES})()")
    look("checklist")
    for field, value in (("shaft_wear", "0.08"), ("oil_temperature", "61"), ("vibration", "4.9")):
        tablet.read(field, value)
    expect(page.locator("#field-vibration[data-out]")).to_be_visible()
    page.locator("#field-seal_photo input[type=file]").set_input_files(photo())  # type: ignore[arg-type]
    page.locator("#field-leak_point .tablet-options button").first.click()
    page.locator(".tablet-panel > .btn-block").click()
    look("checklist-done")
    page.click("[data-step=completed]")  # leads to what is left
    page.locator(".tablet-part .btn").first.click()  # parts as planned
    page.locator(".tablet-pattern").first.click()
    expect(page.locator("#left .notice")).to_be_visible()
    expect(page.locator("#summary")).not_to_have_value("")
    tablet.sign()
    look("report")
    page.click("[data-step=completed]")
    expect(page.locator(".tablet-foot .chip")).to_be_visible()
    assert page.evaluate("window.touches") <= MOST_TOUCHES
    for name in ("job", "parts", "photos", "time"):
        page.click(f"#tab-{name}")
        look(name)
    for name in ("van", "lessons"):
        page.evaluate(f"location.hash = '#{name}'")
        look(name)
    wait_until(lambda: fresh(tour).state == "completed", what="the visit is completed")
    visit = fresh(tour)
    assert (visit.restored, visit.work_order.state) == (True, "completed")
    assert visit.work_order.failure_mode
    assert session.query(PartUse).count() == 2
    assert tour.in_van() == 1
    wait_until(
        lambda: session.rollback() or session.query(StoredFile).filter_by(subject_type="visit").count() == 2,
        seconds=40, what="photo and signature have arrived",
    )  # fmt: skip
    assert session.query(TabletCommand).filter(TabletCommand.status != "accepted").count() == 0
    assert tablet.complaints == []


def test_without_a_network_work_goes_on_and_arrives_once(browser: Browser, served: Served, tour: Tour) -> None:
    tablet = Tablet(browser, served)
    page = tablet.page
    tablet.context.set_offline(True)
    tablet.to_work()
    tablet.read("oil_temperature", "95")
    page.locator("#field-seal_photo input[type=file]").set_input_files(photo())  # type: ignore[arg-type]
    expect(page.locator(".sync")).to_contain_text("项待传")
    page.click(".sync")
    expect(page.locator(".tablet-outbox li")).to_have_count(7)  # four steps, a reading, a photo and its bytes
    expect(page.locator("dialog .notice")).to_contain_text("没有网络")
    page.keyboard.press("Escape")
    assert fresh(tour).state == "dispatched"
    tablet.context.set_offline(False)
    expect(page.locator(".sync")).to_contain_text("已全部上传", timeout=30_000)
    visit = fresh(tour)
    assert visit.state == "in_progress"
    assert session.query(Answer).filter_by(field="oil_temperature").one().out_of_tolerance
    assert session.query(TabletCommand).count() == 6
    assert [row.status for row in session.query(TabletCommand)] == ["accepted"] * 6
    page.reload()
    expect(page.locator("#field-oil_temperature[data-out]")).to_be_visible()
    assert tablet.complaints == []


def test_a_killed_server_loses_nothing(browser: Browser, served: Served, tour: Tour) -> None:
    tablet = Tablet(browser, served)
    served.kill()
    tablet.step("accepted", "en_route")
    expect(tablet.page.locator(".sync")).to_contain_text("1 项待传")
    served.start()
    expect(tablet.page.locator(".sync")).to_contain_text("已全部上传", timeout=60_000)
    assert fresh(tour).state == "accepted"


def test_a_double_press_is_one_step(browser: Browser, served: Served, tour: Tour) -> None:
    tablet = Tablet(browser, served)
    tablet.page.locator("[data-step=accepted]").dblclick()
    expect(tablet.page.locator("[data-step=en_route]")).to_be_visible()
    expect(tablet.page.locator(".sync")).to_contain_text("已全部上传")
    assert fresh(tour).state == "accepted"


def test_a_press_after_another_entry_counts_however_soon(browser: Browser, served: Served, tour: Tour) -> None:
    tablet = Tablet(browser, served, "en")
    tablet.step("accepted", "en_route")
    tablet.step("en_route", "on_site")
    tablet.page.evaluate("location.hash = document.querySelector('a[href^=\"#visit\"]')?.hash || location.hash")
    tablet.step("on_site", "in_progress")
    # a while later, and from here on the clock of the page stands still: Start was pressed this very moment
    tablet.page.evaluate("() => { const at = performance.now() + 10_000; performance.now = () => at; }")
    tablet.step("in_progress", "completed")
    tablet.page.click("[data-step=completed]")
    expect(tablet.page.locator("#left")).to_have_count(0)  # taken for the double of Start
    tablet.page.locator(".tablet-panel > .btn-block").click()
    expect(tablet.page.locator(".tablet-panel > .btn-block")).to_have_count(0)
    tablet.page.click("[data-step=completed]")
    expect(tablet.page.locator("#left")).to_be_visible()
    assert tablet.complaints == []


def test_a_step_on_a_job_that_was_taken_away_is_refused_in_words(browser: Browser, served: Served, tour: Tour) -> None:
    tablet = Tablet(browser, served)
    tablet.context.set_offline(True)
    tablet.step("accepted", "en_route")
    write(lambda: booking.cancel_visit(tour.visit, "客户取消"))
    tablet.context.set_offline(False)
    page = tablet.page
    expect(page.locator(".sync")).to_contain_text("1 项被退回", timeout=30_000)
    expect(page.locator(".toast").first).to_contain_text("已取消")
    page.click(".sync")
    expect(page.locator(".tablet-outbox li")).to_contain_text("已取消")
    page.click(".tablet-outbox .btn-quiet")
    expect(page.locator("dialog .empty")).to_be_visible()
    assert tablet.complaints == []


def test_signed_out_meanwhile_keeps_what_was_recorded(browser: Browser, served: Served, tour: Tour) -> None:
    tablet = Tablet(browser, served)
    page = tablet.page
    tablet.context.clear_cookies()
    tablet.step("accepted", "en_route")
    expect(page.locator(".sync")).to_have_attribute("data-s", "bad")
    page.click(".sync")
    expect(page.locator("dialog")).to_contain_text("没有丢失")
    assert fresh(tour).state == "dispatched"
    tablet.sign_in()
    expect(page.locator(".sync")).to_contain_text("已全部上传")
    wait_until(lambda: fresh(tour).state == "accepted", what="the step arrives after signing in")


def test_a_partial_end_carries_what_is_open_and_a_pause_has_its_reason(
    browser: Browser, served: Served, tour: Tour
) -> None:
    tablet = Tablet(browser, served, "en", SIZES[1])
    page = tablet.page
    tablet.to_work()
    page.click(".tablet-foot [aria-label=Pause]")
    page.click("dialog .btn-block >> nth=0")
    expect(page.locator("[data-step=in_progress]")).to_be_visible()
    tablet.step("in_progress", "completed")
    page.click("#tab-report")
    page.fill("#summary", "旧油封已拆下，新油封明天到货。")
    page.locator("#summary").blur()
    page.click(".tablet-foot [aria-label='End without completing']")
    page.fill("#open-lines", "Fit the new seal")
    page.wait_for_timeout(750)
    page.click("dialog .btn-primary")
    expect(page.locator(".tablet-foot .chip")).to_contain_text("Partly")
    wait_until(lambda: fresh(tour).state == "partially_completed", what="the visit has ended")
    order = fresh(tour).work_order
    assert order.state == "ready"  # another visit is needed
    assert "Fit the new seal" in [item.words for item in order.items if item.required and item.done_at is None]
    assert not tour.visit.restored
    assert tablet.complaints == []


def test_no_number_is_asked_again_and_kept_nowhere(browser: Browser, served: Served, tour: Tour) -> None:
    tablet = Tablet(browser, served)
    page = tablet.page
    tablet.to_work()
    box = page.locator("#field-oil_temperature input").first
    for wrong in ("hot", "1e99", "12.5.1", "9" * 20, "-"):
        box.fill(wrong)
        box.press("Enter")
        expect(box).to_have_attribute("aria-invalid", "true")
        expect(box).to_have_value(wrong)
    for given, kept in (("61,5", "61.5"), ("６２", "62")):
        box.fill(given)
        box.press("Enter")
        expect(box).to_have_value(kept)
        expect(box).to_have_attribute("aria-invalid", "false")
    wait_until(
        lambda: session.rollback() or session.query(Answer).filter_by(field="oil_temperature").count() == 1,
        what="the reading arrives",
    )
    assert tablet.complaints == []
