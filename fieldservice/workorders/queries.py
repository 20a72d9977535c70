"""What can be asked about work orders and visits: look-ups within a person's stations, and the list."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, Text, cast, func, literal, or_, select, union
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import joinedload, load_only, selectinload

from config import LANGUAGES
from fieldservice.assets.models import Asset
from fieldservice.assets.queries import serial_key
from fieldservice.customers.models import Customer
from fieldservice.foundation.access import Person, scoped
from fieldservice.foundation.db import among, is_sqlite, session
from fieldservice.foundation.errors import Invalid, NotFound
from fieldservice.foundation.time import clock, now
from fieldservice.foundation.words import has_word
from fieldservice.intake.models import ServiceRequest
from fieldservice.mechanisms import clocks
from fieldservice.mechanisms.clocks import Clock, ClockView
from fieldservice.mechanisms.subjects import Ref
from fieldservice.stations.models import Station, Technician
from fieldservice.workorders.booking import OPEN_STATES
from fieldservice.workorders.models import Visit, WorkOrder

READERS = ("agent", "dispatcher", "station_manager", "director", "quality")
TRIAGERS = ("agent", "dispatcher", "station_manager")  # DOMAIN §2
PLANNERS = ("dispatcher", "station_manager")
OPEN = ("draft", "ready", "on_hold", "scheduled", "dispatched", "in_progress", "cannot_complete")
LARGEST_ID = 2**62
PAGE = 50
MOST_TECHNICIANS = 300


# Look-ups -------------------------------------------------------------------------------------------


def order_by_number(number: str, person: Person) -> WorkOrder:
    """An order the person may see, with what its page shows. Raises NotFound."""
    statement = select(WorkOrder).where(WorkOrder.number == number[:20]).options(
        joinedload(WorkOrder.station), joinedload(WorkOrder.customer), joinedload(WorkOrder.site),
        joinedload(WorkOrder.asset), joinedload(WorkOrder.request), selectinload(WorkOrder.items),
        selectinload(WorkOrder.visits).joinedload(Visit.technician),
    )  # fmt: skip
    found: WorkOrder | None = session.scalar(scoped(statement, WorkOrder, person, *READERS))
    if found is None:
        raise NotFound()
    return found


def visit_by_id(visit_id: int, person: Person) -> Visit:
    """A visit the person may see. Raises NotFound."""
    wanted = (
        select(Visit).where(Visit.id == visit_id).options(joinedload(Visit.technician), joinedload(Visit.work_order))
    )
    in_range = 0 < visit_id < LARGEST_ID
    found: Visit | None = session.scalar(scoped(wanted, Visit, person, *READERS)) if in_range else None
    if found is None:
        raise NotFound()
    return found


def orders_of(request: ServiceRequest) -> Sequence[WorkOrder]:
    """The work orders a request became, newest first."""
    return session.scalars(
        select(WorkOrder).where(WorkOrder.request_id == request.id).order_by(WorkOrder.id.desc()).limit(20)
        .options(selectinload(WorkOrder.visits).joinedload(Visit.technician))
    ).all()  # fmt: skip


def asset_history(order: WorkOrder, limit: int = 6) -> Sequence[WorkOrder]:
    """What was done at the same machine before, newest first."""
    if order.asset_id is None:
        return ()
    return session.scalars(
        select(WorkOrder).where(WorkOrder.asset_id == order.asset_id, WorkOrder.id < order.id)
        .order_by(WorkOrder.id.desc()).limit(limit)
    ).all()  # fmt: skip


def stations_for(person: Person) -> Sequence[Station]:
    """Stations whose orders the person reads."""
    covered = person.stations(*READERS)
    rows = select(Station).where(Station.state.in_(("open", "limited"))).order_by(Station.code)
    return session.scalars(rows if covered is None else rows.where(Station.id.in_(sorted(covered)))).all()


def technicians_of(stations: Iterable[Station]) -> Sequence[Technician]:
    """Technicians of these stations, to choose from."""
    ids = [station.id for station in stations]
    return session.scalars(
        select(Technician).where(Technician.station_id.in_(ids)).order_by(Technician.station_id, Technician.id)
        .options(load_only(Technician.names, Technician.station_id)).limit(MOST_TECHNICIANS)
    ).all()  # fmt: skip


# The list -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Filters:
    """What the list is narrowed to; every value was checked."""

    status: str = "open"  # open, all, or a state
    station: str = ""
    priority: str = ""
    technician: int | None = None
    due_before: datetime | None = None
    q: str = ""
    after: int | None = None

    @classmethod
    def read(cls, args: Mapping[str, Any]) -> Self:
        """From a query string. Raises Invalid naming every value that cannot be meant."""
        errors: dict[str, list[Any]] = {}
        given = {name: str(args.get(name) or "").replace("\x00", "").strip()[:80] for name in cls.__dataclass_fields__}
        status = given["status"] or "open"
        if status not in ("open", "all") and status not in WorkOrder.lifecycle.states:
            errors["status"] = [_l("Choose one of the states offered.")]
        if given["priority"] and not has_word("priority", given["priority"]):
            errors["priority"] = [_l("Choose P1, P2, P3 or P4.")]
        found = cls(
            status, given["station"][:12], given["priority"], _id(given["technician"], "technician", errors),
            _moment(given["due_before"], errors), given["q"], _id(given["after"], "after", errors),
        )  # fmt: skip
        if errors:
            raise Invalid(errors)
        return found


def _id(text: str, name: str, errors: dict[str, list[Any]]) -> int | None:
    if not text:
        return None
    if text.isascii() and text.isdigit() and int(text) < LARGEST_ID:
        return int(text)
    errors[name] = [_l("Choose one of the options.")]
    return None


def _moment(text: str, errors: dict[str, list[Any]]) -> datetime | None:
    if not text:
        return None
    try:
        given = datetime.fromisoformat(text)
        return (given if given.tzinfo else given.replace(tzinfo=clock.zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        errors["due_before"] = [_l("Give a time such as 2026-11-25T14:30:00+08:00.")]
        return None


def narrowed(person: Person, filters: Filters) -> Select[Any]:
    """Orders the person may see, under the filters; `after` is left to the pager."""
    statement = scoped(select(WorkOrder), WorkOrder, person, *READERS)
    if filters.status == "open":
        statement = statement.where(WorkOrder.state.in_(OPEN))
    elif filters.status != "all":
        statement = statement.where(WorkOrder.state == filters.status)
    if filters.station:
        statement = statement.where(WorkOrder.station_id.in_(select(Station.id).where(Station.code == filters.station)))
    if filters.priority:
        statement = statement.where(WorkOrder.priority == filters.priority)
    if filters.technician is not None:
        theirs = select(Visit.work_order_id).where(
            Visit.technician_id == filters.technician, Visit.state != "cancelled"
        )
        statement = statement.where(WorkOrder.id.in_(theirs))
    if filters.due_before is not None:
        due = select(Clock.subject_id).where(
            Clock.subject_type == ServiceRequest.subject_type,
            Clock.stopped_at.is_(None), Clock.due_at < filters.due_before,
        )  # fmt: skip
        statement = statement.where(WorkOrder.request_id.in_(due))
    return statement.where(_with_words(filters.q)) if filters.q else statement


def _with_words(q: str) -> Any:
    """Number, title, customer or serial: each by its own index, which one condition of four would not use."""
    words = q.replace("%", "").replace("_", "")
    pattern = f"%{words}%"
    named = select(Customer.id).where(cast(Customer.names, Text).ilike(pattern))
    found = [_told(words), WorkOrder.customer_id.in_(named)]
    key = serial_key(q)
    if len(key) >= 4:
        found.append(WorkOrder.asset_id.in_(select(Asset.id).where(Asset.serial_key.like(f"{key}%"))))
    return WorkOrder.id.in_(union(*(select(WorkOrder.id).where(one) for one in found)))


def _told(words: str) -> Any:
    """Words in number or title; PostgreSQL finds their pieces of two or three signs first (migration 0009)."""
    texts = (WorkOrder.number, *(WorkOrder.titles[spoken].as_string() for spoken in LANGUAGES))
    told = or_(*(column.icontains(words, autoescape=True) for column in texts))
    size = min(len(words), 3)
    if is_sqlite() or size < 2:
        return told
    lower = words.lower()
    pieces = sorted({lower[place : place + size] for place in range(len(lower) - size + 1)})
    known = func.work_order_pieces(WorkOrder.number, WorkOrder.titles, type_=ARRAY(Text))
    return known.contains(literal(pieces, ARRAY(Text))) & told


@dataclass(frozen=True)
class Row:
    """A line of the list."""

    order: WorkOrder
    clock: ClockView | None  # the most urgent promise that is still open
    visit: Visit | None  # the visit under way, else the last one


@dataclass(frozen=True)
class Listed:
    """A page of the list."""

    rows: list[Row]
    more: int | None


def listed(person: Person, filters: Filters) -> Listed:
    """Newest first, a page by key; a fixed number of queries."""
    statement = narrowed(person, filters).options(
        joinedload(WorkOrder.station), joinedload(WorkOrder.customer), joinedload(WorkOrder.asset),
        joinedload(WorkOrder.site),
    )  # fmt: skip
    if filters.after is not None:
        statement = statement.where(WorkOrder.id < filters.after)
    orders = session.scalars(statement.order_by(WorkOrder.id.desc()).limit(PAGE + 1)).unique().all()
    shown = orders[:PAGE]
    urgent, visits = open_clocks(shown), current_visits(shown)
    rows = [Row(order, urgent.get(order.request_id or 0), visits.get(order.id)) for order in shown]
    return Listed(rows, shown[-1].id if len(orders) > PAGE else None)


def open_clocks(orders: Sequence[WorkOrder]) -> dict[int, ClockView]:
    """request id → its most urgent promise that is still open, in one query."""
    ids = [order.request_id for order in orders if order.request_id is not None]
    first = clocks.first_open_of(ServiceRequest.subject_type, ids)
    return {request_id: clocks.view(one, now()) for request_id, one in first.items()}


def current_visits(orders: Sequence[WorkOrder]) -> dict[int, Visit]:
    """order id → the visit under way, else the last one, in one query."""
    rows = session.scalars(
        select(Visit).where(among(Visit.work_order_id, [order.id for order in orders]))
        .options(joinedload(Visit.technician)).order_by(Visit.state.in_(OPEN_STATES), Visit.starts_at, Visit.id)
    )  # fmt: skip
    return {visit.work_order_id: visit for visit in rows}  # the last one of each stays


def promises_of(order: WorkOrder) -> list[ClockView]:
    """The promises given with the order's request, the most urgent first."""
    if order.request_id is None:
        return []
    return clocks.views(clocks.of(Ref(ServiceRequest.subject_type, order.request_id)), now())
