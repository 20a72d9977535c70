"""Service days to plan, drawn from a seed: towns, stations, technicians and jobs as a maker's service has them.

    python -m benchmarks.planning.instances 500 60 --seed 1

Stations lie in towns; technicians live around their station, jobs lie in the towns and between them. A technician
knows two to four of eight skills; a job asks for one, at level 1 to 3, and every tenth for a certificate. Four in ten
jobs may begin at any time of the shift, four have a half day, two a window of two hours. Work takes 20 to 180
minutes. Priorities are those of the domain (P1 … P4 in 5, 20, 45 and 30 of a hundred). There is a little more work
than the day can hold, as on every real day: what is left out counts by priority. Travel is the straight line × 1.3 at
the speeds of the product. Every technician takes an hour of lunch that begins between 11:00 and 13:00.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fieldservice.dispatch.planning.model import Break, Day, Job, Places, Problem, Seconds, Window
from fieldservice.dispatch.planning.objectives import Amounts, Goals

SKILLS, CERTIFICATES = 8, 2
WEIGHTS = ((8.0, 0.05), (4.0, 0.20), (2.0, 0.45), (1.0, 0.30))  # (weight, share): P1 … P4
SHIFT = Window(8 * 3600, 17 * 3600 + 1800)
LUNCH = Break(11 * 3600, 13 * 3600, 3600)
AT_ONCE = 200_000  # pairs of places: reckoning takes ten times the memory of its result
ROAD, KMH = 1.3, ((8.0, 24.0), (40.0, 45.0), (float("inf"), 80.0))


@dataclass(frozen=True, eq=False)
class Plane:
    """Travel over flat kilometres: straight line × 1.3, slow at first and faster beyond. Nothing is kept."""

    km: NDArray[np.float64]  # (places, 2)

    def block(self, origins: Places, destinations: Places) -> Seconds:
        a, b = self.km[np.asarray(origins, dtype=np.intp)], self.km[np.asarray(destinations, dtype=np.intp)]
        found: Seconds = np.empty((len(a), len(b)), dtype=np.int32)
        step = max(1, AT_ONCE // max(1, len(b)))
        for some in (slice(first, first + step) for first in range(0, len(a), step)):
            found[some] = _seconds(np.hypot(a[some, None, 0] - b[None, :, 0], a[some, None, 1] - b[None, :, 1]))
        return found

    def along(self, places: Sequence[int]) -> list[int]:
        way = self.km[np.asarray(places, dtype=np.intp)]
        found: list[int] = _seconds(np.hypot(*(way[1:] - way[:-1]).T)).tolist()
        return found


def _seconds(straight: NDArray[np.float64]) -> Seconds:
    road, total, begin = straight * ROAD, np.zeros_like(straight), 0.0
    for end, speed in KMH:
        total += np.clip(road - begin, 0.0, end - begin) * (3600.0 / speed)
        begin = end
    return np.ceil(total).astype(np.int32)


def service_day(jobs: int, technicians: int, seed: int, stations: int | None = None, load: float = 1.0) -> Problem:
    """A day of so many jobs and technicians. The same arguments give the same day."""
    dice = np.random.default_rng(seed)
    stations = stations or max(1, technicians // 20)
    side = 40.0 * np.sqrt(stations)  # km: a station serves some forty by forty
    towns = dice.uniform(0.1 * side, 0.9 * side, (stations, 2))
    home_of = np.arange(technicians) % stations
    homes = towns[home_of] + dice.normal(0, 5.0, (technicians, 2))
    town_of = dice.integers(0, stations, jobs)
    spread = np.where(dice.random(jobs) < 0.7, 6.0, 18.0)
    sites = towns[town_of] + dice.normal(0, 1.0, (jobs, 2)) * spread[:, None]
    travel = Plane(np.vstack([sites, homes]))
    made = tuple(_job(dice, at, int(town_of[at]), jobs / technicians, load) for at in range(jobs))
    days = tuple(
        Day(f"T{at:04}", at, SHIFT.start, SHIFT.end, jobs + at, jobs + at, False, int(home_of[at]), (LUNCH,))
        for at in range(technicians)
    )
    eligible = _eligible(dice, jobs, technicians)
    goals = Goals(Amounts(1.0, 1.0, 0.0, 0.0, 0.0, 0.0))
    return Problem(made, days, travel, eligible, goals)


def _job(dice: np.random.Generator, at: int, station: int, each: float, load: float) -> Job:
    weights, shares = zip(*WEIGHTS)
    weight = float(dice.choice(weights, p=shares))
    mean = load * 0.66 * (SHIFT.end - SHIFT.start - LUNCH.seconds) / each / 60  # minutes; the rest is travel
    minutes = int(np.clip(dice.lognormal(np.log(mean), 0.5), 20, 180)) // 5 * 5
    kind = dice.random()
    if kind < 0.4:
        window = Window(SHIFT.start, SHIFT.end)
    elif kind < 0.8:
        window = Window(SHIFT.start, 12 * 3600) if dice.random() < 0.5 else Window(13 * 3600, SHIFT.end)
    else:
        begin = int(dice.integers(16, 31)) * 1800
        window = Window(begin, begin + 7200)
    latest = max(window.start, min(window.end, SHIFT.end - minutes * 60))
    return Job(f"J{at:05}", at, minutes * 60, (Window(window.start, latest),), weight, station=station)


def _eligible(dice: np.random.Generator, jobs: int, technicians: int) -> NDArray[np.bool_]:
    levels = np.zeros((technicians, SKILLS), dtype=int)
    for at in range(technicians):
        known = dice.choice(SKILLS, size=int(dice.integers(2, 5)), replace=False)
        levels[at, known] = dice.integers(1, 4, len(known))
    holds = dice.random((technicians, CERTIFICATES)) < 0.6
    skill, level = dice.integers(0, SKILLS, jobs), dice.choice([1, 2, 3], size=jobs, p=[0.5, 0.35, 0.15])
    asked = np.where(dice.random(jobs) < 0.1, dice.integers(0, CERTIFICATES, jobs), -1)
    table: NDArray[np.bool_] = level[:, None] <= levels[:, skill].T
    for kind in range(CERTIFICATES):
        table[asked == kind] &= holds[:, kind]
    return table
