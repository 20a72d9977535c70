"""Somebody is borrowed in a real browser: asked, agreed to, on both boards; clean for axe in both languages."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, expect

from fieldservice.foundation.db import db, session, write
from fieldservice.workorders import booking
from tests.conftest import PASSWORD, make_user
from tests.dispatch.lending.company import Company, make_company
from tests.dispatch.plans.test_plan_browser import _clean as clean
from tests.served import Served
from tests.workorders.scene import local_at

pytestmark = pytest.mark.browser


@pytest.fixture
def company(sqlite_app: Flask) -> Company:
    made = make_company()
    make_user("dispatcher", made.suzhou.id, email="qian@demo.test", name="Qian", password=PASSWORD)
    make_user("station_manager", made.wuxi.id, email="shen@demo.test", name="Shen", password=PASSWORD)
    make_user("director", None, email="han@demo.test", name="Han", password=PASSWORD)
    write(lambda: booking.schedule_visit(session.merge(made.scene.order), made.lu, local_at(14)))
    return made


@pytest.fixture
def served(sqlite_app: Flask, company: Company, tmp_path: Path) -> Iterator[Served]:
    session.rollback()
    with Served(sqlite_app, db.engine, tmp_path / "server.log") as running:
        yield running


@pytest.mark.parametrize(("language", "scheme"), [("zh", "light"), ("en", "dark")])
def test_B6_somebody_is_borrowed(
    browser: Browser, served: Served, company: Company, language: str, scheme: str, shots: Path
) -> None:
    base, complaints = f"http://127.0.0.1:{served.port}", list[str]()
    contexts: list[BrowserContext] = []

    def signed_in(email: str) -> Page:
        context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{base}/login?lang={language}")
        page.fill("input[name=email]", email)
        page.fill("input[name=password]", PASSWORD)
        page.click("main button[type=submit]")
        expect(page.locator("button.avatar")).to_be_visible()
        return page

    borrower = signed_in("qian@demo.test")
    borrower.goto(f"{base}/dispatch/lendings/new?order={company.order.number}")
    clean(borrower)
    borrower.fill("#starts_at", "2026-11-25T11:00")
    borrower.fill("#ends_at", "2026-11-26T18:00")
    borrower.click("form[method=get] button[type=submit]")
    borrower.check(f"input[value='technician:{company.lu.id}']")
    clean(borrower)
    borrower.click("form[method=post][action='/dispatch/lendings'] button[type=submit]")
    expect(borrower.locator("h1")).to_contain_text("陆建国" if language == "zh" else "Lu Jianguo")
    lending = borrower.url.rsplit("/", 1)[1]

    lender = signed_in("shen@demo.test")
    lender.goto(f"{base}/dispatch/lendings/{lending}")
    expect(lender.locator("#agree a").first).to_have_text(company.scene.order.number)
    clean(lender)
    lender.click("#agree button[type=submit]")
    expect(lender.locator("[role=alert]")).to_contain_text(company.scene.order.number)
    lender.check("#keep")
    lender.click("#agree button[type=submit]")
    expect(borrower.locator("h1 .chip")).to_have_text("已同意" if language == "zh" else "Agreed")  # told live
    clean(lender)
    lender.goto(f"{base}/dispatch/lendings")
    clean(lender)

    note = f".tml-lane[data-lane='{company.lu.id}'] .tml-note"
    lender.goto(f"{base}/dispatch")
    expect(lender.locator(note)).to_contain_text("Suzhou SIP" if language == "en" else "苏州园区站")
    borrower.goto(f"{base}/dispatch")
    expect(borrower.locator(note)).to_contain_text("Wuxi" if language == "en" else "无锡")
    everywhere = signed_in("han@demo.test")
    everywhere.goto(f"{base}/dispatch")
    expect(everywhere.locator(f".tml-lane[data-lane='{company.lu.id}@home']")).to_be_visible()
    everywhere.screenshot(path=shots / f"lending-{language}.png")
    assert complaints == []
    for context in contexts:
        context.close()
