"""Machines and jobs as the levels need them: what a fleet makes us expect, and which parts jobs need together."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from statistics import median
from typing import Any

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import aliased

from fieldservice.foundation.db import session
from fieldservice.foundation.time import local
from fieldservice.parts.catalogue.models import Kit, KitLine, Substitute
from fieldservice.parts.levels.demand import Floats, Ints
from fieldservice.parts.levels.installed import Fleet, begins, growth, young
from fieldservice.parts.levels.kits import Kits
from fieldservice.parts.models import Part, StockLocation
from fieldservice.parts.stocking import foresight
from fieldservice.parts.stocking.foresight import Jobs, Machines

YEAR, HALF_MONTH = timedelta(days=365), timedelta(days=15)
EVERYWHERE = 0  # the territory of a central store
Key = tuple[int, int]  # (part id, location id)
Rates = Mapping[str, float]  # model → pieces a month of one machine


@dataclass(frozen=True)
class JobKits:
    """(jobs of a station, the parts they need), and the kits a part is in."""

    jobs: Sequence[tuple[Jobs, Sequence[int]]]
    models: Mapping[int, frozenset[str]]  # part → models its kits name

    def keys(self, stores: Mapping[int, int]) -> set[Key]:
        """Parts at the stores of stations that have such jobs."""
        mine = ((stores[job.station_id], parts) for job, parts in self.jobs if job.station_id in stores)
        return {(part, store) for store, parts in mine for part in parts}

    def kits(self, lines: Mapping[Key, int], stores: Mapping[int, int]) -> Kits | None:
        """For the engine, by line of the shelf; None where no job needs a part."""
        pairs, often = list[tuple[int, int]](), list[float]()
        for job, parts in self.jobs:
            store = stores.get(job.station_id)
            mine = [lines[part, store] for part in parts if store is not None and (part, store) in lines]
            if mine:
                pairs += [(len(often), line) for line in mine]
                often.append(float(job.number))
        if not pairs:
            return None
        numbers = np.array(pairs, dtype=np.int64)
        return Kits(numbers[:, 0], numbers[:, 1], np.array(often))


def job_kits(at: datetime, successor: Mapping[int, int], active: set[int]) -> JobKits:
    """What the jobs of the last year needed, by the kits of today: three statements at most."""
    rows = session.execute(
        select(Kit.work_type, Kit.models, KitLine.part_id)
        .join(KitLine, KitLine.kit_id == Kit.id)
        .where(Kit.state == "active")
        .order_by(KitLine.id)
    ).all()
    lines = [(work, models, successor.get(part, part)) for work, models, part in rows]
    named: dict[int, set[str]] = defaultdict(set)
    for _work, models, part in lines:
        named[part].update(models)
    found = []
    for job in foresight.told().jobs(at - YEAR) if lines else ():
        parts = {
            part for work, models, part in lines
            if work in ("", job.work_type) and (not models or job.model in models) and part in active
        }  # fmt: skip
        if parts:
            found.append((job, sorted(parts)))
    return JobKits(found, {part: frozenset(models) for part, models in named.items()})


@dataclass(frozen=True, eq=False)
class Bases:
    """What machines say of each line. All (lines,)."""

    outlook: Floats
    installed: Floats
    facts: Mapping[int, dict[str, Any]] = field(default_factory=dict)  # line → what its explanation tells


def bases(
    keys: Sequence[Key], places: Mapping[int, StockLocation], history: Any, starts: Sequence[datetime], at: datetime,
    successor: Mapping[int, int], kits: JobKits,
) -> Bases:  # fmt: skip
    """Growth of the fleet for parts with a history, what machines make us expect for young ones."""
    days = [local(one + HALF_MONTH).date() for one in starts] + [local(at).date()]
    fleet = _fleet(foresight.told().machines(), days)
    rates, similar = _rates(starts[0], fleet, successor, kits, {part for part, _place in keys})
    vans: dict[int, int] = defaultdict(int)
    for one in places.values():
        vans[one.station_id] += one.kind == "van"
    numbers: dict[Key, int] = {}
    expected, machines, group = list[Floats](), list[Floats](), np.full(len(keys), -1, dtype=np.int64)
    share = np.ones(len(keys))
    for line, (part, place) in enumerate(keys):
        if not (mine := rates.get(part)):
            continue
        station = EVERYWHERE if places[place].kind == "central" else places[place].station_id
        if (part, station) not in numbers:
            counted = np.array([fleet.get((station, model), np.zeros(len(days))) for model in mine])
            numbers[part, station] = len(expected)
            expected.append((counted * np.array(list(mine.values()))[:, None]).sum(axis=0))
            machines.append(counted.sum(axis=0))
        group[line] = numbers[part, station]
        if places[place].kind == "van":
            share[line] = 1.0 / vans[station]
    return _told(keys, history, group, share, expected, machines, similar)


def _told(
    keys: Sequence[Key], history: Any, group: Ints, share: Floats, expected: list[Floats], machines: list[Floats],
    similar: Mapping[int, str],
) -> Bases:  # fmt: skip
    if not expected:
        return Bases(np.ones(len(keys)), np.full(len(keys), np.nan))
    past = np.stack(expected)
    fleet = Fleet(past[:, :-1], past[:, -1])
    installed = begins(fleet, group, share, history)
    outlook = np.where(np.isnan(installed), growth(fleet, group, history), 1.0)
    facts: dict[int, dict[str, Any]] = {}
    for line in np.flatnonzero((group >= 0) & (young(history) | (np.abs(outlook - 1.0) > 0.005))).tolist():
        counted = machines[group[line]]
        known = ~np.isnan(history[line])
        told: dict[str, Any] = {"machines": round(float(counted[-1]))}
        if np.isnan(installed[line]):
            told |= {"factor": round(float(outlook[line]), 3), "before": round(float(counted[:-1][known].mean()), 1)}
        else:
            told |= {"installed": round(float(installed[line]), 4), "similar_number": similar.get(keys[line][0])}
        facts[line] = told
    return Bases(outlook, installed, facts)


def _fleet(machines: Iterable[Machines], when: Sequence[date]) -> dict[tuple[int, str], Floats]:
    """(station, model) → machines on these days: the middle of each month, and today."""
    found: dict[tuple[int, str], Floats] = defaultdict(lambda: np.zeros(len(when)))
    days = np.array([one.toordinal() for one in when])
    for one in machines:
        since = one.since.toordinal() if one.since is not None else 0
        until = one.until.toordinal() if one.until is not None else date.max.toordinal()
        there = ((days >= since) & (days < until)) * one.number
        for station in (one.station_id, EVERYWHERE):
            found[station, one.model] = found[station, one.model] + there
    return found


def _rates(
    since: datetime, fleet: Mapping[tuple[int, str], Floats], successor: Mapping[int, int], kits: JobKits,
    wanted: set[int],
) -> tuple[dict[int, dict[str, float]], dict[int, str]]:  # fmt: skip
    """part → pieces a month of one machine of each model; and which similar part said so, where it was another.

    First the part's own (its forerunners' among them); else a part that may replace it, or be replaced by it; else what
    is usual for a part of the models its kits name.
    """
    own: dict[int, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for one in foresight.told().fitted(since):
        months = float(fleet.get((EVERYWHERE, one.model), np.zeros(1))[:-1].sum())
        if months > 0:
            own[successor.get(one.part_id, one.part_id)][one.model] += float(one.quantity) / months
    usual: dict[str, list[float]] = defaultdict(list)
    for mine in own.values():
        for model, rate in mine.items():
            usual[model].append(rate)
    found = {part: dict(mine) for part, mine in own.items()}
    similar: dict[int, str] = {}
    for part, other, ratio, ours, theirs in session.execute(_substitutes()):
        for new, old, times, number in (
            (part, other, 1.0 / float(ratio), theirs),
            (other, part, float(ratio), ours),
        ):
            if new in wanted and new not in found and old in own:
                found[new] = {model: rate * times for model, rate in own[old].items()}
                similar[new] = number
    for part in wanted - found.keys():
        mine = {model: median(usual[model]) for model in kits.models.get(part, ()) if model in usual}
        if mine:
            found[part] = mine
    return found, similar


def _substitutes() -> Any:
    """Which part may stand for which, with both numbers."""
    ours, theirs = aliased(Part), aliased(Part)
    return (
        select(Substitute.part_id, Substitute.other_id, Substitute.ratio, ours.number, theirs.number)
        .join(ours, ours.id == Substitute.part_id)
        .join(theirs, theirs.id == Substitute.other_id)
        .order_by(Substitute.id)
    )
