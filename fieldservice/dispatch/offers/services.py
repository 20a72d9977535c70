"""What can be done with offered times: hold some for a customer, have one chosen, give back what nobody chose."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from fieldservice.dispatch.day.estimating import Ways, estimates
from fieldservice.dispatch.day.reading import stops_today, visits_today
from fieldservice.dispatch.offers.windows import Choice, chosen
from fieldservice.foundation.db import among, lock_rows, session
from fieldservice.foundation.errors import Conflict, Invalid
from fieldservice.foundation.places import travel_minutes
from fieldservice.foundation.places.legs import leg
from fieldservice.foundation.time import local
from fieldservice.mechanisms import clocks, policies
from fieldservice.mechanisms.events import record
from fieldservice.stations.models import Technician
from fieldservice.workorders import booking, held_time, offered_parts
from fieldservice.workorders.days import job_of, technician_day
from fieldservice.workorders.eligibility import OFFER, refusals
from fieldservice.workorders.models import Booking, Visit, WorkOrder
from fieldservice.workorders.offered_parts import chosen_late
from fieldservice.workorders.placement import Job, Span, TechnicianDay
from fieldservice.workorders.queries import LARGEST_ID
from fieldservice.workorders.rescue.queries import awaiting

HOLD, CUT_OFF, BY_CUSTOMER = "offer_hold_min", "visit_cut_off_min", "offers_to_customers"
MOST = 6  # times at once
FURTHEST = timedelta(days=60)
SPARE = 2  # times as many are looked into, since others book meanwhile


def _minutes(low: int, high: int) -> policies.Worth:
    def read(stored: Any) -> int:
        if not isinstance(stored, int) or isinstance(stored, bool) or not low <= stored <= high:
            raise ValueError(f"minutes from {low} to {high}")
        return stored

    return policies.Worth(read=read, store=int, fits=lambda _value, _floor: True)


policies.register_defaults(HOLD, 10, worth=_minutes(2, 60))
policies.register_defaults(CUT_OFF, 60, worth=_minutes(0, 2_880))  # later, a visit is changed by phone (S-03)
policies.register_defaults(BY_CUSTOMER, True, worth=policies.PLAIN)


@dataclass(frozen=True)
class Offered:
    """A time that is held for the customer of an order."""

    id: int
    technician: Technician
    span: Span
    told: Span
    expires_at: datetime
    cost: float  # weighted seconds of travel more for the plan
    travel_min: int
    after_promise: bool  # later than was promised; only the customer may want that (E-14)
    best: bool = False  # costs the plan least


def held(order: WorkOrder, at: datetime) -> list[Offered]:
    """What is held for the order's customer now, by time."""
    rows = held_time.offers_of(order, at)
    people = {
        one.id: one for one in session.scalars(
            select(Technician).where(among(Technician.id, sorted({row.technician_id for row in rows})))
        )
    } if rows else {}  # fmt: skip
    least = min((row.terms["cost"] for row in rows if row.terms), default=0.0)
    return [_offered(row, people[row.technician_id], least) for row in rows]


def require_choice(order: WorkOrder, visit: Visit | None, at: datetime, *, by_customer: bool) -> None:
    """Whether a time may be chosen for the order at all. Raises Conflict with what to do instead."""
    if visit is None:
        booking.require_plannable(order)
    elif visit.state != "proposed":
        booking.require_changeable(visit)
    if not by_customer:
        return
    if visit is None and not may_choose_first(order):
        raise Conflict(_l("We choose the soonest time for this one and tell you at once."), code="chosen_by_us")
    if visit is not None and visit.starts_at - at < timedelta(minutes=_value(order, CUT_OFF)):
        raise Conflict(_l("It is too late to change this visit here. Please call us."), code="too_late_to_change")


def may_choose_first(order: WorkOrder) -> bool:
    """Whether the customer may choose the time of an order that nobody has planned yet, and that is sure to be done."""
    sure = order.state == "ready" and not awaiting([order])
    return sure and order.priority != "P1" and bool(_value(order, BY_CUSTOMER))


def open_visit(order: WorkOrder) -> Visit | None:
    """The visit that is under way or to come, if there is one."""
    rows = select(Visit).where(Visit.work_order_id == order.id, Visit.state.in_(booking.OPEN_STATES))
    return session.scalar(rows.order_by(Visit.id.desc()).limit(1))


def require_day(day: date | str, at: datetime) -> date:
    """A day from which on times can be asked for; as text YYYY-MM-DD, where none means today. Raises Invalid."""
    if isinstance(day, str):
        try:
            day = date.fromisoformat(day) if day else local(at).date()
        except ValueError:
            day = date.min
    if not timedelta(0) <= day - local(at).date() <= FURTHEST:
        raise Invalid({"day": [_l("Choose a day from today on, within 60 days.")]})
    return day


def hold(order: WorkOrder, visit: Visit | None, found: Sequence[Choice], at: datetime) -> list[Offered]:
    """Hold the most wanted of these times, each checked by every rule of booking; what was held before is given back.

    Fewer than wanted, or none, where others booked meanwhile.
    """
    lock_rows(order)
    wanted = chosen(found, _own(visit), MOST * SPARE)
    held_time.lock(*{one.technician_id for one in wanted})
    held_time.withdraw_offers(order.id, at)
    offered_parts.give_back(order, at)
    expires_at = at + timedelta(minutes=_value(order, HOLD))
    kept: list[Booking] = []
    days: dict[int, TechnicianDay] = {}
    for one in wanted:
        if len(kept) < MOST and _is_free(order, visit, one, wanted, days, at):
            technician = session.get_one(Technician, one.technician_id)
            kept.append(held_time.offer(order, technician, one.span, _terms(one), expires_at))
    able = offered_parts.hold(order, kept, expires_at, at)
    held_time.give_back([row for row in kept if row.technician_id not in able], at)
    kept = [row for row in kept if row.technician_id in able]
    record("work_order.offered", order, {"times": [row.terms for row in kept], "until": expires_at.isoformat()}, at=at)
    return held(order, at)


def choose(
    order: WorkOrder, visit: Visit | None, offer_id: int, at: datetime, *, agrees: bool, by_customer: bool
) -> Visit:
    """The customer takes one of the held times; choosing it twice changes nothing.

    `agrees`: also to a time that is later than promised. An arrival promise that the time cannot keep no longer counts
    where a kept one was to be had; the promise to restore stays. Raises Conflict `offer_gone` and Invalid
    `beyond_limit` (E-14).
    """
    row = session.get(Booking, offer_id) if 0 < offer_id < LARGEST_ID else None
    if row is None or row.cause != OFFER or row.work_order_id != order.id or row.terms is None:
        raise Invalid({"offer": [_l("Choose one of the times shown.")]})
    told = _told(row)
    if visit is not None and _is_that(visit, row, told):
        return visit
    if visit is not None:  # rows are locked in one order everywhere: visit, order, technicians
        lock_rows(visit)
    lock_rows(order)
    require_choice(order, visit, at, by_customer=by_customer)
    held_time.lock(row.technician_id)
    session.refresh(row)
    if row.state != "held" or row.expires_at is None or row.expires_at <= at:
        raise Conflict(_l("This time is no longer held. Look at the free times again."), code="offer_gone")
    if row.terms["after_promise"] and not agrees:
        text = _l("This is later than promised. Choose an earlier time, or say that the customer agrees.")
        raise Invalid({"offer": [text]}, code="beyond_limit")
    kept = _was_kept(order, visit, at)
    technician = session.get_one(Technician, row.technician_id)
    length = (row.ends_at - row.starts_at) // timedelta(minutes=1)
    if visit is None:
        visit = booking.schedule_visit(order, technician, row.starts_at, duration_min=length, told=told, at=at)
    else:
        booking.reschedule_visit(
            visit, starts_at=row.starts_at, technician=technician, duration_min=length, told=told, at=at
        )
    visit.confirmed_at = at
    if kept:
        _forgive(order, told, at)
    facts = {"window_starts_at": told.starts_at.isoformat(), "window_ends_at": told.ends_at.isoformat()}
    record("visit.agreed", visit, {**facts, "after_promise": row.terms["after_promise"]}, at=at)
    return visit


# Inside -------------------------------------------------------------------------------------------


def _value(order: WorkOrder, policy: str) -> Any:
    return policies.effective(policy, customer_id=order.customer_id, station_id=order.station_id).value


def _own(visit: Visit | None) -> Mapping[int, Sequence[Span]]:
    return {} if visit is None else {visit.technician_id: [Span(visit.starts_at, visit.ends_at)]}


def _terms(one: Choice) -> dict[str, Any]:
    return {
        "window_starts_at": one.told.starts_at.isoformat(), "window_ends_at": one.told.ends_at.isoformat(),
        "cost": round(one.cost, 1), "travel_min": one.travel_min, "after_promise": one.after_promise,
    }  # fmt: skip


def _told(row: Booking) -> Span:
    assert row.terms is not None
    return Span(*(datetime.fromisoformat(row.terms[name]) for name in ("window_starts_at", "window_ends_at")))


def _offered(row: Booking, technician: Technician, least: float) -> Offered:
    assert row.terms is not None
    assert row.expires_at is not None
    return Offered(
        id=row.id, technician=technician, span=Span(row.starts_at, row.ends_at), told=_told(row),
        expires_at=row.expires_at, cost=row.terms["cost"], travel_min=row.terms["travel_min"],
        after_promise=row.terms["after_promise"], best=row.terms["cost"] == least,
    )  # fmt: skip


def _is_that(visit: Visit, row: Booking, told: Span) -> bool:
    """Whether the visit stands where this offer would put it."""
    there = (visit.technician_id, visit.starts_at, visit.window_starts_at, visit.window_ends_at)
    return there == (row.technician_id, row.starts_at, *told)


def _is_free(
    order: WorkOrder, visit: Visit | None, one: Choice, wanted: Sequence[Choice], days: dict[int, TechnicianDay],
    at: datetime,
) -> bool:  # fmt: skip
    """By every rule of booking, and by how the technician's day really goes."""
    minutes = (one.span.ends_at - one.span.starts_at) // timedelta(minutes=1)
    job = chosen_late(job_of(order, minutes, at), timedelta(minutes=_value(order, HOLD)))
    if one.technician_id not in days:
        mine = [other.span for other in wanted if other.technician_id == one.technician_id]
        around = Span(min(span.starts_at for span in mine), max(span.ends_at for span in mine))
        held_time.make_room(one.technician_id, around, at, order_id=None, goes_first=False)
        days[one.technician_id] = technician_day(
            one.technician_id, *around, job=job, without_visit=visit.id if visit else None
        )
    return not refusals(job, days[one.technician_id], *one.span) and not _runs_late(
        one, job, days[one.technician_id], visit, at
    )


def _runs_late(one: Choice, job: Job, day: TechnicianDay, visit: Visit | None, at: datetime) -> bool:
    """Whether, as today goes, the technician would come after the window."""
    if local(one.span.starts_at).date() != local(at).date():
        return False
    stops = stops_today(visits_today(one.technician_id, at), one.technician_id, at)
    others = [stop for stop in stops if visit is None or stop.visit_id != visit.id]
    expected = estimates(others, at, Ways(travel_minutes, day.areas, day.member.home))
    before = [
        (expected[stop.visit_id].ends_at, stop.place) for stop in others
        if stop.visit_id in expected and stop.span.starts_at < one.span.starts_at
    ]  # fmt: skip
    free_at, place = max(before, key=lambda each: each[0], default=(at, None))
    here = job.place.point
    if place and here:
        free_at = leg(place, here, travel_minutes(place, here), day.areas).soonest(free_at)
    return free_at > one.told.ends_at


def _was_kept(order: WorkOrder, visit: Visit | None, at: datetime) -> bool:
    """Whether the promise to arrive would have been kept, by the plan or by another time that is offered."""
    due = booking.arrival_due_of(order)
    if due is None:
        return False
    if visit is not None:
        return visit.starts_at <= due
    return any(other.terms and not other.terms["after_promise"] for other in held_time.offers_of(order, at))


def _forgive(order: WorkOrder, told: Span, at: datetime) -> None:
    """The customer wants a window that goes beyond the promise to arrive."""
    due = booking.arrival_due_of(order)
    if order.request is not None and due is not None and due < told.ends_at:
        clocks.void(order.request, "arrival", at=at, reason="moved by the customer")
