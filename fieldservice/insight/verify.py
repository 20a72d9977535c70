"""`verify`: is what is stored sound? Ledger, audit chain, references and held time, each said in words."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select, text
from sqlalchemy.orm import aliased

from fieldservice.foundation.db import is_sqlite, session
from fieldservice.foundation.time import now
from fieldservice.intake.models import ServiceRequest
from fieldservice.mechanisms.clocks import Clock
from fieldservice.mechanisms.events import Event, first_broken_link, unlogged_count
from fieldservice.parts.availability import checking
from fieldservice.parts.availability.models import Reservation
from fieldservice.parts.consignment import checking as consignment
from fieldservice.parts.consignment.models import ConsignmentReading
from fieldservice.parts.models import StockMove
from fieldservice.parts.queries import unbalanced
from fieldservice.parts.returns import checking as old_parts
from fieldservice.parts.returns.models import OldPart
from fieldservice.workorders.models import Booking, PartUse, Visit


@dataclass(frozen=True)
class Check:
    """One thing looked at: its code, what was compared over how many rows, whether it is sound, and what was seen."""

    code: str
    compared: str
    rows: int
    sound: bool
    seen: str


def verify() -> list[Check]:
    """Look at everything; reads only, and takes as long as the data is large."""
    return [_look(check, model, compared) for check, model, compared in CHECKS]


def _look(check: Callable[[], tuple[bool, str]], model: Any, compared: Any) -> Check:
    rows = session.scalar(select(func.count()).select_from(model)) or 0
    return Check(check.__name__.lstrip("_"), str(compared), rows, *check())


def _ledger() -> tuple[bool, str]:
    wrong = unbalanced()
    if wrong:
        return False, _("Balances differ from their moves: %(places)s", places=wrong[:10])
    return True, _("Every balance equals the replay of its moves.")


def _audit_chain() -> tuple[bool, str]:
    broken = first_broken_link()
    if broken is not None:
        return False, _("The chain of events is broken at %(seq)s: somebody changed what was recorded.", seq=broken)
    return True, _("The chain of events is whole; %(count)s wait for the relay.", count=unlogged_count())


def _references() -> tuple[bool, str]:
    if is_sqlite():
        broken = session.execute(text("PRAGMA foreign_key_check")).fetchall()
        if broken:
            return False, _("Rows point to nothing: %(rows)s", rows=[tuple(row) for row in broken[:10]])
    orphans = session.scalar(
        select(func.count(Clock.id)).where(
            Clock.subject_type == ServiceRequest.subject_type, Clock.subject_id.not_in(select(ServiceRequest.id))
        )
    )
    if orphans:
        return False, _("%(count)s clocks belong to no request.", count=orphans)
    return True, _("Every row points to something that exists.")


def _held_time() -> tuple[bool, str]:
    one, other = aliased(Booking), aliased(Booking)
    clashes = session.scalar(
        select(func.count()).select_from(one).join(
            other, (other.technician_id == one.technician_id) & (other.id > one.id)
            & (other.starts_at < one.ends_at) & (other.ends_at > one.starts_at)
        ).where(one.state == "held", other.state == "held")
    )  # fmt: skip
    bare = session.scalar(
        select(func.count(Visit.id)).where(
            Visit.state.in_(("scheduled", "dispatched", "accepted", "en_route", "on_site", "in_progress", "paused")),
            ~select(Booking.id).where(Booking.visit_id == Visit.id, Booking.state == "held").exists(),
        )
    )
    if clashes or bare:
        return False, _("%(clashes)s bookings overlap, %(bare)s visits hold no time.", clashes=clashes, bare=bare)
    return True, _("Nobody is booked twice, and every visit holds its time.")


def _promises() -> tuple[bool, str]:
    bare = session.scalar(
        select(func.count(ServiceRequest.id)).where(
            ServiceRequest.priority != "P4",
            ServiceRequest.external_id.is_(None),
            ~select(Clock.id)
            .where(Clock.subject_type == ServiceRequest.subject_type, Clock.subject_id == ServiceRequest.id)
            .exists(),
        )
    )
    if bare:
        return False, _("%(count)s requests were given no promise.", count=bare)
    return True, _("Every request has its promises.")


def _parts_promised() -> tuple[bool, str]:
    over, astray = checking.overpromised(now()), checking.trays_astray()
    if over or astray:
        return False, _(
            "Promised beyond what can be had: %(over)s; trays that differ from what was picked: %(astray)s",
            over=over[:10], astray=astray[:10],
        )  # fmt: skip
    return True, _("Every promised part can be had, and trays hold what was picked.")


def _stock_at_customers() -> tuple[bool, str]:
    readings, refills = consignment.readings_astray(), consignment.refills_astray()
    if readings or refills:
        return False, _(
            "Readings that differ from what they posted: %(readings)s; refills from what came: %(refills)s",
            readings=readings[:10], refills=refills[:10],
        )  # fmt: skip
    return True, _("Every reading equals what it posted, and every refill what was signed for.")


def _old_parts() -> tuple[bool, str]:
    answered = select(OldPart.id).where(OldPart.use_id == PartUse.id, OldPart.state != "cancelled").exists()
    alone = select(PartUse.id).where(PartUse.wants_old, ~answered).order_by(PartUse.id)
    missing = session.scalars(alone.limit(10)).all()
    astray = old_parts.astray()
    if missing or astray:
        return False, _(
            "Old parts missing for uses: %(missing)s; not lying where they were dropped off: %(astray)s",
            missing=list(missing), astray=astray[:10],
        )  # fmt: skip
    return True, _("Every old part that had to come back is known, and lies where it was dropped off.")


CHECKS: tuple[tuple[Callable[[], tuple[bool, str]], Any, Any], ...] = (
    (_ledger, StockMove, _l("Every stock balance with the sum of its moves, part by part and place by place.")),
    (
        _parts_promised, Reservation,
        _l("Every promise of a part with what lies there and comes, and every tray with what was picked for it."),
    ),
    (
        _stock_at_customers, ConsignmentReading,
        _l("Every reading of customers' stock with its move, and every refill with its transfer and signature."),
    ),
    (
        _old_parts, OldPart,
        _l("Every old part that had to come back with its use, and every one that was dropped off with what lies in the"
           " place of defective goods."),
    ),
    (_audit_chain, Event, _l("Every event with its place in the hash chain: a changed, lost or added one breaks it.")),
    (_references, Clock, _l("Every reference with what it points to, and every promise with its request.")),
    (_held_time, Booking, _l("Every technician's held time with every other, and each planned visit with its time.")),
    (_promises, ServiceRequest, _l("Every request that was not imported with its promises.")),
)  # fmt: skip
