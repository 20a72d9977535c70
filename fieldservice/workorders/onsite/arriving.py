"""Arriving: checked in by position or by hand, and what may be kept of where somebody was (N-14).

A position counts only while the technician consents and is on duty. Nearer than `NEAR` (and what the reading itself
may be out by) it checks in by itself. The coordinates are forgotten after a month, the distance stays.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update

from fieldservice.foundation.access import Person
from fieldservice.foundation.db import session
from fieldservice.foundation.places import Point
from fieldservice.foundation.places.travel import distance_km
from fieldservice.mechanisms.events import record
from fieldservice.mechanisms.forms import plain_text
from fieldservice.mechanisms.subjects import Ref
from fieldservice.stations.models import Shift
from fieldservice.stations.roster import COUNTS
from fieldservice.workorders.models import Visit
from fieldservice.workorders.onsite.models import Arrival, LocationConsent

NEAR = 300  # metres around a site
ROUGH = 1000  # a reading that may be out by more says nothing
KEPT = timedelta(days=30)
CONSENT_VERSION = 1  # of the text on the tablet; raise it with the text, and everybody is asked anew
MOST_REASON = 300


@dataclass(frozen=True)
class Position:
    """Where a tablet says it is."""

    point: Point
    accuracy_m: int


@dataclass(frozen=True)
class CheckIn:
    """How somebody arrived. `dropped`: a position was sent that may not be kept."""

    kind: str  # geofence, hand
    reason: str = ""
    distance_m: int | None = None
    position: Position | None = None
    dropped: bool = False


def judge(visit: Visit, at: datetime, reason: str, position: Position | None, user_id: int) -> CheckIn:
    """What the arrival counts as, whatever the tablet concluded."""
    why = plain_text(reason, MOST_REASON, field="reason")
    if position is None:
        return CheckIn("hand", why)
    if not (consents(user_id) and on_duty(visit.technician_id, at)):
        return CheckIn("hand", why, dropped=True)
    order = visit.work_order
    if order.precision != "point" or order.latitude is None or order.longitude is None:
        return CheckIn("hand", why, position=position)
    away = round(distance_km(position.point, Point(order.latitude, order.longitude)) * 1000)
    there = position.accuracy_m <= ROUGH and away <= NEAR + position.accuracy_m
    return CheckIn("geofence" if there else "hand", why, away, position)


def keep(visit: Visit, given: CheckIn, at: datetime) -> Arrival:
    """Keep how somebody arrived, once a visit."""
    place = given.position
    arrival = Arrival(
        visit_id=visit.id, check_in=given.kind, reason=given.reason, distance_m=given.distance_m, at=at,
        latitude=place.point.latitude if place else None, longitude=place.point.longitude if place else None,
        accuracy_m=place.accuracy_m if place else None,
    )  # fmt: skip
    session.add(arrival)
    session.flush()
    return arrival


def arrivals_of(visit_ids: Collection[int]) -> Mapping[int, Arrival]:
    """How somebody arrived at these visits."""
    rows = session.scalars(select(Arrival).where(Arrival.visit_id.in_(visit_ids)))
    return {row.visit_id: row for row in rows}


def forget_positions(at: datetime) -> None:
    """Coordinates older than a month go; how somebody checked in, and how far away, stays."""
    old = update(Arrival).where(Arrival.at < at - KEPT, Arrival.latitude.is_not(None))
    session.execute(old.values(latitude=None, longitude=None, accuracy_m=None))


# Consent --------------------------------------------------------------------------------------------


def consent_of(user_id: int) -> LocationConsent | None:
    """The consent that holds: given to the present text, and not withdrawn."""
    rows = select(LocationConsent).where(
        LocationConsent.user_id == user_id, LocationConsent.withdrawn_at.is_(None),
        LocationConsent.version == CONSENT_VERSION,
    )  # fmt: skip
    return session.scalar(rows.order_by(LocationConsent.id.desc()).limit(1))


def consents(user_id: int) -> bool:
    """Whether this person may be located on duty."""
    return consent_of(user_id) is not None


def set_consent(person: Person, given: bool, version: int, at: datetime) -> None:
    """The technician consents, or takes consent back: then no position is kept any more, and those there go.

    Consent to an older text is kept as a record and counts for nothing.
    """
    standing = session.scalars(
        select(LocationConsent)
        .where(LocationConsent.user_id == person.user_id, LocationConsent.withdrawn_at.is_(None))
        .order_by(LocationConsent.id)
    ).all()
    if given and any(one.version == version for one in standing):
        return
    for one in standing:
        one.withdrawn_at = max(at, one.given_at)
    if given:
        session.add(LocationConsent(user_id=person.user_id, version=version, given_at=at))
    elif person.technician_id is not None:
        _forget_places(person.technician_id)
    session.flush()
    word = "location_allowed" if given else "location_withdrawn"
    record(f"user.{word}", Ref("user", person.user_id), {"version": version}, at=at)


def _forget_places(technician_id: int) -> None:
    """The coordinates of one technician go at once."""
    mine = select(Visit.id).where(Visit.technician_id == technician_id)
    session.execute(
        update(Arrival).where(Arrival.visit_id.in_(mine)).values(latitude=None, longitude=None, accuracy_m=None)
    )


def on_duty(technician_id: int, at: datetime) -> bool:
    """Whether a published shift, or time on call, holds that moment."""
    shifts = select(Shift.id).where(
        Shift.technician_id == technician_id, Shift.state.in_(COUNTS), Shift.starts_at <= at, Shift.ends_at > at
    )
    return session.scalar(shifts.limit(1)) is not None
