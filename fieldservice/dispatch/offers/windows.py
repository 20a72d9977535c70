"""Which windows are thought of, and which of them are offered: plain values in, plain values out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from fieldservice.foundation.time import local
from fieldservice.workorders.placement import Span
from fieldservice.workorders.slots import round_down

LENGTH = timedelta(hours=2)  # what a customer is told: from … to …
STEP = timedelta(minutes=30)  # windows begin at half hours
SHORTEST = timedelta(minutes=30)  # less is no window
A_DAY = 2  # of one day, while other days have some too


@dataclass(frozen=True)
class Window:
    """A window to be told, and when work may begin so that the technician comes within it."""

    told: Span
    first: datetime
    last: datetime  # the told end less what technicians of the station come late


@dataclass(frozen=True)
class Choice:
    """A window with who would come then, and what that costs the plan: weighted seconds of travel (objectives.py)."""

    technician_id: int
    span: Span
    told: Span
    cost: float
    travel_min: int  # more than without it, there and on
    after_promise: bool = False


def windows(
    begin: datetime, end: datetime, soonest: datetime, spread: timedelta, due: datetime | None = None
) -> Iterator[Window]:
    """Windows that begin in [begin, end) at half hours. `spread`: the lateness that 95 % of the station's arrivals stay
    within (`punctuality.py`). A window ends with the promise to arrive (`due`) where that is enough."""
    spread = min(spread, LENGTH)
    opens = max(begin, round_down(soonest, STEP))
    while opens < end:
        closes = opens + LENGTH
        if due is not None and due < closes and due - opens >= max(spread, SHORTEST):
            closes = due
        first, last = max(opens, soonest), closes - spread
        if first <= last:
            yield Window(Span(opens, closes), first, last)
        opens += STEP


def chosen(candidates: Sequence[Choice], taken: Mapping[int, Sequence[Span]], most: int) -> list[Choice]:
    """At most so many, in the order of preference: the soonest, then what keeps the promise, then what costs least.

    None meets another, neither for the customer nor for its technician; `taken` is what else technicians have. Days
    take turns while there are several.
    """
    wanted = sorted(candidates, key=lambda one: (one.after_promise, one.cost, one.span.starts_at))
    if candidates:
        wanted.insert(0, min(candidates, key=lambda one: (one.span.starts_at, one.cost)))
    found: list[Choice] = []
    for a_day in (A_DAY, most):
        for one in wanted:
            if len(found) < most and _fits(one, found, taken, a_day):
                found.append(one)
    return found


def _fits(one: Choice, found: Sequence[Choice], taken: Mapping[int, Sequence[Span]], a_day: int) -> bool:
    if any(one.told.touches(*other.told) for other in found):
        return False
    mine = [*taken.get(one.technician_id, ()), *(it.span for it in found if it.technician_id == one.technician_id)]
    if any(one.span.touches(*span) for span in mine):
        return False
    return sum(1 for other in found if _day(other) == _day(one)) < a_day


def _day(one: Choice) -> date:
    return local(one.told.starts_at).date()
