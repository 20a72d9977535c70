"""Old parts and claims as the pages read them, and what a scan at the counter means."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, Select, func, select, tuple_
from sqlalchemy.orm import joinedload, selectinload

from fieldservice.assets.models import Asset
from fieldservice.foundation.access import Person, scoped
from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Conflict, Invalid, NotFound
from fieldservice.mechanisms.files import StoredFile, files_of
from fieldservice.parts.catalogue import gs1
from fieldservice.parts.catalogue import queries as catalogue
from fieldservice.parts.catalogue.models import Supplier, SupplierOffer
from fieldservice.parts.models import Part
from fieldservice.parts.returns import services
from fieldservice.parts.returns.models import OldPart, SupplierClaim
from fieldservice.parts.returns.queries import READERS
from fieldservice.workorders.models import WorkOrder

__all__ = ["INSPECTORS", "KEEPERS", "MANAGERS", "READERS", "TABS"]  # roles and tabs the views ask for
KEEPERS = ("storekeeper", "station_manager", "admin")
INSPECTORS = (*KEEPERS, "quality")
MANAGERS = ("station_manager", "admin")
TABS: Mapping[str, tuple[str, ...]] = {
    "expected": ("expected",),
    "inspect": ("dropped_off",),
    "decide": ("inspected",),
    "out": ("claimed", "in_repair"),
    "settled": ("settled", "not_returned"),
}
PAGE = 50
AWAITED = ("expected", "not_returned")


@dataclass(frozen=True)
class Shown:
    """An old part with the order it came from and the machine, where there are any."""

    old: OldPart
    order: WorkOrder | None
    asset: Asset | None = None


@dataclass(frozen=True)
class Claimable:
    """So many pieces wait to be claimed from a supplier by a station."""

    supplier: Supplier
    station_id: int
    pieces: int
    ids: Sequence[int]


# Lists --------------------------------------------------------------------------------------------


def counts_of(person: Person, station_id: int, at: datetime) -> dict[str, int]:
    """Tab → how many of the station, and `overdue`; one query."""
    late = func.count().filter(OldPart.state == "expected", OldPart.due_at < at)
    several: Any = select(OldPart.state, func.count(), late)
    rows: Sequence[Any] = session.execute(
        scoped(several, OldPart, person, *READERS).where(OldPart.station_id == station_id).group_by(OldPart.state)
    ).all()
    many = {state: number for state, number, _late in rows}
    found = {tab: sum(many.get(state, 0) for state in states) for tab, states in TABS.items()}
    return {**found, "overdue": sum(overdue for _state, _number, overdue in rows)}


def page_of(
    person: Person, station_id: int, tab: str, *, part: str = "", after: int = 0
) -> tuple[list[Shown], int | None]:
    """One page of a tab, what is due first leading, of one part where it is named; and the id after which it goes on.

    What is settled begins with the newest.
    """
    wanted = scoped(_shown(), OldPart, person, *READERS).where(
        OldPart.station_id == station_id, OldPart.state.in_(TABS[tab])
    )
    if part:
        wanted = wanted.where(OldPart.part_id.in_(select(Part.id).where(Part.number == part)))
    last = session.get(OldPart, after) if after else None
    if tab == "settled":
        order: tuple[Any, ...] = (OldPart.id.desc(),)
        beyond: ColumnElement[bool] | None = OldPart.id < after if after else None
    else:
        order = (OldPart.due_at, OldPart.id)
        beyond = tuple_(OldPart.due_at, OldPart.id) > (last.due_at, last.id) if last is not None else None
    if beyond is not None:
        wanted = wanted.where(beyond)
    rows = [Shown(*row) for row in session.execute(wanted.order_by(*order).limit(PAGE + 1))]
    return rows[:PAGE], rows[PAGE - 1].old.id if len(rows) > PAGE else None


def old_part_of(person: Person, number: int) -> Shown:
    """One old part of the person's stations. Raises NotFound."""
    row = session.execute(scoped(_shown(), OldPart, person, *READERS).where(OldPart.id == number)).first()
    if row is None:
        raise NotFound()
    old, order, asset = row
    return Shown(old, order, asset)


def _shown() -> Select[Any]:
    three: Any = select(OldPart, WorkOrder, Asset)
    wanted: Select[Any] = (
        three.outerjoin(WorkOrder, WorkOrder.id == OldPart.work_order_id)
        .outerjoin(Asset, Asset.id == OldPart.asset_id)
        .options(joinedload(OldPart.part), joinedload(OldPart.technician), joinedload(OldPart.supplier))
    )
    return wanted


def photos_of(several: Sequence[OldPart]) -> dict[int, list[StoredFile]]:
    """Old part id → photos of what was seen, the rejected too; one query."""
    found = files_of(several)
    return {one.id: found[one.subject_type, one.id] for one in several}


def suppliers_for(part: Part) -> Sequence[Supplier]:
    """Who may be claimed from: those who offer it first, then all others."""
    offers = (
        select(SupplierOffer.id)
        .where(SupplierOffer.supplier_id == Supplier.id, SupplierOffer.part_id == part.id)
        .exists()
    )  # fmt: skip
    wanted = select(Supplier).where(Supplier.state == "active").order_by(offers.desc(), Supplier.code)
    return session.scalars(wanted.limit(200)).all()


# Claims -------------------------------------------------------------------------------------------


def claimable(person: Person, station_id: int) -> list[Claimable]:
    """What may be claimed now, by supplier."""
    several: Any = select(OldPart.supplier_id, OldPart.id)
    rows: Sequence[Any] = session.execute(
        scoped(several, OldPart, person, *READERS)
        .where(OldPart.station_id == station_id, OldPart.state == "inspected", OldPart.finding == "claim")
        .where(OldPart.claim_id.is_(None), OldPart.supplier_id.is_not(None))
        .order_by(OldPart.supplier_id, OldPart.id)
        .limit(1000)
    ).all()
    by_supplier: dict[int, list[int]] = {}
    for supplier_id, number in rows:
        by_supplier.setdefault(supplier_id, []).append(number)
    known = session.scalars(select(Supplier).where(Supplier.id.in_(by_supplier))) if by_supplier else ()
    return [Claimable(one, station_id, len(by_supplier[one.id]), by_supplier[one.id]) for one in known]


def claims_of(
    person: Person, station_id: int, *, closed: bool = False, supplier: str = "", before: int = 0
) -> tuple[Sequence[SupplierClaim], int | None]:
    """One page of the newest claims with their pieces, and the id before which they go on."""
    wanted = scoped(select(SupplierClaim), SupplierClaim, person, *READERS).where(
        SupplierClaim.station_id == station_id
    )  # fmt: skip
    if not closed:
        wanted = wanted.where(SupplierClaim.state.not_in(("settled", "cancelled")))
    if supplier:
        wanted = wanted.where(SupplierClaim.supplier_id.in_(select(Supplier.id).where(Supplier.code == supplier)))
    if before:
        wanted = wanted.where(SupplierClaim.id < before)
    found = session.scalars(
        wanted.options(joinedload(SupplierClaim.supplier), selectinload(SupplierClaim.lines))
        .order_by(SupplierClaim.id.desc())
        .limit(PAGE + 1)
    ).all()
    return found[:PAGE], found[PAGE - 1].id if len(found) > PAGE else None


def claim_of(person: Person, number: str) -> SupplierClaim:
    """A claim of the person's stations with its pieces. Raises NotFound."""
    found: SupplierClaim | None = session.scalar(
        scoped(select(SupplierClaim), SupplierClaim, person, *READERS)
        .where(SupplierClaim.number == number)
        .options(joinedload(SupplierClaim.supplier), selectinload(SupplierClaim.lines).joinedload(OldPart.part))
    )
    if found is None:
        raise NotFound()
    return found


def claim_by_id(number: int | None) -> SupplierClaim | None:
    """The claim an old part is on."""
    return session.get(SupplierClaim, number) if number is not None else None


# A scan at the counter --------------------------------------------------------------------------------


def scan(label: gs1.Label, station_id: int, at: datetime) -> OldPart | Part:
    """Drop off the old part a label or a number belongs to. A part of which several are awaited, or whose number must
    be read yet, is given back to choose from.

    Raises Invalid `unknown_part`; Conflict `already_dropped`, `wrong_unit`, `elsewhere`, `not_expected`.
    """
    part, serial = catalogue.scanned(label), label.serial
    if part is None and not serial:
        serial = label.text
    numbered = _numbered(part, serial) if serial else []
    here = [one for one in numbered if one.station_id == station_id]
    if awaited := next((one for one in here if one.state in AWAITED), None):
        services.drop_off(awaited, at=at, serial=serial)
        return awaited
    if here:
        raise services.already_dropped()
    waiting = _awaited(part, station_id) if part is not None else []
    if serial and part is not None:
        return _by_part(part, serial, waiting, numbered, at)
    if len(waiting) == 1 and not (waiting[0].removed_serial or waiting[0].part.serial_tracked):
        services.drop_off(waiting[0], at=at)
        return waiting[0]
    if waiting and part is not None:
        return part
    raise _nothing(part, numbered)


def _by_part(part: Part, serial: str, waiting: Sequence[OldPart], numbered: Sequence[OldPart], at: datetime) -> OldPart:
    """A piece whose number nobody wrote down at the machine, where just one of its part is awaited."""
    unnamed = [one for one in waiting if one.removed_serial is None]
    if len(unnamed) == 1:
        services.drop_off(unnamed[0], at=at, serial=serial)
        return unnamed[0]
    if waiting and not numbered:
        raise Conflict(
            _l(
                "No old part of %(part)s with the number %(serial)s is awaited. Open the one it belongs to, and say"
                " there why it differs.", part=part.number, serial=serial,
            ),
            code="wrong_unit", serial=serial,
        )  # fmt: skip
    raise _nothing(part, numbered)


def _nothing(part: Part | None, numbered: Sequence[OldPart]) -> Conflict | Invalid:
    if any(one.state in AWAITED for one in numbered):
        return Conflict(
            _l("This piece is awaited at another station. Put it aside and tell that station."), code="elsewhere"
        )
    if part is None:
        return Invalid(
            {"code": [_l("No old part with this number is awaited here. Look at the label again.")]},
            code="unknown_part",
        )  # fmt: skip
    return Conflict(
        _l("No old part of %(part)s is awaited here. If it was bad out of its box, take it in as faulty.",
           part=part.number),
        code="not_expected",
    )  # fmt: skip


def _numbered(part: Part | None, serial: str) -> Sequence[OldPart]:
    """Old parts with this number, of this part where it is known; those that are awaited first."""
    wanted = select(OldPart).where(OldPart.removed_serial == serial[:60], OldPart.state != "cancelled")
    if part is not None:
        wanted = wanted.where(OldPart.part_id == part.id)
    ordered = wanted.order_by(OldPart.state.in_(AWAITED).desc(), OldPart.id.desc()).limit(20)
    return session.scalars(ordered.options(joinedload(OldPart.part))).all()


def _awaited(part: Part, station_id: int) -> Sequence[OldPart]:
    wanted = select(OldPart).where(OldPart.part_id == part.id, OldPart.station_id == station_id)
    ordered = wanted.where(OldPart.state == "expected").order_by(OldPart.due_at, OldPart.id)
    return session.scalars(ordered.limit(20)).all()
