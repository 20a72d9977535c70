"""What can be brought to a station's store, from where and by when: of many parts at once, in few queries.

A visit counts on it before it is booked, and sends for it when it is (docs/decisions/0036).
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from fieldservice.mechanisms import policies
from fieldservice.parts.availability import phased
from fieldservice.parts.availability.asking import FOREVER, Way, ways_to
from fieldservice.parts.availability.ranking import Kind
from fieldservice.parts.availability.reading import Shelf, shelves
from fieldservice.parts.models import StockLocation
from fieldservice.stations.models import Station

SHARED = "parts.shared_with_visits"  # a station's free stock may be sent for by visits of others without asking it
policies.register_defaults(SHARED, False, worth=policies.PLAIN)


@dataclass(frozen=True)
class Coming:
    """So much of a part that can be in the station's store from a time on. `kind` station: it comes anyway. `there` is
    how much that place can give in all, whoever asks."""

    kind: Kind
    location: StockLocation
    quantity: Decimal
    ready_at: datetime
    there: Decimal


def to_store(station: Station, wanted: Mapping[int, Decimal], at: datetime) -> dict[int, list[Coming]]:
    """part → what can be in this station's store of so much of it, the soonest first; eight queries.

    From the central store, and from neighbours that share their stock; others are asked by people, and may refuse. What
    nobody was promised counts, and nothing that somebody was. What lies there free already is the first.
    """
    if not wanted:
        return {}
    sharing = policies.stations_with(SHARED, True)
    ways = [way for way in ways_to(station) if _counts(way, sharing)]
    lying = shelves(wanted, [way.location.id for way in ways], at)
    found: dict[int, list[Coming]] = {}
    for part_id, quantity in wanted.items():
        coming = [one for way in ways for one in _from(way, lying[part_id, way.location.id], quantity, at)]
        found[part_id] = sorted(coming, key=lambda one: (one.ready_at, one.kind != "station", one.location.id))
    return found


def _counts(way: Way, sharing: Collection[int]) -> bool:
    return way.kind in ("station", "central") or (way.kind == "neighbour" and way.location.station_id in sharing)


def _from(way: Way, shelf: Shelf, quantity: Decimal, at: datetime) -> Iterator[Coming]:
    """What is free there now, and the rest of it once that is free."""
    most = phased.free_at(shelf.pool, at + FOREVER)
    free = max(phased.NOTHING, min(quantity, phased.free_at(shelf.pool, at)))
    if free:
        yield Coming(way.kind, way.location, free, at + way.length, max(free, most))
    later = min(quantity, most)
    moment = phased.earliest(shelf.pool, later, at) if later > free else None
    if moment is not None:
        yield Coming(way.kind, way.location, later - free, moment + way.length, most)
