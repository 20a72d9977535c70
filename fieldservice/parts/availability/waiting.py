"""Wanted, and known from where: promises that wait for a transfer a neighbour is asked for, or for an order to a
supplier that is not sent yet. They hold nothing until somebody says that it comes; then older ones are kept first."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from fieldservice.foundation.access import actor
from fieldservice.foundation.db import among, session
from fieldservice.foundation.formats import decimal_text
from fieldservice.mechanisms.events import Subject, record
from fieldservice.parts.availability import services as promises
from fieldservice.parts.availability.models import HOLDING, OPEN, Reservation
from fieldservice.parts.models import Part, StockLocation
from fieldservice.parts.services import check_quantity
from fieldservice.parts.supply.models import SupplyOrder
from fieldservice.parts.transfers.models import Transfer

Source = Transfer | SupplyOrder
KINDS: Mapping[str, type[Transfer] | type[SupplyOrder]] = {"transfer": Transfer, "supply_order": SupplyOrder}


def wait_for(
    source: Source, part: Part, place: StockLocation, quantity: Decimal, *, need_at: datetime, about: Subject,
    at: datetime, priority: str = "",
) -> Reservation:  # fmt: skip
    """Want so much of what `source` brings to `place`; nothing is promised yet."""
    check_quantity(quantity, part)
    made = Reservation(
        part_id=part.id, location_id=place.id, quantity=quantity, need_at=max(need_at, at), for_type=about.subject_type,
        for_id=about.id, priority=priority, station_id=place.station_id, asked_by=actor(), asked_at=at,
        waits_type=source.subject_type, waits_id=source.id,
    )  # fmt: skip
    session.add(made)
    session.flush()
    told = {"part": part.number, "quantity": decimal_text(quantity), "source": source.number}
    record("reservation.waits", made, told, at=at)
    return made


def comes(source: Source, place_id: int, parts: Iterable[int], due_at: datetime, at: datetime) -> None:
    """It comes at `due_at`: whoever waits for it is promised it for then, or for when it was wanted if that is later;
    after them whoever else waits there for such a part."""
    for one in waiting_for(source):
        one.need_at = max(one.need_at, due_at)
    session.flush()
    for part_id in sorted(set(parts)):
        promises.after_arrival(part_id, place_id, at)


def later(source: Source, due_at: datetime, at: datetime) -> None:
    """It comes later than was promised: it stays promised to those it is for, for then, and who looks after them is
    told."""
    for one in tied_to(source):
        if one.state in HOLDING and one.need_at < due_at:
            before, one.need_at = one.need_at, due_at
            session.flush()
            told = {"part": one.part.number, "source": source.number, "from": before.isoformat()}
            record("reservation.later", one, {**told, "to": due_at.isoformat()}, at=at)


def let_down(source: Source, at: datetime, *, part_id: int | None = None) -> Sequence[Reservation]:
    """It does not come. Whoever waited for it is still wanting, and those who look after them are told. `part_id`: of
    this part alone."""
    left = [one for one in waiting_for(source) if part_id in (None, one.part_id)]
    for one in left:
        one.waits_type = one.waits_id = None
        session.flush()
        record("reservation.let_down", one, {"part": one.part.number, "source": source.number}, at=at)
    return left


def waiting_for(source: Source) -> Sequence[Reservation]:
    """Those that want what it brings and are not promised it, oldest first."""
    return [one for one in tied_to(source) if one.state == "requested"]


def tied_to(source: Source) -> Sequence[Reservation]:
    """Those it is to be brought for, whether they are promised it yet or not, oldest first."""
    wanted = select(Reservation).where(
        Reservation.waits_type == source.subject_type, Reservation.waits_id == source.id, Reservation.state.in_(OPEN)
    )
    return session.scalars(wanted.options(joinedload(Reservation.part)).order_by(Reservation.id)).all()


def sources_of(reservations: Iterable[Reservation]) -> dict[int, Source]:
    """Reservation id → what it waits for or was promised of; at most two queries."""
    found: dict[int, Source] = {}
    tied = [one for one in reservations if one.waits_id is not None]
    for kind, model in KINDS.items():
        mine = [one for one in tied if one.waits_type == kind]
        if not mine:
            continue
        rows: Iterable[Source] = session.scalars(
            select(model).where(among(model.id, {one.waits_id for one in mine if one.waits_id is not None}))
        )
        known = {row.id: row for row in rows}
        found |= {one.id: known[one.waits_id] for one in mine if one.waits_id in known}
    return found
