"""What is done with an old part, from the moment it is wanted back until it is settled.

From drop-off to its end it lies where the ledger says; who holds an old part's row holds it before any balance.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Conflict, Invalid
from fieldservice.foundation.formats import decimal_text
from fieldservice.mechanisms import files, tasks
from fieldservice.mechanisms.events import record
from fieldservice.mechanisms.forms import plain_text
from fieldservice.mechanisms.lifecycle import move
from fieldservice.parts import services as ledger
from fieldservice.parts.catalogue.models import Supplier
from fieldservice.parts.models import Part, StockLocation
from fieldservice.parts.queries import warehouses_of
from fieldservice.parts.returns import rules
from fieldservice.parts.returns.models import FINDINGS, LYING, OldPart

tasks.register_titles(Path(__file__).parent / "data" / "tasks.yaml")
MOST_SERIAL, MOST_WORDS = 60, 500
MOST_MONEY = 10_000_000_00  # minor units


# Wanted back --------------------------------------------------------------------------------------


def expect(
    part: Part, quantity: Decimal, *, use_id: int, reasons: Sequence[str], station_id: int, at: datetime,
    removed_serial: str | None = None, fitted_serial: str | None = None, asset_id: int | None = None,
    work_order_id: int | None = None, technician_id: int | None = None,
) -> OldPart:  # fmt: skip
    """The old piece of a fitted part has to come back; the database takes one for each use."""
    old = OldPart(
        part_id=part.id, quantity=quantity, use_id=use_id, reasons=list(reasons), station_id=station_id, opened_at=at,
        due_at=rules.due_at(part, station_id, at), removed_serial=removed_serial, fitted_serial=fitted_serial,
        asset_id=asset_id, work_order_id=work_order_id, technician_id=technician_id,
    )  # fmt: skip
    session.add(old)
    session.flush()
    record("old_part.expected", old, facts_of(part, quantity), at=at)
    return old


def facts_of(part: Part, quantity: Decimal) -> dict[str, str]:
    """What an event tells of the piece."""
    return {"part": part.number, "quantity": decimal_text(quantity)}


def take_back(use_id: int, *, at: datetime) -> None:
    """The use was undone, so nothing came out. What was dropped off already lies in the store and goes its way."""
    old = session.scalar(
        select(OldPart)
        .where(OldPart.use_id == use_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )  # fmt: skip
    if old is None:
        return
    old.use_id = None
    if old.state in ("expected", "not_returned"):
        _end_tasks(old, at)
    if old.state == "expected":
        move(old, "cancelled", at=at)
    else:
        record("old_part.use_undone", old, {}, at=at)
    session.flush()


def lose(old: OldPart, reason: str, *, at: datetime) -> None:
    """It will not come back, and why. Raises Invalid `reason_needed`, Conflict `move_forbidden`."""
    move(old, "not_returned", at=at, reason=plain_text(reason, MOST_WORDS, field="reason"))
    _end_tasks(old, at)


# At the store -------------------------------------------------------------------------------------


def drop_off(old: OldPart, *, at: datetime, serial: str = "", remark: str = "") -> None:
    """It is here, and lies in the station's place of defective goods from now on.

    Raises Conflict `already_dropped`; `serial_needed` where it has a number that nobody read, `wrong_unit` where
    another was read – unless `remark` says why; `wrong_unit` always for the piece that was fitted instead of it.
    """
    read = plain_text(serial, MOST_SERIAL, field="serial")
    said = plain_text(remark, MOST_WORDS, field="remark")
    if old.state in (*LYING, "claimed", "in_repair", "scrapped", "settled"):
        raise already_dropped()
    _check_number(old, read, bool(said))
    move(old, "dropped_off", at=at, reason=said or None)
    old.removed_serial, old.dropped_at = read or old.removed_serial, at
    place = ledger.place_of(old.station_id, "defective")
    old.place_id = place.id
    ledger.post_move(
        part=old.part, quantity=old.quantity, cause="old_part", at=at, target=place, about=old,
        condition=ledger.DEFECTIVE, serials=_serials(old), serial=old.removed_serial, unnamed=True,
    )  # fmt: skip
    _end_tasks(old, at)
    session.flush()


def already_dropped() -> Conflict:
    """The refusal of a second scan."""
    return Conflict(_l("This old part was dropped off already. Lay it with the others."), code="already_dropped")


def _check_number(old: OldPart, read: str, explained: bool) -> None:
    if read and read == old.fitted_serial:
        raise Conflict(
            _l("%(serial)s is the new piece that was fitted. Scan the old one.", serial=read),
            code="wrong_unit", serial=read,
        )  # fmt: skip
    if explained:
        return
    if not read and (old.removed_serial or old.part.serial_tracked):
        raise Conflict(
            _l("This piece has a serial number. Scan it, or say why it cannot be read."), code="serial_needed"
        )
    if read and old.removed_serial and read != old.removed_serial:
        raise Conflict(
            _l("%(read)s was scanned, %(expected)s was removed. Look for the right piece, or say why it differs.",
               read=read, expected=old.removed_serial),
            code="wrong_unit", serial=read,
        )  # fmt: skip


def drop_off_faulty(
    part: Part, source: StockLocation, *, at: datetime, words: str, serial: str = "", quantity: Decimal = Decimal(1)
) -> OldPart:  # fmt: skip
    """Bad when it came out of its box: from a van or the store into the place of defective goods, to be looked at.

    Raises Invalid without words, and what `post_move` raises.
    """
    said = plain_text(words, MOST_WORDS, field="words")
    if not said:
        raise Invalid({"words": [_l("Say in a few words what is wrong with it.")]})
    read = plain_text(serial, MOST_SERIAL, field="serial") or None
    ledger.check_quantity(quantity, part)
    place = ledger.place_of(source.station_id, "defective")
    old = OldPart(
        part_id=part.id, quantity=quantity, reasons=["faulty"], station_id=source.station_id, opened_at=at, due_at=at,
        removed_serial=read, technician_id=source.technician_id, place_id=place.id, dropped_at=at, words=said,
    )  # fmt: skip
    session.add(old)
    session.flush()
    record("old_part.expected", old, facts_of(part, quantity), at=at)
    move(old, "dropped_off", at=at)
    ledger.post_move(
        part=part, quantity=quantity, cause="return", at=at, source=source, target=place, about=old,
        becomes=ledger.DEFECTIVE, serials=(read,) if read and part.serial_tracked else (), serial=read,
    )  # fmt: skip
    return old


def inspect(
    old: OldPart, finding: str, *, at: datetime, words: str = "", supplier: Supplier | None = None,
    photos: Sequence[files.Received] = (),
) -> None:  # fmt: skip
    """Somebody looked at it: claim from its supplier, repair, scrap, or nothing wrong; with photos of what was seen.

    As long as nothing was done about it, he may think again, and add photos. Raises Invalid for an unknown finding, a
    claim without supplier or too many photos, Conflict.
    """
    if finding not in FINDINGS:
        raise Invalid({"finding": [_l("Say what is to become of it.")]})
    if finding in ("claim", "repair") and supplier is None:
        raise Invalid({"supplier": [_l("Choose the supplier.")]})
    said = plain_text(words, MOST_WORDS, field="words")
    old = _held(old)
    if old.claim_id is not None:
        raise Conflict(_l("This piece is on a claim. Take it off the claim first."), code="on_claim")
    if old.state == "inspected":
        record("old_part.inspected_again", old, {"finding": finding}, at=at)
    else:
        move(old, "inspected", at=at, finding=finding)
    old.finding, old.words, old.inspected_at = finding, said or old.words, at
    old.supplier_id = supplier.id if supplier is not None and finding in ("claim", "repair") else None
    session.flush()
    for photo in photos:
        files.attach(photo, old, at=at)


def scrap(old: OldPart, *, at: datetime) -> None:
    """It is thrown away: found so, or its repair was not worth it. Raises Conflict."""
    old = _held(old)
    here = old.state in LYING
    if here:
        _only_found(old, "scrap")
    move(old, "scrapped", at=at)
    if here:
        _leave(old, "scrap", at)
    _settle(old, at)


def restock(old: OldPart, *, at: datetime) -> None:
    """Nothing is wrong with it: back to the good ones in the station's store. Raises Conflict."""
    old = _held(old)
    _only_found(old, "sound")
    _settle(old, at)
    ledger.post_move(
        part=old.part, quantity=old.quantity, cause="return", at=at, source=_place(old), target=store_of(old),
        about=old, condition=ledger.DEFECTIVE, becomes=ledger.GOOD, serials=_serials(old), unnamed=True,
    )  # fmt: skip


def send_to_repair(old: OldPart, *, at: datetime) -> None:
    """It leaves for the repairer who was chosen when it was inspected. Raises Conflict."""
    old = _held(old)
    _only_found(old, "repair")
    move(old, "in_repair", at=at)
    _leave(old, "repair", at)


def come_repaired(old: OldPart, cost: int, *, at: datetime) -> None:
    """It is back from its repair, good again, at this cost. Raises Invalid for a senseless cost, Conflict."""
    check_money(cost, "cost")
    old = _held(old)
    if old.state != "in_repair":
        raise _not_now(old)
    _settle(old, at)
    old.cost = cost
    ledger.post_move(
        part=old.part, quantity=old.quantity, cause="repaired", at=at, target=store_of(old), about=old,
        serials=_serials(old), unnamed=True,
    )  # fmt: skip


# Shared with claims ---------------------------------------------------------------------------------


def check_money(amount: int, field: str) -> None:
    """Raises Invalid for an amount nobody can mean."""
    if not 0 <= amount <= MOST_MONEY:
        raise Invalid({field: [_l("Enter an amount of at least zero.")]})


def send_back(old: OldPart, *, at: datetime) -> None:
    """It leaves for its supplier with a claim."""
    move(old, "claimed", at=at)
    _leave(old, "send_back", at)


def settle(old: OldPart, result: str, *, at: datetime) -> None:
    """The supplier did what he does about it."""
    _settle(old, at)
    old.result = result


def store_of(old: OldPart) -> StockLocation:
    """The station's store. Raises Conflict `no_store` where it has none."""
    found = warehouses_of([old.station_id]).get(old.station_id)
    if found is None:
        raise Conflict(_l("This station has no store. Open one under stock places first."), code="no_store")
    return session.get_one(StockLocation, found)


def due_key(old: OldPart) -> str:
    return f"old-part-due-{old.id}"


def overdue_key(old: OldPart) -> str:
    return f"old-part-overdue-{old.id}"


def _settle(old: OldPart, at: datetime) -> None:
    move(old, "settled", at=at)
    old.settled_at = at
    session.flush()


def _leave(old: OldPart, cause: str, at: datetime) -> None:
    ledger.post_move(
        part=old.part, quantity=old.quantity, cause=cause, at=at, source=_place(old), about=old,
        condition=ledger.DEFECTIVE, serials=_serials(old), serial=old.removed_serial, unnamed=True,
    )  # fmt: skip


def _place(old: OldPart) -> StockLocation:
    return session.get_one(StockLocation, old.place_id)


def _serials(old: OldPart) -> tuple[str, ...]:
    return (old.removed_serial,) if old.removed_serial and old.part.serial_tracked else ()


def _held(old: OldPart) -> OldPart:
    """Locked and read afresh."""
    return session.scalars(
        select(OldPart).where(OldPart.id == old.id).with_for_update().execution_options(populate_existing=True)
    ).one()


def _only_found(old: OldPart, finding: str) -> None:
    if old.state != "inspected" or old.claim_id is not None:
        raise _not_now(old)
    if old.finding != finding:
        raise Conflict(_l("Something else was found. Inspect it again first."), code="other_finding")


def _not_now(old: OldPart) -> Conflict:
    return Conflict(
        _l("This step is not possible from the present state."), code="move_forbidden", state=old.state
    )  # fmt: skip


def _end_tasks(old: OldPart, at: datetime) -> None:
    for key in (due_key(old), overdue_key(old)):
        tasks.cancel_keyed(key, at=at)
