"""The timeline of the board in a real browser: by pointer, by keyboard, with news coming in, and clean for axe."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from config import ROOT
from tests.dispatch.timeline_page import serve

pytestmark = pytest.mark.browser
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
LU, CHEN, XU, WU = "t1", "t2", "t3", "t4"
SAMPLE, SEAL, HOUSING = "v2", "v11", "v12"  # J. Lu 14:09, H. Wu 10:12 and 13:06


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    with serve() as address:
        yield address


class Board:
    """The page with the timeline, and hands for it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.announced = page.locator("resource-timeline [role=status]")
        self.ghosts = page.locator(".tml-ghost:not([hidden])")

    def bar(self, id: str) -> Locator:
        return self.page.locator(f".tml-bar[data-id='{id}']")

    def lane(self, id: str) -> Locator:
        return self.page.locator(f".tml-lane[data-lane='{id}']")

    def told(self, name: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.page.evaluate(
            "name => told.filter(([one]) => one === name).map(([, what]) => what)", name
        )
        return found

    def at(self, hour: float) -> int:
        found: int = self.page.evaluate("hour => at(hour)", hour)
        return found

    def frame(self) -> None:
        """Until everything that is due has been drawn."""
        self.page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def take(self, bar: str, into: float = 10) -> None:
        """Presses on a bar, so many pixels from its left edge (or, when negative, from its right one)."""
        box = self.bar(bar).bounding_box()
        assert box is not None
        self.page.mouse.move(box["x"] + (into if into >= 0 else box["width"] + into), box["y"] + box["height"] / 2)
        self.page.mouse.down()

    def over(self, lane: str, hour: float, into: float = 10) -> None:
        """Moves what is in the hand so that it begins at this hour in this lane."""
        row = self.lane(lane).bounding_box()
        axis = self.page.locator(".tml-axis").bounding_box()
        assert row is not None
        assert axis is not None
        self.page.mouse.move(axis["x"] + (hour - 8) * axis["width"] / 10 + into, row["y"] + 14, steps=4)
        self.frame()

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
            self.frame()


@pytest.fixture
def open_board(browser: Browser, base: str) -> Iterator[Callable[..., Board]]:
    contexts = []
    complaints: list[str] = []

    def opened(language: str = "en", **facts: Any) -> Board:
        context = browser.new_context(viewport={"width": 1440, "height": 900}, **facts)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{base}/?lang={language}")
        expect(page.locator(".tml-bar .i path").first).to_be_visible()  # with the icons everything is drawn anew
        return Board(page)

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def board(open_board: Callable[..., Board]) -> Board:
    return open_board()


def test_a_bar_is_dragged_and_stands_there_until_the_page_answers(board: Board) -> None:
    board.take(SAMPLE)
    board.over(CHEN, 10.5)
    assert board.told("pick") == [{"ids": [SAMPLE], "carried": False}]
    assert board.told("over")[-1] == {"ids": [SAMPLE], "lane": CHEN, "start": board.at(10.5)}
    expect(board.ghosts).to_contain_text("10:30")
    board.page.mouse.up()
    (drop,) = board.told("drop")
    assert (drop["ids"], drop["lane"], drop["start"]) == ([SAMPLE], CHEN, board.at(10.5))
    assert drop["end"] - drop["start"] == 1.6 * 3_600_000
    assert drop["from"]["lane"] == LU
    assert drop["moves"][0]["version"] == 1
    moved = board.lane(CHEN).locator(f"[data-id={SAMPLE}]")
    expect(moved).to_have_attribute("data-look", "movable pending selected")
    expect(board.announced).to_have_text("Dropped HD sample at Z. Chen, 10:30")
    board.page.evaluate(
        "([id, lane, start]) => timeline.upsert([{...timeline.data.bars.find(bar => bar.id === id), lane, start,"
        " end: start + 3600000, version: 2}])",
        [SAMPLE, CHEN, board.at(11)],
    )
    expect(moved).to_have_attribute("data-look", "movable selected")
    expect(moved).to_have_attribute("aria-label", "WO-2026-004102, HD sample, Z. Chen, 11:00–12:00, Accepted")


def test_what_was_dropped_is_put_back(board: Board) -> None:
    board.take(SAMPLE)
    board.over(CHEN, 10.5)
    board.page.mouse.up()
    expect(board.lane(CHEN).locator(f"[data-id={SAMPLE}]")).to_be_visible()
    board.page.evaluate("id => timeline.settle([id])", SAMPLE)
    expect(board.lane(LU).locator(f"[data-id={SAMPLE}]")).to_be_visible()
    expect(board.announced).to_have_text("HD sample went back")


def test_a_lane_that_does_not_fit_says_why_and_refuses(board: Board) -> None:
    board.page.evaluate("timeline.verdicts = judge()")
    expect(board.lane(XU).locator(".tml-who")).to_contain_text("No gearbox L2")
    expect(board.lane(XU)).to_have_attribute("data-fits", "no")
    board.take(SAMPLE)
    board.over(XU, 11.5)
    expect(board.ghosts).to_have_attribute("data-fits", "no")
    board.page.mouse.up()
    expect(board.announced).to_have_text("Not with X. Xu: No gearbox L2")
    (refusal,) = board.told("refuse")
    assert (refusal["lane"], refusal["text"]) == (XU, "No gearbox L2")
    assert board.told("drop") == []
    expect(board.lane(LU).locator(f"[data-id={SAMPLE}]")).to_be_visible()
    board.page.evaluate("timeline.verdicts = null")
    expect(board.lane(XU).locator(".tml-who")).to_have_text("X. Xu")


def test_what_may_not_move_stays(board: Board) -> None:
    board.take("v4")
    board.over(LU, 11)
    board.page.mouse.up()
    expect(board.announced).to_have_text("Huarui spindle cannot be moved")
    assert board.told("pick") == board.told("drop") == []


def test_pulling_the_end_changes_the_length(board: Board) -> None:
    board.take(HOUSING, into=-2)
    board.over(WU, 16, into=0)
    board.page.mouse.up()
    (resized,) = board.told("resize")
    assert (resized["id"], resized["start"]) == (HOUSING, board.at(13.1))
    assert abs(resized["end"] - board.at(16)) <= 5 * 60_000
    assert resized["end"] % 300_000 == 0
    assert board.told("drop") == board.told("pick") == []
    expect(board.bar(HOUSING)).to_have_attribute("data-look", "movable pending")


def test_several_keep_their_offsets(board: Board) -> None:
    board.bar(HOUSING).click()
    board.bar(SAMPLE).click(modifiers=["Control"])
    assert board.told("select")[-1] == {"ids": [HOUSING, SAMPLE]}
    board.take(HOUSING)
    board.over(CHEN, 15.1)  # J. Lu's stays: nothing goes above the first lane
    expect(board.ghosts).to_have_count(2)
    board.over("t6", 14.1)
    board.page.mouse.up()
    (drop,) = board.told("drop")
    moves = {one["id"]: one for one in drop["moves"]}
    assert drop["ids"] == [HOUSING, SAMPLE]
    assert (moves[HOUSING]["lane"], moves[SAMPLE]["lane"]) == ("t6", XU)
    shift = moves[HOUSING]["start"] - moves[HOUSING]["from"]["start"]
    assert shift == moves[SAMPLE]["start"] - moves[SAMPLE]["from"]["start"]


def test_a_range_is_selected_with_shift(board: Board) -> None:
    board.bar("v5").click()  # Z. Chen 13:00–15:00
    board.bar(HOUSING).click(modifiers=["Shift"])
    assert set(board.told("select")[-1]["ids"]) == {"v5", "v6", "v8", "v9", HOUSING}
    expect(board.page.locator(".tml-bar[aria-selected=true]")).to_have_count(5)
    board.page.evaluate("timeline.selected = ['v5']")
    expect(board.page.locator(".tml-bar[aria-selected=true]")).to_have_count(1)


def test_a_card_is_carried_in_and_goes_again(board: Board) -> None:
    card = board.page.locator("#card").bounding_box()
    assert card is not None
    board.page.mouse.move(card["x"] + 5, card["y"] + 5)
    board.page.mouse.down()
    board.over(LU, 11, into=8)
    expect(board.page.locator(".tml-corner")).to_have_text("Placing WO-2026-004127")
    board.page.mouse.up()
    (drop,) = board.told("drop")
    assert (drop["ids"], drop["lane"], drop["start"], drop["from"]) == (["order-4127"], LU, board.at(11), None)
    assert board.told("pick") == [{"ids": ["order-4127"], "carried": True}]
    expect(board.bar("order-4127")).to_be_visible()
    board.page.evaluate("timeline.settle(['order-4127'])")
    expect(board.bar("order-4127")).to_have_count(0)


def test_a_move_by_keyboard_alone(board: Board) -> None:
    board.page.locator("#card").focus()
    board.press("Tab")
    expect(board.bar("v1")).to_be_focused()
    board.press("End", "ArrowLeft")
    expect(board.bar(SAMPLE)).to_be_focused()
    board.press("ArrowDown")
    expect(board.bar("v5")).to_be_focused()  # the nearest in time
    board.press("ArrowUp")
    expect(board.bar(SAMPLE)).to_be_focused()
    board.press("Enter")
    expect(board.announced).to_have_text("Picked up HD sample, J. Lu 14:09")
    board.press("ArrowDown", "Shift+ArrowLeft", "ArrowLeft")
    expect(board.announced).to_have_text("Z. Chen 13:35 to 15:11.")  # steps land on five minutes
    board.page.evaluate("timeline.verdicts = judge()")
    expect(board.announced).to_have_text("Z. Chen 13:35 to 15:11. 11:20, 20 late")
    board.press("Enter")
    (drop,) = board.told("drop")
    assert (drop["lane"], drop["start"]) == (CHEN, board.at(13 + 35 / 60))
    expect(board.bar(SAMPLE)).to_be_focused()


def test_escape_gives_back_and_enter_twice_opens(board: Board) -> None:
    board.bar(SAMPLE).focus()
    board.press("Enter", "ArrowRight", "Escape")
    expect(board.announced).to_have_text("Cancelled")
    assert board.told("cancel") == [{"ids": [SAMPLE], "carried": False}]
    assert board.told("drop") == board.told("open") == []
    board.press("Enter", "Enter")
    assert board.told("open") == [{"id": SAMPLE}]
    board.take(SAMPLE)
    board.over(CHEN, 10.5)
    board.press("Escape")
    board.page.mouse.up()
    expect(board.ghosts).to_have_count(0)
    assert board.told("drop") == []


def test_a_card_is_placed_by_keyboard(board: Board) -> None:
    board.page.evaluate("timeline.carry({id: 'order-1', title: 'Leak', short: '1', durationMin: 60})")
    board.frame()
    expect(board.announced).to_have_text("J. Lu 10:35 to 11:35.")
    board.press("ArrowDown", "ArrowRight", "Enter")
    (drop,) = board.told("drop")
    assert (drop["ids"], drop["lane"]) == (["order-1"], CHEN)
    expect(board.bar("order-1")).to_be_focused()


def test_news_during_a_drag(board: Board) -> None:
    board.take(SAMPLE)
    board.over(CHEN, 10.5)
    change = "([id, facts]) => timeline.upsert([{...timeline.data.bars.find(bar => bar.id === id), ...facts}])"
    board.page.evaluate(change, [HOUSING, {"lane": XU, "title": "Elsewhere"}])
    expect(board.lane(XU).locator(f"[data-id={HOUSING}]")).to_contain_text("Elsewhere")
    expect(board.ghosts).to_have_count(1)
    board.page.evaluate("timeline.remove(['v1'])")
    expect(board.bar("v1")).to_have_count(0)
    board.page.evaluate(change, [SAMPLE, {"movable": False, "done": True}])
    expect(board.ghosts).to_have_count(0)
    expect(board.announced).to_have_text("HD sample was changed by somebody else")
    board.page.mouse.up()
    assert board.told("drop") == []


def test_only_lanes_in_view_are_in_the_document(board: Board) -> None:
    board.page.evaluate("timeline.data = days(7, 300)")
    expect(board.lane("t0")).to_be_visible()
    rows = board.page.locator(".tml-lane")
    assert board.page.locator("[role=grid]").get_attribute("aria-rowcount") == "304"
    board.page.evaluate("document.querySelector('.tml-scroll').scrollTop = 5000")
    expect(board.lane("t180")).to_be_visible()
    expect(board.page.locator(".tml-lane[data-lane=t30]")).to_have_count(0)
    assert rows.count() < 60
    order = rows.evaluate_all("rows => rows.map(row => Number(row.getAttribute('aria-rowindex')))")
    assert order == sorted(order)
    station = board.page.locator(".tml-station").last.bounding_box()
    head = board.page.locator(".tml-head").bounding_box()
    assert station is not None
    assert head is not None
    assert abs(station["y"] - head["y"] - head["height"]) <= 1, "the station's head sticks below the hours"
    board.page.evaluate("timeline.reveal('t299d6')")
    expect(board.bar("t299d6")).to_be_in_viewport()


def test_T_05_a_stop_for_a_bar_stands_before_it_and_goes_with_it(board: Board) -> None:
    board.page.evaluate(
        """id => {
          const bar = timeline.bar(id), hour = 3_600_000;
          const pickup = { start: bar.start - hour, end: bar.start - hour / 2, title: 'Collect seals' };
          timeline.upsert([{ ...bar, pickup }]);
        }""",
        SEAL,
    )
    stop = board.bar(SEAL).locator(".tml-pickup")
    expect(stop).to_have_attribute("title", "Collect seals")
    before, bar = stop.bounding_box(), board.bar(SEAL).bounding_box()
    assert before is not None
    assert bar is not None
    assert before["x"] + before["width"] < bar["x"]
    board.page.evaluate(
        """id => {
          const bar = timeline.bar(id), hour = 3_600_000, { start, end, title } = bar.pickup;
          const later = { start: start + hour, end: end + hour, title };
          timeline.upsert([{ ...bar, start: bar.start + hour, end: bar.end + hour, pickup: later }]);
        }""",
        SEAL,
    )
    board.page.wait_for_timeout(100)
    after, moved = stop.bounding_box(), board.bar(SEAL).bounding_box()
    assert after is not None
    assert moved is not None
    assert abs((after["x"] - before["x"]) - (moved["x"] - bar["x"])) <= 1


def test_hover_goes_both_ways(board: Board) -> None:
    board.bar(SAMPLE).hover()
    assert board.told("hover")[-1] == {"id": SAMPLE}
    board.page.evaluate("id => { timeline.highlight = id; }", SEAL)
    expect(board.bar(SEAL)).to_have_attribute("data-look", "risk movable hot")
    board.bar(SAMPLE).dblclick()
    assert board.told("open") == [{"id": SAMPLE}]


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(open_board: Callable[..., Board], language: str, theme: str) -> None:
    board = open_board(language, color_scheme=theme, bypass_csp=True)
    page = board.page
    page.evaluate(AXE.read_text(encoding="utf-8"))
    for step in ("1", "timeline.verdicts = judge()", "timeline.data = days(7)", "timeline.data = days(3, 0)"):
        page.evaluate(step)
        board.frame()
        found = page.evaluate("rules => axe.run(document, {runOnly: {type: 'tag', values: rules}})", RULES)
        problems = [(one["id"], [node["html"] for node in one["nodes"]][:3]) for one in found["violations"]]
        assert problems == [], (step, language, theme)
