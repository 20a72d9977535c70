"""The board in a real browser against a real server: by mouse, by keyboard, live for two, undone, and clean for axe."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, Locator, Page, expect
from sqlalchemy import select

from config import ROOT
from fieldservice.foundation.db import db, session, write
from fieldservice.stations.models import Technician
from fieldservice.workorders import booking
from fieldservice.workorders.models import Visit
from tests.conftest import PASSWORD, make_user
from tests.served import Served
from tests.workorders.scene import Scene, local_at, make_order, make_scene, make_technician

pytestmark = pytest.mark.browser
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
FIRST_HOUR, HOURS = 8, 10  # of the axis in this scene


@pytest.fixture
def scene(sqlite_app: Flask) -> Scene:
    """Lu and Chen can do gearboxes, Xu cannot; an order waits."""
    made = make_scene()
    for name in ("zhou", "wang"):
        make_user("dispatcher", made.station.id, email=f"{name}@demo.test", name=name.title(), password=PASSWORD)
    made.more["chen"] = write(lambda: make_technician(made.station, "陈志远", "Chen Zhiyuan"))
    return made


@pytest.fixture
def served(sqlite_app: Flask, scene: Scene, tmp_path: Path) -> Iterator[Served]:
    session.rollback()
    with Served(sqlite_app, db.engine, tmp_path / "server.log") as running:
        yield running


class Desk:
    """A dispatcher at 1440×900, signed in, noting everything a console would complain about."""

    def __init__(
        self, browser: Browser, served: Served, email: str, language: str = "en", home: str = "dispatch", **context: Any
    ) -> None:
        self.base = f"http://127.0.0.1:{served.port}"
        self.context = browser.new_context(viewport={"width": 1440, "height": 900}, **context)
        self.page: Page = self.context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(f"{self.base}/login?lang={language}")
        self.page.fill("input[name=email]", f"{email}@demo.test")
        self.page.fill("input[name=password]", PASSWORD)
        self.page.click("main button[type=submit]")
        self.page.wait_for_url(f"**/{home}*")
        self.dialog = self.page.locator("#drop")
        self.toast = self.page.locator(".toast")

    def _heard(self, said: Any) -> None:
        if said.type == "error" and not re.search("status of 4(09|12|22)", said.text):  # noted for each refusal
            self.complaints.append(said.text)

    def open(self, query: str = "") -> Page:
        self.page.goto(f"{self.base}/dispatch{query}")
        expect(self.lanes.first).to_be_visible()
        self.frame()
        return self.page

    @property
    def lanes(self) -> Locator:
        return self.page.locator(".tml-lane")

    @property
    def card(self) -> Locator:
        return self.page.locator(".queue .qc").first

    def lane(self, technician: Technician) -> Locator:
        return self.page.locator(f".tml-lane[data-lane='{technician.id}']")

    def bar(self, visit: Visit) -> Locator:
        return self.page.locator(f".tml-bar[data-id='{visit.id}']")

    def frame(self) -> None:
        """Until everything that is due has been drawn."""
        self.page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def take(self, what: Locator, into: float = 10) -> None:
        """Presses so many pixels from the left edge of it (or, when negative, from the right one)."""
        what.scroll_into_view_if_needed()
        box = what.bounding_box()
        assert box is not None
        self.page.mouse.move(box["x"] + (into if into >= 0 else box["width"] + into), box["y"] + box["height"] / 2)
        self.page.mouse.down()

    def over(self, technician: Technician, hour: float, into: float = 10) -> None:
        """What is in the hand would begin at that hour (or end, for an edge), a few minutes more or less."""
        row = self.lane(technician).bounding_box()
        axis = self.page.locator(".tml-axis").bounding_box()
        assert row is not None
        assert axis is not None
        left = axis["x"] + (hour - FIRST_HOUR) * axis["width"] / HOURS
        self.page.mouse.move(left + into, row["y"] + 14, steps=4)
        self.frame()

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
            self.frame()


@pytest.fixture
def desk_of(browser: Browser, served: Served) -> Iterator[Callable[..., Desk]]:
    desks: list[Desk] = []

    def made(email: str = "zhou", **facts: Any) -> Desk:
        desks.append(Desk(browser, served, email, **facts))
        return desks[-1]

    yield made
    complaints = [text for desk in desks for text in desk.complaints]
    for desk in desks:
        desk.context.close()
    assert complaints == []


@pytest.fixture
def desk(desk_of: Callable[..., Desk]) -> Desk:
    return desk_of()


def plan(scene: Scene, hour: int, technician: Technician | None = None, **facts: Any) -> Visit:
    """A visit of an hour."""

    def work() -> Visit:
        order = make_order(scene.station, customer=scene.customer, **facts)
        return booking.schedule_visit(order, technician or scene.lu, local_at(hour), duration_min=60)

    return write(work)


def known(visit: Visit) -> Visit:
    """As the database has it now."""
    session.rollback()
    session.refresh(visit)
    return visit


# By mouse -----------------------------------------------------------------------------------------


def test_S_05_an_order_is_dragged_from_the_queue_seen_by_the_other_and_undone(
    scene: Scene, desk_of: Callable[..., Desk]
) -> None:
    zhou, wang = desk_of("zhou"), desk_of("wang")
    zhou.open()
    other = wang.open()
    zhou.take(zhou.card, 60)
    zhou.over(scene.lu, 13, into=8)
    expect(zhou.page.locator(".tml-corner")).to_have_text(f"Placing {scene.order.number[-6:]}")
    expect(zhou.lane(scene.lu).locator(".tml-fit")).to_contain_text("from 10:")
    expect(zhou.lane(scene.xu)).to_have_attribute("data-fits", "no")
    expect(zhou.lane(scene.xu).locator(".tml-fit")).to_have_text("No Gearboxes L2")
    zhou.page.mouse.up()
    expect(zhou.dialog).to_contain_text("Lu Jianguo, 13:00–15:00")
    expect(zhou.dialog).to_contain_text("15 min drive")
    expect(zhou.dialog).to_contain_text("1 h 30 min before the promise")
    zhou.page.keyboard.press("Enter")
    expect(zhou.toast).to_contain_text(f"{scene.order.number} assigned to Lu Jianguo")
    for desk in (zhou, wang):
        expect(desk.lane(scene.lu).locator(".tml-bar")).to_have_count(1)
        expect(desk.page.locator("#queue .count")).to_have_text("0")
    expect(zhou.page.locator(".tml-bar[data-look~=pending]")).to_have_count(0)
    zhou.page.keyboard.press("Control+z")
    expect(zhou.toast).to_contain_text("taken back")
    expect(other.locator(".tml-bar")).to_have_count(0)
    expect(other.locator("#queue .count")).to_have_text("1")


def test_a_bar_is_dragged_to_another_lane(scene: Scene, desk: Desk) -> None:
    visit = plan(scene, 13)
    desk.open()
    desk.take(desk.bar(visit))
    desk.over(scene.more["chen"], 16)
    desk.page.mouse.up()
    expect(desk.dialog).to_contain_text("Chen Zhiyuan, 16:00–17:00")
    expect(desk.dialog).to_contain_text("The customer was told 13:00–15:00 and is told 16:00–18:00 instead")
    desk.dialog.get_by_role("button", name="Confirm").click()
    expect(desk.toast).to_contain_text("moved to Chen Zhiyuan, 16:00")
    expect(desk.lane(scene.more["chen"]).locator(".tml-bar")).to_have_attribute("data-id", str(visit.id))
    assert known(visit).starts_at == local_at(16)
    desk.page.locator(".toast button").first.click()
    expect(desk.lane(scene.lu).locator(".tml-bar")).to_have_attribute("data-id", str(visit.id))
    assert known(visit).starts_at == local_at(13)


def test_what_is_left_at_the_question_goes_back(scene: Scene, desk: Desk) -> None:
    visit = plan(scene, 13)
    desk.open()
    desk.take(desk.bar(visit))
    desk.over(scene.more["chen"], 15)
    desk.page.mouse.up()
    expect(desk.dialog).to_be_visible()
    desk.page.keyboard.press("Escape")
    expect(desk.lane(scene.lu).locator(".tml-bar")).to_have_attribute("data-look", "proposed movable selected")
    assert known(visit).technician_id == scene.lu.id


def test_a_refused_drop_shows_why_and_what_would_do(scene: Scene, desk: Desk) -> None:
    visit = plan(scene, 13)
    taken = plan(scene, 15, scene.more["chen"])
    desk.open()
    desk.take(desk.bar(visit))
    desk.over(scene.xu, 13)
    expect(desk.lane(scene.xu)).to_have_attribute("data-fits", "no")
    desk.page.mouse.up()
    expect(desk.dialog).to_contain_text("Gearboxes L1 < L2 → pair with an L2")
    desk.dialog.get_by_role("button", name="Close").click()
    desk.take(desk.bar(visit))
    desk.over(scene.more["chen"], 15)
    desk.page.mouse.up()
    expect(desk.dialog).to_contain_text(f"15:00–16:00 taken by {taken.work_order.number}")
    desk.page.keyboard.press("Enter")  # the time that is offered
    expect(desk.dialog).to_contain_text("Chen Zhiyuan, 16:00–17:00")
    desk.dialog.get_by_role("button", name="Confirm").click()
    expect(desk.toast).to_contain_text("moved to Chen Zhiyuan, 16:00")
    assert known(visit).starts_at == local_at(16)


def test_pulling_the_end_makes_a_visit_longer(scene: Scene, desk: Desk) -> None:
    visit = plan(scene, 13)
    desk.open()
    desk.take(desk.bar(visit), into=-2)
    desk.over(scene.lu, 15, into=-2)
    desk.page.mouse.up()
    expect(desk.dialog).to_contain_text("Lu Jianguo, 13:00–15:00")
    expect(desk.dialog).to_contain_text("The customer's window stays: 13:00–15:00")
    desk.page.keyboard.press("Enter")
    expect(desk.toast).to_contain_text("moved to Lu Jianguo, 13:00")
    assert known(visit).ends_at == local_at(15)


def test_several_move_together_and_back(scene: Scene, desk: Desk) -> None:
    visits = [plan(scene, 12), plan(scene, 13)]
    desk.open()
    desk.bar(visits[0]).click()
    expect(desk.page.locator("#drawer")).to_contain_text(visits[0].work_order.number)
    desk.bar(visits[1]).click(modifiers=["Control"])
    desk.take(desk.bar(visits[0]))
    desk.over(scene.lu, 13)
    desk.page.mouse.up()
    expect(desk.dialog).to_contain_text("2 visits")
    desk.page.keyboard.press("Enter")
    expect(desk.toast).to_contain_text("2 visits moved")
    assert [known(visit).starts_at for visit in visits] == [local_at(13), local_at(14)]
    desk.page.click("[data-undo]")
    expect(desk.toast).to_contain_text("2 visits: taken back")
    assert [known(visit).starts_at for visit in visits] == [local_at(12), local_at(13)]


# By keyboard --------------------------------------------------------------------------------------


def test_an_order_is_placed_and_moved_by_keyboard_alone(scene: Scene, desk: Desk) -> None:
    desk.open()
    desk.card.focus()
    desk.press("Tab")
    expect(desk.page.locator("[data-place]")).to_be_focused()
    desk.press("Enter")
    expect(desk.page.locator("resource-timeline [role=status]")).to_contain_text("Lu Jianguo 10:")
    desk.press("Home", *["Shift+ArrowRight"] * 7, "Enter")  # from the beginning of the shift
    expect(desk.dialog).to_contain_text("Lu Jianguo, 11:30–13:30")
    desk.page.keyboard.press("Enter")
    expect(desk.toast).to_contain_text("assigned to Lu Jianguo")
    (visit,) = session.scalars(select(Visit))
    desk.page.focus(".tml-bar")
    desk.press("Enter", "ArrowDown", "ArrowDown", "Shift+ArrowRight", "Enter")
    expect(desk.dialog).to_contain_text("Chen Zhiyuan, 12:00–14:00")
    desk.page.keyboard.press("Enter")
    expect(desk.lane(scene.more["chen"]).locator(".tml-bar")).to_be_focused()
    expect(desk.toast.last).to_contain_text("moved to Chen Zhiyuan, 12:00")
    assert known(visit).starts_at == local_at(12)
    desk.press("Control+z")
    expect(desk.lane(scene.lu).locator(".tml-bar")).to_have_count(1)


def test_arrows_go_between_cards_and_the_drawer_assigns(scene: Scene, desk: Desk) -> None:
    write(lambda: make_order(scene.station, priority="P4"))
    page = desk.open()
    desk.card.focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator(".queue .qc >> nth=1")).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(page.locator("#drawer")).to_contain_text(scene.order.number)
    page.locator(".sg[data-first] button").focus()
    page.keyboard.press("Enter")
    expect(desk.toast).to_contain_text(f"{scene.order.number} assigned to Lu Jianguo")
    expect(page.locator(".tml-bar[aria-selected=true]")).to_have_count(1)
    page.keyboard.press("Control+z")
    expect(desk.toast).to_contain_text("taken back")
    expect(page.locator(".tml-bar")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(page.locator("#drawer")).to_be_hidden()


# Two dispatchers ----------------------------------------------------------------------------------


def test_a_stale_drop_is_refused_with_what_changed(scene: Scene, desk: Desk) -> None:
    visit = plan(scene, 13)
    page = desk.open()
    page.evaluate("document.querySelectorAll('[data-live]').forEach(part => delete part.dataset.live)")  # as if offline
    page.route("**/dispatch/lanes*", lambda route: route.fulfill(status=204))  # asked a moment ago, or by the clock
    write(lambda: booking.reschedule_visit(session.get_one(Visit, visit.id), starts_at=local_at(15)))
    desk.take(desk.bar(visit))
    desk.over(scene.more["chen"], 14)
    page.mouse.up()
    expect(desk.dialog).to_contain_text("now Lu Jianguo, 15:00, Scheduled. Your step was not done.")
    page.keyboard.press("Enter")
    expect(desk.dialog).to_be_hidden()
    expect(desk.lane(scene.lu).locator(".tml-bar")).to_contain_text("Shengyuan")
    assert known(visit).starts_at == local_at(15)


def test_news_comes_bar_by_bar_and_leaves_the_hand_alone(scene: Scene, desk: Desk) -> None:
    held, other = plan(scene, 13), plan(scene, 15, scene.more["chen"])
    desk.open()
    element = desk.bar(held).element_handle()
    desk.take(desk.bar(held))
    desk.over(scene.more["chen"], 11)
    write(lambda: booking.reschedule_visit(session.get_one(Visit, other.id), technician=scene.lu))
    expect(desk.lane(scene.lu).locator(f"[data-id='{other.id}']")).to_be_visible()
    expect(desk.page.locator(".tml-ghost:not([hidden])")).to_have_count(1)
    desk.page.mouse.up()
    expect(desk.dialog).to_contain_text("Chen Zhiyuan, 11:00–12:00")
    desk.page.keyboard.press("Escape")
    assert element is not None
    assert element.evaluate("element => element.isConnected")


def test_a_step_by_form_on_what_changed_is_refused_in_place(scene: Scene, desk_of: Callable[..., Desk]) -> None:
    visit = write(lambda: booking.schedule_visit(scene.order, scene.lu, local_at(13)))
    desk = desk_of(language="zh")
    page = desk.open(f"?visit={visit.id}")
    page.evaluate("document.querySelectorAll('[data-live]').forEach(part => delete part.dataset.live)")  # as if offline
    write(lambda: booking.reschedule_visit(session.get_one(Visit, visit.id), starts_at=local_at(15)))
    page.click("text=派给工程师")
    alert = page.locator("#drawer [role=alert]")
    expect(alert).to_contain_text("改过，现在是：陆建国、15:00、已排程")
    expect(page.locator(".visit")).to_contain_text("15:00–17:00")


# What is shown ------------------------------------------------------------------------------------


def test_days_and_narrowed_lanes_come_without_a_new_page(scene: Scene, desk: Desk) -> None:
    plan(scene, 13)
    page = desk.open()
    page.evaluate("window.same = true")
    page.click(".seg >> text=3 days")
    expect(page.locator(".tml-day")).to_have_count(3)
    page.click("text=Room left")
    expect(page.locator("#lanes")).to_have_attribute("data-live-url", "/dispatch/lanes?days=3&show=free")
    page.click(".seg >> text=1 day")
    expect(desk.lanes).to_have_count(3)
    page.click(".legend a:has-text('P1')")
    expect(desk.lanes).to_have_count(0)
    expect(page.locator(".tml-empty")).to_have_text("No technicians here")
    assert page.evaluate("window.same")
    page.go_back()
    expect(desk.lanes).to_have_count(3)


def test_filters_are_kept_by_name(scene: Scene, desk: Desk) -> None:
    page = desk.open("?days=3&show=free")
    page.click("[popovertarget=saved-menu]")
    page.fill("#saved-name", "Room this week")
    page.keyboard.press("Enter")
    desk.open()
    page.click("[popovertarget=saved-menu]")
    page.click("#saved-list >> text=Room this week")
    page.wait_for_url("**/dispatch?days=3&show=free")
    page.click("[popovertarget=saved-menu]")
    page.click("#saved-list button")
    expect(page.locator("#saved-list")).to_contain_text("Nothing saved yet")


def test_without_scripts_there_is_a_table(scene: Scene, desk_of: Callable[..., Desk]) -> None:
    visit = plan(scene, 13)
    page = desk_of(java_script_enabled=False).page
    page.click("#lanes a")
    expect(page.locator("table")).to_contain_text("Lu Jianguo")
    page.click(f"table >> text={visit.work_order.number}")
    expect(page.locator("#drawer")).to_contain_text(visit.work_order.number)


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(scene: Scene, desk_of: Callable[..., Desk], language: str, theme: str) -> None:
    titles = {"zh": "液压站漏油", "en": "Hydraulic leak"}
    waiting = write(lambda: make_order(scene.station, customer=scene.customer, titles=titles))
    visit = write(lambda: booking.schedule_visit(scene.order, scene.lu, local_at(13)))
    desk = desk_of(language=language, color_scheme=theme, bypass_csp=True, reduced_motion="reduce")
    page = desk.page

    def look(where: str) -> None:
        page.evaluate(AXE.read_text(encoding="utf-8"))
        found = page.evaluate("rules => axe.run(document, {runOnly: {type: 'tag', values: rules}})", RULES)
        problems = [(one["id"], [node["target"] for node in one["nodes"]]) for one in found["violations"]]
        assert problems == [], (where, language, theme)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page scrolls sideways"
        assert page.evaluate("document.documentElement.scrollHeight <= innerHeight"), "the page scrolls"

    for query in ("?days=3", f"?order={waiting.number}", f"?visit={visit.id}"):
        desk.open(query)
        for summary in page.query_selector_all(".drawer summary"):
            summary.click()
        look(query)
    desk.take(desk.bar(visit))
    desk.over(scene.more["chen"], 14)
    expect(desk.lane(scene.xu)).to_have_attribute("data-fits", "no")
    look("in the hand")
    page.mouse.up()
    expect(desk.dialog).to_be_visible()
    look("before the drop")
    page.keyboard.press("Escape")
    page.goto(f"{desk.base}/dispatch/table")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("rules => axe.run(document, {runOnly: {type: 'tag', values: rules}})", RULES)
    assert [one["id"] for one in found["violations"]] == []
