"""Reserving parts: first ordered, first served; taken from somebody only by rule, and then with a record."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from fieldservice.foundation.access import actor
from fieldservice.foundation.db import in_savepoint, session, take_turns, written
from fieldservice.foundation.errors import Conflict, Invalid
from fieldservice.foundation.formats import decimal_text
from fieldservice.mechanisms import policies
from fieldservice.mechanisms.events import Subject, record
from fieldservice.mechanisms.lifecycle import move
from fieldservice.mechanisms.subjects import Ref
from fieldservice.parts import pieces
from fieldservice.parts.availability import lying, phased
from fieldservice.parts.availability.models import HOLDING, OPEN, Reservation
from fieldservice.parts.availability.phased import Demand, unmet
from fieldservice.parts.availability.reading import Shelf, shelves
from fieldservice.parts.models import Part, StockLocation, StockMove
from fieldservice.parts.pieces import Asked
from fieldservice.parts.services import GOOD, by_batch, check_quantity, post_move, set_aside

KINDS = ("central", "warehouse", "van", "customer")  # places promises are made from
MAY_TAKE = "parts.may_take_from"  # priority → the priorities it may take a reserved part from
policies.register_defaults(MAY_TAKE, {"P1": ["P4"]}, worth=policies.PLAIN)
MOST_EXPIRED = 200


def reserve(
    part: Part, place: StockLocation, quantity: Decimal, *, need_at: datetime, about: Subject, at: datetime,
    priority: str = "", expires_at: datetime | None = None,
) -> Reservation:  # fmt: skip
    """Promise `quantity` for `need_at` from this place; older promises are kept first.

    Raises Conflict `part_short` (facts: free, and earliest when it could be later), Invalid for a senseless quantity,
    a time that is over, or a place nothing is promised from.
    """
    check_quantity(quantity, part)
    if place.kind not in KINDS or place.state == "closed":
        raise Invalid({"place": [_l("Nothing is promised from this place. Choose a store or a van.")]})
    if expires_at is not None and expires_at <= at:
        raise Invalid({"expires_at": [_l("This time is over. Choose a later one.")]})
    values: dict[str, Any] = {
        "part_id": part.id, "location_id": place.id, "quantity": quantity, "need_at": need_at,
        "for_type": about.subject_type, "for_id": about.id, "priority": priority, "station_id": place.station_id,
        "asked_by": actor(), "asked_at": at, "expires_at": expires_at, "lots": [], "taken_for_id": None,
        "waits_type": None, "waits_id": None, "state": "reserved",
    }  # fmt: skip
    session.flush()
    made_id = None if in_savepoint() else lying.promise(values)
    if made_id is None:
        _require_free(part, place, quantity, max(need_at, at), at)
        made = Reservation(**values)
        session.add(made)
        session.flush()
    else:
        made = written(Reservation(id=made_id, **values))
    record("reservation.reserved", made, {"part": part.number, "quantity": decimal_text(quantity)}, at=at)
    return made


def _require_free(part: Part, place: StockLocation, quantity: Decimal, wanted_at: datetime, at: datetime) -> None:
    """Look first without holding anybody up: mostly nothing is left, and many ask. Raises Conflict `part_short`."""
    for read in (_shelf, _held_shelf):
        shelf = read(part.id, place.id, at)
        if not phased.fits(shelf.pool, quantity, wanted_at):
            raise _short(part, shelf, quantity, wanted_at)


def release(reservation: Reservation, *, at: datetime, reason: str = "") -> None:
    """It is not needed any more. One that has ended already stays as it ended."""
    if reservation.state == "picked":
        _put_back(reservation)
    if reservation.state in OPEN:
        move(reservation, "released", at=at, reason=reason or None)


def release_for(about: Subject, *, at: datetime, reason: str = "") -> int:
    """Everything that is held for somebody; how many."""
    held = open_for(about)
    for one in held:
        release(one, at=at, reason=reason)
    return len(held)


def due(at: datetime) -> bool:
    """Whether `expire` would find any; a read."""
    over = select(Reservation.id).where(Reservation.expires_at <= at, Reservation.state.in_(("requested", "reserved")))
    return session.scalar(over.limit(1)) is not None


def expire(at: datetime) -> int:
    """Reservations whose time is over hold nothing any more; how many. Called by the scheduler."""
    over = session.scalars(
        select(Reservation)
        .where(Reservation.expires_at <= at, Reservation.state.in_(("requested", "reserved")))
        .order_by(Reservation.id)
        .limit(MOST_EXPIRED)
        .with_for_update(skip_locked=True)
    ).all()
    for one in over:
        move(one, "expired", at=at)
    return len(over)


def take_by_rule(
    part: Part, place: StockLocation, quantity: Decimal, *, need_at: datetime, about: Subject, at: datetime,
    priority: str, station_id: int,
) -> Reservation:  # fmt: skip
    """As `reserve`, and where that is not possible, from those the policy lets this priority take from: the least
    urgent and the last who ordered first. They are wanted again (`requested`), with a record of who took them.

    Raises Conflict `part_short` when even that is not enough; then nobody loses anything.
    """
    allowed = policies.effective(MAY_TAKE, station_id=station_id).value.get(priority, ())
    shelf = _held_shelf(part.id, place.id, at)
    wanted_at = max(need_at, at)
    losers: list[Reservation] = []
    for one in _weakest(part.id, place.id, allowed):
        if phased.fits(shelf.pool, quantity, wanted_at):
            break
        losers.append(one)
        shelf = shelves([part.id], [place.id], at, without=[lost.id for lost in losers])[part.id, place.id]
    if not phased.fits(shelf.pool, quantity, wanted_at):
        raise _short(part, shelf, quantity, wanted_at)
    needed = _only_needed(part.id, place.id, losers, quantity, wanted_at, at)
    for one in needed:
        one.waits_type = one.waits_id = None
        move(one, "requested", at=at, cause="taken", by_priority=priority)
    made = reserve(part, place, quantity, need_at=need_at, about=about, at=at, priority=priority)
    for one in needed:
        one.taken_for_id = made.id
        record(
            "reservation.taken", one,
            {"part": part.number, "quantity": decimal_text(one.quantity), "for": [about.subject_type, about.id]}, at=at,
        )  # fmt: skip
    return made


def pick(reservation: Reservation, *, at: datetime) -> None:
    """It lies ready in a tray: of what expires first, and nobody else takes it any more.

    Raises Conflict `part_short` when less lies there than was promised, `move_forbidden` when nothing is to be picked.
    """
    part, place = reservation.part, reservation.location
    asked = Asked(part, reservation.quantity, "transfer", GOOD, at, place, None, unnamed=True)
    reservation.lots = []
    for batch_id, quantity in by_batch(pieces.choose(asked)):
        set_aside(part, place, quantity, batch_id)
        reservation.lots = [*reservation.lots, [batch_id, decimal_text(quantity)]]
    move(reservation, "picked", at=at, part=part.number)


def put_back(reservation: Reservation, *, at: datetime) -> None:
    """What was picked goes back to its shelf; it stays reserved. Raises Conflict `move_forbidden`."""
    move(reservation, "reserved", at=at)
    _put_back(reservation)


def hand_out(
    reservation: Reservation, target: StockLocation, *, at: datetime, serials: Sequence[str] = ()
) -> StockMove:
    """The technician takes what was reserved into his van; there it is reserved for the same work.

    Raises Conflict `move_forbidden`, `part_short`, and what `post_move` raises about numbered pieces.
    """
    part, place = reservation.part, reservation.location
    about = Ref(reservation.for_type, reservation.for_id, reservation.station_id)
    if reservation.state == "picked":
        _put_back(reservation)
    move(reservation, "issued", at=at, part=part.number)
    posted = post_move(
        part=part, quantity=reservation.quantity, cause="transfer", at=at, source=place, target=target, about=about,
        serials=serials, unnamed=not serials,
    )  # fmt: skip
    reserve(
        part, target, reservation.quantity, need_at=max(reservation.need_at, at), about=about, at=at,
        priority=reservation.priority,
    )  # fmt: skip
    return posted


def consume(part: Part, place: StockLocation, quantity: Decimal, *, about: Subject, at: datetime) -> Decimal:
    """So much is handed out or used for whom it was reserved for; how much of it had been reserved.

    Called before the move is posted, so that the place does not look short of what it was promised for. A reservation
    of more stays for the rest.
    """
    left = quantity
    for one in open_for(about, part_id=part.id, location_id=place.id):
        if left <= 0:
            break
        if one.state not in HOLDING:
            continue
        if one.quantity > left:
            if one.state == "picked":
                put_back(one, at=at)
            one.quantity -= left
            session.flush()
            record("reservation.part_issued", one, {"part": part.number, "quantity": decimal_text(left)}, at=at)
            return quantity
        left -= one.quantity
        if one.state == "picked":
            _put_back(one)
        move(one, "issued", at=at)
    return quantity - left


def open_for(about: Subject, *, part_id: int | None = None, location_id: int | None = None) -> Sequence[Reservation]:
    """What is held or wanted for somebody, oldest first."""
    mine = (Reservation.for_type == about.subject_type, Reservation.for_id == about.id)
    wanted = select(Reservation).options(joinedload(Reservation.location)).where(*mine)
    if part_id is not None:
        wanted = wanted.where(Reservation.part_id == part_id)
    if location_id is not None:
        wanted = wanted.where(Reservation.location_id == location_id)
    return session.scalars(wanted.where(Reservation.state.in_(OPEN)).order_by(Reservation.id)).all()


def after_leaving(
    part_id: int, location_id: int, at: datetime, *, went_to: StockLocation | None = None
) -> Sequence[Reservation]:
    """Something left this place: promises that cannot be kept any more are wanted again, the youngest first.

    Older ones keep theirs, also when they are needed later; and what is picked is. Where the goods went to another of
    our places (`went_to`), a promise goes with them. Gives those that lost.
    """
    shelf = _held_shelf(part_id, location_id, at)
    if unmet(shelf.lots, shelf.promised) == 0:
        return ()
    held = sorted(_holding(part_id, location_id), key=lambda one: (one.state != "picked", one.id))
    kept: list[Demand] = []
    lost = []
    for one in held:
        demand = Demand(one.quantity, max(one.need_at, at))
        if unmet(shelf.lots, [*kept, demand]) == 0:
            kept.append(demand)
        elif went_to is not None and _follow(one, went_to, at):
            continue
        else:
            one.waits_type = one.waits_id = None
            move(one, "requested", at=at, cause="short")
            lost.append(one)
    return lost


def _follow(one: Reservation, place: StockLocation, at: datetime) -> bool:
    """The goods went there: they are promised there instead, if they are free."""
    if place.kind not in KINDS or one.state == "picked":
        return False
    if not phased.fits(_held_shelf(one.part_id, place.id, at).pool, one.quantity, max(one.need_at, at)):
        return False
    one.location_id, one.station_id = place.id, place.station_id
    session.flush()
    record("reservation.followed", one, {"part": one.part.number, "place": place.code}, at=at)
    return True


def after_arrival(part_id: int, location_id: int, at: datetime) -> Sequence[Reservation]:
    """Something came to this place: those who wait for it there are promised it, the oldest first. Gives those."""
    waiting = session.scalars(
        select(Reservation)
        .where(Reservation.part_id == part_id, Reservation.location_id == location_id)
        .where(Reservation.state == "requested")
        .order_by(Reservation.id)
    ).all()
    found = []
    for one in waiting:
        if phased.fits(_held_shelf(part_id, location_id, at).pool, one.quantity, max(one.need_at, at)):
            one.taken_for_id = None
            move(one, "reserved", at=at, cause="arrived")
            found.append(one)
    return found


def _put_back(reservation: Reservation) -> None:
    for batch_id, quantity in reservation.lots:
        set_aside(reservation.part, reservation.location, -Decimal(quantity), batch_id)
    reservation.lots = []


def _held_shelf(part_id: int, location_id: int, at: datetime) -> Shelf:
    """As it is, with nobody promising from it or taking notice of a move meanwhile.

    A move changes the balance first and then waits here, so that whoever promises before it is seen by it.
    """
    take_turns(lying.name_of(part_id, location_id))
    return _shelf(part_id, location_id, at)


def _shelf(part_id: int, location_id: int, at: datetime) -> Shelf:
    return shelves([part_id], [location_id], at)[part_id, location_id]


def _holding(part_id: int, location_id: int) -> Sequence[Reservation]:
    wanted = select(Reservation).where(Reservation.part_id == part_id, Reservation.location_id == location_id)
    return session.scalars(wanted.where(Reservation.state.in_(HOLDING)).order_by(Reservation.id)).all()


def _weakest(part_id: int, location_id: int, priorities: Sequence[str]) -> Sequence[Reservation]:
    """Those that may lose theirs: the least urgent first, of these the youngest. Who has picked already keeps it."""
    held = [one for one in _holding(part_id, location_id) if one.state == "reserved" and one.priority in priorities]
    return sorted(held, key=lambda one: (one.priority, one.id), reverse=True)


def _only_needed(
    part_id: int, location_id: int, losers: Sequence[Reservation], quantity: Decimal, wanted_at: datetime, at: datetime
) -> list[Reservation]:
    """Of those chosen one after the other, the ones without which it really does not go."""
    needed = list(losers)
    for one in losers:
        fewer = [other for other in needed if other is not one]
        shelf = shelves([part_id], [location_id], at, without=[other.id for other in fewer])[part_id, location_id]
        if phased.fits(shelf.pool, quantity, wanted_at):
            needed = fewer
    return needed


def _short(part: Part, shelf: Shelf, quantity: Decimal, wanted_at: datetime) -> Conflict:
    free = phased.free_at(shelf.pool, wanted_at)
    later = phased.earliest(shelf.pool, quantity, wanted_at)
    return Conflict(
        _l("So much of this part is not free there at that time. Choose another place or a smaller quantity."),
        code="part_short", part=part.number, free=decimal_text(free),
        earliest=None if later is None else later.isoformat(),
    )  # fmt: skip
