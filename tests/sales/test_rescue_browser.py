"""A rescue as its people see it, in a real browser and both languages: report to opportunity (X-01, X-02)."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from fieldservice.assets.models import Asset, Brand
from fieldservice.foundation.db import db, session, write
from tests.company import SERIAL, make_company
from tests.conftest import PASSWORD, make_user
from tests.served import Served
from tests.test_story_browser import DESKTOP, PHONE, TABLET, Cast

pytestmark = pytest.mark.browser
WORDS = {
    "zh": "压机不动作，原厂说要一周才能来，产线停了。",
    "en": "The press does not move. The maker comes in a week; the line is stopped.",
}
SAID = {
    "zh": {
        "waits": "等待批准", "approved": "已批准", "need": "已确认需求", "advantage": "144 小时",
        "kind": "友商设备抢修",
    },
    "en": {
        "waits": "Waits for approval", "approved": "Approved", "need": "Qualified", "advantage": "144 h",
        "kind": "Competitor machine rescue",
    },
}  # fmt: skip


@pytest.fixture
def served(sqlite_app: Flask, tmp_path: Path) -> Iterator[Served]:
    """The machine of the story is another maker's, and out of warranty."""

    def work() -> int:
        made = make_company()
        session.add(Brand(name="臻护", also="Zhenhu", own=True))
        machine = session.get_one(Asset, made["asset"])
        machine.brand, machine.warranty_until, machine.loss_per_hour = "SEW", None, 8600_00
        return made["station"]

    station = write(work)
    for role, email, name in (
        ("agent", "feng", "冯雅琴"), ("station_manager", "shen", "沈文"), ("sales", "liang", "梁佳琪"),
    ):  # fmt: skip
        make_user(role, station, email=f"{email}@demo.test", name=name, password=PASSWORD)
    session.rollback()
    with Served(sqlite_app, db.engine, tmp_path / "server.log") as running:
        yield running


@pytest.mark.parametrize("language", ["zh", "en"])
def test_x01_a_rescue_is_approved_and_becomes_an_opportunity(
    browser: Browser, served: Served, language: str, shots: Path
) -> None:
    cast = Cast(browser, served, language, shots)
    _reports(cast)
    order = _triages(cast)
    opportunity = _approves(cast, order)
    _follows(cast, opportunity)
    assert cast.complaints == []


def _reports(cast: Cast) -> None:
    page = cast.person(PHONE)
    page.goto(f"{cast.base}/report?lang={cast.language}")
    page.fill("#description", WORDS[cast.language])
    page.locator("input[name=severity][value=line_stop]").check()
    page.fill("#serial", SERIAL)
    page.locator("#serial").blur()
    page.fill("input[name=name]", "何工")
    page.fill("input[name=phone]", "139 1234 0608")
    page.locator("form .btn-primary").click()
    page.wait_for_url("**/report/**")


def _triages(cast: Cast) -> str:
    """The page proposes the rescue; another type takes its questions away again, and back."""
    said, page = SAID[cast.language], cast.person(DESKTOP, "feng")
    page.goto(f"{cast.base}/requests")
    page.locator(".intake-words a").first.click()
    page.wait_for_url("**/requests/SR-*")
    expect(page.locator("#work_type option:checked")).to_have_text(said["kind"])
    page.select_option("#work_type", "gearbox_seal_change")
    expect(page.locator("#their_hours")).to_have_count(0)
    page.select_option("#work_type", "competitor_rescue")
    page.fill("#their_hours", "168")
    cast.look(page, "rescue-triage", (DESKTOP, TABLET))
    page.click(".wo-triage button.btn-primary")
    page.wait_for_url("**/work-orders/WO-*")
    expect(page.locator("main")).to_contain_text(said["waits"])
    expect(page.locator("#approval form")).to_have_count(0)  # who only triages does not decide
    return page.url.split("/")[-1].split("?")[0]


def _approves(cast: Cast, order: str) -> str:
    """The manager comes by the task on the station's page; gives the opportunity's number."""
    page = cast.person(DESKTOP, "shen")
    page.goto(f"{cast.base}/stations/WXXW")
    page.locator(f"a[href='/work-orders/{order}']").click()
    page.wait_for_url("**/work-orders/WO-*")
    expect(page.locator("#approval [data-due]")).to_be_visible()
    expect(page.locator("#estimate")).to_be_hidden()
    _choose(page, "paid")
    expect(page.locator("#estimate")).to_be_visible()
    _choose(page, "goodwill")
    cast.look(page, "rescue-approval", (DESKTOP, TABLET))
    page.locator("#approval .btn-primary").dblclick()
    expect(page.locator("#approval .chip")).to_have_text(SAID[cast.language]["approved"])
    link = page.locator("#opportunity a")
    expect(link).to_be_visible()
    number = link.inner_text()
    link.click()
    page.wait_for_url("**/opportunities/OP-*")
    expect(page.locator("#advantage")).to_contain_text(SAID[cast.language]["advantage"])
    return number


def _choose(page: Page, coverage: str) -> None:
    page.locator(f"label:has(input[name=coverage][value={coverage}])").click()


def _follows(cast: Cast, number: str) -> None:
    """Whoever sells begins with the list."""
    page = cast.person(DESKTOP, "liang")
    page.wait_for_url("**/opportunities")
    cast.look(page, "opportunities")
    page.get_by_role("link", name=number).click()
    page.wait_for_url("**/opportunities/OP-*")
    cast.look(page, "opportunity")
    page.locator("form:has(input[name=to][value=qualified]) button").click()
    expect(page.locator("main header .chip")).to_have_text(SAID[cast.language]["need"])
    page.fill("#words", "客户想了解整线维保。")
    page.fill("#value", "240,000")
    page.locator("form:has(#words) button").click()
    expect(page.locator("#history")).to_contain_text("客户想了解整线维保。")
