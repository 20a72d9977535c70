"""Which of several sources of a part comes first, and why; pure.

Whether it is there in time comes first, then how reliably it comes, the price far behind (S-16: repairers put
availability first, on-time delivery second, price seventh). A substitute stands behind the part itself where both are
in time. Reasons are data; words are the caller's.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

Kind = Literal["own_van", "colleague_van", "station", "neighbour", "central", "consignment", "supplier"]
STEP_OF_SHARE = 0.05  # on-time shares closer than this are the same: they are estimates
SAME_HOUR = timedelta(minutes=30)  # readiness closer than this is the same
UNKNOWN_SHARE = 0.9  # on time, where nobody has counted yet


@dataclass(frozen=True)
class Source:
    """So much of a part could come from somewhere, ready where it is needed at a time."""

    kind: Kind
    part: str  # number; another than asked for with a substitute or successor
    place_id: int | None  # None: a supplier
    quantity: Decimal  # at most what is asked for, in units of the part asked for
    ready_at: datetime
    way: timedelta  # handling and travel from there
    price: int  # minor units for one
    on_time: float | None = None  # share of deliveries in time; None: nobody has counted
    substitute: bool = False
    ratio: Decimal = Decimal(1)  # units of this part for one of the part asked for
    condition: Mapping[str, str] | None = None  # of a substitute, {zh, en}
    supplier_id: int | None = None


@dataclass(frozen=True)
class Reason:
    """Why a source stands where it stands."""

    code: str
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class Ranked:
    """A source in its place, with reasons; `taken`: how much of it the promise rests on."""

    source: Source
    reasons: Sequence[Reason]
    taken: Decimal


def rank(sources: Iterable[Source], quantity: Decimal, needed_at: datetime) -> list[Ranked]:
    """All sources in order, and what each contributes until `quantity` is together."""
    ordered = sorted(sources, key=lambda source: _key(source, needed_at))
    left, ranked = quantity, []
    for source in ordered:
        taken = min(left, source.quantity)
        left -= taken
        ranked.append(Ranked(source, reasons(source, quantity, needed_at), taken))
    return ranked


def ready_at(ranked: Sequence[Ranked], quantity: Decimal) -> datetime | None:
    """When all of it is there; None when not all of it can be had."""
    used = [one for one in ranked if one.taken > 0]
    if sum((one.taken for one in used), Decimal(0)) < quantity:
        return None
    return max(one.source.ready_at for one in used)


def _key(source: Source, needed_at: datetime) -> tuple[Any, ...]:
    late = max(timedelta(0), source.ready_at - needed_at)
    share = UNKNOWN_SHARE if source.on_time is None else source.on_time
    return (
        late // SAME_HOUR,
        source.substitute,
        -round(share / STEP_OF_SHARE),
        source.way // SAME_HOUR,
        source.price,
        source.ready_at,
        source.part,
        source.place_id or 0,
    )


def reasons(source: Source, quantity: Decimal, needed_at: datetime) -> list[Reason]:
    """In the order in which they weigh."""
    spare = source.ready_at - needed_at
    minutes = abs(round(spare.total_seconds() / 60))
    told = [Reason("late" if spare > timedelta(0) else "in_time", {"minutes": minutes})]
    if source.quantity < quantity:
        told.append(Reason("not_all", {"quantity": source.quantity, "of": quantity}))
    if source.substitute:
        told.append(Reason("substitute", {"part": source.part, "condition": source.condition}))
    if source.on_time is not None:
        told.append(Reason("on_time", {"percent": round(source.on_time * 100)}))
    if source.way:
        told.append(Reason("way", {"minutes": round(source.way.total_seconds() / 60)}))
    told.append(Reason("price", {"price": source.price}))
    return told
