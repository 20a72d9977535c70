"""A customer's stock drawn by day: what lay there, what was used, when it was refilled. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

WIDTH, HEIGHT, LEFT, BOTTOM = 720, 220, 44, 24  # of the picture, and what its axes take
USE_SHARE = 0.35  # bars of use reach so high at most


@dataclass(frozen=True)
class Seen:
    """What was read on a day."""

    day: date
    stock: float
    used: float


@dataclass(frozen=True)
class Mark:
    """Something at a place of the picture, with its text."""

    x: float
    y: float
    text: str


@dataclass(frozen=True)
class Chart:
    """Places of everything, in the picture's own units."""

    line: str = ""  # points of the stock
    bars: Sequence[tuple[float, float, float, float]] = field(default=())  # x, y, width, height
    refills: Sequence[Mark] = field(default=())
    reorder_y: float | None = None
    ticks: Sequence[Mark] = field(default=())  # of the upright axis
    days: Sequence[Mark] = field(default=())


def draw(seen: Sequence[Seen], refills: Sequence[tuple[date, float]], reorder_at: float) -> Chart:
    """Refills are marked on their days; a stock that was never read draws nothing."""
    if not seen:
        return Chart()
    first = min(seen[0].day, min((day for day, _much in refills), default=seen[0].day))
    last = max(seen[-1].day, max((day for day, _much in refills), default=seen[-1].day))
    span = max(1, (last - first).days)
    top = _round_up(max([one.stock for one in seen] + [reorder_at, 1.0]))
    most_used = max((one.used for one in seen), default=0.0) or 1.0

    def x(day: date) -> float:
        return round(LEFT + (WIDTH - LEFT - 8) * (day - first).days / span, 1)

    def y(value: float) -> float:
        return round((HEIGHT - BOTTOM) * (1 - min(value, top) / top), 1)

    floor, wide = HEIGHT - BOTTOM, round(max(2.0, (WIDTH - LEFT) / span * 0.6), 1)
    bars = [
        (round(x(one.day) - wide / 2, 1), round(floor - high, 1), wide, high)
        for one in seen
        if (high := round(USE_SHARE * floor * one.used / most_used, 1)) > 0
    ]
    return Chart(
        line=" ".join(f"{x(one.day)},{y(one.stock)}" for one in seen), bars=bars,
        refills=[Mark(x(day), y(0), f"+{much:g}") for day, much in refills if first <= day <= last],
        reorder_y=y(reorder_at), ticks=[Mark(LEFT - 6, y(top * share), f"{top * share:g}") for share in (0, 0.5, 1)],
        days=[Mark(x(day), HEIGHT - 6, day.isoformat()) for day in sorted({first, last})],
    )  # fmt: skip


def _round_up(value: float) -> float:
    """The next number that reads well: 1, 2 or 5 with zeros."""
    size = 1.0
    while size * 10 <= value:
        size *= 10
    return next(size * step for step in (1, 2, 4, 6, 8, 10, 20) if size * step >= value)
