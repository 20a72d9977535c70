"""A customer's stock in a real browser: read by the store, refilled, signed for by the customer; clean for axe."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from fieldservice.foundation.db import db, session, write
from fieldservice.foundation.time import Clock
from fieldservice.mechanisms.lifecycle import move
from fieldservice.parts.consignment.models import RefillOrder
from fieldservice.parts.models import StockLocation
from fieldservice.stations.models import Station
from tests.conftest import NOW, PASSWORD, make_user
from tests.dispatch.plans.test_plan_browser import _clean as clean
from tests.parts.consignment.scene import Stock, make_stock
from tests.served import Served

pytestmark = pytest.mark.browser


@pytest.fixture
def stock(sqlite_app: Flask, clock: Clock) -> Stock:
    clock.advance(days=-6)
    made = make_stock(lies=100)
    made.use(5, 12)
    clock.fix(NOW)
    write(lambda: move(session.get_one(Station, made.station), "open"))
    make_user("storekeeper", made.station, email="ma@demo.test", name="马库管", password=PASSWORD)
    make_user("customer", None, email="zhao@demo.test", name="赵倩", password=PASSWORD, customer_id=made.customer)
    return made


@pytest.fixture
def served(sqlite_app: Flask, stock: Stock, tmp_path: Path) -> Iterator[Served]:
    session.rollback()
    with Served(sqlite_app, db.engine, tmp_path / "server.log") as running:
        yield running


@pytest.mark.parametrize(("language", "scheme", "width"), [("zh", "light", 1440), ("en", "dark", 390)])
def test_Q_13_T_06_read_refilled_and_signed_for(
    browser: Browser, served: Served, stock: Stock, language: str, scheme: str, width: int, shots: Path
) -> None:
    base, complaints = f"http://127.0.0.1:{served.port}", list[str]()

    def signed_in(email: str) -> Page:
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{base}/login?lang={language}")
        page.fill("input[name=email]", email)
        page.fill("input[name=password]", PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url(lambda url: "/login" not in url)
        return page

    keeper = signed_in("ma@demo.test")
    code = session.get_one(StockLocation, stock.place).code
    session.rollback()
    keeper.goto(f"{base}/parts/consignment")
    clean(keeper)
    keeper.click(f"a[href='/parts/consignment/places/{code}']")
    keeper.locator(f"#counted-{stock.line}").focus()
    keeper.keyboard.type("500")  # a slip of the finger
    keeper.keyboard.press("Enter")
    expect(keeper.locator("[role=alert]").first).to_be_visible()
    expect(keeper.locator(f"[name=sure-{stock.line}]")).to_be_visible()
    clean(keeper)
    keeper.fill(f"#counted-{stock.line}", "18")
    keeper.keyboard.press("Enter")
    refill = keeper.locator(".card-h a[href^='/parts/refills/']")
    expect(refill).to_be_visible()
    clean(keeper)
    keeper.screenshot(path=shots / f"consignment-place-{language}.png", full_page=True)
    refill.click()
    clean(keeper)
    keeper.locator("form[action$='/confirm'] button").click()
    expect(keeper.locator(".clock-tile")).to_be_visible()
    clean(keeper)
    keeper.locator("form[action$='/ship'] button").click()
    expect(keeper.locator("input[name=note]")).to_be_visible()
    clean(keeper)

    customer = signed_in("zhao@demo.test")
    customer.goto(f"{base}/my-stock")
    clean(customer)
    expect(customer.locator("input[name=received_by]")).to_have_value("赵倩")
    customer.locator("form[action$='/received'] button").click()
    expect(customer.locator("#h-over")).to_be_visible()
    clean(customer)
    customer.screenshot(path=shots / f"my-stock-{language}.png", full_page=True)
    session.rollback()
    done = session.query(RefillOrder).one()
    assert (done.state, done.kept, done.received_by) == ("delivered", True, "赵倩")
    assert complaints == []
