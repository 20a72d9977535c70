"""The shared scripts in a real browser: theme, one press sends once, clocks, undo, and the live feed of several tabs.

The browser asks no server: every request is answered in this thread by the app's own client.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask, render_template_string
from playwright.sync_api import BrowserContext, Page, Route, sync_playwright

from config import ROOT
from fieldservice.foundation.access import Person
from fieldservice.foundation.web import HEADERS
from tests.foundation.test_front_pages import view

pytestmark = pytest.mark.browser
HOST = "http://localhost"  # a secure origin, as in use
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SOMEBODY = Person(user_id=1, name="周敏", email="z@demo.test", roles={"dispatcher": None})
PAGE = """{% extends "layouts/desk.html" %}
{% from "macros/forms.html" import check, choices, error_summary, field, select, textarea %}
{% from "macros/time.html" import clock, clock_tile %}
{% from "macros/ui.html" import dialog, empty, notice, priority, state_chip, tier_chip, toast %}
{% from "macros/figures.html" import kpi, meter %}
{% block title %}Bench{% endblock %}
{% block main %}<h1>Bench</h1>
<p>{{ state_chip("en_route") }} {{ priority("P1") }} {{ tier_chip("vip") }}</p>
{{ clock(running) }}{{ clock(late) }}{{ clock_tile(running, "Restored") }}
<form method="post" action="/sent">{{ error_summary({"a": ["Too short."]}, {"a": "A"}) }}
{{ field("a", "A", errors=["Too short."], suffix="mm") }}{{ textarea("b", "B", optional=True) }}
{{ select("c", "C", [(1, "one")], empty="none") }}{{ check("d", "D") }}{{ choices("e", "E", [(1, "one", "hint")]) }}
<button class="btn btn-primary" id="send">Send</button></form>
<button class="btn" type="button" data-dialog="ask">Ask</button>
{% call dialog("ask", "Why?") %}<form method="dialog">{{ field("why", "Reason") }}</form>{% endcall %}
{% call notice("warn", title="Careful") %}Because.{% endcall %}{{ empty("check", "Nothing here") }}
{{ kpi("Promises kept", "94.6", "%", values=[1, 2, 3], target=2, first=True) }}{{ meter(3, 10, label="Done") }}
{{ part|safe }}
{% endblock %}
{% block toasts %}{{ toast("Moved to 14:00", "/undo", 10) }}{% endblock %}"""

PART = """<section id="part" data-live="request." data-live-url="/part">
<input aria-label="Note" id="note"><b id="count">{}</b></section>"""


class Site:
    """Answers the browser: pages from the app, the bench page, a part of it, and what was posted."""

    def __init__(self, app: Flask) -> None:
        self.app, self.client = app, app.test_client()
        self.posted: list[str] = []
        self.failed: Exception | None = None
        self.parts = 0
        self.streams: list[str] = []
        self.facts: list[dict[str, Any]] = []

    def answer(self, route: Route) -> None:
        """The browser's thread of control has no app context of its own; an error here would leave it waiting."""
        try:
            with self.app.app_context():
                self.fulfil(route)
        except Exception as error:
            self.failed = error
            route.abort()
            raise

    def fulfil(self, route: Route) -> None:
        request = route.request
        path = request.url.removeprefix(HOST)
        if request.method == "POST":
            self.posted.append(path)
            route.fulfill(status=204)
        elif path.startswith("/bench"):
            body = self.bench(path, request.headers.get("cookie", ""))
            route.fulfill(headers={**HEADERS, "Content-Type": "text/html"}, body=body)
        elif path == "/part":
            self.parts += 1
            body = PART.format(self.parts)
            route.fulfill(content_type="text/html", body=body)
        elif path == "/events/ticket":
            route.fulfill(json={"ticket": "T"})
        elif path.startswith("/events"):
            self.streams.append(path)
            told, self.facts = self.facts, []  # taken before the answer: the test goes on while it is on its way
            frames = "".join(f"id: {fact['seq']}\ndata: {json.dumps(fact)}\n\n" for fact in told)
            route.fulfill(content_type="text/event-stream", body=frames)
        else:
            got = self.client.get(path)
            route.fulfill(status=got.status_code, headers=dict(got.headers), body=got.data)
            got.close()

    def bench(self, path: str, cookie: str) -> str:
        clocks = {"running": view("running", "ok", 134, 0.72), "late": view("over", "bad", -22, -0.1, "22 min over")}
        with self.app.test_request_context(path, headers={"Cookie": cookie}):
            return render_template_string(PAGE, person=SOMEBODY, part=PART.format(0), **clocks)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def site(sqlite_app: Flask) -> Site:
    return Site(sqlite_app)


@pytest.fixture
def browser(chromium: Any, site: Site) -> Iterator[BrowserContext]:
    """A browser without memory."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, color_scheme="light")
    context.route("**/*", site.answer)
    yield context
    context.close()


@pytest.fixture
def open_page(browser: BrowserContext) -> Callable[[str], Page]:
    def opened(path: str = "/bench?lang=en") -> Page:
        page = browser.new_page()
        page.on("pageerror", lambda error: pytest.fail(f"script error: {error}"))
        page.goto(HOST + path)
        return page

    return opened


@pytest.mark.parametrize("path", ["/login", "/bench", "/no-such-page"])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_shared_pieces_are_accessible(browser: BrowserContext, path: str, theme: Any, language: str) -> None:
    page = browser.new_page()
    page.emulate_media(color_scheme=theme)
    page.goto(f"{HOST}{path}?lang={language}")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)["violations"]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []


def test_the_theme_is_switched_and_kept(open_page: Callable[[str], Page]) -> None:
    page = open_page("/bench?lang=en")
    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.get_by_role("button", name="Light or dark").click()
    assert page.locator("html").get_attribute("data-theme") == "dark"
    page.reload()
    assert page.locator("html").get_attribute("data-theme") == "dark"  # drawn so by the server: no flash
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != before


def test_one_press_sends_once(open_page: Callable[[str], Page], site: Site) -> None:
    page = open_page("/bench?lang=en")
    send = page.locator("#send")
    with page.expect_response("**/sent"):
        send.click()
    send.click()
    send.press("Enter")
    page.evaluate("() => fetch('/events/ticket')")  # answered after whatever the presses sent
    assert site.posted == ["/sent"]


def test_a_dialog_opens_by_its_button_and_closes_by_its_cross(open_page: Callable[[str], Page]) -> None:
    page = open_page("/bench?lang=en")
    page.get_by_role("button", name="Ask").click()
    assert page.get_by_role("dialog", name="Why?").is_visible()
    page.get_by_role("button", name="Close").click()
    assert page.get_by_role("dialog").count() == 0


def test_clocks_go_on_and_turn_red_when_their_time_has_passed(browser: BrowserContext) -> None:
    page = browser.new_page()
    page.clock.install()
    page.goto(f"{HOST}/bench?lang=en")
    running = page.locator(".clock-pill").first
    page.clock.run_for(60 * 60 * 1000)
    assert "1 h 14 min" in running.inner_text()
    assert running.get_attribute("data-s") == "mute"
    page.clock.run_for(80 * 60 * 1000)
    assert "6 min over" in running.inner_text()
    assert running.get_attribute("data-s") == "bad"
    assert running.locator(".when-over").is_visible()


def test_undo_can_be_taken_for_ten_seconds_and_waits_for_the_hand(browser: BrowserContext) -> None:
    page = browser.new_page()
    page.clock.install()
    page.goto(f"{HOST}/bench?lang=en")
    toast = page.locator(".toast")
    page.clock.run_for(4_000)
    assert toast.inner_text().split("\n") == ["Moved to 14:00", "Undo", "· 6 s"]
    toast.hover()
    page.clock.run_for(30_000)
    assert toast.count() == 1
    page.mouse.move(5, 5)
    page.clock.run_for(6_000)
    assert toast.count() == 0


# The live feed ------------------------------------------------------------------------------------


def fact(seq: int, kind: str = "request.reported") -> dict[str, Any]:
    return {"seq": seq, "station": 1, "kind": kind, "subject": "request", "id": 5}


def hear(browser: BrowserContext, facts: int) -> Page:
    """The bench page once it has heard so many facts; its time stands still and is moved by the test."""
    page = browser.new_page()
    page.clock.install()
    page.add_init_script("""let heard = 0;
        document.addEventListener('live', () => { document.documentElement.dataset.heard = ++heard; });""")
    page.goto(f"{HOST}/bench?lang=en")
    page.locator(f"html[data-heard='{facts}']").wait_for()
    # from here on, else a second goes by on a busy machine before the test has done anything
    page.clock.pause_at(page.evaluate("new Date(Date.now() + 50).toISOString()"))
    return page


def test_a_fact_makes_the_elements_that_asked_for_it_load_again(browser: BrowserContext, site: Site) -> None:
    site.facts = [fact(7), fact(8)]
    page = hear(browser, 2)
    page.clock.run_for(1_500)
    page.locator("#count:text-is('1')").wait_for()
    assert site.parts == 1  # two facts within a second, one fetch


def test_a_fact_of_another_kind_loads_nothing(browser: BrowserContext, site: Site) -> None:
    site.facts = [fact(7, "visit.moved")]
    hear(browser, 1).clock.run_for(5_000)
    assert site.parts == 0


def test_what_somebody_types_is_not_taken_away(browser: BrowserContext, site: Site) -> None:
    site.facts = [fact(7)]
    page = hear(browser, 1)
    page.locator("#note").fill("bring the long ladder")
    page.clock.run_for(5_000)
    assert site.parts == 0
    assert page.locator("#note").input_value() == "bring the long ladder"
    page.locator("#note").blur()
    page.clock.run_for(1_500)
    page.locator("#count:text-is('1')").wait_for()


def test_a_new_stream_asks_for_what_it_missed(browser: BrowserContext, site: Site) -> None:
    site.facts = [fact(7)]
    page = hear(browser, 1)
    with page.expect_request("**/events?*") as again:
        page.clock.run_for(2_000)
    assert site.streams[0].endswith("after=0")
    assert again.value.url.endswith("after=7")


def test_one_tab_listens_for_all_and_the_next_takes_over(open_page: Callable[[str], Page], site: Site) -> None:
    first = open_page("/bench?lang=en")
    first.locator("html[data-live-state]").wait_for()
    second = open_page("/bench?lang=en")
    asked: list[str] = []
    second.on("request", lambda request: asked.append(request.url) if "/events?" in request.url else None)
    site.facts = [fact(9)]
    second.locator("#count:not(:text-is('0'))").wait_for()
    assert asked == []
    first.close()
    with second.expect_request("**/events?*") as taken:
        pass
    assert taken.value.url.endswith("after=9")


def test_a_tab_opened_late_loads_what_it_may_have_missed(open_page: Callable[[str], Page], site: Site) -> None:
    site.facts = [fact(9)]
    first = open_page("/bench?lang=en")
    first.locator("#count:not(:text-is('0'))").wait_for()
    second = open_page("/bench?lang=en")  # drawn as of sequence 0
    second.locator("#count:not(:text-is('0'))").wait_for()
