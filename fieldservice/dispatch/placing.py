"""What a dispatcher wishes – an order booked, visits moved – checked for scope and version, then done."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask_babel import lazy_gettext as _l

from fieldservice.dispatch import changes, scope, undo
from fieldservice.foundation.access import Person
from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Conflict, Invalid
from fieldservice.stations.models import Technician
from fieldservice.workorders import booking, queries
from fieldservice.workorders.models import Visit, WorkOrder
from fieldservice.workorders.rearranging import named


@dataclass(frozen=True)
class Wish:
    """This technician, then: for a visit there is, or else for an order that waits; `version` is what was seen."""

    technician_id: int
    starts_at: datetime
    duration_min: int | None = None
    version: int | None = None
    visit_id: int | None = None
    order: str = ""


@dataclass(frozen=True)
class Target:
    """What a wish is about, which the person may plan and saw as it is now."""

    wish: Wish
    order: WorkOrder
    visit: Visit | None
    technician: Technician

    @property
    def minutes(self) -> int:
        """How long the visit takes."""
        if self.wish.duration_min is not None:
            return self.wish.duration_min
        return undo.Before.of(self.visit).minutes if self.visit is not None else self.order.duration_min


def targets_of(wishes: Sequence[Wish], somebody: Person) -> list[Target]:
    """Raises NotFound, Forbidden, and PreconditionFailed telling what changed."""
    named = [wish.visit_id or wish.order for wish in wishes]
    if len(set(named)) < len(named):
        raise Invalid({"moves": [_l("Name each visit once.")]})
    return [_target(wish, somebody) for wish in wishes]


def place(wishes: Sequence[Wish], somebody: Person, at: datetime) -> list[undo.Step]:
    """Do all of it, or nothing: the first refusal ends it, naming its order where there are several. Inside `write`."""
    targets = targets_of(wishes, somebody)
    several = len(targets) > 1
    for target in targets if several else ():
        if target.visit is not None:
            booking.release(target.visit, at)  # none of them stands in the way of another
    return [_place(target, at, several) for target in targets]


def visit_seen(visit_id: int, version: int | None, somebody: Person) -> Visit:
    """A visit the person plans, in the version that was seen."""
    visit = queries.visit_by_id(visit_id, somebody)
    scope.require_planner(somebody, visit.station_id)
    changes.require_version(visit, version)
    return visit


# Inside -------------------------------------------------------------------------------------------


def _target(wish: Wish, somebody: Person) -> Target:
    visit = None
    if wish.visit_id is not None:
        visit = visit_seen(wish.visit_id, wish.version, somebody)
        order = visit.work_order
    else:
        order = queries.order_by_number(wish.order, somebody)
        scope.require_planner(somebody, order.station_id)
        changes.require_version(order, wish.version)
    return Target(wish, order, visit, scope.technician_for(order, wish.technician_id, wish.starts_at, somebody))


def _place(target: Target, at: datetime, several: bool) -> undo.Step:
    try:
        return _moved(target, at) if target.visit is not None else _booked(target)
    except Conflict as error:
        if not several:
            raise
        raise named(target.order.number, error) from None


def _booked(target: Target) -> undo.Step:
    wish = target.wish
    visit = booking.schedule_visit(target.order, target.technician, wish.starts_at, duration_min=wish.duration_min)
    return undo.Step(visit, "booked")


def _moved(target: Target, at: datetime) -> undo.Step:
    visit, wish = target.visit, target.wish
    assert visit is not None
    before = undo.Before.of(visit)
    booking.reschedule_visit(
        visit, technician=target.technician, starts_at=wish.starts_at, duration_min=wish.duration_min, at=at
    )
    session.flush()
    return undo.Step(visit, "changed", before)
