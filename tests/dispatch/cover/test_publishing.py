"""A week is published only when somebody is always there, on both databases (T-03)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from fieldservice.dispatch.cover import publishing, rules
from fieldservice.dispatch.cover.reading import week_of
from fieldservice.dispatch.cover.telling import span_text
from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Conflict, Invalid
from fieldservice.foundation.time import Clock, now
from fieldservice.mechanisms.lifecycle import move
from fieldservice.mechanisms.records import Draft, apply, changes_of, kind_of, plan, undo_change
from fieldservice.stations.lendings import Lending
from fieldservice.stations.models import Shift, Station
from fieldservice.workorders import booking
from fieldservice.workorders.placement import Span
from tests.dispatch.cover.conftest import DAYS, MONDAY, Team, moment, put, round_the_clock
from tests.workorders.scene import make_station, make_technician


def publish(team: Team) -> int:
    return write(lambda: publishing.publish_week(team.here, MONDAY, now()))


def refused(deed: Callable[[], Any]) -> Conflict:
    with pytest.raises(Conflict) as caught:
        deed()
    session.rollback()
    return caught.value


def states() -> set[str]:
    return set(session.scalars(select(Shift.state)))


def test_t03_a_covered_week_is_published_once(team: Team) -> None:
    round_the_clock(team)
    assert publish(team) == 14
    assert states() == {"published"}
    assert publish(team) == 0, "a double click publishes nothing more"
    assert week_of(team.here, MONDAY, now()).published


def test_t03_two_hours_without_anybody_and_nothing_is_published(team: Team) -> None:
    round_the_clock(team, nights=[0, 1, 3, 4, 5, 6])
    put(team, team.xu, [2], 20, 32, on_call=True)
    error = refused(lambda: publish(team))
    assert error.code == "gap"
    (gap,) = error.facts["gaps"]
    assert gap["day"] == "2026-12-02"
    assert (gap["starts_at"], gap["ends_at"]) == (moment(2, 18).isoformat(), moment(2, 20).isoformat())
    assert "18:00–20:00" in str(error.message)
    assert states() == {"draft", "published"}
    put(team, team.wu, [2], 18, 20, on_call=True)
    assert publish(team) == 15


def test_t03_who_is_away_covers_nothing(team: Team) -> None:
    round_the_clock(team)
    write(lambda: booking.book_absence(team.person(team.lu), "leave", moment(3, 9), moment(3, 12)))
    (hole,) = week_of(team.here, MONDAY, now()).holes
    assert hole.span == (moment(3, 9), moment(3, 12))
    write(lambda: move(team.person(team.xu), "leave", at=now()))
    assert len(week_of(team.here, MONDAY, now()).holes) == 8 + 1, "the nights, Sunday's before, and Thursday morning"


def test_t03_whoever_is_lent_here_counts_and_whoever_is_lent_away_does_not(team: Team) -> None:
    round_the_clock(team, nights=[0, 1, 2, 3, 4, 5])
    helper = write(lambda: make_technician(make_station("SZYQ"), "何俊", "He Jun", days=0).id)
    (hole,) = week_of(team.here, MONDAY, now()).holes
    assert hole.span == (moment(6, 18), moment(7, 0))
    put(team, helper, [6], 18, 32)
    week = week_of(team.here, MONDAY, now())
    assert week.holes == []
    assert helper in [one.id for one in week.team]


def test_t03_who_is_lent_covers_the_station_that_borrows_alone(team: Team) -> None:
    """Xu has the nights; on Wednesday he is lent, with his shift, to Suzhou."""
    round_the_clock(team)
    other = write(lambda: make_station("SZYQ").id)

    def lend() -> None:
        session.add(
            Lending(
                station_id=team.station, to_station_id=other, technician_id=team.xu, starts_at=moment(2, 12),
                ends_at=moment(3, 12), skills={}, asked_at=now(), state="agreed",
            )
        )  # fmt: skip

    write(lend)
    (hole,) = week_of(team.here, MONDAY, now()).holes
    assert hole.span == (moment(2, 18), moment(3, 8))
    put(team, team.xu, [2], 18, 32, state="published")
    there = week_of(session.get_one(Station, other), MONDAY, now())
    assert team.xu in [one.id for one in there.team]
    assert not any(hole.span.touches(moment(2, 18), moment(3, 8)) for hole in there.holes)


def test_t03_the_night_before_belongs_to_its_own_week(team: Team) -> None:
    put(team, team.lu, list(DAYS), 8, 18)
    put(team, team.xu, list(DAYS), 18, 32, on_call=True)
    put(team, team.xu, [-1], 18, 32, on_call=True)  # a draft of the week before
    (hole,) = week_of(team.here, MONDAY, now()).holes
    assert hole.span == (moment(0, 0), moment(0, 8))
    assert hole.before, "it says that publishing the week before helps"
    assert refused(lambda: publish(team)).facts["gaps"][0]["draft_of_week_before"]


def test_t03_nobody_asks_about_what_is_past(team: Team, clock: Clock) -> None:
    put(team, team.lu, [4, 5, 6], 0, 24)
    clock.fix(moment(4, 0))
    assert publish(team) == 3


def test_23_59_is_midnight(team: Team) -> None:
    put(team, team.lu, list(DAYS), 0, 24 - 1 / 60)
    assert publish(team) == 7


def test_t03_a_station_open_by_day_only_needs_a_reason_and_stays_on_record(team: Team) -> None:
    put(team, team.lu, [0, 1, 2, 3, 4], 8, 18)
    assert refused(lambda: publish(team)).code == "gap"

    def keep(cover: str, reason: str = "", warn_above: float = 0.9) -> None:
        write(lambda: rules.set_rules(team.here, cover=cover, warn_above=warn_above, reason=reason, at=now()))

    with pytest.raises(Invalid) as caught:
        keep("business")
    assert "reason" in caught.value.errors
    with pytest.raises(Invalid) as caught:
        keep("sometimes", warn_above=9)
    assert caught.value.errors.keys() == {"cover", "warn_above"}
    keep("business", "夜间由无锡站值守")
    assert rules.reason_of(team.here) == "夜间由无锡站值守"
    assert publish(team) == 5
    keep("always")
    assert len(week_of(team.here, MONDAY, now()).holes) > 0


def test_a_station_that_takes_no_work_needs_nobody(team: Team) -> None:
    write(lambda: setattr(team.here, "functions", ["sale"]))
    assert week_of(team.here, MONDAY, now()).holes == []


def test_drafts_are_discarded(team: Team) -> None:
    round_the_clock(team)
    assert write(lambda: publishing.discard_drafts(team.here, MONDAY, now())) == 14
    assert session.scalars(select(Shift.state)).all() == ["published"]


def test_two_managers_publish_at_once(app: Flask, team: Team) -> None:
    round_the_clock(team)
    barrier = Barrier(2)

    def one(_number: int) -> int:
        with app.app_context():
            barrier.wait()
            return publish(team)

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(one, range(2))) == [0, 14]


# Records that tear a hole -------------------------------------------------------------------------


def saved(kind: str, row: Any, **texts: str) -> Draft:
    draft = Draft(1, texts, row=row)

    def work() -> None:
        draft.row = session.get_one(Shift, row.id) if row is not None else None
        plan(kind_of(kind), [draft], None, fixed_row=row is not None)
        assert not draft.errors, draft.errors
        apply(kind_of(kind), [draft], at=now())

    write(work)
    return draft


def test_t03_a_change_that_tears_a_hole_is_told_and_shown(team: Team) -> None:
    round_the_clock(team, state="published")
    shift = session.scalars(select(Shift).where(Shift.starts_at == moment(2, 8))).one()
    draft = saved("shifts", shift, end="16:00")
    assert "16:00–18:00" in str(draft.warnings["start"][0])
    (hole,) = week_of(team.here, MONDAY, now()).holes
    assert hole.span == (moment(2, 16), moment(2, 18))
    assert saved("shifts", shift, end="18:30").warnings == {}, "longer tears nothing"


def test_t03_an_absence_that_tears_a_hole_is_told(team: Team) -> None:
    round_the_clock(team, state="published")
    write(lambda: setattr(team.person(team.lu), "code", "T-1"))
    draft = saved("absences", None, technician="T-1", cause="leave", from_day="2026-12-03", from_hour="09:00",
                  to_day="2026-12-03", to_hour="12:00")  # fmt: skip
    assert "09:00–12:00" in str(draft.warnings["from_day"][0])


def test_t03_taking_a_shift_back_says_what_it_leaves(team: Team) -> None:
    round_the_clock(team, state="published", nights=[0, 1, 2, 4, 5, 6])
    write(lambda: setattr(team.person(team.wu), "code", "T-3"))
    draft = saved("shifts", None, technician="T-3", day="2026-12-03", start="18:00", end="08:00", on_call="yes")
    assert week_of(team.here, MONDAY, now()).holes == []
    kind = kind_of("shifts")
    (change,) = changes_of(kind, draft.row.id)
    (said,) = kind.left_by_undo(kind.by_id(draft.row.id), change.before)
    assert span_text(Span(moment(3, 18), moment(4, 8))) in said
    write(lambda: undo_change(kind, session.merge(change), at=now()))
    (hole,) = week_of(team.here, MONDAY, now()).holes
    assert hole.ends_at - hole.starts_at == timedelta(hours=14)
