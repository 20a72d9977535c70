"""Rules the tablet keeps of its own, run by node: who pays (the same as the server's), and what labels say."""

from datetime import date
from itertools import product
from typing import Any

import pytest

from fieldservice.workorders.coverage import COVERAGES, Cover, Line, decide
from tests.workorders.node import run

GS = "\x1d"
TOKEN = "k" * 27


def test_I_19_the_tablet_decides_as_the_server_does() -> None:
    until, days = date(2026, 12, 31), (date(2026, 12, 31), date(2027, 1, 1))
    given, wanted = [], []
    for coverage, end, known, other, day, wears, approved, chosen in product(
        COVERAGES, (until, None), (True, False), (True, False), days, (True, False), (True, False), (*COVERAGES, None)
    ):
        found = decide(Cover(coverage, end, known, other), Line("part", day, wears, approved, chosen))
        wanted.append([found.coverage, found.reason, found.pending])
        given.append([
            {"coverage": coverage, "until": end and end.isoformat(), "known": known, "other_maker": other},
            {"day": day.isoformat(), "wears": wears, "approved": approved, "chosen": chosen},
        ])  # fmt: skip
    script = """import { decide } from './static/src/tablet/lines.js';
const found = given.map(([cover, line]) => decide(cover, line));
console.log(JSON.stringify(found.map(one => [one.coverage, one.reason, one.pending])));"""
    assert run(script, given) == wanted
    assert len(given) == 1280


LABELS: list[tuple[str, dict[str, str]]] = [
    (f"https://service.example/a/4711.{TOKEN}", {"asset": "4711"}),
    (f"http://127.0.0.1:5000/a/9.{TOKEN}", {"asset": "9"}),
    ("https://service.example/t/4711." + TOKEN, {}),  # a tracking link is no machine
    ("OS-TC-180", {"part": "OS-TC-180"}),
    ("os-tc-180", {"part": "OS-TC-180"}),
    ("]C1OS-TC-180", {"part": "OS-TC-180"}),
    ("06912345000017", {"part": "EN-800"}),
    ("6912345000017", {"part": "EN-800"}),  # EAN-13 of the same
    ("(01)06912345000017(10)B7-2(21)SN0042", {"part": "EN-800", "batch": "B7-2", "serial": "SN0042"}),
    (f"0106912345000017{'10'}B7-2{GS}21SN0042", {"part": "EN-800", "batch": "B7-2", "serial": "SN0042"}),
    (f"]d2{GS}010691234500001721SN0042{GS}10B7-2", {"part": "EN-800", "batch": "B7-2", "serial": "SN0042"}),
    (f"0106912345000017172812312421{'X'}", {"part": "EN-800"}),
    (f"0106912345000017{'240'}OS-TC-180{GS}21A1", {"part": "OS-TC-180", "serial": "A1"}),
    ("0106912345000018" + "21A1", {}),  # a wrong check digit is no GTIN
    ("S/N: MC3-18-20457", {"serial": "MC3-18-20457"}),
    ("SN MC3-18-20457", {"serial": "MC3-18-20457"}),
    ("序列号：A77", {"serial": "A77"}),
    ("OS-TC-180;SN9;B1", {"part": "OS-TC-180", "serial": "SN9", "batch": "B1"}),
    ("OS-TC-180|SN9", {"part": "OS-TC-180", "serial": "SN9"}),
    ("unknown;SN9", {}),
    ("hello", {}),
    ("", {}),
    ("(01)", {}),
    ("𠮷🛠️" * 50, {}),
]


@pytest.fixture(scope="module")
def labels() -> list[dict[str, str]]:
    script = """import { read } from './static/src/tablet/codes.js';
const parts = { 'OS-TC-180': 'OS-TC-180', '06912345000017': 'EN-800' };
const known = text => parts[text.toUpperCase()] || parts[text.padStart(14, '0')] || null;
console.log(JSON.stringify(given.map(text => read(text, known))));"""
    found: list[dict[str, str]] = run(script, [text for text, _wanted in LABELS])
    return found


@pytest.mark.parametrize("place", range(len(LABELS)))
def test_what_a_label_says(labels: list[dict[str, str]], place: int) -> None:
    text, wanted = LABELS[place]
    found = labels[place]
    assert {name: found[name] for name in found if name != "text"} == wanted, text
    assert "text" in found


# The tablet's clock: what its own clock and the browser's stopwatch did, and what the moments recorded then count as.
# Seconds; `set` moves the tablet's clock, `wait` both, `sleep` the clock alone, `sync` measures against the server.
CLOCKS: list[tuple[str, list[list[Any]], list[int]]] = [
    ("a right clock", [["record"], ["wait", 60], ["record"]], [0, 60]),
    ("an hour slow, measured", [["set", -3600], ["sync"], ["record"], ["wait", 5], ["record"]], [0, 5]),
    (
        "set back an hour while offline",
        [["sync"], ["wait", 10], ["record"], ["set", -3600], ["wait", 5], ["record"]],
        [10, 15],
    ),
    ("asleep for an hour", [["sync"], ["record"], ["sleep", 3600], ["record"]], [0, 3600]),
    (
        "a minute back and forth stays in order",
        [["sync"], ["record"], ["set", -1], ["record"], ["set", 1], ["record"]],
        [0, 0, 0],
    ),
    (
        "set ahead, then measured again",
        [["sync"], ["set", 3600], ["record"], ["sync"], ["wait", 5], ["record"]],
        [3600, 5],
    ),
    ("a slow answer tells nothing", [["sync"], ["slow sync"], ["record"]], [0]),
]


@pytest.mark.parametrize(("deeds", "wanted"), [case[1:] for case in CLOCKS], ids=[case[0] for case in CLOCKS])
def test_moments_stay_in_order_whatever_the_clock_does(deeds: list[list[Any]], wanted: list[int]) -> None:
    script = """import { Clock } from './static/src/tablet/clock.js';
const START = 1_764_000_000_000;
const state = { true: 0, set: 0, ran: 0 };
const clock = new Clock({ wall: () => START + state.true + state.set, ran: () => state.ran });
const found = [];
const deeds = {
  wait: seconds => { state.true += seconds * 1000; state.ran += seconds * 1000; },
  sleep: seconds => { state.true += seconds * 1000; },
  set: seconds => { state.set += seconds * 1000; },
  sync: () => clock.measure(START + state.true, clock.wall(), clock.wall()),
  'slow sync': () => clock.measure(START + state.true + 99_000, clock.wall() - 6000, clock.wall()),
  record: () => found.push(Math.round((clock.record().at - START) / 1000)),
};
for (const [name, ...facts] of given) deeds[name](...facts);
console.log(JSON.stringify(found));"""
    assert run(script, deeds) == wanted


def test_a_tick_is_not_undone_by_what_was_read_before_it() -> None:
    """All that is to be ready is ticked while the store is being read: the older reading may not take it back."""
    script = """globalThis.document = { querySelectorAll: () => [] };
const { App } = await import('./static/src/tablet/app.js');
const held = [];
const store = Object.assign(new EventTarget(), {
  rows: {},
  async commands() { return []; },
  async uploads() { return []; },
  kept(name) {
    const value = this.rows[name];
    return name === 'drafts' ? new Promise(done => held.push(() => done(value))) : Promise.resolve(value);
  },
  async keep(name, value) { this.rows[name] = value; },
});
const app = new App(store, new EventTarget(), new EventTarget());
const ready = () => app.draft({ id: 1 }).ready || [];
const reading = app.read();
await app.keepDraft({ id: 1 }, { ready: given });
held[0]();
await reading;
const found = [ready()];
store.rows.person = 'older';
const older = app.read();
store.rows.person = 'newer';
const newer = app.read();
held[2]();
await newer;
held[1]();
await older;
console.log(JSON.stringify([...found, ready(), app.person]));"""
    assert run(script, ["tool-1", "contact"]) == [["tool-1", "contact"], ["tool-1", "contact"], "newer"]
