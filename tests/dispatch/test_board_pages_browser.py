"""Slow areas, absences, late running and weights in a browser: by mouse and keyboard, live for two, clean for axe."""

import re
from collections.abc import Callable

import pytest
from flask import Flask
from playwright.sync_api import Locator, Page, expect

from fieldservice.dispatch.areas import services as areas
from fieldservice.dispatch.areas.models import DrawnArea
from fieldservice.foundation.db import session, write
from fieldservice.foundation.time import Clock
from fieldservice.workorders import booking
from fieldservice.workorders.models import Booking, Visit
from tests.conftest import PASSWORD, make_user
from tests.dispatch.areas.snow import drawn
from tests.dispatch.test_board_browser import AXE, RULES, Desk, desk, desk_of, known, served
from tests.workorders.cast import HOME
from tests.workorders.scene import Scene, local_at, make_order, make_request, make_scene, make_technician

__all__ = ["desk", "desk_of", "served"]  # fixtures
pytestmark = pytest.mark.browser
CORNERS = ((0.1, 0.35), (0.9, 0.35), (0.9, 0.65), (0.1, 0.65))  # of the map, around its middle


@pytest.fixture
def scene(sqlite_app: Flask, clock: Clock) -> Scene:
    """Lu goes to two customers; at half past ten, when the browser opens, he should have set off to the first."""
    clock.fix(local_at(9))
    made = make_scene()
    for name in ("zhou", "wang"):
        make_user("dispatcher", made.station.id, email=f"{name}@demo.test", name=name.title(), password=PASSWORD)
    make_user("station_manager", made.station.id, email="shen@demo.test", name="Shen", password=PASSWORD)
    made.more["ma"] = write(lambda: make_technician(made.station, "马俊", "Ma Jun"))
    made.more["visits"] = [visit(made, 10, 30, "100 min"), visit(made, 11, 30), visit(made, 15, place=HOME)]
    clock.fix(local_at(10, 30))
    return made


def visit(scene: Scene, hour: int, minute: int = 0, arrival: str | None = None, **facts: object) -> Visit:
    def work() -> Visit:
        request = make_request(scene.station, priority="P3", arrival=arrival)
        order = make_order(scene.station, request=request, customer=scene.customer, duration_min=60, **facts)
        return booking.schedule_visit(order, session.merge(scene.lu), local_at(hour, minute))

    return write(work)


def axe(page: Page, where: str) -> None:
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("rules => axe.run(document, {runOnly: {type: 'tag', values: rules}})", RULES)
    problems = [(one["id"], [node["target"] for node in one["nodes"]]) for one in found["violations"]]
    assert problems == [], where


LOOKS = [("zh", "light"), ("en", "dark")]


# Slow areas ---------------------------------------------------------------------------------------


def draw(page: Page) -> None:
    """Four corners, and the first one again."""
    page.click("[data-draw]")
    box = page.locator(".dmap-stage").bounding_box()
    assert box is not None
    for x, y in (*CORNERS, CORNERS[0]):
        page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])
        page.wait_for_timeout(350)  # two clicks at once would be a double click
    expect(page.locator("#area-dialog")).to_be_visible()


def area_title(page: Page) -> Locator:
    return page.locator(".map-list li .btn-quiet")


@pytest.mark.parametrize(("language", "theme"), LOOKS)
def test_B4_an_area_is_drawn_seen_by_the_other_and_ended(
    scene: Scene, desk_of: Callable[..., Desk], language: str, theme: str
) -> None:
    zhou = desk_of("zhou", language=language, color_scheme=theme, bypass_csp=True, reduced_motion="reduce")
    wang = desk_of("wang")
    page, other = zhou.open(), wang.open()
    draw(page)
    axe(page, f"form, {language}")
    page.click("#area-form [type=submit]")
    expect(page.locator("#area-form [role=alert]")).to_contain_text(
        "起个名称" if language == "zh" else "Give the area a name"
    )
    expect(page.locator("#area-name")).to_be_focused()
    page.fill("#area-name", "Snow")
    page.check("#area-form input[value='10.0']")
    page.fill("#area-until", "2026-11-25T09:00")
    page.keyboard.press("Enter")
    expect(page.locator("#area-form [role=alert]")).to_contain_text(
        "结束时间须晚于" if language == "zh" else "Choose an end after"
    )
    page.click("[data-until='4h']")
    page.click("#area-form [type=submit]")
    done = page.locator("#area-done")
    expect(done).to_contain_text("Lu Jianguo" if language == "en" else "陆建国")
    axe(page, f"whom it makes late, {language}")
    session.rollback()
    (area,) = session.query(DrawnArea)
    assert (area.name, area.factor, len(area.corners)) == ("Snow", 10.0, 4)
    expect(other.locator(".map-list .count")).to_have_text("1")
    other.click(".map-list summary")
    expect(area_title(other)).to_have_text("Snow")
    expect(other.locator(".map-list li")).to_contain_text("closed · until 14:35 · drawn by Zhou")
    axe(other, "list")
    other.click(".map-list li .btn-s")
    expect(wang.toast).to_contain_text("Snow has ended")
    expect(page.locator(".map-list .count")).to_have_text("0")
    other.keyboard.press("Control+z")
    expect(page.locator(".map-list .count")).to_have_text("1")
    done.locator("[type=submit]").click()
    page.wait_for_url("**/dispatch/plans/*")
    expect(page.locator("#plan[data-state=ready]")).to_be_visible()


def test_an_area_is_drawn_by_keyboard_alone(scene: Scene, desk: Desk) -> None:
    page = desk.open()
    page.focus("[data-draw]")
    page.keyboard.press("Enter")
    expect(page.locator(".dmap-stage")).to_be_focused()
    desk.press("Space", "Enter")
    expect(page.locator("[data-corners]")).to_have_text("At least 3 corners")
    desk.press("Shift+ArrowRight", "Space", "Backspace")
    expect(page.locator("[data-corners]")).to_have_text("1 corners")
    desk.press("Escape")
    expect(page.locator("[data-draw]")).to_be_focused()
    desk.press(
        "Enter", "Shift+ArrowLeft", "Space", *["Shift+ArrowRight"] * 2, "Space", "Shift+ArrowUp", "Space", "Enter"
    )
    expect(page.locator("#area-name")).to_be_focused()
    page.keyboard.type("Flood")
    page.keyboard.press("Enter")
    expect(page.locator("#area-dialog")).to_be_hidden()
    expect(page.locator(".map-list .count")).to_have_text("1")


def test_an_outline_that_crosses_itself_is_drawn_again(scene: Scene, desk: Desk) -> None:
    page = desk.open()
    page.click("[data-draw]")
    page.keyboard.press("Space")
    for keys in (["Shift+ArrowRight", "Shift+ArrowUp"], ["Shift+ArrowLeft"], ["Shift+ArrowRight", "Shift+ArrowDown"]):
        desk.press(*keys, "Space")
    desk.press("Enter")
    page.fill("#area-name", "Knot")
    page.keyboard.press("Enter")
    expect(page.locator("#area-form [role=alert]")).to_contain_text("The outline crosses itself")
    page.click("[data-again]")
    expect(page.locator("#area-dialog")).to_be_hidden()
    expect(page.locator(".pen")).to_be_visible()
    assert session.query(DrawnArea).count() == 0


def test_two_end_the_same_area(scene: Scene, desk: Desk) -> None:
    area = drawn(scene.station).area.id
    page = desk.open()
    page.click(".map-list summary")
    page.evaluate("document.querySelectorAll('[data-live]').forEach(part => delete part.dataset.live)")  # as if offline
    write(lambda: areas.end(session.get_one(DrawnArea, area)))
    page.click(".map-list li .btn-s")
    expect(desk.toast).to_contain_text("This slow area is over already")
    expect(page.locator(".map-list .count")).to_have_text("0")


def test_whoever_only_looks_sees_areas_and_draws_none(scene: Scene, desk_of: Callable[..., Desk]) -> None:
    drawn(scene.station)
    make_user("agent", scene.station.id, email="chen@demo.test", name="Chen", password=PASSWORD)
    session.rollback()
    page = desk_of("chen", home="requests").open()
    page.click(".map-list summary")
    expect(area_title(page)).to_have_text("Snow")
    expect(page.locator("[data-draw], [data-absent], .tml-menu, .map-list li .btn-s")).to_have_count(0)


# Absence ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("language", "theme"), LOOKS)
def test_B4_an_absence_from_the_lane_to_the_day_without_him(
    scene: Scene, desk_of: Callable[..., Desk], language: str, theme: str
) -> None:
    desk = desk_of(language=language, color_scheme=theme, bypass_csp=True, reduced_motion="reduce")
    page = desk.open()
    desk.lane(scene.lu).locator(".tml-who").hover()
    desk.lane(scene.lu).locator(".tml-menu").click()
    expect(page.locator("#lane-menu")).to_contain_text("陆建国" if language == "zh" else "Lu Jianguo")
    axe(page, f"menu, {language}")
    page.click("[data-absent-lane]")
    told = page.locator("[data-touched]")
    expect(told).to_contain_text("：3 次" if language == "zh" else "at another time: 3")
    axe(page, f"absence, {language}")
    page.locator("#absence-form [type=submit]").dblclick()
    page.wait_for_url("**/dispatch/plans/*")
    expect(page.locator("#plan[data-state=ready]")).to_be_visible()
    expect(page.locator("tr[data-order]")).to_have_count(3)
    expect(page.locator("tr input[type=checkbox]")).to_have_count(0)
    expect(page.locator(".plan-absent")).to_contain_text("病假" if language == "zh" else "Sick leave")
    axe(page, f"plan, {language}")
    page.click("button[name=all]")
    expect(page.locator("#plan[data-state=applied]")).to_be_visible()
    assert known(scene.more["visits"][2]).technician_id == scene.more["ma"].id
    (away,) = session.query(Booking).filter_by(cause="sick", state="held")
    assert away.technician_id == scene.lu.id


def test_an_absence_by_keyboard_alone(scene: Scene, desk: Desk) -> None:
    """From the first bar left to the menu of the lane, up and down between lanes, and back."""
    page = desk.open()
    page.focus(".tml-bar")
    desk.press("ArrowLeft")
    expect(desk.lane(scene.lu).locator(".tml-menu")).to_be_focused()
    desk.press("ArrowDown", "ArrowDown")
    expect(desk.lane(scene.more["ma"]).locator(".tml-menu")).to_be_focused()
    desk.press("ArrowUp", "ArrowUp", "ArrowRight")
    expect(page.locator(".tml-bar").first).to_be_focused()
    desk.press("ArrowLeft", "ArrowDown", "ArrowDown", "Enter")
    expect(page.locator("[data-absent-lane]")).to_be_focused()
    desk.press("Enter")
    expect(page.locator("#absence-technician")).to_have_value(str(scene.more["ma"].id))
    expect(page.locator("[data-touched]")).to_have_text("No planned visit is touched.")
    page.focus("#absence-form [type=submit]")
    page.keyboard.press("Enter")
    page.wait_for_url("**/dispatch/plans/*")
    expect(page.locator("#plan[data-state=ready]")).to_contain_text("No visit falls into the absence.")
    page.focus("button[name=all]")
    page.keyboard.press("Enter")
    expect(page.locator("#plan[data-state=applied]")).to_be_visible()
    session.rollback()
    assert session.query(Booking).filter_by(cause="sick", state="held").one().technician_id == scene.more["ma"].id


def test_an_absence_from_the_bar_above_with_times_of_ones_own(scene: Scene, desk: Desk) -> None:
    page = desk.open()
    page.click("[data-absent]")
    expect(page.locator("#absence-technician")).to_have_value(str(scene.lu.id))
    page.check("#absence-form input[value=tomorrow]")
    expect(page.locator("#absence-from")).to_have_value("2026-11-26T00:00")
    expect(page.locator("[data-touched]")).to_have_text("No planned visit is touched.")
    page.fill("#absence-from", "2026-11-25T14:00")
    page.fill("#absence-to", "2026-11-25T12:00")
    page.keyboard.press("Tab")
    expect(page.locator("[data-touched]")).to_contain_text("The end must lie after the start")
    page.click("#absence-form [type=submit]")
    expect(page.locator("#absence-form [role=alert]")).to_contain_text("The end must lie after the start")
    expect(page.locator("#absence-to")).to_be_focused()
    page.fill("#absence-to", "2026-11-25T17:00")
    page.keyboard.press("Tab")
    expect(page.locator("[data-touched]")).to_contain_text("at another time: 1")


# Late running -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("language", "theme"), LOOKS)
def test_B4_bars_show_what_is_expected_and_follow_the_news(
    scene: Scene, desk_of: Callable[..., Desk], language: str, theme: str
) -> None:
    first, second, third = scene.more["visits"]
    desk = desk_of(language=language, color_scheme=theme, bypass_csp=True, reduced_motion="reduce")
    page = desk.open()
    expect(desk.bar(first)).to_have_attribute("data-look", "proposed risk late movable")
    expect(desk.bar(second)).to_have_attribute("data-look", "proposed late movable")
    expect(desk.bar(third)).to_have_attribute("data-look", "proposed movable")
    words = "预计 10:50–11:50" if language == "zh" else "expected 10:50–11:50"
    expect(desk.bar(first)).to_have_attribute("aria-label", re.compile(words))
    expect(desk.bar(first).locator(".tml-late")).to_be_visible()
    expect(desk.bar(third).locator(".tml-late")).to_have_count(0)
    axe(page, f"board, {language}")
    desk.bar(first).click()
    expect(page.locator(".outlook")).to_contain_text("10:50–11:50")
    expect(page.locator(".outlook")).to_contain_text(
        "晚于承诺到场时间（10:40）" if language == "zh" else "after the promised arrival (10:40)"
    )
    expect(page.locator(".outlook li")).to_contain_text("≈ 11:50")
    axe(page, f"drawer, {language}")
    write(lambda: booking.cancel_visit(session.get_one(Visit, first.id), "客户停产"))
    expect(desk.bar(second)).to_have_attribute("data-look", "proposed movable")
    expect(desk.bar(second).locator(".tml-late")).to_have_count(0)


def test_wide_bars_say_when(scene: Scene, desk: Desk) -> None:
    """Others say it behind their end, or to who points at them."""
    page = desk.open()
    page.evaluate(
        """() => { const line = document.querySelector('resource-timeline'); const bar = line.bar(line.data.bars[0].id);
        const end = bar.start + 3 * 3600e3;
        line.upsert([{...bar, end, expected: {start: bar.start + 9e5, end: end + 9e5, at: bar.start + 9e5}}]); }"""
    )
    expect(page.locator(".tml-expected")).to_have_attribute("data-at", "≈ 10:45")


# Weights ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("language", "theme"), LOOKS)
def test_D09_a_manager_weighs_the_goals(scene: Scene, desk_of: Callable[..., Desk], language: str, theme: str) -> None:
    desk = desk_of("shen", home="", language=language, color_scheme=theme, bypass_csp=True)
    page = desk.page
    page.goto(f"{desk.base}/dispatch/plans")
    page.click(".page-h >> text=" + ("排程权重" if language == "zh" else "Weights of planning"))
    axe(page, f"weights, {language}")
    page.click(".presets a >> nth=2")
    expect(page.locator("#weight_changes")).to_have_value("6")
    page.fill("#weight_travel", "1.5")
    page.click(".plan-f .btn-primary")
    expect(page.locator("#weight_travel")).to_have_value("1.5")
    expect(page.locator("table tbody tr").nth(1)).to_contain_text("1.5")
    axe(page, f"set, {language}")
    page.click("button[name=reset]")
    expect(page.locator("#weight_travel")).to_have_value("")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
