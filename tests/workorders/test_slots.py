"""Where a job fits and how good that is: pure values only."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldservice.foundation.places import travel_minutes
from fieldservice.foundation.time import at_local
from fieldservice.workorders.eligibility import refusals
from fieldservice.workorders.placement import Job, Place, Span, TechnicianDay
from fieldservice.workorders.slots import Aim, Slot, best_slots, round_down, round_up
from tests.workorders.cast import FAR, NEAR, SUZHOU, absence, at, job, seal, shift, technician, visit
from tests.workorders.test_eligibility import days, jobs

NOW = at(10, 30)
WEEK = Span(at(0), at(0) + timedelta(days=3))


def slots(task: Job, day: TechnicianDay, **aim: Any) -> list[Slot]:
    return best_slots(task, day, WEEK, Aim(NOW, **aim), travel_minutes)[0]


def test_the_first_slot_is_now_plus_the_way() -> None:
    (slot,) = slots(job(), technician())
    assert slot.starts_at == at(10, 45)  # 10:30 and 15 min of travel
    assert slot.ends_at == at(12, 45)
    assert slot.travel_min == 15


def test_a_county_gives_rounder_times_and_says_about() -> None:
    (slot,) = slots(job(place=Place(NEAR, about=True)), technician())
    assert slot.about
    assert slot.starts_at == at(10, 45)
    assert slot.starts_at.minute % 15 == 0


def test_a_place_not_known_gives_no_travel() -> None:
    (slot,) = slots(job(place=Place()), technician())
    assert slot.travel_min is None
    assert slot.starts_at == at(10, 30)


def test_gaps_are_found_between_visits() -> None:
    day = technician(stops=(visit((10, 0), (11, 0)), visit((12, 0), (13, 30))))
    (slot,) = slots(job(), day)
    assert slot.starts_at == at(13, 30)


def test_the_way_to_the_next_visit_is_kept_free() -> None:
    day = technician(stops=(visit((13, 0), (14, 0), FAR),))
    (slot,) = slots(job(), day)
    assert slot.starts_at >= at(14)  # 10:45–12:45 leaves too little for the way to the far one


def test_one_slot_a_day_over_several_days() -> None:
    tomorrow = date(2026, 11, 26)
    found = slots(job(), technician(duties=(shift(), shift(day=tomorrow))))
    assert [one.starts_at for one in found] == [at(10, 45), at_local(tomorrow, 8, 15)]


def test_nobody_starts_before_what_he_is_doing_ends() -> None:
    day = technician(stops=(absence("training", (9, 0), (11, 30)),))
    (slot,) = slots(job(), day)
    assert slot.starts_at == at(11, 45)


def test_no_slot_says_the_rule_of_the_best_try() -> None:
    day = technician(stops=(visit((8, 0), (12, 0)), visit((13, 0), (18, 0))))
    found, why = best_slots(job(), day, WEEK, Aim(NOW), travel_minutes)
    assert found == []
    assert [one.rule for one in why] == ["overlap"]
    found, why = best_slots(job(), technician(duties=()), WEEK, Aim(NOW), travel_minutes)
    assert [one.rule for one in why] == ["shift"]


def test_T_04_late_slots_warn_and_rank_below() -> None:
    (late,) = slots(job(), technician(), arrival_due=at(10, 15), restore_due=at(12))
    (kept,) = slots(job(), technician(), arrival_due=at(12))
    assert (late.late_min, late.restore_late_min) == (30, 45)
    assert kept.late_min == 0
    assert kept.score - late.score >= 40
    assert (kept.spare_min, late.spare_min) == (75, None)


BETTER: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    ("nearer", {}, {}, {"place": Place(FAR)}, {}),
    ("exact skill", {}, {}, {}, {"skills": {"gearbox": 3}}),
    ("part in the van", {"needs": (seal(),)}, {"van": {7: Decimal(1)}}, {"needs": (seal(at_station=1),)}, {}),
    (
        "part at the station rather than nowhere",
        {"needs": (seal(at_station=1),)},
        {},
        {"needs": (replace(seal(), required=False),)},
        {},
    ),
    ("of the own station", {}, {}, {"station_id": SUZHOU}, {}),
    ("on an ordinary shift", {}, {}, {}, {"duties": (shift(on_call=True),)}),
]


@pytest.mark.parametrize(("name", "task", "who", "other_task", "other"), BETTER, ids=[case[0] for case in BETTER])
def test_what_ranks_higher(
    name: str, task: dict[str, Any], who: dict[str, Any], other_task: dict[str, Any], other: dict[str, Any]
) -> None:
    (good,), (less,) = slots(job(**task), technician(**who)), slots(job(**other_task), technician(**other))
    assert good.score > less.score, name


def test_whoever_knows_the_machine_ranks_higher() -> None:
    plain = best_slots(job(), technician(), WEEK, Aim(NOW), travel_minutes)[0][0]
    known = best_slots(job(), technician(), WEEK, Aim(NOW), travel_minutes, fixed_before=True)[0][0]
    assert known.score > plain.score
    assert "same_asset" in [one.code for one in known.reasons]


@given(jobs(), days(), st.integers(0, 24))
def test_every_suggested_slot_is_eligible_and_lies_ahead(task: Job, day: TechnicianDay, hour: int) -> None:
    now = at(0) + timedelta(hours=hour)
    found, why = best_slots(task, day, WEEK, Aim(now, arrival_due=now + timedelta(hours=2)), travel_minutes)
    assert bool(found) != bool(why)
    for slot in found:
        assert refusals(task, day, slot.starts_at, slot.ends_at) == []
        assert slot.starts_at >= now
        assert 0 <= slot.score <= 100
        assert len(slot.reasons) <= 3


@given(jobs(), days())
def test_an_empty_diary_is_never_refused_for_time_if_the_full_one_is_not(task: Job, day: TechnicianDay) -> None:
    full = best_slots(task, day, WEEK, Aim(at(0)), travel_minutes)[0]
    free = best_slots(task, replace(day, stops=()), WEEK, Aim(at(0)), travel_minutes)[0]
    if full:
        assert free
        assert min(one.starts_at for one in free) <= min(one.starts_at for one in full)


@given(st.datetimes(timezones=st.just(at(0).tzinfo)), st.integers(1, 60))
def test_rounding_stays_within_a_step(moment: Any, minutes: int) -> None:
    step = timedelta(minutes=minutes)
    assert timedelta(0) <= moment - round_down(moment, step) < step
    assert timedelta(0) <= round_up(moment, step) - moment < step
