"""Which hours of which days are shown, and what a lane has beside its bars."""

from datetime import date, datetime

import pytest

from fieldservice.dispatch.axis import Axis, axis_for
from fieldservice.dispatch.board import Lane
from fieldservice.dispatch.cover.load import Load, day_loads
from fieldservice.dispatch.lanes import breaks
from fieldservice.foundation.time import at_local, day_span
from fieldservice.stations.roster import Duty
from fieldservice.workorders.placement import Span
from tests.workorders.cast import DAY, WUXI, at, shift, technician

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


def test_breaks_lie_within_ordinary_duty() -> None:
    axis = Axis(DAY, 2, 8, 18)
    noon = (at(12), at(13))

    def rests(*duties: Duty) -> list[Span]:
        return breaks(Lane(technician(duties=duties).member), axis)

    assert rests(shift(8, 18), shift(18, 24, on_call=True)) == [noon]
    assert rests(shift(13, 18)) == []
    assert rests(shift(8, 18, on_call=True)) == []
    assert len(rests(shift(), shift(day=NEXT))) == 2


def test_the_load_of_a_lane() -> None:
    member = technician(duties=(shift(8, 18), shift(18, 24, on_call=True))).member
    away = [Span(at(16), at(18))]
    work = [Span(at(10), at(11)), Span(at(14), at(14, 20))]
    assert day_loads(member.duties, away, work, Span(*day_span(DAY)), WUXI) == {WUXI: Load(80, 480 - 45)}


def test_days_and_hours_of_the_axis() -> None:
    axis = Axis(DAY, 3, 6, 24)
    assert axis.dates == [DAY, NEXT, date(2026, 11, 27)]
    assert (axis.start, axis.end) == (at_local(DAY), at_local(date(2026, 11, 28)))
    assert axis.spans[0] == (at(6), at_local(NEXT))
    assert axis.spans[1][0] == at(6, day=NEXT)
