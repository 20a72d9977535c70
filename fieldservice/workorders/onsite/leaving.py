"""Leaving for a visit: whether everything is ready (F-04), and the conduct a station asks to be ticked (S-09).

Readiness is judged on the tablet, which knows the van; what it found and why somebody left all the same is kept with
the step. Only missing conduct keeps a technician from leaving, and only where the station's policy says so.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Conflict
from fieldservice.foundation.words import all_words, has_word
from fieldservice.mechanisms import policies
from fieldservice.mechanisms.events import Event, notes_of
from fieldservice.stations.models import Station
from fieldservice.workorders.models import Visit

CONDUCT = "workorders.conduct_required"
policies.register_defaults(CONDUCT, False, worth=policies.PLAIN)


@dataclass(frozen=True)
class Departure:
    """What was found before leaving: codes of words.yaml `readiness`, the reason to leave all the same, conduct ticked.

    `missing` is None where nobody looked: an older tablet, or the dispatcher's desk.
    """

    missing: tuple[str, ...] | None = None
    reason: str = ""
    conduct: tuple[str, ...] = ()

    @property
    def facts(self) -> dict[str, Any]:
        """What the step's event tells."""
        ready = {} if self.missing is None else {"ready": not self.missing, "missing": list(self.missing)}
        return {**ready, **({"conduct": list(self.conduct)} if self.conduct else {})}


def conduct_required(station_id: int) -> bool:
    """Whether this station's technicians tick uniform and badge before they leave."""
    return bool(policies.effective(CONDUCT, station_id=station_id).value)


def require_conduct(station: Station, wanted: bool, at: datetime) -> None:
    """Set the policy of a station; unset, nothing is asked."""
    if wanted:
        policies.set_override(CONDUCT, "station", station.id, True, at=at)
    else:
        policies.clear_override(CONDUCT, "station", station.id, at=at)


def check_conduct(visit: Visit, ticked: Iterable[str]) -> None:
    """Raises Conflict `conduct` where the station asks for ticks that are missing."""
    if conduct_required(visit.station_id) and not set(all_words()["conduct"]) <= set(ticked):
        raise Conflict(_l("Your station asks you to check your appearance before you leave. Tick it."), code="conduct")


# Reading --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Left:
    """How somebody left for a visit: what was missing (codes), and the reason given."""

    missing: tuple[str, ...]
    reason: str


def unready_of(visit_ids: Iterable[int]) -> Mapping[int, Left]:
    """Visits for which somebody left although something was missing."""
    rows = select(Event).where(
        Event.subject_type == Visit.subject_type, Event.subject_id.in_(list(visit_ids)), Event.kind == "visit.en_route"
    )
    events = session.scalars(rows.order_by(Event.id)).all()
    reasons = notes_of(events)
    return {
        event.subject_id: Left(known(event.facts["missing"]), reasons.get(event.id, ""))
        for event in events
        if event.facts.get("missing")
    }


def known(codes: Iterable[str]) -> tuple[str, ...]:
    """Those of the codes that have a word, each once: an older or newer tablet may know others."""
    return tuple(code for code in dict.fromkeys(codes) if has_word("readiness", code))
