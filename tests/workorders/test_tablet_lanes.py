"""The tablet's lanes by themselves, run by node over a line that does what the case says: what hangs is set aside."""

from typing import Any

import pytest

from tests.workorders.node import run

START = """import { page, tell } from './tests/workorders/tablet_faults/lanes.mjs';
const { store, sync, sent, note, picture, settled } = await page(given);
const waiting = async () => (await store.commands()).filter(row => row.state === 'waiting').length;
"""


def test_an_entry_that_never_gets_an_answer_is_set_aside_and_the_others_arrive() -> None:
    """A proxy that hangs on one entry says nothing, ever: it is found by halving, after the server has greeted."""
    script = f"""{START}
for (const words of given.words) await note(words);
await settled(async () => !(await waiting()));
const held = (await store.commands()).filter(row => row.state === 'held').map(row => row.payload.words);
tell({{ held, sent }});"""
    words = [f"note {number}" for number in range(9)]
    words.insert(4, "poison")
    found = run(script, {"words": words})
    assert found["held"] == ["poison"]
    arrived = [one for call in found["sent"] if "poison" not in call for one in call]
    assert arrived == [one for one in words if one != "poison"]  # each once, in order
    assert found["sent"].count(["poison"]) == 3  # strikes


def test_a_picture_that_never_gets_an_answer_does_not_hold_back_the_next() -> None:
    script = f"""{START}
for (const id of ['aaaa', 'bbbb']) await picture(id);
const states = async () => Object.fromEntries((await store.uploads()).map(row => [row.id, row.state]));
await settled(async () => (await states()).aaaa === 'held');
tell({{ bbbb: 'gone', ...(await states()) }});"""
    found = run(script, {"hanging": ["aaaa"]})
    assert found["aaaa"] == "held"
    assert found["bbbb"] in ("done", "gone")  # arrived; gone once a snapshot was asked for afterwards


def test_a_dead_line_blames_no_entry() -> None:
    script = f"""{START}
await note('fine');
for (let turn = 0; turn < 5; turn += 1) await sync.hurry();
sync.stop();
const [row] = await store.commands();
tell([row.state, row.strikes ?? 0, sync.state]);"""
    assert run(script, {"dead": True}) == ["waiting", 0, "offline"]


@pytest.mark.parametrize("code", ["second_factor_owed", "password_owed"])
def test_who_owes_something_first_keeps_the_outbox_and_sends_it_afterwards(code: str) -> None:
    """No try of its own while only the person can act; then everything goes, once."""
    script = f"""{START}
await note('kept');
await sync.now();
const first = [sync.state, sync.words, sync.lanes.commands.timer, await waiting()];
await settled(async () => !(await waiting()));
tell({{ first, last: sync.state, sent: sent.flat() }});"""
    found: dict[str, Any] = run(script, {"owes": code})
    assert found == {"first": ["owes", "first the account", 0, 1], "last": "idle", "sent": ["kept"]}
