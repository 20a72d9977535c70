"""A kept plan as people read it: names, moments and sentences put to its plain data."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _

from fieldservice.dispatch.plans.models import DispatchPlan
from fieldservice.foundation import display
from fieldservice.foundation.words import pick, word
from fieldservice.stations.queries import stations_by_id


@dataclass(frozen=True)
class Person:
    """A technician of the plan."""

    id: int
    names: Mapping[str, str]


@dataclass(frozen=True)
class Place:
    """Who goes when."""

    technician: Person
    starts_at: datetime
    ends_at: datetime
    travel_min: int | None = None


@dataclass(frozen=True)
class Promise:
    """A promise, and how many minutes late it was and would be; None where nobody goes."""

    kind: str
    due_at: datetime
    late_before: int | None
    late_after: int | None

    @property
    def verdict(self) -> str:
        """gained: kept now and not before; lost: the other way round; late, kept."""
        before, after = self.late_before == 0, self.late_after == 0
        return ("kept" if before else "gained") if after else ("lost" if before else "late")


@dataclass(frozen=True)
class Change:
    """What becomes of an order."""

    number: int
    kind: str
    work_order: str
    title: str
    priority: str
    before: Place | None
    after: Place | None
    told_kept: bool | None
    promises: tuple[Promise, ...]


@dataclass(frozen=True)
class Reason:
    """Why a technician does not do it."""

    technician: Person
    rule: str
    minutes: int
    detail: str


@dataclass(frozen=True)
class Help:
    """The smallest change that would place it, proven."""

    kind: str
    minutes: int
    technician: Person
    starts_at: datetime
    detail: str


@dataclass(frozen=True)
class Unplaced:
    """An order that nobody is planned for."""

    work_order: str
    title: str
    priority: str
    rules: Mapping[str, int]
    reasons: tuple[Reason, ...]
    smallest_change: Help | None


def changes(plan: DispatchPlan) -> list[Change]:
    """All changes, in the order of their numbers."""
    return [_change(plan, one) for one in plan.outcome.get("changes", ())]


def unplaced(plan: DispatchPlan) -> list[Unplaced]:
    """Who is left out, the weightiest first, as far as reasons were asked."""
    return [_unplaced(plan, one) for one in plan.outcome.get("unplaced", ())]


def station_codes(plan: DispatchPlan) -> list[str]:
    """The stations of a plan."""
    return sorted(station.code for station in stations_by_id(plan.station_ids).values())


def station_names(plan: DispatchPlan) -> list[str]:
    """The stations of a plan as people call them."""
    return [pick(station.names) for station in stations_by_id(plan.station_ids).values()]


def changed(plan: DispatchPlan, facts: Iterable[Mapping[str, Any]]) -> list[str]:
    """What is no longer as the plan had it (Conflict `plan_outdated`), in words."""
    told = []
    for fact in facts:
        state = word("state", fact["state"])
        if "technician" in fact:
            name = pick(person(plan, fact["technician"]).names) or _("somebody else")
            when = display.datetime_short(_moment(fact["starts_at"]))
            text = _(
                "%(order)s: now %(name)s, %(time)s (%(state)s)",
                order=fact["work_order"],
                name=name,
                time=when,
                state=state,
            )
        else:
            text = _("%(order)s: now %(state)s", order=fact["work_order"], state=state)
        told.append(str(text))
    return told


def _change(plan: DispatchPlan, one: Mapping[str, Any]) -> Change:
    return Change(
        number=one["number"],
        kind=one["kind"],
        work_order=one["work_order"],
        title=pick(one["titles"]),
        priority=one["priority"],
        before=_place(plan, one["from"]),
        after=_place(plan, one["to"]),
        told_kept=one["told_kept"],
        promises=tuple(
            Promise(each["kind"], _moment(each["due_at"]), each["late_before"], each["late_after"])
            for each in one["promises"]
        ),
    )


def _place(plan: DispatchPlan, one: Mapping[str, Any] | None) -> Place | None:
    if one is None:
        return None
    who = person(plan, one["technician"])
    return Place(who, _moment(one["starts_at"]), _moment(one["ends_at"]), one.get("travel_min"))


def person(plan: DispatchPlan, technician_id: int) -> Person:
    """A technician by the name kept with the plan."""
    return Person(technician_id, plan.outcome["people"].get(str(technician_id), {}))


def _unplaced(plan: DispatchPlan, one: Mapping[str, Any]) -> Unplaced:
    return Unplaced(
        work_order=one["work_order"],
        title=pick(one["titles"]),
        priority=one["priority"],
        rules=one["rules"],
        reasons=tuple(_reason(plan, each) for each in one["reasons"]),
        smallest_change=_help(plan, one["smallest_change"]),
    )


def _reason(plan: DispatchPlan, one: Mapping[str, Any]) -> Reason:
    said = pick(one["words"]) if one["words"] else _why_not(one["rule"], one["minutes"])
    return Reason(person(plan, one["technician"]), one["rule"], one["minutes"], said)


def _why_not(rule: str, minutes: int) -> str:
    """Why a job does not fit between what stands, in words."""
    time = display.minutes(minutes)
    match rule:
        case "window":
            return str(_("comes %(time)s after the time the customer was told, or after the end of the day", time=time))
        case "shift":
            return str(_("%(time)s of overtime would be needed", time=time))
        case "part":
            return str(_("a part is neither in the van nor at the station"))
        case "break":
            return str(_("no room for the midday break"))
        case "pinned" | "agreed":
            return str(_("the next visit would begin %(time)s late", time=time))
    return str(_("does not fit between what stands"))


def _help(plan: DispatchPlan, one: Mapping[str, Any] | None) -> Help | None:
    if one is None:
        return None
    who, starts_at = person(plan, one["technician"]), _moment(one["starts_at"])
    return Help(one["kind"], one["minutes"], who, starts_at, _what_helps(one, pick(who.names), starts_at))


def _what_helps(one: Mapping[str, Any], name: str, starts_at: datetime) -> str:
    """The smallest change, in words: what, for whom, and when it would then begin."""
    facts = {"time": display.minutes(one["minutes"]), "name": name, "start": display.datetime_short(starts_at)}
    match one["kind"]:
        case "free":
            return str(_("Nothing: plan again with more effort. %(name)s could go at %(start)s.", **facts))
        case "window":
            return str(_("Agree on a time %(time)s outside the window: %(name)s at %(start)s.", **facts))
        case "overtime":
            return str(_("%(time)s of overtime for %(name)s, who would begin at %(start)s.", **facts))
        case "part":
            return str(_("Bring the missing part: then %(name)s could go at %(start)s.", **facts))
    refusal = pick(one["words"]) if one["words"] else ""
    return str(_("%(name)s could go at %(start)s, but for: %(why)s", **facts, why=refusal))


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
