"""A year of customers' bins, reviewed every evening and refilled from the station's shelf by the next.

60 bins of eight oils. A bin's use is drawn daily (gamma, deviation half of its mean, nothing on Sundays); its mean is
log-normal over bins and walks by 8 % a month. Every evening `consignment.runout` smooths the last 30 days and orders a
refill up to ten days of use when no more than the reorder point (F8, z 2.33) is left, in cans of 20 litres. A refill
is kept within 24 hours when the station has all of it that evening; otherwise it waits, first come first served. The
station orders every evening up to its level; its supplier takes five days. Levels come from `levels`: days as columns,
a price of money learned on the first year, anew every four weeks. In the first year, which is only learned from, the
station has everything. The baseline is the same year with a level of mean + 2.33 deviations (F8) of the last 60 days.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import ceil

import numpy as np

from benchmarks.results import Measure
from fieldservice.parts.consignment.runout import run_out, smoothed
from fieldservice.parts.levels.calibration import learned
from fieldservice.parts.levels.demand import Floats, Ints
from fieldservice.parts.levels.stock import Shelf, relevel

BINS, OILS, YEAR, SEEDS = 60, 8, 365, (3, 4, 5, 6)
CAN, TARGET_DAYS, Z, SUPPLIER = 20.0, 10.0, 2.33, 5
ASK, TARGET = 0.999, 99.5
Level = Callable[[Floats], Ints]  # cans asked for by day (oils, days) → level of each oil


@dataclass
class Station:
    """Cans of each oil, what is coming, and refills that wait."""

    cans: Ints
    coming: list[Ints] = field(default_factory=list)  # one entry for each of the next days
    waiting: list[tuple[int, int, int]] = field(default_factory=list)  # (bin, oil, cans)

    def evening(self, level: Ints) -> None:
        """What was ordered five days ago arrives; order up to the level."""
        owed = np.zeros_like(level)
        for _bin, oil, cans in self.waiting:
            owed[oil] += cans
        ordered = sum(self.coming, np.zeros_like(level))
        self.coming.append(np.maximum(level - self.cans - ordered + owed, 0))
        if len(self.coming) > SUPPLIER:
            self.cans = self.cans + self.coming.pop(0)


@dataclass
class Year:
    """What came of it."""

    refills: int = 0
    kept: int = 0
    dry: int = 0  # days on which a bin was empty
    stock: float = 0.0  # cans on the station's shelf, mean of evenings


def figures() -> list[Measure]:
    """Refills within 24 hours and days without oil, over the years of all seeds."""
    ours = [_simulated(_by_levels(), seed) for seed in SEEDS]
    usual = [_simulated(_by_deviations, seed) for seed in SEEDS]
    refills, name = sum(one.refills for one in ours), "mean and 2.33 deviations"
    kept, base = (100 * sum(one.kept for one in some) / sum(one.refills for one in some) for some in (ours, usual))
    shelf, other = (sum(one.stock for one in some) / len(SEEDS) for some in (ours, usual))
    dry, also = (100 * sum(one.dry for one in some) / (len(SEEDS) * BINS * YEAR) for some in (ours, usual))
    title = f"customers' bins, {len(SEEDS)} years of {refills // len(SEEDS)} refills"
    return [
        Measure(f"{title}, within 24 h", kept, "%", "higher", base, name, TARGET),
        Measure(f"{title}, station's shelf", shelf, "cans", "lower", other, name),
        Measure(f"{title}, days empty", dry, "%", "lower", also, name),
    ]


def _by_levels() -> Level:
    """Our levels; the price of money is learned once, from the first year."""
    known: dict[str, float] = {}

    def level(history: Floats) -> Ints:
        lines = len(history)
        shelf = Shelf(history, np.full(lines, float(SUPPLIER)), np.ones(lines), a_month=30.0)
        if "price" not in known:
            known["price"] = learned(shelf, ASK, YEAR // 2).rate_of_money
        return relevel(shelf, known["price"]).level

    return level


def _by_deviations(history: Floats) -> Ints:
    recent = history[:, -60:]
    horizon = SUPPLIER + 1
    found: Ints = np.ceil(horizon * recent.mean(axis=1) + Z * recent.std(axis=1) * horizon**0.5).astype(np.int64)
    return found


def _simulated(by: Level, seed: int) -> Year:
    dice = np.random.default_rng(seed)
    oil, mean = dice.integers(0, OILS, BINS), dice.lognormal(np.log(8.0), 0.6, BINS)
    litres = mean * TARGET_DAYS
    use, asked = np.zeros((BINS, 2 * YEAR)), np.zeros((OILS, 2 * YEAR))
    coming, level, found = np.zeros(BINS), np.zeros(OILS, dtype=np.int64), Year()
    station = Station(np.full(OILS, 10**6))
    for day in range(2 * YEAR):
        scored = day >= YEAR
        mean = mean * np.exp(dice.normal(0.0, 0.08, BINS) - 0.0032) if day % 30 == 29 else mean
        litres, coming = litres + coming, np.zeros(BINS)
        wished = dice.gamma(4.0, mean / 4.0) * (day % 7 != 6)
        use[:, day] = np.minimum(wished, litres)
        found.dry += int((wished > litres).sum()) if scored else 0
        litres = litres - use[:, day]
        if scored and (day - YEAR) % 28 == 0:
            level = by(asked[:, :day])
            station.cans = level.copy() if day == YEAR else station.cans
        _handed_out(station, coming)
        for one, cans in _refills(litres, coming, station, use[:, max(0, day - 29) : day + 1]):
            asked[oil[one], day] += cans
            at_once = station.cans[oil[one]] >= cans and not any(other == oil[one] for _b, other, _c in station.waiting)
            found.refills, found.kept = found.refills + scored, found.kept + (scored and bool(at_once))
            station.waiting.append((one, int(oil[one]), cans))
            _handed_out(station, coming)
        if scored:
            found.stock += float(station.cans.sum()) / YEAR
            station.evening(level)
    return found


def _refills(litres: Floats, coming: Floats, station: Station, use: Floats) -> list[tuple[int, int]]:
    """Bins to be refilled this evening, with the cans of each."""
    waits = {one for one, _oil, _cans in station.waiting}
    found = []
    for one in range(BINS):
        if one in waits:
            continue
        state = run_out(litres[one], smoothed(use[one].tolist()), TARGET_DAYS, z=Z, coming=coming[one])
        if state.refill > 0:
            found.append((one, max(1, ceil(state.refill / CAN))))
    return found


def _handed_out(station: Station, coming: Floats) -> None:
    """Refills leave in the order they came, as far as there are cans; one that must wait holds up its oil alone."""
    left, blocked = [], set()
    for one, oil, cans in station.waiting:
        if oil in blocked or station.cans[oil] < cans:
            blocked.add(oil)
            left.append((one, oil, cans))
        else:
            station.cans[oil] -= cans
            coming[one] += cans * CAN
    station.waiting = left
