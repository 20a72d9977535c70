"""Levels and reorder points of what was read, with their reasons as plain values. Pure; run in another process."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fieldservice.parts.levels import calibration, metric, stock
from fieldservice.parts.levels.calibration import LEARNED_BY, RATES, Calibration
from fieldservice.parts.levels.demand import Demand, Floats, Ints
from fieldservice.parts.levels.kits import Kits, relevel_until
from fieldservice.parts.levels.stock import Levels, Shelf
from fieldservice.parts.levels.worth import Cycle, at_level

MONTH_DAYS = 365.25 / 12
REVIEW = 1.0  # months: levels were proven for it (docs/decisions/0028); looking daily does better, never worse
DAILY = 1.0 / MONTH_DAYS
USUAL_RATE = float(RATES[30])  # for a part of the usual price, while there is too little history to learn from
SHOWN_BELOW, SHOWN_ABOVE = 3, 4  # pieces around a level whose worth is shown


@dataclass(frozen=True, eq=False)
class Material:
    """Arrays of one shelf, as `Shelf` names them; of the months, those nobody knows are NaN."""

    history: NDArray[np.float32]
    lead: Floats
    price: Floats
    classes: Ints
    floor: Floats
    known: Floats
    outlook: Floats | None = None  # growth of the fleet
    installed: Floats | None = None  # what machines make us expect of young parts
    feed: Ints | None = None  # the line of the place of ours that fills this one, −1: none
    road: Floats | None = None  # months from there
    only_fed: NDArray[np.bool_] | None = None  # no supplier delivers there
    kits: Kits | None = None  # the jobs of stations

    @property
    def months(self) -> int:
        """From the first month of which anything is known."""
        heard = np.flatnonzero((~np.isnan(self.history)).any(axis=0))
        return self.history.shape[1] - int(heard[0]) if heard.size else 0

    def shelf(self, review: float = REVIEW) -> Shelf:
        """For the engine."""
        return Shelf(
            self.history[:, self.history.shape[1] - max(1, self.months) :], self.lead, self.price, review=review,
            classes=self.classes, floor=self.floor, known=self.known, outlook=self.outlook, installed=self.installed,
        )  # fmt: skip


@dataclass(frozen=True)
class Line:
    """What one part at one place came to, before anybody's typed limits."""

    level: int
    reorder_at: int
    explanation: Mapping[str, Any]


@dataclass(frozen=True)
class Jobs:
    """Complete jobs at the first visit, of those whose parts are known: what they count and what that does."""

    factor: float  # lines that a completed job counts for
    before: float  # share of complete jobs if lines alone counted
    complete: float  # … and as it is
    pieces: int  # that are kept for it


@dataclass(frozen=True, eq=False)
class Reckoned:
    """All lines, and what came of the goal for jobs; None where no job's parts are known."""

    lines: Sequence[Line]
    jobs: Jobs | None = None


@dataclass(frozen=True, eq=False)
class Feeding:
    """How long shelves wait for what they order. All (lines,)."""

    lead: Floats  # months, waiting included
    wait: Floats  # of it, for the stock of whoever fills it
    doubt: Floats
    fed: NDArray[np.bool_]  # by a place of ours, not by the supplier


def learned(material: Material, ask: float) -> Calibration:
    """The price of money; the usual one, with zero months, while the history is too short to learn it. Shelves that
    others of ours fill wait as they would at the usual price."""
    middle = float(np.median(material.price)) if len(material.price) else 1.0
    usual = USUAL_RATE / middle
    if material.months <= LEARNED_BY or not len(material.lead):
        return Calibration(usual, float("nan"), 0, 0, ask)
    shelf = material.shelf()
    feeding = _fed(material, shelf, stock.demand_of(shelf), usual)[0]
    return calibration.corrected(replace(shelf, lead=feeding.lead, lead_doubt=feeding.doubt), ask)


def levelled(material: Material, rate_of_money: float, goal: float = 0.0) -> Reckoned:
    """Order up to the level that lasts review + lead time; order when less is there than lasts the lead time and a day.

    First whoever fills others, then those that wait for it. Of parts that jobs need together more is kept until the
    asked share of jobs finds them all. A reorder point is at least one piece where anything belongs there.
    """
    shelf = material.shelf()
    demand = stock.demand_of(shelf)
    feeding, plain = _fed(material, shelf, demand, rate_of_money)
    worth, jobs = np.ones(len(plain)), None
    if material.kits is not None:
        worth, jobs = _for_jobs(_as_fed(shelf, feeding), material.kits, rate_of_money, goal, demand)
        feeding, _levels = _fed(material, replace(shelf, worth=worth), demand, rate_of_money)
    shelf = replace(_as_fed(shelf, feeding), worth=worth)
    upto = stock.relevel(shelf, rate_of_money, demand)
    waiting = stock.relevel(replace(shelf, review=DAILY), rate_of_money, demand).level
    reorder = np.minimum(np.maximum(waiting, 1), upto.level)
    more = upto.level - plain
    if jobs is not None:
        jobs = replace(jobs, pieces=int(more[worth > 1.0].sum()))
    extra = _told_of_jobs(material.kits, upto.enough, more)
    lines = [
        Line(int(upto.level[at]), int(reorder[at]), _told(upto, feeding, at, int(reorder[at]), rate_of_money) | told)
        for at, told in enumerate(extra)
    ]
    return Reckoned(lines, jobs)


def _as_fed(shelf: Shelf, feeding: Feeding) -> Shelf:
    return replace(shelf, lead=feeding.lead, lead_doubt=feeding.doubt)


def _fed(material: Material, shelf: Shelf, demand: Demand, rate_of_money: float) -> tuple[Feeding, Ints]:
    """Lead times with the wait for whoever fills a shelf, and the levels they came from: central stores, then stores,
    then vans, each as METRIC says (`metric.waits`). A store whose supplier is quicker than that asks him."""
    lines = len(shelf.lead)
    found = Feeding(shelf.lead.copy(), np.zeros(lines), np.zeros(lines), np.zeros(lines, dtype=np.bool_))
    level = np.zeros(lines, dtype=np.int64)
    late, late_doubt = np.zeros(lines), np.zeros(lines)
    for rows in _from_the_top(material, lines):
        if material.feed is not None and material.road is not None and material.only_fed is not None:
            feed = material.feed[rows]
            whole = material.road[rows] + late[feed]
            fed = (feed >= 0) & (material.only_fed[rows] | (whole < shelf.lead[rows]))
            found.fed[rows], found.wait[rows] = fed, np.where(fed, late[feed], 0.0)
            found.lead[rows] = np.where(fed, whole, shelf.lead[rows])
            found.doubt[rows] = np.where(fed, late_doubt[feed], 0.0)
        some, wanted = _as_fed(shelf, found).some(rows), demand.some(rows)
        level[rows] = stock.relevel(some, rate_of_money, wanted).level
        fills = np.isin(rows, _feeding(material))
        if fills.any():
            mine = rows[fills]
            asked = demand.some(mine)
            amounts = asked.over(found.lead[mine] + REVIEW / 2.0, found.doubt[mine])  # on average half a review ago
            own = level[mine] - np.ceil(material.known[mine]).astype(np.int64)
            late[mine], late_doubt[mine] = metric.waits(*amounts, own, asked.rate)
    return found, level


def _feeding(material: Material) -> Ints:
    return np.unique(material.feed[material.feed >= 0]) if material.feed is not None else np.zeros(0, dtype=np.int64)


def _from_the_top(material: Material, lines: int) -> list[Ints]:
    """Lines that nobody of ours fills, then those they fill, and so on."""
    depth = np.zeros(lines, dtype=np.int64)
    if material.feed is not None:
        for _step in range(2):
            depth = np.where(material.feed >= 0, depth[material.feed] + 1, 0)
    return [np.flatnonzero(depth == at) for at in range(int(depth.max(initial=0)) + 1)]


def _for_jobs(
    shelf: Shelf, kits: Kits, rate_of_money: float, goal: float, demand: Demand
) -> tuple[Floats, Jobs]:  # fmt: skip
    """What a line of a kit counts (1 for all others), and what came of it."""
    rows, numbers = np.unique(kits.line, return_inverse=True)
    own = Kits(kits.job, numbers.astype(np.int64), kits.often)
    made = relevel_until(shelf.some(rows), own, rate_of_money, goal, demand.some(rows))
    worth = np.ones(len(shelf.lead))
    worth[rows] = made.worth
    return worth, Jobs(made.factor, made.before, made.complete, 0)


def _told(upto: Levels, feeding: Feeding, at: int, reorder: int, rate_of_money: float) -> dict[str, Any]:
    """Why a level is what it is, as plain values."""
    why, shelf, demand = upto.explained(at), upto.shelf, upto.demand
    told: dict[str, Any] = {
        name: round(float(getattr(why, name)), 5) for name in ("rate", "chance", "size", "lead", "expected")
    }
    told |= {"level": why.level, "reorder_at": reorder, "reason": why.reason, "known": why.known}
    moments = (demand.chance, demand.chance2, demand.size, demand.size2, demand.pieces2)
    told["demand"] = [float(f"{one[at]:.6g}") for one in moments]  # as `Demand` names them
    worth = 1.0 if shelf.worth is None else float(shelf.worth[at])
    told["ask"] = float(f"{rate_of_money * shelf.price[at] / worth:.6g}")
    if feeding.fed[at]:
        told |= {"fed": True, "wait": round(float(feeding.wait[at]), 5), "doubt": round(float(feeding.doubt[at]), 5)}
    return told


def _told_of_jobs(kits: Kits | None, enough: Floats, more: Ints) -> list[dict[str, Any]]:
    """Of lines of kits: how many jobs a year need them, in how many of these all is there, and the pieces for it."""
    told: list[dict[str, Any]] = [{} for _line in enough]
    if kits is None:
        return told
    complete, size = kits.complete(enough) * kits.often, len(enough)
    jobs = np.bincount(kits.line, kits.often[kits.job], minlength=size)
    whole = np.bincount(kits.line, complete[kits.job], minlength=size)
    for line in np.flatnonzero(jobs > 0):
        share = round(float(whole[line] / jobs[line]), 4)
        told[line] = {"jobs": round(float(jobs[line])), "complete": share, "for_jobs": int(more[line])}
    return told


@dataclass(frozen=True)
class Worth:
    """What each piece around a level buys: `lines` a month it fills, and how many it would have to."""

    first: int  # which piece is the first of them
    lines: Sequence[float]
    enough: float  # chance that the level is enough until what is ordered after the next look is there
    asked: float  # at the level: price of money × the part's price × the chance that the piece lies there


def limited(
    level: Decimal, reorder_at: Decimal, least: Decimal | None, most: Decimal | None
) -> tuple[Decimal, Decimal]:
    """Level and reorder point within what somebody typed: order below `least`, never above `most`."""
    if most is not None:
        level = min(level, most)
    if least is not None:
        level, reorder_at = max(level, least), least
    return level, min(reorder_at, level)


def bought(told: Sequence[tuple[int, Mapping[str, Any]]]) -> list[Worth]:
    """For levels with their explanations: a curve to draw for each."""
    if not told:
        return []
    demand = Demand(*np.array([why["demand"] for _level, why in told], dtype=np.float64).T)
    doubt = np.array([why.get("doubt", 0.0) for _level, why in told])
    cycle = Cycle.of(demand, np.array([why["lead"] + REVIEW for _level, why in told]), doubt)
    own = np.array([max(0, level - int(why["known"])) for level, why in told], dtype=np.int64)
    begin = np.maximum(own - SHOWN_BELOW, 0)
    curves = np.stack([at_level(cycle, begin + step)[1] for step in range(SHOWN_BELOW + SHOWN_ABOVE)], axis=1)
    enough = at_level(cycle, own)[0]
    return [
        Worth(
            int(begin[at]) + int(why["known"]) + 1,
            [round(float(one), 5) for one in curves[at]],
            float(enough[at]),
            float(why["ask"]) * float(enough[at]),
        )
        for at, (_level, why) in enumerate(told)
    ]
