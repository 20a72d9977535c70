"""Moves that the store posts by itself: from place to place, out for good, or in without a delivery note."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from fieldservice.foundation.access import Person, scoped
from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Conflict, Invalid
from fieldservice.parts import pieces
from fieldservice.parts import services as ledger
from fieldservice.parts.models import Part, StockLocation, StockMove

KEEPERS = ("storekeeper", "station_manager", "admin")
# cause → (whether it leaves one of our places, whether it comes to one)
CAUSES: Mapping[str, tuple[bool, bool]] = {
    "receipt": (False, True),
    "transfer": (True, True),
    "return": (True, True),
    "send_back": (True, False),
    "scrap": (True, False),
}
LEAVE_QUARANTINE = ("send_back", "scrap")  # all else is for quality to release


@dataclass(frozen=True)
class Wish:
    """A move as it was asked for; places by their codes."""

    part: Part
    quantity: Decimal
    cause: str
    source: str = ""
    target: str = ""
    batch: str = ""
    serials: Sequence[str] = ()


def post(wish: Wish, person: Person, *, at: datetime) -> StockMove:
    """Post it. Both places lie in the person's stations. Raises Invalid for sides that do not fit the cause or a place
    or batch that is not known, Conflict `certificate_needed` and `in_quarantine` for ways around quality, and what
    `services.post_move` raises."""
    leaves, comes = CAUSES[wish.cause]
    source = _place(wish.source, "from", person, wanted=leaves)
    target = _place(wish.target, "to", person, wanted=comes)
    if source is not None and target is not None and source.id == target.id:
        raise Invalid({"to": [_l("Choose two different places.")]})
    if source is not None and source.kind == "quarantine" and wish.cause not in LEAVE_QUARANTINE:
        raise Conflict(_l("These goods wait for quality. Release them on their delivery."), code="in_quarantine")
    if wish.cause == "receipt" and wish.part.certificate_needed:
        raise Conflict(
            _l("This part needs a certificate. Receive it with its delivery note."), code="certificate_needed"
        )
    if wish.serials and not wish.part.serial_tracked:
        raise Invalid({"serials": [_l("Pieces of this part have no serial numbers.")]})
    batch = ledger.known_batch(wish.part, wish.batch) if wish.batch else None
    if wish.batch and batch is None:
        raise Invalid({"batch": [_l("This batch was never received.")]}, code="unknown_batch")
    if batch is None and wish.cause == "receipt" and wish.part.batch_tracked:
        raise Invalid({"batch": [_l("Write the batch number on the label.")]}, code="batch_needed")
    return ledger.post_move(
        part=wish.part, quantity=wish.quantity, cause=wish.cause, at=at, source=source, target=target, batch=batch,
        serials=pieces.plain_serials(wish.serials),
    )  # fmt: skip


def _place(code: str, field: str, person: Person, *, wanted: bool) -> StockLocation | None:
    if not wanted and code:
        raise Invalid({field: [_l("This kind of move has no such place. Leave it empty.")]})
    if not wanted:
        return None
    mine = scoped(select(StockLocation), StockLocation, person, *KEEPERS)
    found: StockLocation | None = session.scalar(
        mine.where(StockLocation.code == code, StockLocation.state != "closed")
    )
    if found is None:
        raise Invalid(
            {field: [_l("There is no such place in your stations. Look at its label.")]}, code="unknown_place"
        )
    return found
