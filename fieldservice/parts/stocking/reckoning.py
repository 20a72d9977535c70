"""Levels and reorder points of what was read, with their reasons as plain values. Pure; run in another process."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fieldservice.parts.levels import calibration, stock
from fieldservice.parts.levels.calibration import LEARNED_BY, RATES, Calibration
from fieldservice.parts.levels.demand import Demand, Floats, Ints
from fieldservice.parts.levels.stock import Shelf
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

    @property
    def months(self) -> int:
        """From the first month of which anything is known."""
        heard = np.flatnonzero((~np.isnan(self.history)).any(axis=0))
        return self.history.shape[1] - int(heard[0]) if heard.size else 0

    def shelf(self, review: float = REVIEW) -> Shelf:
        """For the engine."""
        return Shelf(
            self.history[:, self.history.shape[1] - max(1, self.months) :], self.lead, self.price, review=review,
            classes=self.classes, floor=self.floor, known=self.known,
        )  # fmt: skip


@dataclass(frozen=True)
class Line:
    """What one part at one place came to, before anybody's typed limits."""

    level: int
    reorder_at: int
    explanation: Mapping[str, Any]


def learned(material: Material, ask: float) -> Calibration:
    """The price of money; the usual one, with zero months, while the history is too short to learn it."""
    if material.months <= LEARNED_BY or not len(material.lead):
        middle = float(np.median(material.price)) if len(material.price) else 1.0
        return Calibration(USUAL_RATE / middle, float("nan"), 0, 0)
    return calibration.learned(material.shelf(), ask)


def levelled(material: Material, rate_of_money: float) -> list[Line]:
    """Order up to the level that lasts review + lead time; order when less is there than lasts the lead time and a day.

    A reorder point is at least one piece where anything belongs there.
    """
    shelf = material.shelf()
    demand = stock.demand_of(shelf)
    upto = stock.relevel(shelf, rate_of_money, demand)
    waiting = stock.relevel(replace(shelf, review=DAILY), rate_of_money, demand).level
    reorder = np.minimum(np.maximum(waiting, 1), upto.level)
    moments = np.stack([demand.chance, demand.chance2, demand.size, demand.size2, demand.pieces2], axis=1)
    lines = []
    for at in range(len(upto.level)):
        why = upto.explained(at)
        told: dict[str, Any] = {
            name: round(float(getattr(why, name)), 5) for name in ("rate", "chance", "size", "lead", "expected")
        }
        told |= {"level": why.level, "reorder_at": int(reorder[at]), "reason": why.reason, "known": why.known}
        told["demand"] = [float(f"{one:.6g}") for one in moments[at]]  # moments, as `Demand` names them
        told["ask"] = float(f"{rate_of_money * shelf.price[at]:.6g}")
        lines.append(Line(why.level, int(reorder[at]), told))
    return lines


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
    cycle = Cycle.of(demand, np.array([why["lead"] + REVIEW for _level, why in told]))
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
