"""What can be asked about customers' stock: by the stations that care for it, and by the customers themselves."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, cast, func, or_, select, tuple_
from sqlalchemy.orm import joinedload

from fieldservice.customers.models import Customer, Site
from fieldservice.foundation.access import Person, in_scope, scoped
from fieldservice.foundation.db import among, session
from fieldservice.foundation.errors import NotFound
from fieldservice.parts.consignment.models import OPEN, ConsignmentLine, ConsignmentReading, RefillOrder
from fieldservice.parts.models import Part, StockLocation
from fieldservice.parts.transfers.models import Transfer

READERS = ("storekeeper", "station_manager", "dispatcher", "agent", "sales", "director", "admin")
KEEPERS = ("storekeeper", "station_manager", "admin")
DECIDERS = ("station_manager", "admin")
PAGE = 50
KEPT_DAYS = 90
HISTORY = timedelta(days=75)  # of a chart
SPARK_DAYS = 28
NEWEST = 20


@dataclass(frozen=True)
class Kept:
    """Refills delivered (or lost) lately, and how many of them kept their promise."""

    kept: int
    decided: int

    @property
    def percent(self) -> float | None:
        return 100 * self.kept / self.decided if self.decided else None


@dataclass(frozen=True)
class Listed:
    """A line with whom it belongs to, its open refill, and its use of the last weeks."""

    line: ConsignmentLine
    customer: Customer
    refill: RefillOrder | None
    use: Sequence[float]


def lines_of(
    person: Person, *, station: int | None = None, words: str = "", after: tuple[date, int] | None = None,
    limit: int = PAGE,
) -> Sequence[Listed]:  # fmt: skip
    """Lines that hold, what runs out first first; one more than a page where there are more. Four queries."""
    wanted = _lines().where(ConsignmentLine.state == "active", in_scope(ConsignmentLine, person, *READERS))
    if station is not None:
        wanted = wanted.where(ConsignmentLine.station_id == station)
    if words.strip():
        wanted = wanted.where(_named(words.strip()))
    if after is not None:
        wanted = wanted.where(tuple_(ConsignmentLine.runs_out_on, ConsignmentLine.id) > after)
    ordered = wanted.order_by(ConsignmentLine.runs_out_on, ConsignmentLine.id).limit(limit + 1)
    return _listed([(line, customer) for line, customer in session.execute(ordered)])


def narrowed(person: Person, place: str = "") -> Select[ConsignmentLine]:
    """Lines that hold: of the person's stations, or of the customer whose account this is."""
    wanted = select(ConsignmentLine).join(StockLocation, StockLocation.id == ConsignmentLine.location_id)
    wanted = wanted.options(*_with()).where(ConsignmentLine.state == "active")
    if person.has(*READERS):
        wanted = wanted.where(in_scope(ConsignmentLine, person, *READERS))
    else:
        owner = select(Site.id).where(Site.customer_id == (person.customer_id or 0))
        wanted = wanted.where(StockLocation.site_id.in_(owner))
    return wanted.where(StockLocation.code == place) if place else wanted


def lines_at(place: StockLocation) -> Sequence[Listed]:
    """Every line of a place, ended ones last."""
    wanted = _lines().where(ConsignmentLine.location_id == place.id)
    ordered = wanted.order_by(ConsignmentLine.state, ConsignmentLine.runs_out_on, ConsignmentLine.id).limit(PAGE)
    return _listed([(line, customer) for line, customer in session.execute(ordered)])


def lines_of_customer(customer_id: int) -> Sequence[Listed]:
    """What lies at a customer's, what runs out first first."""
    wanted = _lines().where(Customer.id == customer_id, ConsignmentLine.state == "active")
    ordered = wanted.order_by(ConsignmentLine.runs_out_on, ConsignmentLine.id).limit(PAGE)
    return _listed([(line, customer) for line, customer in session.execute(ordered)])


def line_of(person: Person, line_id: int, *roles: str) -> ConsignmentLine:
    """A line of the person's stations. Raises NotFound."""
    wanted = select(ConsignmentLine).where(ConsignmentLine.id == line_id)
    found: ConsignmentLine | None = session.scalar(
        scoped(wanted, ConsignmentLine, person, *(roles or READERS)).options(*_with())
    )
    if found is None:
        raise NotFound()
    return found


def line_of_customer(customer_id: int, line_id: int) -> ConsignmentLine:
    """A line at a site of this customer, and of nobody else. Raises NotFound."""
    found = session.scalar(
        select(ConsignmentLine)
        .join(StockLocation, StockLocation.id == ConsignmentLine.location_id)
        .join(Site, Site.id == StockLocation.site_id)
        .where(ConsignmentLine.id == line_id, Site.customer_id == customer_id)
        .options(*_with())
    )
    if found is None:
        raise NotFound()
    return found


def line_at(place: str, part: str, person: Person, *roles: str) -> ConsignmentLine | None:
    """The line of a part at a place of the person's stations, by their labels."""
    wanted = (
        select(ConsignmentLine)
        .join(StockLocation, StockLocation.id == ConsignmentLine.location_id)
        .join(Part, Part.id == ConsignmentLine.part_id)
        .where(StockLocation.code == place[:40], Part.number == part[:40])
    )
    found: ConsignmentLine | None = session.scalar(scoped(wanted, ConsignmentLine, person, *roles).options(*_with()))
    return found


def line_at_customer(place: str, part: str, customer_id: int) -> ConsignmentLine | None:
    """The line of a part at a place of this customer, by their labels."""
    return session.scalar(
        select(ConsignmentLine)
        .join(StockLocation, StockLocation.id == ConsignmentLine.location_id)
        .join(Site, Site.id == StockLocation.site_id)
        .join(Part, Part.id == ConsignmentLine.part_id)
        .where(StockLocation.code == place[:40], Part.number == part[:40], Site.customer_id == customer_id)
        .options(*_with())
    )


def refill_of(person: Person, number: str, *roles: str) -> RefillOrder:
    """A refill of the person's stations. Raises NotFound."""
    wanted = select(RefillOrder).where(RefillOrder.number == number[:20])
    found: RefillOrder | None = session.scalar(
        scoped(wanted, RefillOrder, person, *(roles or READERS)).options(*_refill_with())
    )
    if found is None:
        raise NotFound()
    return found


def refill_of_customer(customer_id: int, number: str) -> RefillOrder:
    """A refill for this customer, and of nobody else. Raises NotFound."""
    found = session.scalar(
        _refills_of_customer(customer_id).where(RefillOrder.number == number[:20]).options(*_refill_with())
    )
    if found is None:
        raise NotFound()
    return found


def refills_of_customer(customer_id: int, limit: int = NEWEST) -> Sequence[RefillOrder]:
    """Under way and over, the newest first; what was never promised is not told."""
    told = _refills_of_customer(customer_id).where(RefillOrder.confirmed_at.is_not(None))
    return session.scalars(told.options(*_refill_with()).order_by(RefillOrder.id.desc()).limit(limit)).all()


def refills_of(person: Person, *, open_only: bool = True, limit: int = PAGE) -> Sequence[RefillOrder]:
    """Refills of the person's stations: what is under way, the first due first; or the newest of all."""
    wanted = scoped(select(RefillOrder), RefillOrder, person, *READERS).options(*_refill_with())
    if open_only:
        wanted = wanted.where(RefillOrder.state.in_(OPEN))
        return session.scalars(
            wanted.order_by(RefillOrder.due_at.is_(None), RefillOrder.due_at, RefillOrder.id).limit(limit)
        ).all()
    return session.scalars(wanted.order_by(RefillOrder.id.desc()).limit(limit)).all()


def refills_at(line_ids: Iterable[int], limit: int = NEWEST * 4) -> Sequence[RefillOrder]:
    """The newest refills of some lines."""
    wanted = select(RefillOrder).where(among(RefillOrder.line_id, sorted(line_ids))).options(*_refill_with())
    return session.scalars(wanted.order_by(RefillOrder.id.desc()).limit(limit)).all()


def released_of(person: Person, station: int | None = None) -> int:
    """Money that customers have no longer bound, in minor units; of lines that hold."""
    wanted = select(func.coalesce(func.sum(ConsignmentLine.released), 0)).where(
        ConsignmentLine.state == "active", in_scope(ConsignmentLine, person, *READERS)
    )
    if station is not None:
        wanted = wanted.where(ConsignmentLine.station_id == station)
    return int(session.scalar(wanted) or 0)


def kept_of(person: Person, since: datetime, station: int | None = None) -> Kept:
    """Refills whose promise was decided since then."""
    scope: list[ColumnElement[bool]] = [in_scope(RefillOrder, person, *READERS)]
    if station is not None:
        scope.append(RefillOrder.station_id == station)
    decided = RefillOrder.kept.is_not(None) & (func.coalesce(RefillOrder.delivered_at, RefillOrder.due_at) >= since)
    rows = session.execute(select(RefillOrder.kept, func.count()).where(decided, *scope).group_by(RefillOrder.kept))
    counts = {bool(kept): count for kept, count in rows}
    return Kept(counts.get(True, 0), sum(counts.values()))


def due_at(station_id: int, until: date) -> tuple[int, int]:
    """(lines that need a refill by then, refills under way) of a station: what its desk shows."""
    short = session.scalar(
        select(func.count(ConsignmentLine.id)).where(
            ConsignmentLine.station_id == station_id, ConsignmentLine.state == "active",
            ConsignmentLine.contact_on <= until,
        )
    )  # fmt: skip
    way = session.scalar(
        select(func.count(RefillOrder.id)).where(RefillOrder.station_id == station_id, RefillOrder.state.in_(OPEN))
    )
    return short or 0, way or 0


def waiting_at(line_ids: Iterable[int]) -> Sequence[ConsignmentReading]:
    """Readings that a manager has to decide."""
    wanted = select(ConsignmentReading).where(among(ConsignmentReading.line_id, sorted(line_ids)))
    return session.scalars(
        wanted.where(ConsignmentReading.state == "awaiting")
        .options(joinedload(ConsignmentReading.line).joinedload(ConsignmentLine.part))
        .order_by(ConsignmentReading.id)
    ).all()


def reading_of(person: Person, reading_id: int, *roles: str) -> ConsignmentReading:
    """Raises NotFound."""
    wanted = select(ConsignmentReading).where(ConsignmentReading.id == reading_id)
    found: ConsignmentReading | None = session.scalar(scoped(wanted, ConsignmentReading, person, *roles))
    if found is None:
        raise NotFound()
    return found


def readings_since(line_ids: Iterable[int], since: date) -> Mapping[int, Sequence[ConsignmentReading]]:
    """Readings that hold, by line, oldest first; one query."""
    grouped: dict[int, list[ConsignmentReading]] = {}
    wanted = select(ConsignmentReading).where(among(ConsignmentReading.line_id, sorted(line_ids)))
    rows = wanted.where(ConsignmentReading.state == "posted", ConsignmentReading.on_day >= since)
    for reading in session.scalars(rows.order_by(ConsignmentReading.on_day)):
        grouped.setdefault(reading.line_id, []).append(reading)
    return grouped


def customer_at(place: StockLocation) -> Customer | None:
    """Whose site a place lies at."""
    return session.scalar(
        select(Customer).join(Site, Site.customer_id == Customer.id).where(Site.id == place.site_id)
    )  # fmt: skip


# Inside -------------------------------------------------------------------------------------------


def _lines() -> Select[ConsignmentLine, Customer]:
    return (
        select(ConsignmentLine, Customer)
        .join(StockLocation, StockLocation.id == ConsignmentLine.location_id)
        .join(Site, Site.id == StockLocation.site_id)
        .join(Customer, Customer.id == Site.customer_id)
        .join(Part, Part.id == ConsignmentLine.part_id)
        .options(*_with())
    )


def _with() -> tuple[Any, ...]:
    return joinedload(ConsignmentLine.location), joinedload(ConsignmentLine.part)


def _refill_with() -> tuple[Any, ...]:
    line = joinedload(RefillOrder.line)
    sent = joinedload(RefillOrder.transfer).joinedload(Transfer.source)
    return line.joinedload(ConsignmentLine.part), line.joinedload(ConsignmentLine.location), sent


def _refills_of_customer(customer_id: int) -> Select[RefillOrder]:
    return (
        select(RefillOrder)
        .join(ConsignmentLine, ConsignmentLine.id == RefillOrder.line_id)
        .join(StockLocation, StockLocation.id == ConsignmentLine.location_id)
        .join(Site, Site.id == StockLocation.site_id)
        .where(Site.customer_id == customer_id)
    )


def _named(words: str) -> ColumnElement[bool]:
    pattern = f"%{words.replace('%', '').replace('_', '')[:60]}%"
    columns = (Part.number, cast(Part.names, Text), cast(Customer.names, Text), StockLocation.code)
    return or_(*(column.ilike(pattern) for column in columns))


def _listed(rows: Sequence[tuple[ConsignmentLine, Customer]]) -> Sequence[Listed]:
    ids = [line.id for line, _customer in rows]
    under_way = session.scalars(
        select(RefillOrder).where(among(RefillOrder.line_id, ids), RefillOrder.state.in_(OPEN))
    ).all()
    refills = {refill.line_id: refill for refill in under_way}
    newest = max((line.read_on for line, _customer in rows if line.read_on), default=None)
    read = readings_since(ids, newest - timedelta(days=SPARK_DAYS)) if newest else {}
    return [
        Listed(line, customer, refills.get(line.id), [float(one.used) for one in read.get(line.id, ())])
        for line, customer in rows
    ]


def days_now(line: ConsignmentLine) -> float | None:
    """How many days lie there on average now, as what was released tells; None before that is known."""
    worth = line.daily_use * line.unit_price
    return line.baseline_days - line.released / worth if worth and line.read_on else None


def quantity_left(refill: RefillOrder) -> Decimal:
    """What is still to be delivered."""
    return refill.quantity - refill.delivered
