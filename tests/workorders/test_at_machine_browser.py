"""At the machine in a real browser: leaving, arriving by position, findings, before and after, follow-up, times."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, expect

from fieldservice.foundation.db import db, session, write
from fieldservice.foundation.time import now
from fieldservice.mechanisms.events import history
from fieldservice.workorders.models import TabletCommand, TabletUpload
from fieldservice.workorders.onsite import leaving
from fieldservice.workorders.onsite.models import Arrival, Finding, FollowUp, LocationConsent, TimeCorrection
from tests.conftest import PASSWORD
from tests.served import Served
from tests.waiting import wait_until
from tests.workorders.on_tour import Tour, make_tour
from tests.workorders.test_tablet_browser import SIZES, Tablet, fresh, photo

pytestmark = pytest.mark.browser
LOOKS = [("zh", SIZES[0]), ("en", SIZES[1]), ("zh", SIZES[2]), ("en", SIZES[2])]


@pytest.fixture
def tour(sqlite_app: Flask) -> Tour:
    """The newest checklist: pictures of before and after, tools to take along. The customer has not confirmed."""
    tour = make_tour(password=PASSWORD, work_type_version=2)

    def unready() -> None:
        tour.visit.confirmed_at = None
        leaving.require_conduct(tour.order.station, True, now())

    write(unready)
    return tour


@pytest.fixture
def served(sqlite_app: Flask, tour: Tour, tmp_path: Path) -> Iterator[Served]:
    session.rollback()
    with Served(sqlite_app, db.engine, tmp_path / "server.log") as running:
        yield running


def all_sent(tablet: Tablet) -> None:
    word = {"zh": "已全部上传", "en": "All sent"}[str(tablet.page.evaluate("document.documentElement.lang"))[:2]]
    expect(tablet.page.locator(".sync")).to_contain_text(word, timeout=30_000)
    session.rollback()
    session.expire_all()


@pytest.mark.parametrize(("language", "size"), LOOKS)
def test_a_day_at_the_machine(
    browser: Browser, served: Served, tour: Tour, language: str, size: tuple[int, int], shots: Path
) -> None:
    tablet = Tablet(browser, served, language, size)
    page = tablet.page

    def look(name: str) -> None:
        tablet.look(shots / f"machine-{name}-{size[0]}-{language}.png")

    tablet.step("accepted", "en_route")
    look("today")
    tablet.step("en_route")
    look("leaving")
    page.fill("#leave-reason", "千分尺在送检")
    without = page.locator("[data-leave=without]")
    expect(without).to_be_disabled()  # the station asks for uniform and badge
    for box in page.locator("dialog h3 ~ label input").all():
        box.check()
    without.click()
    expect(page.locator("[data-step=on_site]")).to_be_visible()
    page.evaluate("location.hash = document.querySelector('a[href^=\"#visit\"]').hash")
    tablet.step("on_site", "in_progress")
    tablet.step("in_progress", "completed")

    tablet.read("vibration", "4.9")
    page.locator("#field-dry_run .btn-icon").click()
    expect(page.locator("#field-dry_run[data-out]")).to_be_visible()
    page.fill("#field-dry_run .why input", "端盖仍渗油")
    page.locator("#field-dry_run .why input").blur()
    page.locator("#field-vibration .why .btn").click()
    look("follow-up")
    page.locator("dialog .btn-primary").click()
    expect(page.locator("#field-vibration .chip")).to_be_visible()
    look("checklist")
    page.click("#tab-photos")
    for name in ("before", "after"):
        page.locator(f".tablet-pair > div:nth-child({1 if name == 'before' else 2}) input[type=file]").set_input_files(
            photo("#336655" if name == "before" else "#aa7733")  # type: ignore[arg-type]
        )
    expect(page.locator(".tablet-pair img")).to_have_count(2)
    look("photos")
    page.click("#tab-time")
    page.locator("[data-time=travel] .btn").click()
    page.fill("#time-minutes", "25")
    page.fill("#time-reason", "途中取件")
    look("time-dialog")
    page.locator("dialog .btn-primary").click()
    expect(page.locator("[data-time=travel]")).to_contain_text("25")
    look("time")
    page.click("#tab-job")
    look("job")
    all_sent(tablet)
    [event] = [one for one in history(fresh(tour)) if one.kind == "visit.en_route"]
    assert (event.facts["ready"], event.facts["missing"]) == (False, ["tools", "contact"])
    assert event.facts["conduct"] == ["uniform", "badge", "safety_gear"]
    assert session.query(Arrival).one().check_in == "hand"
    found = {one.field: one.state for one in session.query(Finding)}
    assert found == {"vibration": "followed_up", "dry_run": "tolerated"}
    assert session.query(FollowUp).one().work_order.state == "ready"
    assert session.query(TimeCorrection).one().minutes == 25
    assert sorted(str(one.moment) for one in session.query(TabletUpload)) == ["after", "before"]
    assert {one.status for one in session.query(TabletCommand)} == {"accepted"}
    page.reload()  # what the server tells is what the tablet showed
    expect(page.locator("[data-step=completed]")).to_be_visible()
    page.click("#tab-checklist")
    expect(page.locator("#field-vibration .chip")).to_be_visible()
    expect(page.locator("#field-dry_run[data-out]")).to_be_visible()
    page.click("#tab-photos")
    expect(page.locator(".tablet-pair figure")).to_have_count(2)
    page.click("#tab-time")
    expect(page.locator("[data-time=travel]")).to_contain_text("25")
    assert tablet.complaints == []


def test_all_in_order_sets_off_and_once_ticked_it_is_one_touch(browser: Browser, served: Served, tour: Tour) -> None:
    tablet = Tablet(browser, served)
    tablet.step("accepted", "en_route")
    tablet.step("en_route")
    tablet.page.click("[data-leave=all]")
    expect(tablet.page.locator("[data-step=on_site]")).to_be_visible()
    all_sent(tablet)
    [event] = [one for one in history(fresh(tour)) if one.kind == "visit.en_route"]
    assert event.facts["ready"] is True
    assert tablet.complaints == []


@pytest.mark.parametrize(
    ("north", "check_in", "asked"), [(0.0005, "geofence", False), (0.05, "hand", True)], ids=["there", "far"]
)
def test_arriving_by_position(
    browser: Browser, served: Served, tour: Tour, north: float, check_in: str, asked: bool, shots: Path
) -> None:
    def ready() -> None:
        leaving.require_conduct(tour.order.station, False, now())

    write(ready)
    tablet = Tablet(browser, served, "en", SIZES[2])
    page = tablet.page
    order = tour.order
    assert order.latitude is not None
    assert order.longitude is not None
    tablet.context.grant_permissions(["geolocation"])
    tablet.context.set_geolocation({"latitude": order.latitude + north, "longitude": order.longitude, "accuracy": 20})
    session.rollback()
    page.evaluate("location.hash = document.querySelector('a[href^=\"#visit\"]').hash")
    page.get_by_label("I agree").check()
    tablet.look(shots / f"machine-consent-{check_in}.png")
    tablet.step("accepted", "en_route")
    tablet.step("en_route")
    page.click("[data-leave=all]")
    tablet.step("on_site")
    if asked:
        expect(page.locator("dialog")).to_contain_text("m from the site")
        tablet.look(shots / "machine-far.png")
        page.locator("dialog .btn-block").first.click()
    expect(page.locator("[data-step=in_progress]")).to_be_visible()
    all_sent(tablet)
    row = session.query(Arrival).one()
    assert (row.check_in, bool(row.reason)) == (check_in, asked)
    assert row.latitude is not None or not asked
    assert session.query(LocationConsent).count() == 1
    page.click("#tab-job")
    page.get_by_label("I agree").uncheck()
    wait_until(
        lambda: session.rollback() or session.query(LocationConsent).one().withdrawn_at is not None,
        what="consent is taken back",
    )
    assert session.query(Arrival).one().latitude is None
    assert tablet.complaints == []


def test_a_position_that_never_comes_holds_nobody_up(browser: Browser, served: Served, tour: Tour) -> None:
    tablet = Tablet(browser, served)
    page = tablet.page
    page.evaluate("location.hash = document.querySelector('a[href^=\"#visit\"]').hash")
    page.get_by_label("我同意").check()
    tablet.step("accepted", "en_route")
    tablet.step("en_route")
    page.click("[data-leave=all]")
    page.evaluate("navigator.geolocation.getCurrentPosition = () => {}")
    tablet.step("on_site")
    expect(page.locator("[data-step=in_progress]")).to_be_visible(timeout=6_000)
    all_sent(tablet)
    row = session.query(Arrival).one()
    assert (row.check_in, row.distance_m) == ("hand", None)
