"""The board as <resource-timeline> takes it (static/src/dispatch/timeline/element.js), in the reader's language.

States come as codes: how a state looks and what it is called, the page says once. Moments are milliseconds.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from flask_babel import gettext as _

from fieldservice.dispatch import scope
from fieldservice.dispatch.areas import services as areas
from fieldservice.dispatch.areas import showing
from fieldservice.dispatch.axis import Axis
from fieldservice.dispatch.board import BEFORE_SITE, Bar, Board, Group, Lane
from fieldservice.dispatch.cover.load import Load
from fieldservice.foundation import display
from fieldservice.foundation.access import Person
from fieldservice.foundation.time import at_local
from fieldservice.foundation.words import pick, word
from fieldservice.workorders.booking import CHANGEABLE
from fieldservice.workorders.part_lights import DARK, Light, lights
from fieldservice.workorders.placement import Span, Stop
from fieldservice.workorders.slots import LUNCH

SNAP_MIN = 5
FREE_BELOW = 0.5  # of the duty: who has less to do counts as free
MARKED = {"missing": "missing", "coming": "arriving"}  # of the light of its parts
PLANNED = ("proposed", "scheduled")  # not sent yet


def lanes_told(plan: Board, somebody: Person, at: datetime, show: Collection[str] = ()) -> dict[str, Any]:
    """Lanes by station with shifts, breaks and absences, and the bars in them."""
    groups = narrowed(plan, show)
    lanes = [lane for group in groups for lane in group.lanes]
    bars = [(lane, bar) for lane in lanes for bar in lane.bars]
    ahead = [bar for _lane, bar in bars if bar.state in BEFORE_SITE]
    lit = lights({one.order_id: one.station_id for one in ahead}, at, {one.order_id: one.starts_at for one in ahead})
    plans = {station: scope.may_plan(somebody, station) for station in {bar.station_id for _lane, bar in bars}}
    return {
        "start": milliseconds(plan.axis.start), "end": milliseconds(plan.axis.end), "now": milliseconds(at),
        "axis": [_span(*span) for span in plan.axis.spans], "snapMin": SNAP_MIN, "truncated": plan.truncated,
        "groups": [_group(group) for group in groups],
        "lanes": [
            {**_lane(lane, group, plan.axis), "menu": scope.may_plan(somebody, lane.member.station_id)}
            for group in groups
            for lane in group.lanes
        ],
        "bars": [_bar(lane, bar, plans[bar.station_id], lit.get(bar.order_id, DARK)) for lane, bar in bars],
        "places": _places(groups),
        "areas": showing.on_map(areas.in_force(max(at, plan.axis.start), plan.axis.end), somebody, at),
    }  # fmt: skip


def narrowed(plan: Board, show: Collection[str]) -> list[Group]:
    """Only lanes that have what is asked for (risk, p1), or room left (free); all of them when nothing is asked."""
    if not show:
        return list(plan.groups)
    groups = (replace(group, lanes=tuple(lane for lane in group.lanes if _wanted(lane, show))) for group in plan.groups)
    return [group for group in groups if group.lanes]


def milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def load_text(group: Group) -> str:
    """'82 % loaded · 6 on duty'; one that warns: '… · overloaded', over several days with the heaviest one"""
    if group.lent:
        return str(_("come to help"))
    load, heaviest = group.load, group.heaviest
    if load.percent is None:
        return str(_("nobody on duty") if heaviest is None else _("work, nobody on duty"))
    told = [_("%(load)s %% loaded", load=load.percent), _("%(count)s on duty", count=group.on_duty)]
    if heaviest is not None:
        day = heaviest.percent if len(group.loads) > 1 else None
        told.append(_("overloaded") if day is None else _("overloaded on a day: %(load)s %%", load=day))
    return " · ".join(told)


def _overloaded(load: Load) -> str:
    if load.percent is None:
        return str(_("work, nobody on duty"))
    return str(_("load %(load)s %%", load=load.percent))


def lending_text(lane: Lane, axis: Axis) -> str:
    """'Lent to Kunshan until 27 Nov 08:00', or of a guest 'From Wuxi until …'; '' for who is at home all the time."""
    told = [
        _("From %(station)s until %(time)s", station=pick(lane.home.names), time=display.datetime_short(one.ends_at))
        if lane.home is not None
        else _("Lent to %(station)s until %(time)s", station=pick(one.names), time=display.datetime_short(one.ends_at))
        for one in lane.member.lent
        if one.touches(axis.start, axis.end) and (lane.guest is None or lane.guest == one.station_id)
    ]
    return str(_("; ").join(told))


def taken_text(stop: Stop) -> str:
    """What takes a technician's time that is no visit of ours."""
    return str(_("For another station")) if stop.cause == "visit" else word("booking_cause", stop.cause)


def breaks(lane: Lane, axis: Axis) -> list[Span]:
    """Lunch within ordinary duty."""
    start, end = LUNCH
    noons = [Span(at_local(day, start.hour, start.minute), at_local(day, end.hour, end.minute)) for day in axis.dates]
    return [
        noon for noon in noons
        if any(begin < noon.starts_at and stop > noon.ends_at for begin, stop in lane.member.regular)
        and (not lane.member.lent or any(noon.touches(one.starts_at, one.ends_at) for one in lane.duties))
    ]  # fmt: skip


# Inside -------------------------------------------------------------------------------------------


def _wanted(lane: Lane, show: Collection[str]) -> bool:
    if "risk" in show and not any(bar.risk for bar in lane.bars):
        return False
    if "p1" in show and not any(bar.priority == "P1" and not bar.done for bar in lane.bars):
        return False
    return "free" not in show or lane.load.booked < FREE_BELOW * lane.load.capacity


def _group(group: Group) -> dict[str, Any]:
    return {
        "id": str(group.station.id), "title": pick(group.station.names), "note": load_text(group),
        "warn": group.heaviest is not None,
    }  # fmt: skip


def _lane(lane: Lane, group: Group, axis: Axis) -> dict[str, Any]:
    member, heaviest = lane.member, lane.heaviest(group.threshold)
    note = _overloaded(heaviest) if heaviest else lending_text(lane, axis)
    return {
        "id": _id(lane), "group": str(group.station.id), "title": pick(member.names),
        "note": word("state", member.state) if member.absent else note,
        "warn": heaviest is not None,
        "shifts": [{**_span(duty.starts_at, duty.ends_at), "onCall": duty.on_call} for duty in lane.duties],
        "breaks": [_span(*one) for one in breaks(lane, axis)],
        "away": [{**_span(one.starts_at, one.ends_at), "title": taken_text(one)} for one in lane.taken] + _lent(lane),
    }  # fmt: skip


def _id(lane: Lane) -> str:
    """The technician's; of two rows of one technician, the one at home says so after an @."""
    return f"{lane.member.id}@home" if lane.twin else str(lane.member.id)


def _lent(lane: Lane) -> list[dict[str, Any]]:
    """Time that is another station's, at home."""
    if lane.guest is not None:
        return []
    return [
        {**_span(one.starts_at, one.ends_at), "title": _("Lent to %(station)s", station=pick(one.names))}
        for one in lane.member.lent
    ]


def _places(groups: Collection[Group]) -> dict[str, Any]:
    """Where stations are, technicians begin, and visits take place, as <dispatch-map> takes it; done work is past."""
    lanes = [lane for group in groups for lane in group.lanes]
    stations = [group.station for group in groups]
    located: dict[int, list[Bar]] = {}
    for lane in lanes:  # who has two rows is one person
        found = located.setdefault(lane.member.id, [])
        found += [bar for bar in lane.bars if bar.place.point is not None and not bar.done]
        found.sort(key=lambda bar: bar.starts_at)
    return {
        "stations": [
            {"id": str(one.id), "lat": one.latitude, "lon": one.longitude, "title": pick(one.names)} for one in stations
        ],
        "people": [_located(lane, located[lane.member.id]) for lane in lanes if not lane.twin],
        "jobs": {
            str(bar.visit_id): [bar.place.point.latitude, bar.place.point.longitude]
            for bars in located.values() for bar in bars if bar.place.point is not None
        },
    }  # fmt: skip


def _located(lane: Lane, bars: Collection[Bar]) -> dict[str, Any]:
    member, name = lane.member, pick(lane.member.names)
    return {
        "id": str(member.id), "lat": member.home.latitude, "lon": member.home.longitude, "title": name,
        "short": name[:1], "tone": "mute" if member.absent else "info", "route": [str(bar.visit_id) for bar in bars],
    }  # fmt: skip


def _bar(lane: Lane, bar: Bar, may_plan: bool, light: Light) -> dict[str, Any]:
    return {
        "id": str(bar.visit_id), "lane": _id(lane), **_span(bar.starts_at, bar.ends_at),
        "title": f"{pick(bar.customer)} {bar.title}".strip(), "short": bar.order, "state": bar.state,
        "priority": bar.priority, "risk": bar.risk, "parts": MARKED.get(light.code, ""),
        "travelMin": 0 if bar.done else bar.travel_min, "version": bar.version, "done": bar.done,
        "proposed": bar.state in PLANNED, "movable": may_plan and bar.state in CHANGEABLE, **_expected(bar),
        **_pickup(bar),
    }  # fmt: skip


def _pickup(bar: Bar) -> Mapping[str, Any]:
    if bar.pickup is None:
        return {}
    return {"pickup": {**_span(*bar.pickup.span), "title": bar.pickup.words, "late": not bar.pickup.in_time}}


def _expected(bar: Bar) -> Mapping[str, Any]:
    """Of who has begun the end is of interest, of all others the start."""
    if bar.expected is None:
        return {}
    span = bar.expected.span
    at = span.ends_at if bar.expected.begun else span.starts_at
    return {"expected": {**_span(*span), "at": milliseconds(at)}}


def _span(start: datetime, end: datetime) -> Mapping[str, int]:
    return {"start": milliseconds(start), "end": milliseconds(end)}
