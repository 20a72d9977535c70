"""Layouts, shared macros, sign-in and error pages as the server writes them."""

import re
from datetime import datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, render_template, render_template_string
from flask_babel import lazy_gettext

from config import ROOT
from fieldservice.foundation.access import Person
from fieldservice.foundation.errors import DomainError, Invalid, NotFound
from fieldservice.foundation.words import all_words
from fieldservice.mechanisms.clocks.view import ClockView, Tone, ViewState
from tests.conftest import NOW

ICONS = (ROOT / "static" / "src" / "foundation" / "icons.txt").read_text().split()


class Tags(HTMLParser):
    """All tags of a page with their attributes; void and SVG elements included."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def one(self, tag: str, **wanted: str) -> dict[str, str | None]:
        fits = [a for t, a in self.found if t == tag and all(a.get(k) == v for k, v in wanted.items())]
        assert len(fits) == 1, f"{len(fits)} <{tag} {wanted}>"
        return fits[0]


def show(app: Flask, source: str, path: str = "/", **facts: Any) -> str:
    with app.test_request_context(path):
        return render_template_string(source, **facts)


def view(state: ViewState, tone: Tone, minutes: float, share: float, text: str = "2 h 14 min") -> ClockView:
    due = NOW + timedelta(minutes=minutes)
    return ClockView(1, "restore", "P1", state, tone, timedelta(minutes=minutes), text, due, "16:30", None, "", share)


# Sign-in ------------------------------------------------------------------------------------------


def test_a_refused_sign_in_ties_the_message_to_the_field_and_keeps_the_address(sqlite_app: Flask) -> None:
    client = sqlite_app.test_client()
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/login?lang=en").text)
    assert token is not None
    answer = client.post("/login", data={"email": "zhou@demo.test", "password": "wrong", "csrf_token": token[1]})
    tags = Tags(answer.text)
    assert answer.status_code == 422
    assert tags.one("input", name="email")["value"] == "zhou@demo.test"
    password = tags.one("input", name="password")
    assert password["aria-invalid"] == "true"
    assert tags.one("span", id=str(password["aria-describedby"]))["class"] == "err"


def test_sign_in_keeps_where_somebody_wanted_to_go(sqlite_app: Flask) -> None:
    html = sqlite_app.test_client().get("/login?next=/requests?state=new").text
    assert Tags(html).one("form")["action"] == "/login?next=/requests?state%3Dnew"


@pytest.mark.parametrize(("lang", "html_lang", "word"), [("zh", "zh-CN", "登录"), ("en", "en", "Sign in")])
def test_a_page_speaks_the_language_asked_for(sqlite_app: Flask, lang: str, html_lang: str, word: str) -> None:
    html = sqlite_app.test_client().get(f"/login?lang={lang}").text
    assert Tags(html).one("html")["lang"] == html_lang
    assert f"<h1>{word}</h1>" in html


@pytest.mark.parametrize(("cookie", "drawn"), [("dark", "dark"), ("light", "light"), ('"><script>', None), ("", None)])
def test_the_chosen_theme_is_drawn_by_the_server(sqlite_app: Flask, cookie: str, drawn: str | None) -> None:
    client = sqlite_app.test_client()
    client.set_cookie("theme", cookie)
    assert Tags(client.get("/login").text).one("html").get("data-theme") == drawn


# Errors -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 410, 412, 413, 415, 418, 422, 429, 500, 503])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_any_refusal_is_a_page_for_anybody(sqlite_app: Flask, status: int, language: str) -> None:
    error = DomainError("<b>Why</b>")
    error.status = status
    with sqlite_app.test_request_context(f"/somewhere?lang={language}"):
        html = render_template("layouts/error.html", error=error)
    assert "&lt;b&gt;Why&lt;/b&gt;" in html
    assert len([tag for tag, _ in Tags(html).found if tag == "h1"]) == 1
    assert any(tag == "a" and "btn" in str(attrs.get("class")) for tag, attrs in Tags(html).found)


def test_an_unknown_address_is_a_page_for_people_and_json_for_programs(sqlite_app: Flask) -> None:
    client = sqlite_app.test_client()
    page = client.get("/no-such-page", headers={"Accept": "text/html"})
    assert (page.status_code, page.mimetype) == (404, "text/html")
    assert str(NotFound.default_message) in page.text
    assert client.get("/api/v1/no-such-call").mimetype == "application/problem+json"


def test_staff_keep_their_navigation_on_a_refusal_but_not_after_a_failure(sqlite_app: Flask) -> None:
    somebody = Person(user_id=1, name="周敏", email="z@demo.test", roles={"dispatcher": None})
    for status, has_menu in ((404, True), (500, False)):
        error = DomainError()
        error.status = status
        with sqlite_app.test_request_context("/x"):
            html = render_template("layouts/error.html", error=error, person=somebody)
        assert ('id="person-menu"' in html) is has_menu


def test_the_way_back_never_leads_to_another_site(sqlite_app: Flask) -> None:
    for referrer, offered in (("http://localhost/requests", True), ("http://evil.test/requests", False)):
        with sqlite_app.test_request_context("/x", headers={"Referer": referrer}):
            html = render_template("layouts/error.html", error=NotFound())
        assert (referrer in html) is offered


def test_messages_of_fields_are_listed_where_no_form_shows_them(sqlite_app: Flask) -> None:
    with sqlite_app.test_request_context("/x"):
        html = render_template("layouts/error.html", error=Invalid({"phone": ["One digit is missing."]}))
    assert "One digit is missing." in html


# Macros -------------------------------------------------------------------------------------------


def test_every_state_has_its_own_look_and_its_icon_is_in_the_sprite(sqlite_app: Flask) -> None:
    looks = sqlite_app.jinja_env.get_template("macros/ui.html").module.STATES  # type: ignore[attr-defined]  # set in the template
    assert set(all_words()["state"]) <= set(looks)
    for code, (tone, symbol) in looks.items():
        assert tone in ("ok", "warn", "bad", "info", "mute"), code
        assert symbol in ICONS, code


def test_a_state_is_never_colour_alone(sqlite_app: Flask) -> None:
    html = show(sqlite_app, '{% from "macros/ui.html" import state_chip %}{{ state_chip("paused") }}', "/?lang=en")
    assert "#pause" in html
    assert "Paused" in html
    assert 'data-s="warn"' in html


CLOCKS: list[tuple[ViewState, Tone, float, float, str, bool]] = [
    ("running", "ok", 134, 0.72, "72 100", True),
    ("running", "warn", 0, 0.0, "0 100", True),
    ("over", "bad", -22, -0.1, "#triangle-alert", True),
    ("paused", "mute", 60, 0.5, "#pause", False),
    ("kept", "ok", 30, 0.3, "#check", False),
    ("breached", "bad", -5, -0.1, "#triangle-alert", False),
    ("void", "mute", 5, 0.1, "#minus", False),
]


@pytest.mark.parametrize(("state", "tone", "minutes", "share", "mark", "runs"), CLOCKS)
def test_a_clock_shows_what_remains_and_when_it_is_due(
    sqlite_app: Flask, state: ViewState, tone: Tone, minutes: float, share: float, mark: str, runs: bool
) -> None:
    html = show(
        sqlite_app,
        '{% from "macros/time.html" import clock %}{{ clock(view) }}',
        view=view(state, tone, minutes, share),
    )
    assert "2 h 14 min" in html
    assert "16:30" in html
    assert mark in html
    assert f'data-s="{tone}"' in html
    assert ("data-left" in html) is runs


def test_a_field_is_safe_and_tied_to_its_hint_and_error(sqlite_app: Flask) -> None:
    source = """{% from "macros/forms.html" import field %}
    {{ field("phone", "Phone", value, hint="11 digits", errors=errors, required=True, data_x="1") }}"""
    html = show(sqlite_app, source, value='"><script>', errors={"phone": ["Too <short>."]})
    tags = Tags(html)
    box = tags.one("input")
    assert box["value"] == '"><script>'
    assert "<script>" not in html
    assert "Too &lt;short&gt;." in html
    assert box["aria-describedby"] == "phone-hint phone-error"
    assert box["aria-invalid"] == "true"
    assert "required" in box
    assert box["data-x"] == "1"
    assert tags.one("label")["for"] == box["id"]


def test_a_field_without_trouble_says_nothing_more(sqlite_app: Flask) -> None:
    box = Tags(show(sqlite_app, '{% from "macros/forms.html" import field %}{{ field("a", "A", none) }}')).one("input")
    assert box["value"] == ""
    assert not {"aria-invalid", "aria-describedby", "required"} & set(box)


def test_text_of_several_lines_comes_back_unchanged(sqlite_app: Flask) -> None:
    html = show(
        sqlite_app,
        '{% from "macros/forms.html" import textarea %}{{ textarea("a", "A", text) }}',
        text="\n  two\nlines</textarea>",
    )
    inside = html.split("<textarea", 1)[1].split(">", 1)[1].split("</textarea>")[0]
    assert inside == "\n\n  two\nlines&lt;/textarea&gt;"  # a browser drops the first line break


def test_choices_and_selects_mark_what_was_chosen(sqlite_app: Flask) -> None:
    source = """{% from "macros/forms.html" import choices, select %}
    {{ choices("c", "C", [(1, "one", ""), (2, "two", "hint")], "2") }}
    {{ select("s", "S", [(1, "one"), (2, "two")], 2, empty="–") }}"""
    tags = Tags(show(sqlite_app, source))
    assert "checked" in tags.one("input", value="2")
    assert "checked" not in tags.one("input", value="1")
    assert "selected" in tags.one("option", value="2")
    assert "selected" not in tags.one("option", value="1")


@pytest.mark.parametrize(
    ("values", "points"), [([], 0), ([1], 0), ([3, 3, 3], 3), ([1, None, 3], 2), ([None, None], 0), ([0, 5], 2)]
)
def test_a_sparkline_needs_two_points_and_leaves_gaps_out(
    sqlite_app: Flask, values: list[float | None], points: int
) -> None:
    html = show(sqlite_app, '{% from "macros/figures.html" import spark %}{{ spark(values) }}', values=values)
    path = re.search(r'class="l1" d="([^"]*)"', html)
    assert (len(re.findall("[ML]", path[1])) if path else 0) == points


@pytest.mark.parametrize(
    ("value", "total", "width"),
    [(0, 10, "0.0%"), (5, 10, "50.0%"), (20, 10, "100.0%"), (-1, 10, "0.0%"), (3, 0, "0.0%")],
)
def test_a_meter_stays_within_its_frame(sqlite_app: Flask, value: float, total: float, width: str) -> None:
    html = show(
        sqlite_app, '{% from "macros/figures.html" import meter %}{{ meter(value, total) }}', value=value, total=total
    )
    assert Tags(html).one("rect")["width"] == width


@pytest.mark.parametrize(
    ("name", "letters"),
    [("周敏", "周"), ("Zhou Min", "ZM"), ("anna", "A"), ("", "?"), ("  ", "?"), ("J. van der Berg", "JB")],
)
def test_initials(sqlite_app: Flask, name: str, letters: str) -> None:
    assert show(sqlite_app, '{% from "macros/ui.html" import initials %}{{ initials(name) }}', name=name) == letters


def test_moments_are_readable_by_machines(sqlite_app: Flask) -> None:
    at = datetime.fromisoformat("2026-11-25T16:30:00+08:00")
    html = show(
        sqlite_app, '{% from "macros/time.html" import moment %}{{ moment(at, "time") }}{{ moment(none) }}', at=at
    )
    assert html == f'<time datetime="{at.isoformat()}">16:30</time>'


def test_shared_pages_use_no_inline_code() -> None:
    for folder in ("layouts", "macros", "accounts"):
        for path in Path(ROOT / "templates" / folder).glob("*.html"):
            for script in re.findall(r"<script[^>]*>", path.read_text(encoding="utf-8")):
                assert "src=" in script or "application/json" in script, path


def test_what_somebody_typed_is_escaped_in_lazy_texts_too(sqlite_app: Flask) -> None:
    """Found by attack: an error that quotes what was typed was shown as HTML, since lazy texts claim to be safe."""
    with sqlite_app.test_request_context("/?lang=en"):
        lazy = lazy_gettext("Wait %(time)s.", time="<img src=x onerror=alert(1)>")
        shown = render_template_string("{{ one }}|{{ [one]|join }}|{{ one ~ '' }}|{{ '%s'|format(one) }}", one=lazy)
    assert "<img" not in shown
    assert shown.count("&lt;img") == 4
