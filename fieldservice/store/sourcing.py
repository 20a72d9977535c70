"""A part for an order, from wherever it lies: reserved in place, or sent to the station's store and reserved there."""

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_CEILING, Decimal

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from fieldservice.foundation.access import Person
from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Conflict, Invalid, NotFound
from fieldservice.foundation.formats import decimal_text
from fieldservice.parts import queries as stock
from fieldservice.parts.availability import asking, waiting
from fieldservice.parts.availability import services as promises
from fieldservice.parts.availability.asking import Answer
from fieldservice.parts.availability.models import HOLDING, Reservation
from fieldservice.parts.availability.phased import STEP
from fieldservice.parts.availability.ranking import Source
from fieldservice.parts.models import WHOLE, Part, StockLocation
from fieldservice.parts.supply import services as supply
from fieldservice.parts.supply.models import SupplyOrder
from fieldservice.parts.transfers import neighbours
from fieldservice.parts.transfers import services as transfers
from fieldservice.parts.transfers.models import Transfer
from fieldservice.stations.models import Station
from fieldservice.store.picking import WAITING
from fieldservice.workorders.models import Visit, WorkOrder
from fieldservice.workorders.part_supply import planned_parts
from fieldservice.workorders.promised_parts import bring

IN_PLACE = ("own_van", "station")  # sources that need no way: what is reserved there is there
SENT = ("colleague_van", "neighbour", "central")
OVER = ("completed", "closed", "cancelled")
NOTHING = Decimal(0)


@dataclass(frozen=True)
class Need:
    """What somebody looks for: so much of a part for a station, or for one of its orders, by a time."""

    part: Part
    station: Station
    quantity: Decimal
    needed_at: datetime
    order: WorkOrder | None = None
    visit: Visit | None = None


@dataclass(frozen=True)
class Secured:
    """What was done: the reservation, and the transfer it waits for where there is one; of one that its station is
    asked for, nothing is promised yet."""

    reservation: Reservation
    transfer: Transfer | None = None
    supply: SupplyOrder | None = None


def order_at(number: str, person: Person, *roles: str) -> WorkOrder:
    """An order of the person's stations. Raises NotFound."""
    found = session.scalar(select(WorkOrder).where(WorkOrder.number == number[:20]))
    if found is None or not person.covers(found.station_id, *roles):
        raise NotFound()
    return found


def next_visit(order: WorkOrder) -> Visit | None:
    """The visit its parts are for."""
    wanted = select(Visit).where(Visit.work_order_id == order.id, Visit.state.in_(WAITING))
    return session.scalar(wanted.order_by(Visit.starts_at, Visit.id).limit(1))


def answer(need: Need, at: datetime) -> Answer:
    """Where it can come from, and when."""
    return asking.ask(
        need.part, need.station, need.quantity, need.needed_at, at,
        technician_id=need.visit.technician_id if need.visit is not None else None,
        model=need.order.asset.model if need.order is not None and need.order.asset is not None else "",
    )  # fmt: skip


def secure(
    need: Need, place_code: str, part_number: str, at: datetime, person: Person | None = None
) -> Secured:  # fmt: skip
    """Reserve it for the order from one of the sources just shown, as that source stands now.

    From elsewhere it is sent to the station's store and reserved there for when it arrives. Another station is asked
    first, unless the person keeps its store as well (docs/decisions/0035): the order waits for it until it agrees.

    Raises Conflict `source_gone`, `already_reserved`, `order_over`, `no_store` and what reserving and approving raise.
    """
    order = _locked(need)
    source = _source(answer(need, at), place_code, part_number)
    place = session.get_one(StockLocation, source.place_id)
    part = stock.part_by_number(source.part)
    units = _units(source, part, need.quantity)
    _check_wanted(order, part, units)
    if source.kind in IN_PLACE:
        return Secured(_reserve(order, part, place, units, need.needed_at, at))
    store = _store_of(order)
    arrives = max(source.ready_at, at)
    if neighbours.must_be_asked(place, store, person):
        sent = transfers.open_transfer(place, store, [(part, units)], expected_at=arrives, at=at)
        neighbours.ask(sent, at=at)
        return Secured(_wait(order, sent, part, store, units, max(need.needed_at, arrives), at), sent)
    _release_lost(order, part, at)
    return Secured(*bring(part, units, place, store, order, arrives=arrives, need_at=need.needed_at, at=at))


def order_from(need: Need, supplier_code: str, part_number: str, at: datetime) -> Secured:
    """Order it from a supplier just shown, on his draft for the station's store; what comes is for this order first.

    The order wants it at once and is promised it when the supplier has the order. Raises Conflict as `secure`, Invalid
    as a line of a supply order.
    """
    order = _locked(need)
    found = answer(need, at)
    source = next(
        (
            one.source for one in found.sources
            if one.source.kind == "supplier" and one.source.part == part_number
            and found.suppliers[one.source.supplier_id or 0].code == supplier_code
        ),
        None,
    )  # fmt: skip
    if source is None:
        raise _gone()
    part = stock.part_by_number(source.part)
    _check_wanted(order, part, need.quantity)
    store = _store_of(order)
    bought = supply.order_for(found.suppliers[source.supplier_id or 0], store, part, need.quantity, at=at)
    comes = max(need.needed_at, source.ready_at)
    return Secured(_wait(order, bought, part, store, need.quantity, comes, at), supply=bought)


def reserve_at(
    order: WorkOrder, part: Part, place: StockLocation, quantity: Decimal, need_at: datetime, at: datetime, *,
    take: bool = False,
) -> Reservation:  # fmt: skip
    """Reserve for an order in a place of its station; `take` from less urgent ones, as the policy allows.

    Raises Conflict `already_reserved`, `order_over`, `part_short`.
    """
    locked = _still_open(order)
    _check_wanted(locked, part, quantity)
    return _reserve(locked, part, place, quantity, need_at, at, take=take)


def _reserve(
    order: WorkOrder, part: Part, place: StockLocation, quantity: Decimal, need_at: datetime, at: datetime, *,
    take: bool = False,
) -> Reservation:  # fmt: skip
    _release_lost(order, part, at)
    priority = order.priority or ""
    if take:
        return promises.take_by_rule(
            part, place, quantity, need_at=need_at, about=order, at=at, priority=priority, station_id=order.station_id
        )
    return promises.reserve(part, place, quantity, need_at=need_at, about=order, at=at, priority=priority)


def _wait(
    order: WorkOrder, source: waiting.Source, part: Part, store: StockLocation, quantity: Decimal, need_at: datetime,
    at: datetime,
) -> Reservation:  # fmt: skip
    _release_lost(order, part, at)
    return waiting.wait_for(
        source, part, store, quantity, need_at=need_at, about=order, at=at, priority=order.priority or ""
    )


def _release_lost(order: WorkOrder, part: Part, at: datetime) -> None:
    """What was lost would come back to life beside the new one; what is asked for already still comes."""
    for lost in promises.open_for(order, part_id=part.id):
        if lost.state == "requested" and lost.waits_id is None:
            promises.release(lost, at=at)


def _store_of(order: WorkOrder) -> StockLocation:
    store = session.get(StockLocation, stock.warehouses_of([order.station_id]).get(order.station_id, 0))
    if store is None:
        raise Conflict(_l("This station has no store. Open one under stock places first."), code="no_store")
    return store


def _locked(need: Need) -> WorkOrder:
    if need.order is None:
        raise Invalid({"work_order": [_l("Name the work order it is for.")]})
    return _still_open(need.order)


def _still_open(order: WorkOrder) -> WorkOrder:
    """The order, with nobody else reserving for it meanwhile."""
    locked = session.scalars(
        select(WorkOrder).where(WorkOrder.id == order.id).with_for_update().execution_options(populate_existing=True)
    ).one()
    if locked.state in OVER:
        raise Conflict(_l("This order is done. Nothing is reserved for it any more."), code="order_over")
    return locked


def _check_wanted(order: WorkOrder, part: Part, quantity: Decimal) -> None:
    """A second press, or a second person, does not reserve the same again."""
    planned = planned_parts([order.id]).get((order.id, part.id), (NOTHING, False))[0]
    known = promises.open_for(order, part_id=part.id)
    held = sum((one.quantity for one in known if one.state in HOLDING or one.waits_id is not None), NOTHING)
    if held + quantity > max(planned, quantity):
        raise Conflict(
            _l("So much of it is reserved or asked for already. Look at the pick list, or call off what was asked."),
            code="already_reserved", part=part.number, held=decimal_text(held),
        )  # fmt: skip


def _source(found: Answer, place_code: str, part_number: str) -> Source:
    for one in found.sources:
        place = found.locations.get(one.source.place_id or 0)
        known = place is not None and place.code == place_code and one.source.part == part_number
        if known and one.source.kind in (*IN_PLACE, *SENT):
            return one.source
    raise _gone()


def _gone() -> Conflict:
    return Conflict(_l("It is not free there any more. Look at where it can come from now."), code="source_gone")


def _units(source: Source, part: Part, quantity: Decimal) -> Decimal:
    """How much of the source's own part: of a substitute other units, of a short source what there is."""
    units = min(quantity, source.quantity) * source.ratio
    return units.quantize(Decimal(1) if part.unit in WHOLE else STEP, ROUND_CEILING)
