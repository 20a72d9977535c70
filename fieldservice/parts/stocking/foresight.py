"""What levels may know from those who plan and do the work; they come later in the order of imports and are wired in by
`subscriptions.py`. Where nobody is wired in, nothing is known, and levels follow the ledger alone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal


@dataclass(frozen=True)
class PlannedUse:
    """A part used in work that nobody reported and that was planned at `planned_at`."""

    part_id: int
    place_id: int
    quantity: Decimal
    at: datetime
    planned_at: datetime


@dataclass(frozen=True)
class Jobs:
    """So many jobs of a kind on machines of a model a station had."""

    station_id: int
    work_type: str
    model: str
    number: int


@dataclass(frozen=True)
class Machines:
    """So many machines of a model in a station's territory, from a day on until another; None: for ever."""

    station_id: int
    model: str
    since: date | None
    until: date | None
    number: int


@dataclass(frozen=True)
class Fitted:
    """So much of a part was fitted in machines of a model."""

    part_id: int
    model: str
    quantity: Decimal


@dataclass(frozen=True)
class Sources:
    """Who tells; each is asked for what happened since a moment and reads in one statement."""

    planned: Callable[[datetime], Sequence[PlannedUse]]
    jobs: Callable[[datetime], Sequence[Jobs]]
    machines: Callable[[], Sequence[Machines]]
    fitted: Callable[[datetime], Sequence[Fitted]]


NOBODY = Sources(lambda _since: (), lambda _since: (), lambda: (), lambda _since: ())
_sources = [NOBODY]


def wire(sources: Sources) -> None:
    """Replace who tells."""
    _sources[0] = sources


def told() -> Sources:
    return _sources[0]
