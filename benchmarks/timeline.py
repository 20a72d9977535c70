"""The timeline of the board in Chromium: until it is drawn, and frames a second while a bar is dragged.

Beside it in the same run, on the same page and by the same hand: a plain drawing that puts every lane and bar into the
document and draws all of it again when something changes. Medians of several runs, each in a fresh page; the machine's
other work is in them. Sizes: 200 technicians with 2,000 bars in a day, and ten times the bars over a week.
"""

from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import monotonic
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.results import Measure
from tests.dispatch.timeline_page import serve

BROWSER = "/usr/bin/chromium"
SCRIPT = Path(__file__).with_name("timeline_pages.js")
PEOPLE, BARS, MORE_BARS = 200, 2_000, 20_000
RUNS, PLAIN_RUNS, SECONDS, NEWS = 7, 2, 2.0, 100  # a plain run takes up to a minute
SLOW = 4  # times slower than this machine


@dataclass(frozen=True)
class Try:
    """One way of showing a plan: how many bars, plainly or by our element, how slow a machine."""

    bars: int
    plain: bool = False
    slowed: int = 1


@dataclass
class Found:
    """Medians of a try."""

    drawn: float
    drag: float
    busy: float
    worst: float


def timeline() -> list[Measure]:
    """Every figure of the element beside the plain drawing's."""
    with serve(SCRIPT) as base, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        try:
            tries = [Try(BARS), Try(BARS, slowed=SLOW), Try(MORE_BARS)]
            found = {one: (_median(browser, base, one), _median(browser, base, _plainly(one))) for one in tries}
        finally:
            browser.close()
    day, slow, more = tries
    return [
        *_measures(f"timeline, {BARS} bars", *found[day], first=150, drag=58, busy=55),
        *_measures(f"timeline, {BARS} bars, processor {SLOW} times slower", *found[slow], first=400, drag=50),
        *_measures(f"timeline, {MORE_BARS} bars over a week", *found[more]),
    ]


def _plainly(one: Try) -> Try:
    return Try(one.bars, plain=True, slowed=one.slowed)


def _measures(
    name: str, ours: Found, plain: Found, first: float | None = None, drag: float | None = None,
    busy: float | None = None,
) -> list[Measure]:  # fmt: skip
    called = "every bar in the document"
    return [
        Measure(f"{name}, first drawn", ours.drawn, "ms", "lower", plain.drawn, called, first),
        Measure(f"{name}, drag", ours.drag, "frames/s", "higher", plain.drag, called, drag),
        Measure(f"{name}, drag with {NEWS} news a second", ours.busy, "frames/s", "higher", plain.busy, called, busy),
        Measure(f"{name}, longest frame of a drag", ours.worst, "ms", "lower", plain.worst, called),
    ]


def _median(browser: Browser, base: str, one: Try) -> Found:
    runs = [_run(browser, base, one) for _ in range(PLAIN_RUNS if one.plain else RUNS)]
    found = Found(*(median(values) for values in zip(*runs, strict=True)))
    print(
        f"  {one.bars} bars{', plain' if one.plain else ''}{f', {one.slowed} × slower' if one.slowed > 1 else ''}: "
        f"drawn in {found.drawn:.0f} ms, drag {found.drag:.1f}/s, with news {found.busy:.1f}/s", flush=True,
    )  # fmt: skip
    return found


def _run(browser: Browser, base: str, one: Try) -> tuple[float, float, float, float]:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(f"{base}/?script={SCRIPT.name}")
    page.wait_for_load_state("networkidle")
    session = context.new_cdp_session(page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": one.slowed})
    drawn: float = page.evaluate("([people, bars, plain]) => show(people, bars, plain)", [PEOPLE, one.bars, one.plain])
    page.wait_for_load_state("networkidle")
    calm, busy = _drag(page, 0), _drag(page, NEWS)
    context.close()
    return drawn, calm["fps"], busy["fps"], calm["worst"]


def _drag(page: Page, news: int) -> dict[str, Any]:
    """Takes a bar and moves it about, over lanes and hours, as long as it is watched."""
    box = page.locator("[data-id='v3-2']").bounding_box()
    assert box is not None
    x, y = box["x"] + min(10, box["width"] / 3), box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 12, y, steps=3)
    page.evaluate("news => watch(news)", news)
    until, step = monotonic() + SECONDS, 0
    while monotonic() < until:
        step += 1
        page.mouse.move(x + 12 + 4 * (step % 80), y + 5 * (step % 90))
    found: dict[str, Any] = page.evaluate("watched()")
    page.keyboard.press("Escape")
    page.mouse.up()
    return found
