"""The map of the board in a real browser: what it draws, by pointer, by keyboard, with the pen, and clean for axe."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from config import ROOT
from tests.dispatch.map_page import serve_map

pytestmark = pytest.mark.browser
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PIN = 15  # pixels from a job's place up to the middle of its pin
NOWHERE = (31.3, 120.3)
Box = dict[str, float]


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    with serve_map() as address:
        yield address


class Map:
    """The page with the map, and hands for it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.stage = page.locator(".dmap-stage")
        self.options = page.locator("dispatch-map [role=option]")
        self.announced = page.locator("dispatch-map [role=status]")
        self.tip = page.locator(".dmap-tip")
        self.scale = page.locator(".dmap-scale")

    def option(self, text: str) -> Locator:
        return self.options.filter(has_text=text)

    def told(self, name: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.page.evaluate(
            "name => told.filter(([one]) => one === name).map(([, what]) => what)", name
        )
        return found

    def frame(self) -> None:
        """Until everything that is due has been drawn."""
        self.page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def window(self) -> Box:
        """The degrees that are seen."""
        self.frame()
        found: Box = self.page.evaluate("map.view")
        return found

    def place(self, lat: float, lon: float) -> tuple[float, float]:
        """Where degrees are on the page: the map is linear in both."""
        window, box = self.window(), self.stage.bounding_box()
        assert box is not None
        across = (lon - window["west"]) / (window["east"] - window["west"])
        down = (window["north"] - lat) / (window["north"] - window["south"])
        return box["x"] + across * box["width"], box["y"] + down * box["height"]

    def job(self, id: str) -> tuple[float, float]:
        """Where a job's pin is on the page."""
        found = self.page.evaluate("id => map.data.jobs.find(one => one.id === id)", id)
        x, y = self.place(found["lat"], found["lon"])
        return x, y - PIN

    def colour(self, x: float, y: float) -> list[int]:
        """What is drawn at a place of the page."""
        found: list[int] = self.page.evaluate(
            "([x, y]) => { const canvas = document.querySelector('.dmap-canvas'), box = canvas.getBoundingClientRect();"
            " const one = new OffscreenCanvas(1, 1).getContext('2d', {willReadFrequently: true});"
            " one.drawImage(canvas, Math.floor(box.x - x), Math.floor(box.y - y));"
            " return [...one.getImageData(0, 0, 1, 1).data].slice(0, 3); }",
            [x, y],
        )
        return found

    def along(self, start: tuple[float, float], end: tuple[float, float]) -> list[list[int]]:
        """What is drawn on the way from one place of degrees to another, away from both."""
        (x1, y1), (x2, y2) = self.place(*start), self.place(*end)
        parts = [0.3 + 0.4 * step / 60 for step in range(60)]
        return [self.colour(x1 + (x2 - x1) * part, y1 + (y2 - y1) * part) for part in parts]

    def token(self, name: str) -> list[int]:
        """A colour of the page as it is now."""
        found: list[int] = self.page.evaluate(
            "name => { const one = document.body.appendChild(document.createElement('i')); one.style.color ="
            " `var(${name})`; const found = getComputedStyle(one).color.match(/\\d+/g).map(Number); one.remove();"
            " return found; }",
            name,
        )
        return found

    def set(self, script: str) -> None:
        self.page.evaluate(f"{{ {script} }}")
        self.frame()

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
            self.frame()


@pytest.fixture
def open_map(browser: Browser, base: str) -> Iterator[Callable[..., Map]]:
    contexts = []
    complaints: list[str] = []

    def opened(language: str = "en", **facts: Any) -> Map:
        context = browser.new_context(viewport={"width": 1440, "height": 760}, reduced_motion="reduce", **facts)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{base}/?lang={language}")
        found = Map(page)
        expect(found.options).not_to_have_count(0)
        return found

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def board(open_map: Callable[..., Map]) -> Map:
    return open_map()


def test_it_draws_what_it_was_told_inside_the_window(board: Map) -> None:
    x, y = board.job("j7")
    assert board.colour(x - 3, y - 5) == board.token("--bad-s")
    assert board.colour(*board.place(31.505, 120.365)) == board.token("--ink")  # a station's square
    x, y = board.place(31.2, 120.45)
    assert board.colour(x - 8, y + 3) != board.token("--canvas"), "three jobs at one place are one mark"
    window = board.window()
    for one in board.page.evaluate("map.data.jobs"):
        assert window["south"] < one["lat"] < window["north"]
        assert window["west"] < one["lon"] < window["east"]
    expect(board.scale).to_have_text("5 km")


def test_a_kilometre_of_the_scale_is_one(board: Map) -> None:
    bar = board.scale.bounding_box()
    west, east = board.place(31.4, 120.5), board.place(31.4, 120.6)
    north = board.place(31.5, 120.5)
    assert bar is not None
    assert (east[0] - west[0]) / bar["width"] * 5 == pytest.approx(9.49, rel=0.02)  # 0.1° of longitude at 31.4°
    assert (west[1] - north[1]) / bar["width"] * 5 == pytest.approx(11.12, rel=0.02)


def test_the_list_names_what_is_shown_in_the_order_of_the_routes(board: Map) -> None:
    expect(board.options).to_have_text([
        "Station Wuxi Xinwu", "Station Suzhou SIP", "Station Kunshan",
        "J. Lu, 3 jobs", "004101, Xizhou oil, at work, 1 of 3 with J. Lu",
        "004102, Shengyuan gearbox, at risk, 2 of 3 with J. Lu", "004103, HD sample, sent, 3 of 3 with J. Lu",
        "L. Shen, 3 jobs", "004104, Dongwu servo, at work, 1 of 3 with L. Shen",
        "004105, SX tools, sent, 2 of 3 with L. Shen", "004106, Wuzhong oil, sent, 3 of 3 with L. Shen",
        "G. Zhao, 2 jobs", "004107, Shishuo PM, late, 1 of 2 with G. Zhao",
        "004108, Dianshan gate, sent, 2 of 2 with G. Zhao",
        "Z. Chen, 1 jobs", "004109, XQ hydr., sent, 1 of 1 with Z. Chen", "3 jobs, 1 late, 2 to place",
        "Heavy rain, 1.5×",
    ])  # fmt: skip


def test_hovering_tells_and_shows_the_tip(board: Map) -> None:
    board.page.mouse.move(*board.job("j2"))
    assert board.told("hover") == [{"kind": "job", "id": "j2"}]
    expect(board.tip).to_have_text("Shengyuan gearbox14:00–15:30")
    board.page.mouse.move(*board.place(31.3, 120.85))
    assert board.told("hover")[-1] == {"kind": "area", "id": "a1"}
    expect(board.tip).to_have_text("Heavy rainHeavy rain 1.5× until 16:00")
    board.page.mouse.move(*board.place(*NOWHERE))
    assert board.told("hover")[-1] == {"kind": None, "id": None}
    expect(board.tip).to_be_hidden()


def test_a_click_selects_and_beside_all_nothing_is(board: Map) -> None:
    board.page.mouse.click(*board.job("j5"))
    assert board.told("select") == [{"kind": "job", "id": "j5"}]
    assert board.page.evaluate("map.selected") == {"kind": "job", "id": "j5"}
    expect(board.option("SX tools")).to_have_attribute("aria-selected", "true")
    board.page.mouse.click(*board.place(*NOWHERE))
    assert board.told("select")[-1] == {"kind": None, "id": None}
    expect(board.page.locator("[role=option][aria-selected=true]")).to_have_count(0)


def test_highlight_lights_the_whole_route(board: Map) -> None:
    first, second, third = (31.42, 120.6), (31.39, 120.78), (31.25, 120.72)  # all of L. Shen's
    accent = board.token("--accent")
    assert accent not in board.along(first, second)
    board.set("map.highlight = {kind: 'job', id: 'j6'}")
    assert accent in board.along(first, second)
    assert accent in board.along(second, third)
    assert accent not in board.along((31.47, 121.02), (31.35, 121.08)), "nobody else's"
    assert board.told("hover") == [], "what the page itself points at is not told back"
    board.set("map.highlight = null")
    assert accent not in board.along(first, second)


def test_routes_to_compare_with_are_dashed_where_they_differ(board: Map) -> None:
    first, second, third = (31.62, 120.36), (31.65, 120.52), (31.57, 120.6)  # J. Lu's
    same = ((31.47, 121.02), (31.35, 121.08))  # G. Zhao's
    dash, gap, now = (board.token(name) for name in ("--ink-3", "--canvas", "--accent"))
    assert dash not in board.along(first, third)
    board.set("map.compare = [{id: 't1', route: ['j1', 'j3', 'j2']}, {id: 't3', route: ['j7', 'j8']}]")
    before = board.along(first, third)
    assert dash in before
    assert gap in before
    assert now in board.along(first, second)
    unchanged = board.along(*same)
    assert now not in unchanged
    assert dash not in unchanged


def test_the_wheel_and_a_double_click_come_closer_around_the_pointer(board: Map) -> None:
    at = board.job("j2")
    board.page.mouse.move(*at)
    before = board.window()
    board.page.mouse.wheel(0, -500)
    after = board.window()
    assert after["east"] - after["west"] < 0.5 * (before["east"] - before["west"])
    assert board.job("j2") == pytest.approx(at, abs=PIN * 2), "the place under the pointer stays"
    empty = board.place((after["north"] * 3 + after["south"]) / 4, (after["west"] * 3 + after["east"]) / 4)
    board.page.mouse.dblclick(*empty)
    twice = board.window()
    assert (twice["east"] - twice["west"]) * 2 == pytest.approx(after["east"] - after["west"], rel=0.01)


def test_two_fingers_bring_it_closer(open_map: Callable[..., Map]) -> None:
    board = open_map(has_touch=True)
    before, box = board.window(), board.stage.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    session = board.page.context.new_cdp_session(board.page)
    for kind, apart in (("touchStart", 40), ("touchMove", 60), ("touchMove", 80), ("touchEnd", 0)):
        fingers = [{"x": x - apart, "y": y, "id": 1}, {"x": x + apart, "y": y, "id": 2}] if apart else []
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})
    after = board.window()
    assert (after["east"] - after["west"]) * 2 == pytest.approx(before["east"] - before["west"], rel=0.02)
    assert board.told("select") == []


def test_a_drag_moves_it_and_selects_nothing(board: Map) -> None:
    x, y = board.job("j5")
    before = board.window()
    board.page.mouse.move(x, y)
    board.page.mouse.down()
    board.page.mouse.move(x + 90, y - 40, steps=3)
    board.page.mouse.up()
    after = board.window()
    assert after["west"] < before["west"]
    assert after["north"] < before["north"]
    assert board.job("j5") == pytest.approx((x + 90, y - 40), abs=1)
    assert board.told("select") == []


def test_the_keyboard_moves_and_scales_it(board: Map) -> None:
    board.stage.focus()
    start = board.window()
    board.press("ArrowRight", "ArrowUp")
    moved = board.window()
    assert moved["west"] > start["west"]
    assert moved["north"] > start["north"]
    board.press("+")
    closer = board.window()
    assert (closer["east"] - closer["west"]) * 2 == pytest.approx(moved["east"] - moved["west"], rel=0.01)
    expect(board.announced).to_contain_text("km wide")
    board.press("-", "Shift+ArrowLeft")
    assert board.window()["west"] < start["west"]
    board.press("0")
    assert board.window() == pytest.approx(start)


def test_buttons_do_the_same(board: Map) -> None:
    start = board.window()
    board.page.get_by_role("button", name="Zoom in").click()
    closer = board.window()
    assert (closer["east"] - closer["west"]) * 2 == pytest.approx(start["east"] - start["west"], rel=0.01)
    board.page.get_by_role("button", name="Zoom out").click()
    assert board.window() == pytest.approx(start)
    board.page.get_by_role("button", name="Zoom in").click()
    board.page.get_by_role("button", name="Show all").click()
    assert board.window() == pytest.approx(start)


def test_tab_goes_through_what_is_shown_and_out(board: Map) -> None:
    board.page.locator("#before").focus()
    board.press("Tab")
    expect(board.stage).to_be_focused()
    board.press("Tab", "Tab", "Tab", "Tab", "Tab")
    active = board.stage.get_attribute("aria-activedescendant")
    expect(board.page.locator(f"[id='{active}']")).to_have_text("004101, Xizhou oil, at work, 1 of 3 with J. Lu")
    assert board.told("hover")[-1] == {"kind": "job", "id": "j1"}
    expect(board.tip).to_contain_text("Xizhou oil")
    board.press("Enter")
    assert board.told("select") == [{"kind": "job", "id": "j1"}]
    board.press("Shift+Tab")
    assert board.told("hover")[-1] == {"kind": "person", "id": "t1"}
    board.press("End", "Tab")
    expect(board.page.get_by_role("button", name="Zoom in")).to_be_focused()
    assert board.told("hover")[-1] == {"kind": None, "id": None}
    board.press("Shift+Tab", "Home", "Escape", "Tab")  # Esc: no need to go through all of them
    expect(board.page.get_by_role("button", name="Zoom in")).to_be_focused()


def test_what_lies_at_one_place_is_spread_out(board: Map) -> None:
    at = board.place(31.2, 120.45)
    board.page.mouse.click(*at)
    expect(board.announced).to_have_text("3 spread out")
    expect(board.option("Taihu")).to_have_count(3)
    board.page.mouse.click(at[0], at[1] - 34 - PIN)  # the first of them stands above
    assert board.told("select") == [{"kind": "job", "id": "j10"}]
    board.page.mouse.click(*board.place(*NOWHERE))
    expect(board.option("Taihu")).to_have_count(0)


def test_many_are_counted_and_come_apart_closer(board: Map) -> None:
    board.set("map.data = many(200, 2000); map.fit()")
    expect(board.option("technicians").first).to_be_attached()
    shown = board.options.count()
    assert shown < 500
    groups = board.option(" jobs,").filter(has_not_text="Technician")
    board.stage.focus()
    board.press("Home")
    for _ in range(shown):
        active = board.page.locator(f"[id='{board.stage.get_attribute('aria-activedescendant')}']")
        if " jobs," in active.inner_text() and "Technician" not in active.inner_text():
            break
        board.press("Tab")
    before, crowd = board.window(), groups.count()
    board.press("Enter")
    after = board.window()
    assert crowd > 0
    assert after["east"] - after["west"] < (before["east"] - before["west"]) / 2
    assert board.told("select") == []


def test_an_area_is_drawn_by_mouse(board: Map) -> None:
    board.set("map.drawing = true")
    expect(board.announced).to_have_text("Drawing an area")
    corners = [(31.6, 120.7), (31.6, 120.9), (31.5, 120.9)]
    places = [board.place(*one) for one in corners]
    for at in places:
        board.page.mouse.click(*at)
    expect(board.announced).to_have_text("Point 3")
    board.page.mouse.click(*places[0])
    (area,) = board.told("area")
    assert [tuple(point) for point in area["points"]] == [pytest.approx(one, abs=0.01) for one in corners]
    expect(board.announced).to_have_text("Area of 3 points")
    assert board.page.evaluate("map.drawing") is False
    assert board.told("select") == board.told("hover") == []


def test_an_area_is_drawn_by_keyboard(board: Map) -> None:
    window = board.window()
    middle = ((window["north"] + window["south"]) / 2, (window["west"] + window["east"]) / 2)
    board.set("map.drawing = true")
    board.stage.focus()
    board.press(" ", "Enter")
    expect(board.announced).to_have_text("At least 3 points")
    board.press("Shift+ArrowRight", " ", "Shift+ArrowDown", " ", "ArrowLeft", " ", "Backspace", "Enter")
    (area,) = board.told("area")
    first, second, third = area["points"]
    assert first == pytest.approx(middle, abs=0.001)
    assert second[0] == pytest.approx(first[0])
    assert second[1] > first[1]
    assert third[0] < second[0]
    assert third[1] == pytest.approx(second[1])
    assert board.window() == window, "the crosshair moves, not the map"


def test_escape_gives_an_area_up(board: Map) -> None:
    board.set("map.drawing = true")
    board.stage.focus()
    board.press(" ", "ArrowRight", " ", "ArrowDown", " ", "Escape")
    expect(board.announced).to_have_text("Cancelled")
    assert board.told("cancel") == [{}]
    assert board.told("area") == []
    assert board.page.evaluate("map.drawing") is False


def test_news_are_drawn_and_the_window_stays(board: Map) -> None:
    before = board.window()
    board.set("map.upsert('job', [{...map.data.jobs[1], title: 'New name', tone: 'ok'}]); map.remove('job', ['j1'])")
    expect(board.option("New name")).to_have_text("004102, New name, at work, 1 of 2 with J. Lu")
    expect(board.option("Xizhou")).to_have_count(0)
    x, y = board.job("j2")
    assert board.colour(x - 3, y - 5) == board.token("--ok-s")
    board.set("map.data = {...board(), areas: []}")
    expect(board.option("Heavy rain")).to_have_count(0)
    assert board.window() == before
    board.set("map.upsert('job', [{...map.data.jobs[1], lat: null, lon: null}])")  # nobody knows where it is
    expect(board.option("Shengyuan")).to_have_count(0)
    expect(board.option("HD sample")).to_have_text("004103, HD sample, sent, 2 of 2 with J. Lu")
    board.set("map.data = {}")
    expect(board.page.locator(".dmap-empty")).to_have_text("Nothing to show")


def test_the_pointer_and_the_keyboard_stay_where_they_are_when_news_come(board: Map) -> None:
    board.page.mouse.move(*board.job("j2"))
    change = "map.upsert('job', [{...map.data.jobs[1], title: 'New name'}])"
    board.set(change)
    expect(board.tip).to_contain_text("New name")
    assert len(board.told("hover")) == 1
    board.set("map.remove('job', ['j2'])")
    expect(board.tip).to_be_hidden()
    assert board.told("hover")[-1] == {"kind": None, "id": None}
    board.page.mouse.move(*board.place(*NOWHERE))
    board.stage.focus()
    board.press("Home", "Tab", "Tab", "Tab", "Tab")
    active = board.stage.get_attribute("aria-activedescendant")
    board.set(change + "; map.upsert('job', [{...map.data.jobs[0], title: 'Renamed'}])")
    expect(board.page.locator(f"[id='{active}']")).to_have_text("004101, Renamed, at work, 1 of 3 with J. Lu")
    expect(board.tip).to_contain_text("Renamed")
    assert board.stage.get_attribute("aria-activedescendant") == active


def test_reveal_moves_only_as_far_as_needed(board: Map) -> None:
    before = board.window()
    board.set("map.reveal('job', 'j5')")
    assert board.window() == before
    board.page.mouse.move(*board.job("j1"))
    board.page.mouse.wheel(0, -900)
    away = board.window()
    assert away["south"] > 31.35
    board.set("map.reveal('job', 'j8')")
    window = board.window()
    assert window["south"] < 31.35 < window["north"]
    assert window["west"] < 121.08 < window["east"]


def test_quiet_names_give_way(board: Map) -> None:
    """Of two names at one place the more important one stays, whatever their order."""
    grey = board.token("--ink-3")

    def greys(lat: float, lon: float) -> int:
        x, y = board.place(lat, lon)
        return sum(board.colour(x + dx, y + dy) == grey for dx in range(-30, 31) for dy in range(-5, 6))

    board.set("map.data = {...board(), labels: [{lat: 31.6, lon: 121, title: 'HHHHHH', rank: 1}]}")
    alone = greys(31.6, 121)
    board.set(
        "map.data = {...board(), labels: [{lat: 31.6, lon: 121, title: 'MMMMMM', rank: 2},"
        " {lat: 31.6, lon: 121, title: 'HHHHHH', rank: 1}]}"
    )
    assert alone > 0
    assert greys(31.6, 121) == alone


def test_the_theme_changes_what_is_drawn(board: Map) -> None:
    corner = board.place(*NOWHERE)
    light = board.colour(*corner)
    board.set("document.documentElement.dataset.theme = 'dark'")
    expect(board.page.locator("html")).to_have_attribute("data-theme", "dark")
    board.frame()
    dark = board.colour(*corner)
    assert light == [245, 246, 246]
    assert dark == board.token("--canvas") != light
    board.set("delete document.documentElement.dataset.theme")
    board.page.emulate_media(color_scheme="dark")
    board.frame()
    assert board.colour(*corner) == dark


def test_dots_of_a_fine_screen_are_used(open_map: Callable[..., Map]) -> None:
    board = open_map(device_scale_factor=2)
    box = board.stage.bounding_box()
    assert box is not None
    assert board.page.locator(".dmap-canvas").evaluate("one => one.width") == round(box["width"] * 2)
    board.page.mouse.click(*board.job("j5"))
    assert board.told("select") == [{"kind": "job", "id": "j5"}]


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(open_map: Callable[..., Map], language: str, theme: str) -> None:
    board = open_map(language, color_scheme=theme, bypass_csp=True)
    page = board.page
    page.evaluate(AXE.read_text(encoding="utf-8"))
    expect(board.options.first).to_have_text({"zh": "无锡新吴站", "en": "Station Wuxi Xinwu"}[language])
    expect(board.scale).to_have_text({"zh": "5 公里", "en": "5 km"}[language])
    for step in ("1", "map.highlight = {kind: 'job', id: 'j2'}", "map.drawing = true", "map.data = {}"):
        board.set(step)
        board.window()
        found = page.evaluate("rules => axe.run(document, {runOnly: {type: 'tag', values: rules}})", RULES)
        problems = [(one["id"], [node["html"] for node in one["nodes"]][:3]) for one in found["violations"]]
        assert problems == [], (step, language, theme)
