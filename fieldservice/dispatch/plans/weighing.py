"""What a good day means at a station: the weight of each goal, as its manager has set it over the package's numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from fieldservice.dispatch import changes
from fieldservice.dispatch.planning.objectives import MOST, NAMES, OBJECTIVES
from fieldservice.dispatch.plans import services
from fieldservice.foundation.access import Person
from fieldservice.foundation.db import session, take_turns
from fieldservice.foundation.errors import Forbidden, Invalid, NotFound, PreconditionFailed
from fieldservice.foundation.time import now
from fieldservice.mechanisms import policies
from fieldservice.mechanisms.events import history
from fieldservice.mechanisms.policies import Origin
from fieldservice.stations.models import Station

SETTERS = ("station_manager", "admin")
LOOKERS = ("dispatcher", *SETTERS)


@dataclass(frozen=True)
class Weight:
    """A weight that holds for an objective, and who said so."""

    value: float
    origin: Origin  # default (the objective's own), station


@dataclass(frozen=True)
class Weights:
    """What a station has set; goals it says nothing about weigh what the chosen objective says."""

    station: Station
    stored: Mapping[str, float]
    changed_by: str = ""  # whoever changed it last
    changed_at: datetime | None = None

    @property
    def seen(self) -> str:
        """What a form carries, so that nobody overwrites what he has not seen."""
        return _plain(self.stored)

    def effective(self, objective: str) -> dict[str, Weight]:
        """goal → the weight with which a plan of this station is mixed."""
        return {
            name: Weight(self.stored[name], "station")
            if name in self.stored
            else Weight(getattr(OBJECTIVES[objective], name), "default")
            for name in NAMES
        }

    def own(self, name: str) -> tuple[float, float]:
        """What the objectives say of a goal: the least and the most."""
        given = [getattr(one, name) for one in OBJECTIVES.values()]
        return min(given), max(given)


def stations_of(somebody: Person) -> Sequence[Station]:
    """Open stations whose weights the person may look at."""
    covered = somebody.stations(*LOOKERS)
    rows = select(Station).where(Station.state.in_(("open", "limited"))).order_by(Station.code)
    return session.scalars(rows if covered is None else rows.where(Station.id.in_(sorted(covered)))).all()


def station_by_code(code: str, somebody: Person) -> Station:
    """One of them; without a code the first. Raises NotFound."""
    found = [one for one in stations_of(somebody) if code in ("", one.code)]
    if not found:
        raise NotFound()
    return found[0]


def may_set(somebody: Person, station_id: int) -> bool:
    return somebody.has(*SETTERS) and somebody.covers(station_id, *SETTERS)


def weights_of(station: Station) -> Weights:
    """What holds now, and who said so last."""
    row = policies.override(services.WEIGHTS, "station", station.id)
    last = history(row, limit=1) if row is not None else []
    by, at = (changes.name_of(last[0].actor), last[0].at) if last else ("", None)
    return Weights(station, row.value if row is not None else {}, by, at)


def set_weights(
    station: Station, weights: Mapping[str, float], seen: str, somebody: Person, at: datetime | None = None
) -> None:
    """These goals weigh so much from now on, all others what an objective says; none: the package's numbers again.

    `seen` is what the person saw (`Weights.seen`). Raises Forbidden, Invalid by goal, and PreconditionFailed telling
    what somebody else has set meanwhile.
    """
    if not may_set(somebody, station.id):
        raise Forbidden()
    _require(weights)
    take_turns(f"{services.WEIGHTS}:{station.id}")
    present = weights_of(station)
    if present.seen != seen:
        raise PreconditionFailed(_changed(present), current=present.seen)
    if present.seen != _plain(weights):
        services.set_weights(station, dict(weights) or None, at or now())


# Inside -------------------------------------------------------------------------------------------


def _require(weights: Mapping[str, float]) -> None:
    text = _l("Enter a number from 0 to 20, or nothing.")
    errors: dict[str, list[Any]] = {
        f"weight_{name}": [text] for name, value in weights.items() if name not in NAMES or not 0 <= value <= MOST
    }
    if not errors and weights.keys() == set(NAMES) and not any(weights.values()):
        errors["weights"] = [
            _l("Let at least one goal weigh more than 0: otherwise every day is as good as any other.")
        ]
    if errors:
        raise Invalid(errors)


def _changed(present: Weights) -> str:
    facts = {"name": present.changed_by}
    if present.changed_by:
        return str(_("%(name)s has set other numbers meanwhile. Compare them below, then save again.", **facts))
    return str(_("Somebody has taken the station's numbers back meanwhile. Look below, then save again."))


def _plain(weights: Mapping[str, float]) -> str:
    numbers = {name: float(value) for name, value in weights.items()}
    return orjson.dumps(numbers, option=orjson.OPT_SORT_KEYS).decode()
