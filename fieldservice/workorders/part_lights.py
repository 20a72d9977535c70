"""What is there, what is coming and what is really missing of an order's parts: one answer for queue, board, drawer and
the order's page."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from fieldservice.parts.availability.reading import free_in_vans
from fieldservice.workorders.models import WorkOrder
from fieldservice.workorders.part_supply import needs_by
from fieldservice.workorders.placement import Need, Supply

NOTHING = Decimal(0)
AHEAD = ("scheduled", "dispatched", "accepted", "en_route")  # visits nobody has arrived at


@dataclass(frozen=True)
class PartState:
    """Of one part: `coming` is what has to come last before there is enough; None where there is enough, or where there
    never will be."""

    need: Need
    in_vans: Decimal  # free in vans of the station, beside what is held for the order
    missing: bool
    coming: Supply | None = None


@dataclass(frozen=True)
class Light:
    """Of an order's planned parts; `code` is none, ready, coming or missing."""

    parts: tuple[PartState, ...] = ()

    @property
    def missing(self) -> int:
        """How many parts cannot be there."""
        return sum(1 for one in self.parts if one.missing)

    @property
    def coming(self) -> list[PartState]:
        """Parts that can be brought, or are on their way."""
        return [one for one in self.parts if one.coming is not None]

    @property
    def last(self) -> Supply | None:
        """What comes last."""
        found = [one.coming for one in self.parts if one.coming is not None]
        return max(found, key=lambda one: one.ready_at, default=None)

    @property
    def code(self) -> str:
        """The worst of its parts."""
        if not self.parts:
            return "none"
        return "missing" if self.missing else "coming" if self.coming else "ready"


DARK = Light()


def lights(stations: Mapping[int, int], at: datetime, by: Mapping[int, datetime] | None = None) -> dict[int, Light]:
    """By order; no entry for one without open planned parts. Two statements more than `needs_by`.

    `stations` is the station of each order. What comes after `by` (when the order's visit begins) is missing.
    """
    needs = needs_by(stations, at)
    vans = free_in_vans({need.part_id for mine in needs.values() for need in mine}, {stations[one] for one in needs})
    return {
        order: Light(
            tuple(
                _state(need, vans.get((need.part_id, stations[order]), NOTHING), (by or {}).get(order)) for need in mine
            )
        )
        for order, mine in needs.items()
    }


def light_of(order: WorkOrder, at: datetime) -> Light:
    """Of one order: for its visit, where it has one that nobody has arrived at."""
    ahead = [visit.starts_at for visit in order.visits if visit.state in AHEAD]
    by = {order.id: max(ahead)} if ahead else None
    return lights({order.id: order.station_id}, at, by).get(order.id, DARK)


def _state(need: Need, in_vans: Decimal, by: datetime | None) -> PartState:
    """In the store, in whichever van of the station, or held for the order wherever that is."""
    carried = in_vans + sum(need.in_vans.values(), NOTHING)
    wanted = need.quantity - carried
    if need.at_station >= wanted:
        return PartState(need, in_vans, missing=False)
    last = need.last_of(wanted)
    if last is None or (by is not None and last.ready_at > by):
        return PartState(need, in_vans, missing=True)
    return PartState(need, in_vans, missing=False, coming=last)
