"""Picking and handing out: a line is ticked once, whoever presses; what is picked goes into the technician's van."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Conflict, Invalid, NotFound
from fieldservice.parts.availability import services as promises
from fieldservice.parts.availability.models import Reservation
from fieldservice.parts.catalogue import gs1
from fieldservice.parts.catalogue import queries as catalogue
from fieldservice.parts.models import SerialUnit, StockBatch
from fieldservice.stations.models import Station
from fieldservice.store.picking import DAYS, Line, Tour, pick_list, stores_of
from fieldservice.workorders.models import WorkOrder


def tick(reservation_id: int, station: Station, at: datetime) -> Reservation:
    """It lies in the tray. Ticked twice, it stays ticked. Raises NotFound, Conflict `part_short`, `move_forbidden`."""
    held = _held(reservation_id, station)
    if held.state != "picked":
        promises.pick(held, at=at)
    return held


def untick(reservation_id: int, station: Station, at: datetime) -> Reservation:
    """It goes back to its shelf and stays reserved. Raises NotFound, Conflict `move_forbidden`."""
    held = _held(reservation_id, station)
    if held.state != "reserved":
        promises.put_back(held, at=at)
    return held


def scan(label: gs1.Label, station: Station, at: datetime) -> Reservation:
    """Tick the line a label belongs to: of the technician who leaves first.

    Raises Invalid `unknown_part`; Conflict `not_on_list`, `already_picked`, `other_batch` where the label is of a batch
    that expires later than the one to be taken first, and what `tick` raises.
    """
    part = catalogue.scanned(label)
    if part is None:
        raise Invalid({"code": [_l("This part is not in the catalogue.")]}, code="unknown_part")
    lines = [line for tour in pick_list(station, DAYS, at) for line in tour.lines if line.part.id == part.id]
    waiting = next((line for line in lines if line.how == "ready"), None)
    if waiting is None or waiting.reservation is None:
        raise _nothing_to_tick(lines, part.number)
    numbers = [number for number, _expires, _many in waiting.lots if number]
    if label.batch and numbers and label.batch not in numbers:
        raise Conflict(
            _l("Take batch %(batch)s first: it expires earlier.", batch=numbers[0]),
            code="other_batch",
            batch=numbers[0],
        )
    return tick(waiting.reservation.id, station, at)


def _nothing_to_tick(lines: Sequence[Line], number: str) -> Conflict:
    if any(line.how == "picked" for line in lines):
        return Conflict(
            _l("Every line of %(part)s is ticked already.", part=number), code="already_picked", part=number
        )
    return Conflict(
        _l("%(part)s is not to be picked for anybody today or tomorrow.", part=number), code="not_on_list", part=number
    )


def hand_out(
    technician_id: int, day: date, station: Station, serials: Mapping[int, Sequence[str]], at: datetime
) -> Tour:
    """Everything that is picked for a technician's day goes into his van, and is kept there for the same orders.

    `serials` by reservation, of pieces with numbers. Raises NotFound for a day he does not leave here, Conflict
    `nothing_picked`, `no_van`, and what `hand_out` of reservations raises; Invalid for numbers that are missing.
    """
    tours = pick_list(station, DAYS, at)
    tour = next((one for one in tours if one.technician.id == technician_id and one.day == day), None)
    if tour is None:
        raise NotFound()
    picked = tour.of("picked")
    if not picked:
        raise Conflict(
            _l("Nothing is picked for this technician. Perhaps it was handed out a moment ago."), code="nothing_picked"
        )
    if tour.van is None:
        raise Conflict(_l("This technician has no van. Open one under stock places first."), code="no_van")
    _check_serials(picked, serials)
    for line in sorted(picked, key=_lock_order):
        assert line.reservation is not None
        held = _held(line.reservation.id, station)
        promises.hand_out(held, tour.van, at=at, serials=serials.get(held.id, ()))
    return tour


def _lock_order(line: Line) -> tuple[int, int]:
    """As balances are locked: by place, then part."""
    return (line.reservation.location_id if line.reservation is not None else 0, line.part.id)


def _check_serials(picked: Sequence[Line], serials: Mapping[int, Sequence[str]]) -> None:
    """Pieces that have numbers do not leave without them."""
    for line in picked:
        held = line.reservation
        if held is None or not line.part.serial_tracked or len(serials.get(held.id, ())) == line.quantity:
            continue
        numbered = select(SerialUnit.id).where(
            SerialUnit.part_id == line.part.id, SerialUnit.location_id == held.location_id
        )
        if session.scalar(numbered.limit(1)) is not None:
            said = _l("Scan the serial number of each piece of %(part)s.", part=line.part.number)
            raise Invalid({f"serials-{held.id}": [said]}, code="serial_needed")


def batches_of(reservation: Reservation) -> list[str]:
    """Numbers of the batches a picked one was taken from, for the words that tell of it."""
    ids = [batch for batch, _quantity in reservation.lots if batch is not None]
    return list(session.scalars(select(StockBatch.number).where(StockBatch.id.in_(ids)))) if ids else []


def _held(reservation_id: int, station: Station) -> Reservation:
    """A reservation for work at one of the station's stores, locked and read afresh. Raises NotFound."""
    held = session.scalar(
        select(Reservation)
        .where(Reservation.id == reservation_id, Reservation.for_type == WorkOrder.subject_type)
        .where(Reservation.location_id.in_([place.id for place in stores_of(station.id)]))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if held is None:
        raise NotFound()
    return held
