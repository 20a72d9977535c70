"""On which way of a duty parts are collected: before the first visit, between two, or right before the job."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from fieldservice.foundation.places import Point, travel_minutes
from fieldservice.workorders import collecting
from fieldservice.workorders.placement import Job, Place, Span, TechnicianDay
from fieldservice.workorders.slots import Aim, best_slots, travel_min
from tests.workorders.cast import FAR, HOME, NEAR, absence, at, coming, job, seal, technician, visit

STORE = Point(31.47, 120.38)  # a quarter of an hour from home and from the job
HERE = seal(at_station=1)


def ask(start: datetime, day: TechnicianDay, **changes: Any) -> collecting.Collection | None:
    task = job(needs=(HERE,), store=STORE, **changes) if "needs" not in changes else job(store=STORE, **changes)
    return collecting.on_the_way(task, day, Span(start, start + task.duration), travel_minutes)


WAYS: list[tuple[str, datetime, dict[str, Any], dict[str, Any], tuple[bool, bool, datetime]]] = [
    # name, start, the day, the job, (fits, on the way to the job, free since)
    ("from home", at(10), {}, {}, (True, True, at(8))),
    ("from home, too early", at(8, 20), {}, {}, (False, True, at(8))),
    ("in the morning", at(13), {"stops": (visit((9, 0), (12, 45)),)}, {}, (True, False, at(8))),
    ("after the first, which was early", at(13), {"stops": (visit((8, 15), (11, 0)),)}, {}, (True, True, at(11))),
    ("nowhere", at(11, 15), {"stops": (visit((8, 15), (11, 0)),)}, {}, (False, True, at(11))),
    (
        "between two visits", at(13, 15), {"stops": (visit((8, 15), (9, 0)), visit((10, 30), (13, 0)))}, {},
        (True, False, at(9)),
    ),
    (
        "the morning is over", at(13), {"stops": (visit((9, 0), (12, 45)),)}, {"asked_at": at(10)},
        (False, True, at(12, 45)),
    ),
    (
        "not before now", at(13), {"stops": (visit((12, 0), (12, 45)),)}, {"asked_at": at(10)},
        (True, False, at(10)),
    ),
    (
        "when it has come", at(15), {"stops": (visit((9, 0), (12, 0)),)}, {"needs": (seal(later=(coming(13),)),)},
        (True, True, at(12)),
    ),
    (
        "it comes too late for a drive", at(13, 10), {}, {"needs": (seal(later=(coming(13),)),)},
        (False, True, at(8)),
    ),
    (
        "from a place nobody knows", at(13), {"stops": (replace(visit((8, 5), (12, 30)), place=Place()),)}, {},
        (True, True, at(12, 30)),
    ),
    ("not through a training", at(13), {"stops": (absence("training", (8, 10), (12, 50)),)}, {},
     (False, True, at(12, 50))),
]  # fmt: skip


@pytest.mark.parametrize(("name", "start", "day", "changes", "wanted"), WAYS, ids=[case[0] for case in WAYS])
def test_where_it_is_collected(
    name: str, start: datetime, day: dict[str, Any], changes: dict[str, Any], wanted: tuple[bool, bool, datetime]
) -> None:
    found = ask(start, technician(**day), **changes)
    assert found is not None
    assert (found.fits, found.last, found.leaves_at) == wanted


@pytest.mark.parametrize(
    "changes",
    [{"needs": ()}, {"needs": (seal(),)}, {"needs": (replace(HERE, required=False),)}, {"place": Place()}],
    ids=["nothing needed", "never there", "only usual", "place not known"],
)
def test_nothing_is_collected(changes: dict[str, Any]) -> None:
    assert ask(at(10), technician(), **changes) is None


def test_a_slot_leaves_time_to_come_by_the_store() -> None:
    plain = best_slots(job(), technician(), Span(at(0), at(23)), Aim(at(7)), travel_minutes)[0][0]
    task = job(needs=(HERE,), store=STORE)
    over = best_slots(task, technician(), Span(at(0), at(23)), Aim(at(7)), travel_minutes)[0][0]
    assert plain.starts_at == at(8, 15)
    assert over.starts_at > plain.starts_at
    detour = collecting.on_the_way(task, technician(), Span(over.starts_at, over.ends_at), travel_minutes)
    assert detour is not None
    assert over.starts_at - detour.arrives_at < timedelta(minutes=5)
    assert over.travel_min == (detour.arrives_at - at(8)).total_seconds() // 60
    assert [reason.code for reason in over.reasons][:2] == ["skill", "parts_station"]


def test_a_slot_waits_for_what_is_brought_and_says_from_where() -> None:
    task: Job = job(needs=(seal(later=(coming(14),)),), store=HOME)
    (slot,) = best_slots(task, technician(home=FAR), Span(at(0), at(23)), Aim(at(7)), travel_minutes)[0]
    assert slot.starts_at > at(14)
    told = next(reason for reason in slot.reasons if reason.code == "parts_coming")
    assert told.facts == {"names": {"zh": "中心库", "en": "Central store"}, "ready_at": at(14)}


def test_who_collected_in_the_morning_drives_straight() -> None:
    day = technician(stops=(visit((9, 0), (12, 45)),))
    straight = travel_min(job(), day, Span(at(13), at(15)), travel_minutes)
    collected = travel_min(job(needs=(HERE,), store=STORE), day, Span(at(13), at(15)), travel_minutes)
    assert straight == collected
    assert NEAR != STORE
