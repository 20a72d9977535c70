"""Parts with serials, what is missing, extra work, who pays, scanning and the shown report, in a real browser."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import segno
from flask import Flask
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, expect

from fieldservice.foundation.db import db, session, write
from fieldservice.foundation.tokens import link_token
from fieldservice.mechanisms.files.models import StoredFile
from fieldservice.workorders import lines, sheets
from fieldservice.workorders.models import ExtraWork, LineChoice, PartUse, TabletCommand
from tests.conftest import PASSWORD
from tests.served import Served
from tests.signing import PAD, sign
from tests.waiting import wait_until
from tests.workorders.on_tour import OIL, SEAL, Tour, make_tour
from tests.workorders.test_tablet_browser import SIZES, Tablet, fresh

pytestmark = pytest.mark.browser
# The widths of bars and gaps of "OS-TC-180" in Code 128, set B, with its check sum
BARS = "2112141331212131131221322133111313211221321232213112221231222412112331112"


@pytest.fixture
def tour(sqlite_app: Flask) -> Tour:
    made = make_tour(password=PASSWORD)

    def mark() -> None:
        made.part(SEAL).serial_tracked = True
        made.part(OIL).wears = made.part(OIL).batch_tracked = True

    write(mark)
    return made


@pytest.fixture
def served(sqlite_app: Flask, tour: Tour, tmp_path: Path) -> Iterator[Served]:
    session.rollback()
    with Served(sqlite_app, db.engine, tmp_path / "server.log") as running:
        yield running


def picture(image: Image.Image) -> Any:
    made = BytesIO()
    image.convert("RGB").save(made, "PNG")
    return {"name": "label.png", "mimeType": "image/png", "buffer": made.getvalue()}


def qr(text: str) -> Any:
    made = BytesIO()
    segno.make(text, error="m").save(made, kind="png", scale=8, border=6)
    return picture(Image.open(made))


def code128() -> Any:
    """The label of the seal, its bars drawn by hand."""
    image = Image.new("L", (3 * sum(map(int, BARS)) + 120, 200), 255)
    draw, at = ImageDraw.Draw(image), 60
    for place, width in enumerate(BARS):
        if place % 2 == 0:
            draw.rectangle((at, 30, at + 3 * int(width) - 1, 170), fill=0)
        at += 3 * int(width)
    return picture(image)


@pytest.mark.parametrize(("language", "size"), [("zh", SIZES[0]), ("en", SIZES[1]), ("zh", SIZES[2]), ("en", SIZES[2])])
def test_I_19_lines_extra_work_and_the_report_without_a_network(
    browser: Browser, served: Served, tour: Tour, language: str, size: tuple[int, int], shots: Path
) -> None:
    tablet = Tablet(browser, served, language, size)
    page = tablet.page

    def look(name: str) -> None:
        tablet.look(shots / f"lines-{name}-{size[0]}-{language}.png")

    tablet.to_work()
    tablet.context.set_offline(True)
    page.click("#tab-parts")
    seal = page.locator(".tablet-part", has_text=SEAL).first
    seal.locator(".btn").last.click()  # asks for both serials
    keep = page.locator("dialog .dialog-f .btn-primary")
    expect(keep).to_be_disabled()
    page.fill("#serial", "N-2026-1")
    page.fill("#removed", "O-2019-7")
    look("serials")
    keep.click()
    page.locator(".tablet-part", has_text=OIL).first.locator(".btn").last.click()
    page.locator(".tablet-find > .btn").last.click()
    page.fill("#missing-words", "2 t crane" if language == "en" else "2 吨吊车")
    look("missing")
    page.locator("dialog .dialog-f .btn-primary").click()
    look("parts")
    page.click("#tab-report")
    expect(page.locator("#lines")).to_be_visible()
    page.locator("#lines .btn-primary").scroll_into_view_if_needed()
    look("lines")
    page.locator("#lines .btn-primary").click()  # the oil wears: ask the customer
    look("extra")
    page.locator("dialog .dialog-f .btn-primary").click()
    approve = page.locator("dialog .dialog-f .btn-primary")
    expect(approve).to_be_disabled()
    page.fill("#approver", "何建平")
    sign(page, f"dialog {PAD}")
    expect(approve).to_be_enabled()
    look("approval")
    approve.click()
    expect(page.locator("#lines .btn-primary")).to_have_count(0)
    page.locator("#lines .tablet-paid .btn-icon").last.click()  # labour or the seal: goodwill
    page.locator("dialog .choice").nth(3).click()
    expect(page.locator("dialog .err")).to_be_visible()  # paid under warranty leads to the customer
    page.locator("dialog .choice").nth(2).click()
    page.fill("#why", "我们上次装的" if language == "zh" else "Fitted by us last time")
    look("who-pays")
    page.locator("dialog .dialog-f .btn-primary").click()
    look("report")
    page.locator(".tablet-papers .btn").first.click()
    expect(page.locator(".tablet-paper")).to_be_visible()
    expect(page.locator(".tablet-paper")).to_contain_text("O-2019-7")
    look("shown")
    page.locator("dialog .seg button").nth(1).click()
    expect(page.locator(".tablet-paper")).to_contain_text("Service report")
    page.locator(".tablet-paper .tablet-sums").first.scroll_into_view_if_needed()
    look("shown-en")
    page.keyboard.press("Escape")
    tablet.context.set_offline(False)
    expect(page.locator(".sync")).to_have_attribute("data-s", "ok", timeout=30_000)
    wait_until(
        lambda: session.rollback() or session.query(StoredFile).filter_by(kind="approval").count() == 1,
        seconds=40, what="the signature has arrived",
    )  # fmt: skip
    order = fresh(tour).work_order
    assert session.query(TabletCommand).filter(TabletCommand.status != "accepted").count() == 0
    assert {(use.serial, use.removed_serial) for use in session.query(PartUse)} == {
        ("N-2026-1", "O-2019-7"), (None, None),
    }  # fmt: skip
    assert session.query(ExtraWork).one().decision == "approved"
    assert session.query(LineChoice).one().coverage == "goodwill"
    assert [item.words for item in order.items if item.required] == ["2 t crane" if language == "en" else "2 吨吊车"]
    shown = sum(line.pays for line in lines.lines_of(order))
    assert shown == sum(one.total for one in session.query(ExtraWork))
    assert sheets.extras_asked(order)[0].name == "何建平"
    assert tablet.complaints == []


def test_labels_are_read_from_pictures(browser: Browser, served: Served, tour: Tour, shots: Path) -> None:
    tablet = Tablet(browser, served, "en")
    page = tablet.page
    tablet.to_work()
    page.click("#tab-parts")
    asset_id = fresh(tour).work_order.asset_id
    own = f"http://127.0.0.1/a/{link_token('asset', str(asset_id))}"
    other = f"http://127.0.0.1/a/{link_token('asset', str((asset_id or 0) + 1))}"
    session.rollback()

    def scan(label: Any) -> None:
        page.locator(".tablet-find > .btn").nth(1).click()
        expect(page.locator("dialog input[type=file]")).to_be_attached(timeout=15_000)
        page.locator("dialog input[type=file]").set_input_files(label)

    page.locator(".tablet-find > .btn").nth(1).click()
    expect(page.locator("dialog [role=status]")).to_contain_text("no camera")
    tablet.look(shots / "lines-scan-820-en.png")
    page.keyboard.press("Escape")
    scan(qr(own))
    expect(page.locator(".toast").last).to_contain_text("The right machine", timeout=20_000)
    scan(qr(other))
    expect(page.locator(".toast").last).to_contain_text("Another machine")
    scan(qr(f"{SEAL};SN-77"))
    expect(page.locator("#serial")).to_have_value("SN-77")
    page.keyboard.press("Escape")
    scan(code128())
    expect(page.locator("dialog h3")).to_contain_text(SEAL)
    page.keyboard.press("Escape")
    scan(picture(Image.new("RGB", (300, 200), "#888888")))
    expect(page.locator("dialog [role=status]")).to_contain_text("No code was found")
    page.fill("#code", "MC3-18-20457")
    page.locator("dialog form .btn-primary").click()
    expect(page.locator(".toast").last).to_contain_text("The right machine")
    assert tablet.complaints == []
