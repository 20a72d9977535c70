"""Lines of an order: parts fitted and missing, who pays, extra work."""

from decimal import Decimal
from typing import Any

import marshmallow as ma
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Invalid, NotFound
from fieldservice.parts.models import Part as PartOfCatalogue
from fieldservice.parts.models import StockLocation
from fieldservice.parts.queries import part_by_number
from fieldservice.workorders import goodwill, lines, visits
from fieldservice.workorders.coverage import COVERAGES
from fieldservice.workorders.lines import decide_extra
from fieldservice.workorders.models import PartUse, TabletCommand, Visit, WorkItem
from fieldservice.workorders.tablet import uploads
from fieldservice.workorders.tablet.kinds.base import (
    BIGGEST,
    Deed,
    Facts,
    Payload,
    amount,
    picture_of,
    text,
    upload_id,
)


class Part(Payload):
    """Fitted: `{visit, part, quantity, location?, serial?, removed_serial?, batch?}`; taken back: `{visit, returns}`,
    the id of that command."""

    part = text(40, load_default=None)
    quantity = amount(load_default=None)
    location = ma.fields.Integer(
        load_default=None, allow_none=True, strict=True, validate=ma.validate.Range(1, BIGGEST)
    )
    serial = text(60, load_default=None, allow_none=True)
    removed_serial = text(60, load_default=None, allow_none=True)
    batch = text(60, load_default=None, allow_none=True)
    returns = text(40, load_default=None)


def part(
    deed: Deed,
    part: str | None,
    quantity: Decimal | None,
    location: int | None,
    returns: str | None,
    **marks: str | None,
) -> Facts:
    if returns is not None:
        return _return(deed, returns)
    if part is None or quantity is None:
        raise Invalid({"part": [_l("Say which part and how many.")]}, code="malformed")
    chosen = _catalogued(part)
    place = session.get(StockLocation, location) if location is not None else None
    if location is not None and place is None:
        raise Invalid({"location": [_l("Take parts from your van or from a station of this order.")]})
    use = visits.use_part(
        deed.visit, chosen, quantity, deed.at, location=place, command_id=deed.command_id,
        by=deed.person.technician_id, **marks,
    )  # fmt: skip
    return {"use": use.id, "flags": ["serial_missing"] if chosen.serial_tracked and not use.serial else []}


def _catalogued(number: str) -> PartOfCatalogue:
    try:
        return part_by_number(number)
    except NotFound as error:
        raise Invalid({"part": [_l("This part is not in the catalogue. Search for it by name.")]}) from error


def _return(deed: Deed, command_id: str) -> Facts:
    """`command_id`: the command that fitted it, or `use-<id>` for one fitted otherwise."""
    known = _fitted(deed.visit, command_id)
    if known is None:
        raise Invalid({"returns": [_l("This part was returned already.")]}, code="already_returned")
    number = known.id
    visits.return_part(known, deed.at)
    goodwill.watch(deed.visit, deed.at)
    return {"returned": number}


def _fitted(visit: Visit, name: str) -> PartUse | None:
    """The part this visit fitted, by the command that did, or by `use-<id>`."""
    mine = select(PartUse).where(PartUse.visit_id == visit.id)
    number = name.removeprefix("use-")
    if name != number and number.isdecimal() and len(number) < 19:
        return session.scalar(mine.where(PartUse.id == int(number)))
    known = session.scalar(mine.where(PartUse.command_id == name))
    if known is None:  # fitted before uses kept the name of their command
        done = session.scalar(select(TabletCommand.detail).where(TabletCommand.command_id == name))
        use_id = (done or {}).get("use")
        # one with a command of its own is another: before migration 0020 SQLite gave numbers twice
        unnamed = mine.where(PartUse.id == use_id, PartUse.command_id.is_(None))
        known = session.scalar(unnamed) if isinstance(use_id, int) else None
    return known


class Need(Payload):
    """Missing for the next visit: `{visit, part?, quantity?, words?}`; taken back: `{visit, returns}`."""

    part = text(40, load_default=None, allow_none=True)
    quantity = amount(load_default=None, allow_none=True)
    words = text(300, load_default="")
    returns = text(40, load_default=None, allow_none=True)


def need(deed: Deed, part: str | None, quantity: Decimal | None, words: str, returns: str | None) -> Facts:
    if returns is not None:
        item = _needed(deed.visit, returns)
        if item is None:
            raise Invalid(
                {"returns": [_l("This is settled already. Look at the list again.")]}, code="already_returned"
            )
        visits.withdraw_need(deed.visit, item, deed.at)
        return {"withdrawn": item.id}
    chosen = _catalogued(part) if part is not None else None
    item = visits.need(
        deed.visit, deed.at, part=chosen, quantity=quantity, words=words, command_id=deed.command_id
    )  # fmt: skip
    return {"item": item.id}


def _needed(visit: Visit, name: str) -> WorkItem | None:
    """What this visit asked for, by its command or by `item-<id>`."""
    mine = [item for item in visit.work_order.items if item.opened_visit_id == visit.id]
    return next((item for item in mine if name in (item.command_id, f"item-{item.id}")), None)


class Coverage(Payload):
    """Who pays for a line: `{visit, line, coverage, reason}`. A line is `labour-<visit>`, `travel-<visit>`, or a fitted
    part by its command or `use-<id>`."""

    line = text(60, required=True)
    coverage = ma.fields.String(required=True, validate=ma.validate.OneOf(COVERAGES))
    reason = text(300, required=True)


def coverage(deed: Deed, line: str, coverage: str, reason: str) -> Facts:
    visits.at_machine(deed.visit)
    use = _fitted(deed.visit, line)
    key = f"use-{use.id}" if use is not None else line
    lines.cover_line(deed.visit, key, coverage, reason, deed.at)
    over = goodwill.watch(deed.visit, deed.at)
    return {"line": key, "flags": ["goodwill_limit"] if key in over else []}


class ExtraLine(ma.Schema):
    """One line of extra work; `price` is of one, in minor units."""

    class Meta:
        unknown = ma.EXCLUDE

    words = text(300, required=True)
    part = text(40, load_default=None, allow_none=True)
    quantity = amount(required=True)
    price = ma.fields.Integer(required=True, strict=True, validate=ma.validate.Range(0, lines.MOST_PRICE))


class Extra(Payload):
    """Work beyond the order, as the customer decided: `{visit, extra, words, lines, decision, name?, upload?}`; an
    approval needs his name and his signature."""

    extra = text(40, required=True)
    words = text(300, required=True)
    lines = ma.fields.List(
        ma.fields.Nested(ExtraLine), required=True, validate=ma.validate.Length(1, lines.MOST_LINES)
    )  # fmt: skip
    decision = ma.fields.String(required=True, validate=ma.validate.OneOf(("approved", "declined")))
    name = text(80, load_default="")
    upload = upload_id(load_default=None, allow_none=True)


def extra(deed: Deed, extra: str, upload: str | None, lines: list[Facts], **said: Any) -> Facts:
    visits.at_machine(deed.visit)
    if said["decision"] == "approved" and upload is None:
        raise Invalid({"upload": [_l("The customer's signature is missing. Let him sign.")]})
    expected = (
        uploads.expect(deed.visit, deed.person.user_id, upload, "approval", deed.at) if upload is not None else None
    )
    kept = decide_extra(
        deed.visit, extra, given=lines, at=deed.at, file=expected.file if expected is not None else None, **said
    )  # fmt: skip
    return {"extra": kept.id, **(picture_of(expected) if expected is not None else {})}
