"""Topping up vans for tomorrow: what each technician's jobs need and his van lacks, kept for them at one press."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from flask_babel import lazy_gettext as _l

from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Conflict, NotFound
from fieldservice.foundation.time import local
from fieldservice.parts.models import Part
from fieldservice.stations.models import Station
from fieldservice.store.picking import DAYS, Line, Tour, pick_list
from fieldservice.workorders import promised_parts
from fieldservice.workorders.models import Visit

NOTHING = Decimal(0)


@dataclass
class Want:
    """A part his jobs need: how much, of it in the van, kept for him, and free at the store."""

    part: Part
    needed: Decimal = NOTHING
    in_van: Decimal = NOTHING
    kept: Decimal = NOTHING
    free: Decimal = NOTHING

    @property
    def missing(self) -> Decimal:
        """Neither in the van nor kept for him, nor to be had at the store."""
        return self.needed - self.in_van - self.kept - self.free


@dataclass(frozen=True)
class TopUp:
    """What should be in a van before tomorrow's first job."""

    tour: Tour
    wants: Sequence[Want]


def tomorrow(at: datetime) -> date:
    return local(at).date() + timedelta(days=1)


def proposals(tours: Sequence[Tour], at: datetime) -> list[TopUp]:
    """Of tomorrow's tours, those whose van lacks anything."""
    found = [TopUp(tour, _wants(tour.lines)) for tour in tours if tour.day == tomorrow(at)]
    return [one for one in found if any(want.in_van < want.needed for want in one.wants)]


def _wants(lines: Sequence[Line]) -> list[Want]:
    wants: dict[int, Want] = {}
    for line in lines:
        want = wants.setdefault(line.part.id, Want(line.part))
        want.needed += line.quantity
        if line.how == "van":
            want.in_van += line.quantity
        elif line.how == "free":
            want.free += line.quantity
        elif line.how != "missing":
            want.kept += line.quantity
    return list(wants.values())


def keep(technician_id: int, day: date, station: Station, at: datetime) -> int:
    """Keep for a technician's jobs of that day what is free at the store now; it joins the pick list. How many lines.

    The rule is the one of planning a visit (`promised_parts.secure`): van first, then store; the most urgent may take.
    Raises NotFound for a day without jobs, Conflict `nothing_free` when nothing more could be kept.
    """
    before = _tour(technician_id, day, station, at)
    for visit in before.visits:
        promised_parts.secure(session.get_one(Visit, visit.id), at)
    session.flush()
    kept = _open_lines(before) - _open_lines(_tour(technician_id, day, station, at))
    if kept <= 0:
        raise Conflict(
            _l("Nothing more of it is free at the store. Look where the missing parts can come from."),
            code="nothing_free",
        )
    return kept


def _open_lines(tour: Tour) -> int:
    return len(tour.of("free", "missing"))


def _tour(technician_id: int, day: date, station: Station, at: datetime) -> Tour:
    found = (tour for tour in pick_list(station, DAYS, at) if tour.technician.id == technician_id and tour.day == day)
    tour = next(found, None)
    if tour is None:
        raise NotFound()
    return tour
