"""Where a part can come from and when, for a station: one answer for everybody who asks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from sqlalchemy import or_, select

from fieldservice.foundation.db import session
from fieldservice.foundation.places.points import Point
from fieldservice.foundation.places.travel import DEFAULT, distances_km
from fieldservice.foundation.time import day_span, local
from fieldservice.mechanisms import policies
from fieldservice.parts.availability import phased, ranking
from fieldservice.parts.availability.ranking import Kind, Ranked, Source
from fieldservice.parts.availability.reading import Shelf, shelves
from fieldservice.parts.catalogue import queries as catalogue
from fieldservice.parts.catalogue.models import Supplier, SupplierOffer
from fieldservice.parts.catalogue.queries import Replacement
from fieldservice.parts.models import WHOLE, Part, StockLocation
from fieldservice.stations.models import Station
from fieldservice.stations.queries import SERVES

ASKING = ("dispatcher", "storekeeper", "station_manager", "technician", "agent", "engineer", "director", "admin")
HANDLING = "parts.handling_minutes"  # to fetch a part from a shelf and hand it over, where it lies elsewhere
CARRIER = "parts.carrier_hours"  # what a carrier needs where nobody drives for it
policies.register_defaults(HANDLING, 30, worth=policies.PLAIN)
policies.register_defaults(CARRIER, 24, worth=policies.PLAIN)
NEIGHBOURS = 5  # stations looked at besides the own and the central store
FAR = timedelta(hours=4)  # a drive that is longer is left to a carrier
MOST_PLACES = 200
PARTS = "spare_part"  # the function of a station that keeps parts
FOREVER = timedelta(days=3650)


@dataclass(frozen=True)
class Way:
    """A place parts may come from, and how long they need from there."""

    location: StockLocation
    kind: Kind
    length: timedelta


@dataclass(frozen=True)
class Place:
    """A place with its four quantities of the part, and what is free of them in time."""

    way: Way
    part: Part  # asked for, or its successor
    shelf: Shelf
    free: Decimal


@dataclass(frozen=True)
class Answer:
    """What there is of a part and what can be promised. `ready_at`: when all of it is there, None when it cannot be."""

    part: Part
    quantity: Decimal
    needed_at: datetime
    places: Sequence[Place]
    sources: Sequence[Ranked]
    ready_at: datetime | None
    locations: Mapping[int, StockLocation]  # that sources name
    suppliers: Mapping[int, Supplier]


@dataclass(frozen=True)
class _Wish:
    part: Part
    quantity: Decimal
    needed_at: datetime
    at: datetime


def ask(
    part: Part, station: Station, quantity: Decimal, needed_at: datetime, at: datetime, *,
    technician_id: int | None = None, model: str = "", site_id: int | None = None,
) -> Answer:  # fmt: skip
    """Sources of a part for work of this station at a time, in order, with reasons.

    Of a part that is not made any more the successor is meant, and what is left of the old one counts as well.
    Substitutes stand beside it, in machines of `model`. `technician_id`: whose own van is meant; `site_id`: the
    customer's site, whose consignment stock may be used.
    """
    wanted = catalogue.usable(part)
    same = [wanted] if wanted is part else [part, wanted]
    instead = catalogue.substitutes_of(wanted, model)
    ways = ways_to(station, technician_id, site_id)
    numbers = [one.id for one in (*same, *(other.part for other in instead))]
    lying = shelves(numbers, [way.location.id for way in ways], at)
    places: list[Place] = []
    sources: list[Source] = []
    for way in ways:
        for one in same:
            shelf = lying[one.id, way.location.id]
            places += _place(way, one, shelf, _Wish(one, quantity, needed_at, at))
            sources += _from_shelf(way, shelf, _Wish(one, quantity, needed_at, at))
        for other in instead:
            shelf = lying[other.part.id, way.location.id]
            sources += _from_substitute(way, shelf, other, _Wish(other.part, quantity, needed_at, at))
    offers = catalogue.offers_of(wanted, local(at).date())
    sources += [_from_supplier(offer, _Wish(wanted, quantity, needed_at, at)) for offer, _supplier in offers]
    ranked = ranking.rank(sources, quantity, needed_at)
    return Answer(
        wanted, quantity, needed_at, places, ranked, ranking.ready_at(ranked, quantity),
        {way.location.id: way.location for way in ways}, {supplier.id: supplier for _offer, supplier in offers},
    )  # fmt: skip


# Where from -----------------------------------------------------------------------------------------


def ways_to(station: Station, technician_id: int | None = None, site_id: int | None = None) -> list[Way]:
    """Places parts may come from: of the station, the nearest others, the central store, the customer's own stock."""
    known = policies.effective_many([HANDLING, CARRIER], station_id=station.id)
    handling, carrier = timedelta(minutes=known[HANDLING].value), timedelta(hours=known[CARRIER].value)
    near = _nearest(station)
    rows = session.execute(
        select(StockLocation)
        .where(StockLocation.state != "closed")
        .where(
            or_(
                StockLocation.kind == "central",
                (StockLocation.kind == "van") & (StockLocation.station_id == station.id),
                (StockLocation.kind == "warehouse") & StockLocation.station_id.in_(near),
                (StockLocation.kind == "customer") & (StockLocation.site_id == (site_id or 0)),
            )
        )
        .order_by(StockLocation.id)
        .limit(MOST_PLACES)
    ).scalars()
    return [Way(place, *_length(place, station, technician_id, near, handling, carrier)) for place in rows]


def _length(
    place: StockLocation, station: Station, technician_id: int | None, near: Mapping[int, timedelta],
    handling: timedelta, carrier: timedelta,
) -> tuple[Kind, timedelta]:  # fmt: skip
    """What kind of source a place is for this station, and how long a part needs from there."""
    if place.kind == "customer":
        return "consignment", timedelta(0)
    if place.kind == "van":
        own = place.technician_id is not None and place.technician_id == technician_id
        return ("own_van", timedelta(0)) if own else ("colleague_van", handling)
    drive = near.get(place.station_id, FAR + handling)
    away = place.station_id != station.id
    if place.kind == "warehouse" and not away:
        return "station", timedelta(0)
    kind: Kind = "central" if place.kind == "central" else "neighbour"
    if not away:
        return kind, handling
    return kind, handling + drive if drive <= FAR else carrier


def _nearest(station: Station) -> dict[int, timedelta]:
    """station → drive from there; the station itself and its nearest neighbours that deal in parts."""
    others = session.scalars(select(Station).where(Station.state.in_(SERVES), Station.id != station.id)).all()
    here = Point(station.latitude, station.longitude)
    dealing = [station, *(one for one in others if PARTS in one.functions)]
    points = [Point(one.latitude, one.longitude) for one in dealing]
    nearest = sorted(zip(distances_km(here, points), (one.id for one in dealing), points, strict=True))[
        : NEIGHBOURS + 1
    ]
    minutes = DEFAULT.minutes(here, [point for _km, _id, point in nearest])
    return {number: timedelta(minutes=drive) for (_km, number, _p), drive in zip(nearest, minutes, strict=True)}


# How much and when ----------------------------------------------------------------------------------


def _place(way: Way, part: Part, shelf: Shelf, wish: _Wish) -> list[Place]:
    if not (shelf.on_hand or shelf.reserved or shelf.in_transit or shelf.on_order):
        return []
    return [Place(way, part, shelf, phased.free_at(shelf.pool, _leaves(way, wish)))]


def _leaves(way: Way, wish: _Wish) -> datetime:
    """When it has to leave there to be in time."""
    return max(wish.at, wish.needed_at - way.length)


def _from_shelf(way: Way, shelf: Shelf, wish: _Wish) -> list[Source]:
    """What is free in time; where that is nothing, what is free some time, late."""
    pool = shelf.pool
    in_time = min(wish.quantity, phased.free_at(pool, _leaves(way, wish)))
    some_time = in_time or min(wish.quantity, phased.free_at(pool, wish.at + FOREVER))
    free_from = phased.earliest(pool, some_time, wish.at) if some_time > 0 else None
    if free_from is None:
        return []
    ready = free_from + way.length
    return [Source(way.kind, wish.part.number, way.location.id, some_time, ready, way.length, wish.part.price)]


def _from_substitute(way: Way, shelf: Shelf, other: Replacement, wish: _Wish) -> list[Source]:
    """As of the part itself, in its own units where it counts."""
    units = replace(wish, quantity=_whole(wish.quantity * other.ratio, other.part, ROUND_CEILING))
    return [
        replace(
            found, quantity=min(wish.quantity, _whole(found.quantity / other.ratio, other.part, ROUND_FLOOR)),
            substitute=True, ratio=other.ratio, condition=other.conditions, price=round(found.price * other.ratio),
        )
        for found in _from_shelf(way, shelf, units)
        if found.quantity >= other.ratio
    ]  # fmt: skip


def _whole(quantity: Decimal, part: Part, rounding: str) -> Decimal:
    return quantity.quantize(Decimal(1) if part.unit in WHOLE else phased.STEP, rounding)


def _from_supplier(offer: SupplierOffer, wish: _Wish) -> Source:
    """Ordered now, it comes by the end of the day after his lead time."""
    ready = day_span(local(wish.at).date() + timedelta(days=offer.lead_days))[1]
    share = None if offer.on_time_percent is None else offer.on_time_percent / 100
    return Source(
        "supplier", wish.part.number, None, wish.quantity, ready, ready - wish.at, offer.price, share,
        supplier_id=offer.supplier_id,
    )  # fmt: skip
