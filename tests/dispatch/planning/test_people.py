"""The eligibility table asks the rules of stage 1: what it allows, booking allows."""

from datetime import UTC, date, datetime, timedelta

import pytest

from fieldservice.dispatch.planning.people import refused, table
from fieldservice.foundation.places import Point
from fieldservice.stations.roster import Duty, Member
from fieldservice.workorders.eligibility import refusals
from fieldservice.workorders.placement import Job, Span, TechnicianDay

START = datetime(2026, 11, 26, 0, 30, tzinfo=UTC)
SHIFT = Span(START, START + timedelta(hours=9))
HOME = Point(31.5, 120.3)


def technician(**change) -> TechnicianDay:
    on_call = change.pop("on_call", False)
    lends = change.pop("lends", True)
    facts = {
        "id": 1, "station_id": 1, "home": HOME, "skills": {"gearbox": 2},
        "certificates": {"rigging": date(2026, 12, 1)},
        "duties": (Duty(*SHIFT, 1, on_call),), "state": "available",
    }  # fmt: skip
    return TechnicianDay(Member(**{**facts, **change}), lends=lends)


def wanted(**change) -> Job:
    facts = {"number": "WO-1", "station_id": 1, "priority": "P3", "duration": timedelta(hours=1)}
    return Job(**{**facts, "skills": {"gearbox": 2}, "certificates": ("rigging",), **change})


CASES = [
    ({}, {}, None),
    ({}, {"skills": {"gearbox": 1}}, "skill"),
    ({}, {"certificates": {}}, "certificate"),
    ({}, {"certificates": {"rigging": date(2026, 11, 25)}}, "certificate"),
    ({"requires": frozenset({1})}, {}, None),
    ({"requires": frozenset({9})}, {}, "customer"),
    ({"excludes": frozenset({1})}, {}, "customer"),
    ({"station_id": 2}, {}, None),
    ({"station_id": 2}, {"lends": False}, "station"),
    ({}, {"state": "leave"}, "absence"),
    ({}, {"on_call": True}, "shift"),
    ({"priority": "P1"}, {"on_call": True}, None),
]


@pytest.mark.parametrize(("job", "day", "rule"), CASES)
def test_each_rule_of_the_person_refuses_with_its_reason(job, day, rule) -> None:
    said = refused(wanted(**job), technician(**day), SHIFT)
    assert [one.rule for one in said] == ([rule] if rule else [])
    booking = refusals(wanted(**job), technician(**day), START, START + timedelta(hours=1))
    assert bool(booking) == bool(said)


def test_the_table_is_the_rules_for_every_pair() -> None:
    jobs = [wanted(**job) for job, _day, _rule in CASES]
    days = [technician(**day) for _job, day, _rule in CASES]
    found = table(jobs, days, [SHIFT] * len(days))
    assert found.tolist() == [[not refused(job, day, SHIFT) for day in days] for job in jobs]
