"""Which hours of which days are shown, and what a lane has beside its bars."""

from datetime import date, datetime, timedelta

import pytest

from fieldservice.dispatch.axis import Axis, axis_for
from fieldservice.dispatch.board import Bar, Lane
from fieldservice.dispatch.lanes import breaks
from fieldservice.foundation.time import at_local
from tests.workorders.cast import DAY, absence, at, shift, technician

NEXT = date(2026, 11, 26)


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


def bar(start: datetime, minutes: int, **facts: object) -> Bar:
    given: dict[str, object] = {
        "visit_id": 1, "version": 1, "order": "WO-2026-004112", "title": "换油", "customer": {}, "priority": "P3",
        "state": "scheduled", "starts_at": start, "ends_at": start + timedelta(minutes=minutes), "travel_min": 30,
    }  # fmt: skip
    return Bar(**{**given, **facts})  # type: ignore[arg-type]  # put together above


def test_breaks_lie_within_ordinary_duty() -> None:
    axis = Axis(DAY, 2, 8, 18)
    noon = (at(12), at(13))
    assert breaks(technician(duties=(shift(8, 18), shift(18, 24, on_call=True))).member, axis) == [noon]
    assert breaks(technician(duties=(shift(13, 18),)).member, axis) == []
    assert breaks(technician(duties=(shift(8, 18, on_call=True),)).member, axis) == []
    assert len(breaks(technician(duties=(shift(), shift(day=NEXT))).member, axis)) == 2


def test_the_load_of_a_lane() -> None:
    member = technician(duties=(shift(8, 18), shift(18, 24, on_call=True))).member
    lane = Lane(member, (bar(at(10), 60), bar(at(14), 20, state="completed")), (absence("training", (16, 0), (18, 0)),))
    assert lane.load(at(8), at(18)) == (80, 600)


def test_days_and_hours_of_the_axis() -> None:
    axis = Axis(DAY, 3, 6, 24)
    assert axis.dates == [DAY, NEXT, date(2026, 11, 27)]
    assert (axis.start, axis.end) == (at_local(DAY), at_local(date(2026, 11, 28)))
    assert axis.spans[0] == (at(6), at_local(NEXT))
    assert axis.spans[1][0] == at(6, day=NEXT)
