"""The rules of eligibility as tables of cases, and what must hold for any technician and job."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from flask_babel import force_locale
from hypothesis import given
from hypothesis import strategies as st

from fieldservice.foundation.places import Point
from fieldservice.foundation.words import has_word
from fieldservice.stations.roster import Duty
from fieldservice.workorders import refusals as words
from fieldservice.workorders.eligibility import RULES, Refusal, refusals
from fieldservice.workorders.placement import Job, Place, Stop, TechnicianDay
from tests.workorders.cast import (
    FAR,
    NEAR,
    SUZHOU,
    WUXI,
    absence,
    at,
    coming,
    job,
    seal,
    shift,
    technician,
    visit,
)  # fmt: skip

TEN = at(10)


def why(task: Job, day: TechnicianDay, start: datetime = TEN, hours: float = 2) -> list[str]:
    return [one.rule for one in refusals(task, day, start, start + timedelta(hours=hours))]


CASES: list[tuple[str, dict[str, Any], dict[str, Any], list[str]]] = [
    ("all fits", {}, {}, []),
    ("exactly the level needed", {"skills": {"gearbox": 2}}, {}, []),
    ("a level too low", {"skills": {"gearbox": 3}}, {}, ["skill"]),
    ("skill not known", {"skills": {"spindle": 1}}, {}, ["skill"]),
    ("two skills missing are told both", {"skills": {"spindle": 1, "servo": 2}}, {}, ["skill", "skill"]),
    ("no skills asked", {"skills": {}}, {"skills": {}}, []),
    ("certificate held", {"certificates": ("lv_electrician",)}, {}, []),
    ("certificate missing", {"certificates": ("hoisting",)}, {}, ["certificate"]),
    ("preferred", {"prefers": frozenset({1})}, {}, []),
    ("somebody else preferred", {"prefers": frozenset({9})}, {}, []),
    ("required", {"requires": frozenset({1, 9})}, {}, []),
    ("somebody else required", {"requires": frozenset({9})}, {}, ["customer"]),
    ("not wanted", {"excludes": frozenset({1})}, {}, ["customer"]),
    ("somebody else not wanted", {"excludes": frozenset({9})}, {}, []),
    ("own station", {"station_id": WUXI}, {"lends": False}, []),
    ("lent freely", {"station_id": SUZHOU}, {}, []),
    ("not lent", {"station_id": SUZHOU}, {"lends": False}, ["station"]),
    ("rostered there", {"station_id": SUZHOU}, {"lends": False, "duties": (shift(station=SUZHOU),)}, []),
    ("part in the van", {"needs": (seal(),)}, {"van": {7: Decimal(1)}}, []),
    ("part at the station", {"needs": (seal(at_station=1),)}, {}, []),
    ("part half here, half there", {"needs": (seal(2, at_station=1),)}, {"van": {7: Decimal(1)}}, []),
    ("part nowhere", {"needs": (seal(),)}, {}, ["part"]),
    ("part nowhere, but only usual", {"needs": (replace(seal(), required=False),)}, {}, []),
    ("too few parts", {"needs": (seal(3, at_station=1),)}, {"van": {7: Decimal(1)}}, ["part"]),
    ("part brought in time", {"needs": (seal(later=(coming(9),)),)}, {}, []),
    ("part brought at that moment", {"needs": (seal(later=(coming(10),)),)}, {}, []),
    ("part brought too late", {"needs": (seal(later=(coming(11),)),)}, {}, ["part"]),
    ("half of it brought too late", {"needs": (seal(2, later=(coming(9), coming(11))),)}, {}, ["part"]),
    ("the rest is in the van", {"needs": (seal(2, later=(coming(9),)),)}, {"van": {7: Decimal(1)}}, []),
    ("held in the own van", {"needs": (seal(in_vans={1: Decimal(1)}),)}, {}, []),
    ("held in a colleague's van", {"needs": (seal(in_vans={9: Decimal(1)}),)}, {}, ["part"]),
    ("collected in the morning", {"needs": (seal(at_station=1),), "store": FAR}, {}, ["collect"]),
    ("collected near by", {"needs": (seal(at_station=1),), "store": NEAR}, {}, []),
    ("nothing to collect", {"needs": (seal(at_station=1),), "store": FAR}, {"van": {7: Decimal(1)}}, []),
    ("on leave without end", {}, {"state": "leave"}, ["absence"]),
    ("suspended", {}, {"state": "suspended"}, ["absence"]),
    ("off duty just now", {}, {"state": "off_duty"}, []),
    ("training then", {}, {"stops": (absence("training", (11, 0), (12, 0)),)}, ["absence"]),
    ("training before", {}, {"stops": (absence("training", (8, 0), (10, 0)),)}, []),
    ("no shift", {}, {"duties": ()}, ["shift"]),
    ("shift of another day", {}, {"duties": (shift(day=date(2026, 11, 26)),)}, ["shift"]),
    ("shift begins too late", {}, {"duties": (shift(11, 18),)}, ["shift"]),
    ("shift ends too early", {}, {"duties": (shift(8, 11),)}, ["shift"]),
    ("shift ends exactly then", {}, {"duties": (shift(8, 12),)}, []),
    ("on call for P1", {}, {"duties": (shift(on_call=True),)}, []),
    ("on call, but only P3", {"priority": "P3"}, {"duties": (shift(on_call=True),)}, ["shift"]),
    ("shift goes over into on-call", {}, {"duties": (shift(8, 11), shift(11, 20, on_call=True))}, []),
    ("the same for P3", {"priority": "P3"}, {"duties": (shift(8, 11), shift(11, 20, on_call=True))}, ["shift"]),
    ("a visit then", {}, {"stops": (visit((11, 0), (13, 0)),)}, ["overlap"]),
    ("a visit that ends then", {}, {"stops": (visit((8, 30), (10, 0)),)}, []),
    ("a visit that begins then", {}, {"stops": (visit((12, 0), (13, 0)),)}, []),
    ("too far from the stop before", {}, {"stops": (visit((8, 30), (9, 30), FAR),)}, ["travel"]),
    ("time enough from the stop before", {}, {"stops": (visit((8, 0), (8, 30), FAR),)}, []),
    ("too far to the next stop", {}, {"stops": (visit((12, 30), (13, 30), FAR),)}, ["travel"]),
    (
        "too far on both sides",
        {},
        {"stops": (visit((8, 30), (9, 30), FAR), visit((12, 30), (13, 0), FAR))},
        ["travel"] * 2,
    ),
    ("too far from home", {"place": Place(FAR)}, {"duties": (shift(9, 18),), "home": Point(31.9, 119.9)}, ["travel"]),
    ("place of the job not known", {"place": Place()}, {"stops": (visit((8, 30), (9, 55), FAR),)}, []),
    ("place of the stop not known", {}, {"stops": (visit((8, 30), (9, 55), None),)}, []),
    ("several at once", {"skills": {"spindle": 1}, "needs": (seal(),)}, {"duties": ()}, ["skill", "part", "shift"]),
]


@pytest.mark.parametrize(("name", "task", "who", "expected"), CASES, ids=[case[0] for case in CASES])
def test_rules(name: str, task: dict[str, Any], who: dict[str, Any], expected: list[str]) -> None:
    assert why(job(**task), technician(**who)) == expected


@pytest.mark.parametrize(
    ("valid_until", "end_hour", "expected"),
    [
        (date(2026, 11, 25), 12, []),  # the last valid day still counts
        (date(2026, 11, 24), 12, ["certificate"]),
        (date(2026, 11, 25), 25, ["certificate"]),  # the work would go on after midnight
        (date(2026, 11, 25), 24, []),
    ],
)
def test_N_15_an_expired_certificate_refuses_from_the_day_after(
    valid_until: date, end_hour: int, expected: list[str]
) -> None:
    task = job(certificates=("lv_electrician",))
    day = technician(certificates={"lv_electrician": valid_until}, duties=(shift(8, 26),))
    end = at(0) + timedelta(hours=end_hour)
    assert [one.rule for one in refusals(task, day, at(10), end)] == expected


def test_travel_is_told_from_the_tightest_stop() -> None:
    day = technician(stops=(visit((8, 10), (8, 30), FAR, label="A"), visit((9, 40), (9, 50), NEAR, label="B")))
    (refusal,) = refusals(job(place=Place(FAR)), day, at(10), at(12))
    assert (refusal.facts["order"], refusal.facts["side"]) == ("B", "before")
    assert refusal.facts["earliest"] > at(10, 40)


def test_a_county_is_told_as_about(sqlite_app: Flask) -> None:
    day = technician(stops=(visit((8, 30), (9, 30), FAR),))
    (refusal,) = refusals(job(place=Place(NEAR, about=True)), day, at(10), at(12))
    assert refusal.facts["about"]
    with force_locale("en"):
        assert "about" in words.text(refusal)


# What holds for anybody ---------------------------------------------------------------------------

points = st.builds(Point, st.floats(31.0, 32.0), st.floats(120.0, 121.0))
moments = st.integers(0, 96).map(lambda quarter: at(0) + timedelta(minutes=15 * quarter))
skill_sets = st.dictionaries(st.sampled_from(["gearbox", "spindle", "servo"]), st.integers(1, 3))
causes = st.sampled_from(["visit", "leave", "training"])


@st.composite
def stops(draw: st.DrawFn) -> tuple[Stop, ...]:
    """Taken time as bookings are: any places, but never overlapping."""
    marks = sorted(draw(st.lists(st.integers(0, 96), min_size=0, max_size=8, unique=True)))
    pairs = zip(marks[::2], marks[1::2], strict=False)
    quarter = timedelta(minutes=15)
    return tuple(
        Stop(at(0) + quarter * a, at(0) + quarter * b, draw(causes), Place(draw(st.none() | points)), "WO-1", 1)
        for a, b in pairs
    )


@st.composite
def days(draw: st.DrawFn) -> TechnicianDay:
    start = draw(st.integers(0, 20))
    duty = shift(start, start + draw(st.integers(1, 12)), on_call=draw(st.booleans()))
    certificates = draw(st.dictionaries(st.just("hoisting"), st.dates(date(2026, 11, 20), date(2026, 11, 30))))
    return technician(
        home=draw(points), skills=draw(skill_sets), certificates=certificates, duties=(duty,), stops=draw(stops()),
        van={7: Decimal(draw(st.integers(0, 3)))}, lends=draw(st.booleans()),
    )  # fmt: skip


@st.composite
def jobs(draw: st.DrawFn) -> Job:
    return job(
        station_id=draw(st.sampled_from([WUXI, SUZHOU])), priority=draw(st.sampled_from(["P1", "P2", "P3", "P4"])),
        skills=draw(skill_sets), place=Place(draw(st.none() | points)),
        certificates=draw(st.sampled_from([(), ("hoisting",)])),
        needs=draw(st.sampled_from([(), (seal(2),), (seal(2, 1),), (seal(2, later=(coming(9), coming(13))),)])),
        store=draw(st.none() | points), asked_at=draw(st.none() | moments),
    )  # fmt: skip


@given(jobs(), days(), moments, st.sampled_from(["gearbox", "spindle", "servo"]))
def test_learning_never_adds_a_refusal(task: Job, day: TechnicianDay, start: datetime, skill: str) -> None:
    more = {**day.member.skills, skill: min(3, day.member.skills.get(skill, 0) + 1)}
    learned = replace(day, member=replace(day.member, skills=more))
    assert set(why(task, learned, start)) <= set(why(task, day, start))


@given(jobs(), days(), moments)
def test_renewing_a_certificate_never_adds_a_refusal(task: Job, day: TechnicianDay, start: datetime) -> None:
    renewed = replace(day, member=replace(day.member, certificates={"hoisting": date(2030, 1, 1)}))
    assert set(why(task, renewed, start)) <= set(why(task, day, start))
    assert "certificate" not in why(task, renewed, start)


@given(jobs(), days(), moments, st.integers(0, 3))
def test_taking_a_booking_away_never_adds_a_refusal(task: Job, day: TechnicianDay, start: datetime, index: int) -> None:
    fewer = replace(day, stops=day.stops[:index] + day.stops[index + 1 :])
    assert set(why(task, fewer, start)) <= set(why(task, day, start))


@given(jobs(), days(), moments)
def test_a_fuller_van_never_adds_a_refusal(task: Job, day: TechnicianDay, start: datetime) -> None:
    assert set(why(task, replace(day, van={7: Decimal(9)}), start)) <= set(why(task, day, start)) - {"part", "collect"}


@given(jobs(), days(), moments, st.integers(0, 6), st.integers(0, 6))
def test_a_longer_shift_keeps_the_eligible_eligible(
    task: Job, day: TechnicianDay, start: datetime, before: int, after: int
) -> None:
    (duty,) = day.member.duties
    longer = Duty(
        duty.starts_at - timedelta(hours=before), duty.ends_at + timedelta(hours=after), duty.station_id, duty.on_call
    )
    if not why(task, day, start):
        assert not why(task, replace(day, member=replace(day.member, duties=(longer,))), start)


@given(jobs(), days(), moments)
def test_the_eligible_never_overlap_and_always_arrive(task: Job, day: TechnicianDay, start: datetime) -> None:
    end = start + timedelta(hours=2)
    if not why(task, day, start):
        assert all(stop.ends_at <= start or stop.starts_at >= end for stop in day.stops)
        assert day.member.duties[0].starts_at <= start
        assert end <= day.member.duties[0].ends_at


@given(jobs(), days(), moments)
def test_the_most_fundamental_rule_comes_first(task: Job, day: TechnicianDay, start: datetime) -> None:
    order = [list(RULES).index(rule) for rule in why(task, day, start)]
    assert order == sorted(order)


def test_every_rule_has_a_word_and_those_of_the_person_come_first() -> None:
    assert all(has_word("rule", rule) for rule in RULES)
    assert tuple(RULES)[:4] == ("station", "skill", "certificate", "customer")


# In words -----------------------------------------------------------------------------------------


def _every_kind() -> Iterator[Refusal]:
    """Each refusal that any case of the table gives, and the rarer ones."""
    for _name, task, who, _expected in CASES:
        yield from refusals(job(**task), technician(**who), at(10), at(12))
    expired = technician(certificates={"lv_electrician": date(2026, 11, 20)})
    yield from refusals(job(certificates=("lv_electrician",)), expired, at(10), at(12))
    yield from refusals(job(), technician(duties=(shift(8, 9),)), at(10), at(12))
    yield from refusals(job(), technician(stops=(visit((11, 0), (13, 0), label=""),)), at(10), at(12))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_refusal_says_why_and_what_would_help(sqlite_app: Flask, language: str) -> None:
    for refusal in _every_kind():
        with force_locale(language):
            told = (words.text(refusal), words.change(refusal), words.short(refusal))
            assert words.sentence(refusal) == f"{told[0]} → {told[1]}"
        assert all(told), refusal
        assert not any("%(" in part or "None" in part for part in told), told
        if language == "zh":
            assert all(any("一" <= sign <= "鿿" for sign in part) for part in told), told


TEXTS: list[tuple[Job, TechnicianDay, str, str]] = [
    (
        job(skills={"gearbox": 2}),
        technician(skills={"gearbox": 1}),
        "齿轮箱 L1 < L2 → 由 L2 陪同，或下调所需等级",
        "Gearboxes L1 < L2 → pair with an L2, or lower the level needed",
    ),
    (
        job(certificates=("hoisting",)),
        technician(certificates={"hoisting": date(2026, 11, 20)}),
        "起重指挥证 11月20日 到期 → 可派其他单；复审后再派本单",
        "Crane signaller expired on 20 Nov → fit for other jobs; renew it first",
    ),
    (
        job(needs=(seal(),)),
        technician(),
        "油封：车上与站内共 0，需 1 → 先调入 1",
        "Oil seal: 0 of 1 in van and station → bring in 1 first",
    ),
    (
        job(),
        technician(stops=(visit((11, 0), (13, 0)),)),
        "11:00–13:00 已有 WO-2026-004112 → 13:00 起有空，或改派该单",
        "11:00–13:00 taken by WO-2026-004112 → free from 13:00, or move that visit",
    ),
    (
        job(),
        technician(duties=(shift(8, 11),)),
        "班次 08:00–11:00 → 最迟 09:00 开始，或加班 1 小时",
        "On duty 08:00–11:00 → start by 09:00, or 1 h overtime",
    ),
]


@pytest.mark.parametrize(("task", "who", "zh", "en"), TEXTS, ids=[case[3][:20] for case in TEXTS])
def test_words_of_a_refusal(sqlite_app: Flask, task: Job, who: TechnicianDay, zh: str, en: str) -> None:
    (refusal,) = refusals(task, who, at(10), at(12))
    for language, expected in (("zh", zh), ("en", en)):
        with force_locale(language):
            assert words.sentence(refusal) == expected
