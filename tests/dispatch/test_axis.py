"""Where moments stand on the axis, and the shapes of a lane."""

from datetime import date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldservice.dispatch.axis import Axis, axis_for
from fieldservice.dispatch.board import Bar, Lane
from fieldservice.dispatch.drawing import draw_lane
from fieldservice.foundation.time import at_local
from tests.workorders.cast import DAY, absence, at, shift, technician

ONE = Axis(DAY, 1, 8, 18)
THREE = Axis(DAY, 3, 8, 18)


@pytest.mark.parametrize(
    ("axis", "moment", "place"),
    [
        (ONE, at(8), 0),
        (ONE, at(13), 50),
        (ONE, at(18), 100),
        (ONE, at(6), 0),
        (ONE, at(23), 100),
        (ONE, at(12, day=date(2026, 11, 24)), 0),
        (ONE, at(12, day=date(2026, 11, 26)), 100),
        (THREE, at(18), 100 / 3),
        (THREE, at(8, day=date(2026, 11, 26)), 100 / 3),
        (THREE, at(13, day=date(2026, 11, 27)), 250 / 3),
    ],
)
def test_place_of_a_moment(axis: Axis, moment: datetime, place: float) -> None:
    assert axis.place(moment) == pytest.approx(place)


moments = st.integers(-2000, 6000).map(lambda minutes: at(0) + timedelta(minutes=minutes))


@given(moments, moments, st.integers(1, 7))
def test_later_never_stands_further_left(one: datetime, other: datetime, days: int) -> None:
    axis = Axis(DAY, days, 7, 20)
    first, last = sorted((one, other))
    assert 0 <= axis.place(first) <= axis.place(last) <= 100
    box = axis.box(first, last)
    if box:
        assert box[1] > 0
        assert box[0] + box[1] <= 100 + 1e-9


@pytest.mark.parametrize(
    ("spans", "hours"),
    [
        ([], (8, 18)),
        ([(at(9), at(12))], (8, 18)),
        ([(at(6, 30), at(19, 10))], (6, 20)),
        ([(at(20), at(2, day=date(2026, 11, 26)))], (8, 24)),
        ([(at(1, day=date(2026, 11, 24)), at(5, day=date(2026, 11, 24)))], (8, 18)),  # another day
    ],
)
def test_the_axis_is_as_wide_as_the_work(spans: list[tuple[datetime, datetime]], hours: tuple[int, int]) -> None:
    axis = axis_for(DAY, 1, spans)
    assert (axis.from_hour, axis.to_hour) == hours


@pytest.mark.parametrize("days", [1, 2, 3, 7])
def test_labels_keep_apart(days: int) -> None:
    marks = [mark for mark in Axis(DAY, days, 6, 24).marks() if mark.told]
    assert marks[0].first
    assert all(later.place - earlier.place >= 6 for earlier, later in pairwise(marks))
    assert {mark.day for mark in marks if mark.first} == {DAY + timedelta(days=number) for number in range(days)}


def bar(start: datetime, minutes: int, **facts: object) -> Bar:
    given: dict[str, object] = {
        "visit_id": 1, "version": 1, "order": "WO-2026-004112", "title": "换油", "customer": {}, "priority": "P3",
        "state": "scheduled", "starts_at": start, "ends_at": start + timedelta(minutes=minutes), "travel_min": 30,
    }  # fmt: skip
    return Bar(**{**given, **facts})  # type: ignore[arg-type]  # put together above


def test_a_lane_has_shift_break_travel_bars_and_absences() -> None:
    member = technician(duties=(shift(8, 18), shift(18, 24, on_call=True))).member
    lane = Lane(member, (bar(at(10), 60), bar(at(14), 20, state="completed")), (absence("training", (16, 0), (18, 0)),))
    drawn = draw_lane(Axis(DAY, 1, 8, 18), lane)
    assert [(one.kind, round(one.start), round(one.length)) for one in drawn.shades] == [
        ("shift", 0, 100),
        ("break", 40, 10),
    ]
    assert [(round(one.start), round(one.length)) for one in drawn.travels] == [(15, 5)]  # a done visit's way is past
    assert [(one.bar.state, one.narrow, one.tiny) for one in drawn.bars] == [
        ("scheduled", False, False),
        ("completed", True, False),
    ]
    assert [one.stop.cause for one in drawn.taken] == ["training"]
    assert lane.load(at(8), at(18)) == (80, 600)


def test_nobody_has_a_break_outside_duty() -> None:
    drawn = draw_lane(ONE, Lane(technician(duties=(shift(13, 18),)).member))
    assert [one.kind for one in drawn.shades] == ["shift"]
    assert draw_lane(ONE, Lane(technician(duties=()).member)).shades == ()


def test_days_of_the_axis() -> None:
    assert THREE.dates == [DAY, date(2026, 11, 26), date(2026, 11, 27)]
    assert (THREE.start, THREE.end) == (at_local(DAY), at_local(date(2026, 11, 28)))
    assert ONE.shows(at(10))
    assert not ONE.shows(at(18))
    assert not ONE.shows(at(10, day=date(2026, 11, 26)))
