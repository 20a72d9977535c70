"""Nothing typed offline is refused later for its size: the tablet knows the server's limits, and both mean the same."""

import re
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from config import ROOT
from fieldservice.foundation.errors import Invalid
from fieldservice.mechanisms.forms import Field, check_answer
from fieldservice.parts import services as ledger
from fieldservice.workorders.tablet.limits import limits
from tests.workorders.node import run
from tests.workorders.on_tour import OIL, SEAL, make_tour
from tests.workorders.test_tablet_commands import Tablet

SCRIPTS = sorted((ROOT / "static" / "src" / "tablet").glob("*.js"))
ITS_OWN = {  # never part of an entry, or bounded by what a reading may be
    ("scanner.entry.js", 'maxlength="200"'),
    ("checklist.js", 'maxlength="20"'),
}


@pytest.fixture
def lite(sqlite_app: Flask) -> Tablet:
    made = Tablet(sqlite_app, make_tour())
    made.tour.at_work()
    return made


def test_no_limit_of_the_server_is_typed_again_on_the_tablet() -> None:
    typed = {(path.name, one) for path in SCRIPTS for one in re.findall(r'maxlength="\d+"', path.read_text("utf-8"))}
    assert typed == ITS_OWN


def test_every_limit_that_a_screen_asks_for_exists() -> None:
    asked = {one for path in SCRIPTS for one in re.findall(r"app\.most\('([^']+)'\)", path.read_text("utf-8"))}
    assert len(asked) > 15
    assert asked <= limits().keys()


def test_the_snapshot_brings_the_limits_and_what_a_code_may_look_like(lite: Tablet) -> None:
    told = lite.get("/tablet/snapshot").json
    assert told["limits"] == limits()
    fields = [field for form in told["forms"].values() for field in form]
    assert fields
    assert all(field["most"] > 0 and bool(field["pattern"]) == (field["type"] == "code") for field in fields)


# What fits exactly is accepted by the whole service, not only by the shape; one more is refused.
def _filled(place: str, size: int) -> tuple[str, dict[str, Any]]:
    kind, *names = place.split(".")
    words: dict[str, Any] = {
        "answer": {"field": "lockout", "value": True}, "part": {"part": SEAL, "quantity": 1},
        "summary": {"summary": "好了"}, "failure": {"codes": {"failure_mode": "UNK"}}, "need": {}, "note": {},
        "coverage": {"line": "labour-{visit}", "coverage": "goodwill"}, "follow_up": {"urgency": "soon"},
        "time": {"kind": "work", "minutes": 5, "reason": "x"}, "move": {"to": "paused"},
        "extra": {"extra": "e-1", "words": "x", "decision": "declined",
                  "lines": [{"words": "x", "quantity": 1, "price": 100}]},
        "signature": {"upload": "sign-1"},
    }[kind]  # fmt: skip
    value: Any = size if names[-1] in ("minutes", "price") else "字" * size
    if names[-1] in ("serial", "removed_serial", "batch"):
        value = "7" * size
    if names[0] == "lines":
        line = {**words["lines"][0], **({names[1]: value} if len(names) > 1 else {})}
        return kind, {**words, "lines": [line] * (size if len(names) == 1 else 1)}
    return kind, {**words, names[0]: value}


PLACES = [
    "answer.note", "part.serial", "part.removed_serial", "part.batch", "summary.summary", "summary.technical_note",
    "failure.unknown_reason", "need.words", "note.words", "coverage.reason", "follow_up.words", "time.reason",
    "time.minutes", "move.reason", "extra.words", "extra.lines", "extra.lines.words", "extra.lines.price", "extra.name",
    "signature.name",
]  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_exactly_the_limit_is_accepted_and_one_more_is_not(lite: Tablet, place: str) -> None:
    most = limits()[place]
    results = []
    for size in (most, most + 1):
        kind, payload = _filled(place, size)
        payload = {
            name: value.replace("{visit}", str(lite.tour.visit_id)) if name == "line" else value
            for name, value in payload.items()
        }
        if kind == "extra":
            payload["extra"] = f"e-{size}"
        results.append(lite.send(kind, **payload))
    assert [one["status"] for one in results] == ["accepted", "rejected"], results


@pytest.mark.parametrize("quantity", [0.001, float(ledger.MOST)])
def test_quantities_that_the_tablet_lets_pass_are_accepted(lite: Tablet, quantity: float) -> None:
    assert limits()["need.quantity"] == ledger.MOST
    assert run(
        "import { exact } from './static/src/tablet/lines.js'; console.log(JSON.stringify(exact(given)));", quantity
    ) == quantity  # fmt: skip
    assert lite.send("need", part=OIL, quantity=quantity)["status"] == "accepted"


# The same judgement in both languages ---------------------------------------------------------------------

CODES = ["A", "OS-TC-180", "a b", " a", "ａｂ", "A\nB", "中文", "#1", "1#", "x" * 80, "x" * 81, "a—b", "A/B:C+D*E._-#"]
NUMBERS = [
    "12.5", "12,5", "１２", "-3", "+4", "−5", "1.123456", "1.1234567", "999999999", "1000000000", "1e3", "", ".5", "5.",
    "0x1", "1 2", "--1",
]  # fmt: skip
CODE = Field.load({"code": "batch", "type": "code", "label": {"zh": "批", "en": "Batch"}})
READING = Field.load({"code": "temp", "type": "number", "label": {"zh": "温", "en": "Temp"}})


def accepted(field: Field, value: Any) -> bool:
    try:
        check_answer(field, value)
    except Invalid:
        return False
    return True


@pytest.mark.parametrize("field", [CODE, replace(CODE, most=3)], ids=["usual", "short"])
def test_a_code_that_the_tablet_takes_the_server_takes(field: Field) -> None:
    from fieldservice.mechanisms.forms import CODE_PATTERN

    script = """import { fitsField } from './static/src/tablet/limits.js';
console.log(JSON.stringify(given.texts.map(text => fitsField(given.field, text.trim()))));"""
    shown = {"most": field.most, "pattern": CODE_PATTERN}
    assert run(script, {"field": shown, "texts": CODES}) == [accepted(field, text) for text in CODES]


def test_a_reading_that_the_tablet_takes_the_server_takes() -> None:
    script = """import { readNumber } from './static/src/tablet/limits.js';
console.log(JSON.stringify(given.texts.map(text => readNumber(text, given.limits))));"""
    read = run(script, {"limits": limits(), "texts": NUMBERS})
    assert [one is not None for one in read].count(True) == 8
    assert all(accepted(READING, one) for one in read if one is not None)


BEYOND: list[tuple[str, str, Any, Any]] = [
    ("fits", "note", {"visit": 10**9, "words": "x" * 1000}, None),
    ("too long", "note", {"words": "x" * 1001}, {"place": "note.words", "most": 1000}),
    ("control characters do not count", "part", {"serial": "\x1d" + "7" * 60}, None),
    ("scanned label", "part", {"serial": "7" * 61}, {"place": "part.serial", "most": 60}),
    ("lines", "move", {"open_items": ["x"] * 21}, {"place": "move.open_items", "most": 20}),
    ("a line", "move", {"open_items": ["x", "y" * 301]}, {"place": "move.open_items.each", "most": 300}),
    (
        "inside a list",
        "extra",
        {"lines": [{"words": "x", "price": 10**9 + 1}]},
        {"place": "extra.lines.price", "most": 10**9},
    ),
    ("nothing", "time", {"minutes": None, "reason": ""}, None),
]


@pytest.mark.parametrize(("kind", "payload", "wanted"), [case[1:] for case in BEYOND], ids=[case[0] for case in BEYOND])
@pytest.mark.parametrize("known", [True, False], ids=["told", "an older snapshot"])
def test_what_is_beyond_a_limit(kind: str, payload: Any, wanted: Any, known: bool) -> None:
    script = """import { beyond, cleaned } from './static/src/tablet/limits.js';
console.log(JSON.stringify(beyond(given.limits, given.kind, cleaned(given.payload))));"""
    given = {"kind": kind, "payload": payload, **({"limits": limits()} if known else {})}
    assert run(script, given) == (wanted if known else None)


def test_unreadable_signs_are_left_out_and_letters_stay() -> None:
    script = r"""import { cleaned } from './static/src/tablet/limits.js';
const texts = { a: 'x\u001d\u0000y\n\tz', b: ['𠮷\ud800', 1, null], c: { d: 'ok' } };
console.log(JSON.stringify(cleaned(texts)));"""
    assert run(script, None) == {"a": "xy\n\tz", "b": ["𠮷", 1, None], "c": {"d": "ok"}}


# Photos ----------------------------------------------------------------------------------------------------

PHOTOS: list[tuple[str, dict[str, Any], int | None]] = [
    ("none yet", {"held": 0}, 40),
    ("others of the visit count", {"held": 55}, 5),
    ("waiting ones count, refused ones do not", {"held": 58, "refused": 9}, 2),
    ("of the field", {"held": 39, "answered": 39}, 1),
    ("full", {"held": 60}, 0),
    ("never below nothing", {"held": 70}, 0),
    ("another visit's answers do not count", {"held": 0, "answered": 40, "mine": False}, 40),
    ("an older snapshot", {"held": 500, "limits": None}, None),
]


@pytest.mark.parametrize(("case", "left"), [case[1:] for case in PHOTOS], ids=[case[0] for case in PHOTOS])
def test_how_many_photos_fit(case: dict[str, Any], left: int | None) -> None:
    script = """import { room } from './static/src/tablet/limits.js';
const { held, refused = 0, answered = 0, mine = true, limits = given.known } = given;
const photo = state => ({ of: 'visit', state });
const many = (count, state) => Array(count).fill(photo(state));
const photos = [...many(held, 'waiting'), ...many(refused, 'rejected'), { of: 'customer', state: 'ready' }];
const visit = { photos, answers: { seal: { mine, value: Array(answered).fill('x') } } };
const found = room(visit, limits, limits ? { code: 'seal', most: 40 } : null);
console.log(JSON.stringify(Number.isFinite(found) ? found : null));"""
    assert run(script, {"known": limits(), **case}) == left


# Drafts ----------------------------------------------------------------------------------------------------

DAY = 86_400_000
DRAFTS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("here", {"drafts": {"1": {"name": "x"}}, "visits": [1]}, {"1": {"name": "x"}}),
    ("just gone", {"drafts": {"1": {"name": "x"}}}, {"1": {"name": "x", "gone": 100 * DAY}}),
    ("gone for 14 days", {"drafts": {"1": {"gone": 86 * DAY}}}, {"1": {"gone": 86 * DAY}}),
    ("gone for longer", {"drafts": {"1": {"gone": 86 * DAY - 1}, "2": {}}, "visits": [2]}, {"2": {}}),
    ("back again", {"drafts": {"1": {"gone": 5, "name": "x"}}, "visits": [1]}, {"1": {"name": "x"}}),
    ("unsent", {"drafts": {"1": {"gone": 5}}, "rows": [{"payload": {"visit": 1}}]}, {"1": {"gone": 5}}),
    ("a picture", {"drafts": {"1": {"gone": 5}}, "rows": [{"state": "rejected", "visit": 1}]}, {"1": {"gone": 5}}),
]  # fmt: skip


@pytest.mark.parametrize(("case", "kept"), [case[1:] for case in DRAFTS], ids=[case[0] for case in DRAFTS])
def test_drafts_go_two_weeks_after_their_visit(case: dict[str, Any], kept: dict[str, Any]) -> None:
    script = """import { pruned } from './static/src/tablet/drafts.js';
const { drafts, visits = [], rows = [] } = given;
console.log(JSON.stringify(pruned(drafts, visits.map(id => ({ id })), rows, 100 * 86400000)));"""
    assert run(script, case) == kept
