"""Who could do an order, and when: the best slot of each technician and day, ranked, and everybody else with the rule.

The number of SQL statements does not depend on how many technicians there are.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import select

from fieldservice.foundation import display
from fieldservice.foundation.db import among, session
from fieldservice.foundation.places import Point, TravelProvider, travel
from fieldservice.foundation.time import now
from fieldservice.foundation.words import pick
from fieldservice.mechanisms import clocks
from fieldservice.stations import roster
from fieldservice.stations.models import Station
from fieldservice.stations.roster import Member
from fieldservice.workorders.days import AROUND, job_of, technician_days
from fieldservice.workorders.eligibility import Refusal
from fieldservice.workorders.models import Visit, WorkOrder
from fieldservice.workorders.placement import Job, Minutes, Span, TechnicianDay
from fieldservice.workorders.refusals import leg_text
from fieldservice.workorders.skills import skill_word
from fieldservice.workorders.slots import Aim, Reason, Slot, best_slots

MOST_STATIONS = 12  # the order's own and the nearest others
MOST_TECHNICIANS = 400


@dataclass(frozen=True)
class Suggestion:
    """A technician at a time, with what speaks for it."""

    member: Member
    slot: Slot

    @property
    def reasons(self) -> list[str]:
        return [reason_text(reason) for reason in self.slot.reasons]

    @property
    def warning(self) -> str:
        """'20 min late', where a promise would be broken."""
        if self.slot.late_min:
            return str(_("Arrives %(time)s late", time=display.minutes(self.slot.late_min)))
        if self.slot.restore_late_min:
            return str(_("Restores %(time)s late", time=display.minutes(self.slot.restore_late_min)))
        return ""

    @property
    def outlook(self) -> str:
        """'8 min before the promise', where one is kept."""
        if self.slot.spare_min is None or self.warning:
            return ""
        return str(_("%(time)s before the promise", time=display.minutes(self.slot.spare_min)))

    @property
    def travel_text(self) -> str:
        return (
            str(_("drive not known"))
            if self.slot.travel_min is None
            else leg_text(self.slot.travel_min, self.slot.about)
        )


@dataclass(frozen=True)
class Refused:
    """A technician who cannot, with every rule that says so."""

    member: Member
    refusals: tuple[Refusal, ...]

    @property
    def first(self) -> Refusal:
        return self.refusals[0]


@dataclass(frozen=True)
class Suggestions:
    """All answers for one order, best first."""

    suggestions: list[Suggestion]
    refused: list[Refused]

    def of(self, technician_id: int) -> Suggestion | Refused | None:
        """The best answer for one technician."""
        answers: Iterable[Suggestion | Refused] = (*self.suggestions, *self.refused)
        return next((one for one in answers if one.member.id == technician_id), None)


def suggest(
    order: WorkOrder,
    *,
    start: datetime,
    end: datetime,
    limit: int | None = None,
    stations: Collection[int] | None = (),
    moving: Visit | None = None,
    at: datetime | None = None,
) -> Suggestions:
    """Rank technician × slot in [start, end).

    Asked are the order's station, whoever is rostered there, and those of `stations` (None: all) that are
    nearest. `limit` cuts the suggestions, never the refused. `moving` is a visit of the order that is to
    go to somebody else or another time: its own time is free.
    """
    at = at or now()
    minutes_of_it = round((moving.ends_at - moving.starts_at).total_seconds() / 60) if moving else None
    job, aim = job_of(order, minutes_of_it, at), aim_of(order, at)
    members = _candidates(order, stations, start, end)
    days = technician_days(members, start, end, job=job, without_visit=moving.id if moving else None)
    been_there = _known_to(order, [member.id for member in members])
    minutes = minutes_to(job, days)
    found: list[Suggestion] = []
    refused: list[Refused] = []
    for day in days:
        slots, why = best_slots(job, day, Span(start, end), aim, minutes, fixed_before=day.member.id in been_there)
        found += [Suggestion(day.member, slot) for slot in slots]
        if not slots:
            refused.append(Refused(day.member, tuple(why)))
    found.sort(key=lambda one: (-one.slot.score, one.slot.starts_at, one.member.id))
    return Suggestions(found[:limit], refused)


def aim_of(order: WorkOrder, at: datetime) -> Aim:
    """What was promised about the order and is still open."""
    open_ = [clock for clock in clocks.of(order.request) if clock.is_open] if order.request is not None else []
    due = {clock.kind: clock.due_at for clock in open_}
    return Aim(at, due.get("arrival"), due.get("restore"))


def reason_text(reason: Reason) -> str:
    """A reason as people say it."""
    facts = dict(reason.facts)
    match reason.code:
        case "near":
            return str(_("%(leg)s away", leg=leg_text(facts["minutes"], facts["about"])))
        case "skill":
            return f"{skill_word(facts['skill'])} L{facts['level']}"
        case "parts_van":
            return str(_("parts in the van"))
        case "parts_station":
            return str(_("collect parts at the station"))
        case "parts_coming":
            at = display.datetime_short(facts["ready_at"])
            return str(_("parts from %(place)s by %(time)s", place=pick(facts["names"]), time=at))
        case "parts_missing":
            return str(_("parts missing"))
        case "asked_for":
            return str(_("asked for by the customer"))
        case "same_asset":
            return str(_("worked on this machine before"))
        case "borrowed":
            return str(_("from another station"))
        case "on_call":
            return str(_("on call"))
    raise KeyError(reason.code)


def minutes_to(job: Job, days: Iterable[TechnicianDay], provider: TravelProvider = travel.DEFAULT) -> Minutes:
    """Travel between the job and every place in these days, asked of the provider all at once."""
    here = job.place.point
    if here is None:
        return lambda a, b: provider.minutes(a, [b])[0]
    mine = [here, job.store] if job.needs and job.store is not None else [here]
    places = {stop.place.point for day in days for stop in day.stops if stop.place.point} | {
        point
        for day in days
        for point in (day.member.home, *(lent.lodging for lent in day.member.lent if lent.lodging is not None))
    }
    ordered = sorted(places, key=lambda point: (point.latitude, point.longitude))
    ways: list[list[float]] = provider.matrix(mine, ordered).tolist() if ordered else [[] for _one in mine]
    known = {point: dict(zip(ordered, row, strict=True)) for point, row in zip(mine, ways, strict=True)}

    def minutes(a: Point, b: Point) -> float:
        for one, other in ((b, a), (a, b)):
            if one in known and other in known[one]:
                return known[one][other]
        return provider.minutes(a, [b])[0]

    return minutes


# Inside -------------------------------------------------------------------------------------------


def _candidates(order: WorkOrder, stations: Collection[int] | None, start: datetime, end: datetime) -> list[Member]:
    near = _nearest_stations(order, stations)
    here = roster.members_of(near, start - AROUND, end + AROUND, MOST_TECHNICIANS)
    lent = roster.lent_to([order.station_id], start, end) - {member.id for member in here}
    return here + list(roster.members_by_id(lent, start - AROUND, end + AROUND).values())


def _nearest_stations(order: WorkOrder, stations: Collection[int] | None) -> list[int]:
    if stations is not None and set(stations) <= {order.station_id}:
        return [order.station_id]
    rows = select(Station.id, Station.latitude, Station.longitude).where(Station.state.in_(("open", "limited")))
    if stations is not None:
        rows = rows.where(Station.id.in_(stations))
    others = [
        (row.id, Point(row.latitude, row.longitude)) for row in session.execute(rows) if row.id != order.station_id
    ]
    here = _near_point(order)
    away = travel.distances_km(here, [point for _id, point in others]) if here and others else [0.0] * len(others)
    ranked = sorted(zip(away, others, strict=True), key=lambda one: (one[0], one[1][0]))
    return [order.station_id, *(station for _away, (station, _point) in ranked[: MOST_STATIONS - 1])]


def _near_point(order: WorkOrder) -> Point | None:
    if order.latitude is not None and order.longitude is not None:
        return Point(order.latitude, order.longitude)
    return Point(order.station.latitude, order.station.longitude)


def _known_to(order: WorkOrder, technician_ids: Collection[int]) -> set[int]:
    """Who finished a visit at this machine before."""
    if order.asset_id is None or not technician_ids:
        return set()
    rows = (
        select(Visit.technician_id)
        .join(WorkOrder, WorkOrder.id == Visit.work_order_id)
        .where(
            WorkOrder.asset_id == order.asset_id,
            Visit.state == "completed",
            among(Visit.technician_id, technician_ids),
        )
    )
    return set(session.scalars(rows.distinct()))
