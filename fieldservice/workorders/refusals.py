"""Refusals in the user's words, with the smallest change that would help (UI §1.3)."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from flask_babel import gettext as _

from fieldservice.foundation import display
from fieldservice.foundation.words import pick, word
from fieldservice.workorders.eligibility import Refusal
from fieldservice.workorders.skills import certificate_word, skill_word

Words = tuple[str, str, str]  # the sentence, the smallest change, and both in five words for a narrow lane


def text(refusal: Refusal) -> str:
    """Why not: 'Gearboxes L1 < L2'."""
    return _words(refusal)[0]


def change(refusal: Refusal) -> str:
    """What would help: 'pair with an L2, or lower the level needed'."""
    return _words(refusal)[1]


def short(refusal: Refusal) -> str:
    """Why not, in five words."""
    return _words(refusal)[2]


def sentence(refusal: Refusal) -> str:
    """Reason and change in one."""
    reason, helps, _short = _words(refusal)
    return f"{reason} → {helps}"


def leg_text(minutes: int, about: bool) -> str:
    """'25 min', or 'about 25 min' where a place is known to its county only."""
    length = display.minutes(minutes)
    return str(_("about %(time)s", time=length)) if about else length


def _words(refusal: Refusal) -> Words:
    return WORDS[refusal.rule](dict(refusal.facts))


def _skill(facts: dict[str, Any]) -> Words:
    known = {"skill": skill_word(facts["skill"]), "have": facts["have"], "need": facts["need"]}
    reason = (
        _("%(skill)s L%(have)s < L%(need)s", **known)
        if known["have"]
        else _("No %(skill)s skill, needs L%(need)s", **known)
    )
    return reason, _("pair with an L%(need)s, or lower the level needed", **known), _("No %(skill)s L%(need)s", **known)


def _certificate(facts: dict[str, Any]) -> Words:
    name, until = certificate_word(facts["certificate"]), facts.get("valid_until")
    if until is None:
        return (
            _("No certificate: %(certificate)s", certificate=name),
            _("send somebody who holds it"),
            _("No certificate"),
        )
    reason = _("%(certificate)s expired on %(date)s", certificate=name, date=display.date_short(until))
    return reason, _("fit for other jobs; renew it first"), _("Certificate expired")


def _station(facts: dict[str, Any]) -> Words:
    if "lent_to" in facts:
        station, until = pick(facts["names"]), _when(facts["ends_at"])
        reason = _("Lent to %(station)s until %(time)s", station=station, time=until)
        helps = _("free from %(time)s, or ask that station", time=until)
        return reason, helps, _("Lent to %(station)s", station=station)
    return (
        _("Belongs to another station and is not lent here"),
        _("ask that station to roster a shift here"),
        _("Other station"),
    )


def _customer(facts: dict[str, Any]) -> Words:
    if facts["wish"] == "excluded":
        return _("The customer does not want this technician"), _("send somebody else"), _("Not wanted there")
    reason, helps = _("The customer wants other technicians, by name"), _("send one of them, or ask the customer")
    return reason, helps, _("Others are asked for")


def _part(facts: dict[str, Any]) -> Words:
    have, need = Decimal(facts["have"]), Decimal(facts["need"])
    known = {
        "part": pick(facts["names"]) or facts["part"],
        "have": display.quantity(have),
        "need": display.quantity(need),
        "missing": display.quantity(need - have),
    }
    reason = _("%(part)s: %(have)s of %(need)s in van and station", **known)
    if "ready_at" in facts:
        place, ready = pick(facts["place"]) or _("the station"), _when(facts["ready_at"])
        reason = _("%(part)s: %(have)s of %(need)s there by then", **known)
        return reason, _("all there at %(time)s, from %(place)s", time=ready, place=place), _("Part comes later")
    return reason, _("bring in %(missing)s first", **known), _("Part missing")


def _absence(facts: dict[str, Any]) -> Words:
    if "state" in facts:
        state = word("state", facts["state"])
        return _("Not available: %(state)s", state=state), _("ask the station manager"), state
    cause, end = word("booking_cause", facts["cause"]), _when(facts["ends_at"])
    return _("%(cause)s until %(end)s", cause=cause, end=end), _("free from %(time)s", time=end), cause


def _shift(facts: dict[str, Any]) -> Words:
    if "day" in facts:
        reason = _("No shift on %(date)s", date=display.date_short(facts["day"]))
        return reason, _("roster a shift, or choose another day"), _("Off shift")
    if facts.get("on_call"):
        return _("On call, for P1 and P2 only"), _("choose regular hours"), _("On call only")
    reason = _("On duty %(start)s–%(end)s", start=_when(facts["starts_at"]), end=display.clock_time(facts["ends_at"]))
    if "earliest" in facts:
        return reason, _("start at %(time)s", time=_when(facts["earliest"])), _("Off shift")
    overtime = display.minutes(facts["overtime"])
    if "latest" in facts:
        latest = _when(facts["latest"])
        return reason, _("start by %(time)s, or %(overtime)s overtime", time=latest, overtime=overtime), _("Off shift")
    return reason, _("%(overtime)s overtime", overtime=overtime), _("Off shift")


def _overlap(facts: dict[str, Any]) -> Words:
    span = {"start": _when(facts["starts_at"]), "end": display.clock_time(facts["ends_at"])}
    busy = _("Busy until %(time)s", time=span["end"])
    if facts.get("offered"):
        reason = _("%(start)s–%(end)s is offered to another customer", **span)
        return reason, _("free in a few minutes, unless it is chosen"), _("Offered to a customer")
    free = _("free from %(time)s, or move that visit", time=_when(facts["ends_at"]))
    if facts["order"]:
        return _("%(start)s–%(end)s taken by %(order)s", order=facts["order"], **span), free, busy
    return _("%(start)s–%(end)s taken", **span), free, busy


def _travel(facts: dict[str, Any]) -> Words:
    leg = leg_text(facts["minutes"], facts["about"])
    order = facts["order"] or _("the stop beside it")
    brief = _("%(leg)s away, too late", leg=leg)
    if facts["side"] == "after":
        reason = _(
            "%(leg)s drive to %(order)s, too late for %(start)s", leg=leg, order=order, start=_when(facts["starts_at"])
        )
        return reason, _("start by %(time)s", time=_when(facts["latest"])), brief
    earliest = _when(facts["earliest"])
    if facts["side"] == "home":
        reason = _("%(leg)s drive from home, there at %(time)s", leg=leg, time=earliest)
    else:
        reason = _("%(leg)s drive from %(order)s, there at %(time)s", leg=leg, order=order, time=earliest)
    return reason, _("start at %(time)s", time=earliest), brief


def _collect(facts: dict[str, Any]) -> Words:
    earliest = _when(facts["earliest"])
    reason = _("Has to collect parts at the station first, there at %(time)s", time=earliest)
    return reason, _("start at %(time)s", time=earliest), _("Collects parts first")


def _when(moment: datetime) -> str:
    return display.datetime_short(moment)


WORDS: dict[str, Callable[[dict[str, Any]], Words]] = {
    "station": _station,
    "skill": _skill,
    "certificate": _certificate,
    "customer": _customer,
    "part": _part,
    "absence": _absence,
    "shift": _shift,
    "overlap": _overlap,
    "travel": _travel,
    "collect": _collect,
}
