"""The selected order beside the board: promises, parts, who could go with reasons, who could not with the rule."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from fieldservice.dispatch import scope
from fieldservice.dispatch.day.outlook import Touched, outlook_of
from fieldservice.dispatch.day.reading import UNDER_WAY, WAITING
from fieldservice.dispatch.filters import Filters
from fieldservice.dispatch.offers.services import Offered, held
from fieldservice.foundation.access import Person
from fieldservice.foundation.time import at_local, local
from fieldservice.mechanisms import clocks
from fieldservice.mechanisms.clocks import ClockView
from fieldservice.workorders import queries
from fieldservice.workorders.booking import CHANGEABLE, OPEN_STATES
from fieldservice.workorders.eligibility import RULES
from fieldservice.workorders.models import Visit, WorkOrder
from fieldservice.workorders.part_lights import Light, light_of
from fieldservice.workorders.pickups import Pickup, pickups_for
from fieldservice.workorders.rescue.queries import approval_clock, awaiting
from fieldservice.workorders.slots import STEP, round_up
from fieldservice.workorders.suggestions import Refused, Suggestion, Suggestions, suggest

AHEAD = timedelta(days=3)  # how far suggestions look
ACTS: dict[str, tuple[str, ...]] = {  # state of a visit → what a planner may do with it
    "scheduled": ("send", "change", "miss", "cancel"),
    "dispatched": ("change", "miss", "cancel"),
    "accepted": ("change", "miss", "cancel"),
    "declined": ("change", "cancel"),
    "en_route": ("miss", "cancel"),
}


@dataclass(frozen=True)
class Drawer:
    """All the drawer shows; `acts` is empty for whoever only looks."""

    order: WorkOrder
    clocks: list[ClockView]
    light: Light  # of its parts
    visit: Visit | None  # the one under way, or the one selected
    may_plan: bool
    answers: Suggestions | None
    at: datetime
    outlook: Touched  # what is expected of the visit, and what that touches
    held: Sequence[Offered] = ()  # times that are held for the customer
    pickup: Pickup | None = None  # where the visit's parts are collected
    awaits: ClockView | None = None  # how long the manager has to approve a rescue; it can be planned, not sent

    @property
    def acts(self) -> tuple[str, ...]:
        acts = ACTS.get(self.visit.state, ()) if self.visit and self.may_plan else ()
        return tuple(act for act in acts if act != "send") if self.awaits else acts

    @property
    def may_book(self) -> bool:
        return self.may_plan and self.order.state == "ready" and not self.moves

    @property
    def moves(self) -> bool:
        """Whether suggestions are for the visit there is, not for a new one."""
        return self.visit is not None and self.visit.state in CHANGEABLE

    @property
    def default_start(self) -> datetime:
        """What the form by hand begins with."""
        if self.visit is not None and self.moves:
            return self.visit.starts_at
        first = self.answers.suggestions[0].slot.starts_at if self.answers and self.answers.suggestions else None
        return first or round_up(self.at, STEP)

    @property
    def default_minutes(self) -> int:
        if self.visit is not None and self.moves:
            return round((self.visit.ends_at - self.visit.starts_at).total_seconds() / 60)
        return self.order.duration_min

    @property
    def offers(self) -> list[Suggestion]:
        """Suggestions, without what is planned already."""
        planned = (self.visit.technician_id, self.visit.starts_at) if self.visit is not None and self.moves else None
        found = self.answers.suggestions if self.answers else []
        return [one for one in found if (one.member.id, one.slot.starts_at) != planned]

    @property
    def refused_by_rule(self) -> list[tuple[str, list[Refused]]]:
        """Refused technicians grouped by their most fundamental rule."""
        groups: dict[str, list[Refused]] = {}
        for one in self.answers.refused if self.answers else ():
            groups.setdefault(one.first.rule, []).append(one)
        return sorted(groups.items(), key=lambda group: list(RULES).index(group[0]))

    @property
    def people(self) -> list[Suggestion | Refused]:
        """Everybody asked, once each, for the form."""
        if self.answers is None:
            return []
        everybody: list[Suggestion | Refused] = [*reversed(self.answers.suggestions), *self.answers.refused]
        found = {one.member.id: one for one in everybody}
        return sorted(found.values(), key=lambda one: (one.member.station_id, one.member.id))


def drawer_for(somebody: Person, filters: Filters, stations: Collection[int] | None, at: datetime) -> Drawer | None:
    """The drawer of the selected order or visit. Raises NotFound for what the person does not see."""
    if filters.visit is not None:
        chosen = queries.visit_by_id(filters.visit, somebody)
        order = queries.order_by_number(chosen.work_order.number, somebody)
        return drawer_of(order, somebody, filters.day, stations, at, visit=chosen)
    if not filters.order:
        return None
    return drawer_of(queries.order_by_number(filters.order, somebody), somebody, filters.day, stations, at)


def drawer_of(
    order: WorkOrder,
    somebody: Person,
    day: date,
    stations: Collection[int] | None,
    at: datetime,
    *,
    visit: Visit | None = None,
) -> Drawer:
    """The drawer of an order; suggestions where it can be planned, or its visit moved."""
    shown = visit or _current(order.visits)
    may_plan = scope.may_plan(somebody, order.station_id)
    moving = shown if shown is not None and shown.state in CHANGEABLE else None
    answers = None
    if may_plan and (moving is not None or order.state == "ready"):
        start, end = horizon(day, at)
        answers = suggest(order, start=start, end=end, stations=stations, moving=moving, at=at)
    return Drawer(
        order=order,
        clocks=clocks.views(clocks.of(order.request), at) if order.request is not None else [],
        light=light_of(order, at),
        visit=shown,
        pickup=next(iter(pickups_for([shown], at)), None) if shown is not None else None,
        may_plan=may_plan,
        answers=answers,
        at=at,
        held=held(order, at) if answers is not None else (),
        awaits=approval_clock(order) if awaiting([order]) else None,
        outlook=_outlook(shown, somebody, at),
    )


def _outlook(visit: Visit | None, somebody: Person, at: datetime) -> Touched:
    if visit is None or visit.state not in (*WAITING, *UNDER_WAY):
        return Touched(None)
    return outlook_of(visit, somebody.stations(*queries.READERS), at)


def horizon(day: date, at: datetime) -> tuple[datetime, datetime]:
    """From the chosen day (or now, if later) three days ahead."""
    first = max(day, local(at).date())
    return max(at_local(first), at), at_local(first) + AHEAD


def _current(visits: Sequence[Visit]) -> Visit | None:
    """The visit under way, else one that was declined and waits for somebody."""
    under_way = [visit for visit in visits if visit.state in OPEN_STATES]
    waiting = under_way or [visit for visit in visits if visit.state == "declined"]
    return waiting[-1] if waiting else None
