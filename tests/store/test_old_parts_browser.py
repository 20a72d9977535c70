"""The storekeeper's way of an old part in a real browser, in both languages: scanned in, inspected, claimed."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, expect

from fieldservice.foundation.db import db, session, write
from fieldservice.parts.catalogue.models import Supplier
from fieldservice.workorders import visits
from tests.conftest import PASSWORD, make_user
from tests.served import Served
from tests.test_story_browser import DESKTOP, Cast
from tests.workorders.on_tour import make_tour

pytestmark = pytest.mark.browser
SAID = {
    "zh": {"claim": "向供应商索赔", "supplier": "轴封厂"},
    "en": {"claim": "Claim from the supplier", "supplier": "Seal works"},
}


@pytest.fixture
def served(sqlite_app: Flask, tmp_path: Path) -> Iterator[Served]:
    """A seal with the number OLD-1 came out of a gearbox."""
    tour = make_tour().at_work()
    tour.do(visits.use_part, tour.part(), Decimal(1), serial="NEW-1", removed_serial="OLD-1")
    write(lambda: session.add(Supplier(code="S-9", names={"zh": "轴封厂", "en": "Seal works"})))
    make_user("storekeeper", tour.station_id, email="ma@demo.test", name="马会", password=PASSWORD)
    session.rollback()
    with Served(sqlite_app, db.engine, tmp_path / "server.log") as running:
        yield running


@pytest.mark.parametrize("language", ["zh", "en"])
def test_an_old_part_is_scanned_in_inspected_and_claimed(
    browser: Browser, served: Served, language: str, shots: Path
) -> None:
    cast = Cast(browser, served, language, shots)
    page = cast.person(DESKTOP, "ma")
    page.goto(f"{cast.base}/parts/returns?lang={language}")
    expect(page.locator("tbody tr")).to_have_count(1)
    cast.look(page, "old-parts")
    page.keyboard.type("OLD-1")  # the scanner types into the field that has the focus, and presses Enter
    page.keyboard.press("Enter")
    expect(page.locator(".tabs a[aria-current=page] .count")).to_have_text("1")
    page.locator("tbody a.b").first.click()
    page.get_by_label(SAID[language]["claim"]).check()
    page.locator("#supplier").select_option("S-9")
    page.locator("#words").fill("唇口龟裂")
    page.locator("#words").press("Enter")
    expect(page.locator("dl")).to_contain_text("唇口龟裂")
    cast.look(page, "old-part")
    page.goto(f"{cast.base}/parts/claims")
    page.locator("form[action$='/new'] button").click()
    expect(page.locator("h1")).to_have_text(SAID[language]["supplier"])
    expect(page.locator("tbody")).to_contain_text("OLD-1")
    cast.look(page, "claim")
    assert cast.complaints == []
