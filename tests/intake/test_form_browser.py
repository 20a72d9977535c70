"""The report form in a real browser: drafts, photos, places, position; and all of it without scripts (J-11)."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from sqlalchemy import select

from config import ROOT
from fieldservice.assets.models import Asset
from fieldservice.foundation.db import db, session, write
from fieldservice.foundation.time import clock
from fieldservice.foundation.tokens import link_token
from fieldservice.intake.models import ServiceRequest
from fieldservice.mechanisms import files
from tests import factories as make
from tests.conftest import NOW, Database
from tests.intake.conftest import SERIAL
from tests.served import Served

pytestmark = pytest.mark.browser
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PHONE = {"width": 390, "height": 844}
SEND = "form .btn-primary"


@pytest.fixture(scope="module")
def server(databases: dict[str, Database], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server for all tests here, over a company in Wuxi; each test makes its own requests."""
    database = databases["sqlite"]
    database.reset()
    with database.app.app_context():
        clock.fix(NOW)
        write(lambda: make.asset(make.site(make.customer()), serial=SERIAL) and make.station(territory=["320214"]))
        clock.follow_wall()
        with Served(database.app, db.engine, tmp_path_factory.mktemp("server") / "log") as running:
            yield running
        session.remove()


@pytest.fixture
def site(server: Served) -> str:
    return f"http://127.0.0.1:{server.port}"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield browser
        browser.close()


def opened(chromium: Browser, **facts: object) -> BrowserContext:
    return chromium.new_context(**{"viewport": PHONE, "locale": "zh-CN", **facts})  # type: ignore[arg-type]


def fill(page: Page, **changes: str) -> None:
    given = {"description": "主轴异响，转速上不去", "name": "李强", "phone": "13912345678", **changes}
    for name, value in given.items():
        page.fill(f"[name={name}]", value)
    page.check("[value=line_stop]")


def one() -> ServiceRequest:
    """The newest."""
    session.rollback()
    return session.scalars(select(ServiceRequest).order_by(ServiceRequest.id.desc()).limit(1)).one()


def pictures(folder: Path, count: int) -> list[str]:
    paths = [folder / f"{number}.jpg" for number in range(count)]
    for number, path in enumerate(paths):
        Image.new("RGB", (640, 480), (90 * number, 80, 120)).save(path)
    return [str(path) for path in paths]


def violations(page: Page) -> list[str]:
    found = page.evaluate(
        "async rules => (await axe.run(document, {runOnly: rules})).violations.map(v => `${v.id}: ${v.nodes[0].html}`)",
        RULES,
    )
    return [str(line) for line in found]


# The server takes five reports a minute: the last of these tests sends the fifth.


def test_axe_finds_nothing_and_nothing_is_wider_than_the_phone(site: str, chromium: Browser) -> None:
    code = link_token("asset", str(session.scalars(select(Asset.id)).one()))
    for language in ("zh", "en"):
        for theme in ("light", "dark"):
            context = opened(chromium, viewport={"width": 360, "height": 740}, color_scheme=theme, bypass_csp=True)
            context.add_init_script(path=AXE)
            page = context.new_page()
            for path in ("/report", f"/a/{code}", "/report?serial=ZZ-1"):
                page.goto(f"{site}{path}{'&' if '?' in path else '?'}lang={language}")
                assert violations(page) == [], (path, language, theme)
                assert page.evaluate("document.documentElement.scrollWidth") <= 360
            fill(page, address="江苏省无锡市新吴区", phone="1")
            page.click(SEND)
            page.locator("#phone-error").wait_for()
            assert violations(page) == [], ("refused", language, theme)
            context.close()


def test_what_was_typed_survives_a_reload_and_is_gone_once_sent(site: str, chromium: Browser) -> None:
    page = opened(chromium).new_page()
    page.goto(f"{site}/report")
    fill(page, address="江苏省无锡市新吴区长江路18号", phone="1391234567")
    page.reload()
    assert page.input_value("#description") == "主轴异响，转速上不去"
    assert page.is_checked("[value=line_stop]")
    page.fill("[name=phone]", "13912345678")
    page.click(SEND)
    page.wait_for_url("**/report/done/**")
    assert one().number in page.inner_text("main")
    assert page.evaluate("Object.keys(localStorage)") == []


def test_photos_are_shown_taken_away_kept_and_sent(site: str, chromium: Browser, tmp_path: Path) -> None:
    page = opened(chromium).new_page()
    page.goto(f"{site}/report")
    fill(page, address="江苏省无锡市新吴区长江路18号", phone="1391234567")
    for path in pictures(tmp_path, 3):
        page.set_input_files("#photos", [path])
    page.locator("[data-preview] button").first.click()
    assert page.locator("[data-preview] img").count() == 2
    page.click(SEND)
    page.locator("#phone-error").wait_for()
    assert page.locator(".intake-held").count() == 2
    page.fill("[name=phone]", "13912345678")
    page.click(SEND)
    page.wait_for_url("**/report/done/**")
    assert [file.name for file in files.files_of([one()])["service_request", one().id]] == ["1.jpg", "2.jpg"]


def test_an_unclear_place_is_asked_while_it_is_typed(site: str, chromium: Browser) -> None:
    page = opened(chromium).new_page()
    page.goto(f"{site}/report")
    fill(page, address="西湖区文三路90号")
    page.press("#address", "Tab")
    page.locator("#place [value='330106']").wait_for()
    page.fill("#address", "厂区后门")
    page.press("#address", "Tab")
    for label, code in (("没有找到", "320000"), ("江苏省", "320200"), ("无锡市", "320214")):
        page.locator(f"#place label:has-text('{label}')").wait_for()
        page.select_option("#division_code", code)
    page.locator("#place :text('江苏省无锡市新吴区')").wait_for()
    page.click(SEND)
    page.wait_for_url("**/report/done/**")
    assert one().division_code == "320214"


def test_a_serial_fills_in_the_machine_and_the_position_the_place(site: str, chromium: Browser) -> None:
    where = {"latitude": 31.5, "longitude": 120.4, "accuracy": 15}
    page = opened(chromium, geolocation=where, permissions=["geolocation"]).new_page()
    page.goto(f"{site}/report")
    fill(page)
    page.click("[data-position]")
    page.locator("[data-position][aria-pressed=true]").wait_for()
    page.fill("[name=serial]", SERIAL.lower())
    page.press("[name=serial]", "Tab")
    page.locator("#machine [data-known]").wait_for()
    page.click(SEND)
    page.wait_for_url("**/report/done/**")
    assert (one().precision, one().latitude, one().asset is not None) == ("point", 31.5, True)


def test_everything_works_without_scripts(site: str, chromium: Browser, tmp_path: Path) -> None:
    page = opened(chromium, java_script_enabled=False).new_page()
    page.goto(f"{site}/report")
    fill(page, address="厂区后门", phone="1391234567")
    page.set_input_files("#photos", pictures(tmp_path, 2))
    page.click(SEND)
    assert "少一位" in page.inner_text("#phone-error")
    page.fill("[name=phone]", "13912345678")
    for code in ("320000", "320200", "320214"):
        page.select_option("#division_code", code)
        page.click(SEND)
    page.wait_for_url("**/report/done/**")
    assert len(files.files_of([one()])["service_request", one().id]) == 2
    page.click("a.btn-primary")
    assert one().number in page.inner_text("main")
