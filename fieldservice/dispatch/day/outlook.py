"""What will come otherwise than planned today, and what that breaks: for the board and the drawer. Reads no clock."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from fieldservice.dispatch.day.estimating import CHANGED, Stop, Ways, estimates, missed
from fieldservice.dispatch.day.reading import arrivals_due, stops_today, visits_today, ways_of
from fieldservice.foundation.time import local
from fieldservice.workorders.models import Visit
from fieldservice.workorders.placement import Span
from fieldservice.workorders.slots import STEP, round_up

MOST_TOUCHED = 5  # later visits that the drawer names


@dataclass(frozen=True)
class Awaited:
    """A visit of today as far as it has come, with the moments that are to be kept."""

    stop: Stop
    told_until: datetime
    due_at: datetime | None = None  # when somebody was promised to be there


@dataclass(frozen=True)
class Expected:
    """When a visit will begin and end, on full five minutes, where that is later than planned."""

    span: Span
    late: timedelta  # of its start; of its end, where it has begun
    begun: bool = False
    missed: str = ""  # '', promise, window
    moment: datetime | None = None  # that is missed


@dataclass(frozen=True)
class Touched:
    """What the estimate of a visit means: its own, and that of the technician's later visits."""

    own: Expected | None
    later: tuple[tuple[Visit, Expected], ...] = ()


def outlook(visits: Sequence[Awaited], away: Sequence[Stop], at: datetime, ways: Ways) -> dict[int, Expected]:
    """visit → what is expected of it, of those alone that will be five minutes later than planned or more."""
    spans = estimates([*(one.stop for one in visits), *away], at, ways)
    found: dict[int, Expected] = {}
    for one in visits:
        span = spans.get(one.stop.visit_id or 0)
        if span is not None and (told := _expected(one, span)) is not None:
            found[one.stop.visit_id or 0] = told
    return found


def outlook_of(visit: Visit, stations: Collection[int] | None, at: datetime) -> Touched:
    """What to expect of a visit of today and of the later ones of its technician, as far as they are of these
    stations (None: all); a few statements."""
    if local(visit.starts_at).date() != local(at).date():
        return Touched(None)
    visits = visits_today(visit.technician_id, at)
    stops = stops_today(visits, visit.technician_id, at)
    due = arrivals_due({one.work_order.request_id for one in visits if one.work_order.request_id})
    found = outlook(_awaited(visits, stops, due), [one for one in stops if one.visit_id is None], at,
                    ways_of(visit.technician_id))  # fmt: skip
    after = sorted((one for one in visits if one.starts_at > visit.starts_at), key=lambda one: one.starts_at)
    seen = [one for one in after if stations is None or one.station_id in stations]
    return Touched(found.get(visit.id), tuple((one, found[one.id]) for one in seen if one.id in found)[:MOST_TOUCHED])


def _awaited(visits: Sequence[Visit], stops: Sequence[Stop], due: Mapping[int, datetime]) -> list[Awaited]:
    by_id = {stop.visit_id: stop for stop in stops}
    return [Awaited(by_id[one.id], one.window_ends_at, due.get(one.work_order.request_id or 0)) for one in visits]


def _expected(one: Awaited, span: Span) -> Expected | None:
    """Nothing where it comes about as planned."""
    planned = one.stop.span
    starts = span.starts_at - planned.starts_at
    begun = one.stop.on_site_at is not None or one.stop.started_at is not None
    late = span.ends_at - planned.ends_at if begun else starts
    if late < CHANGED:
        return None
    told = Span(span.starts_at if begun else round_up(span.starts_at, STEP), round_up(span.ends_at, STEP))
    miss = None if begun else missed(planned.starts_at, span.starts_at, one.due_at, one.told_until)
    return Expected(told, late, begun, *(miss or ()))
