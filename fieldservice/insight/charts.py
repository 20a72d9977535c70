"""Charts as coordinates: pure functions from numbers to places in an SVG (templates draw them)."""

from collections.abc import Sequence
from dataclasses import dataclass

from fieldservice.foundation.scales import Scale, Tick, axis_of

WIDTH, HEIGHT = 560, 220
LEFT, RIGHT, TOP, BOTTOM = 44, 60, 10, 24
ROW, NAME = 26, 180


MOST_DOTS = 30  # more than that nobody compares by eye


@dataclass(frozen=True)
class Dot:
    """A value in its place; `out` marks what falls away from the rest."""

    x: float
    y: float
    label: str
    text: str
    out: bool = False


@dataclass(frozen=True)
class LineChart:
    """A series over time with its reference line."""

    path: str
    dots: list[Dot]
    ticks_y: list[Tick]
    ticks_x: list[Tick]
    reference: float | None
    height: int = HEIGHT


@dataclass(frozen=True)
class DotChart:
    """One row a station, in order of value, with the range of usual values behind."""

    dots: list[Dot]
    ticks_x: list[Tick]
    reference: float | None
    height: int
    better: int = 0  # how many that do better are not drawn


def line(
    labels: Sequence[str], values: Sequence[float | None], texts: Sequence[str], target: float | None
) -> LineChart:
    """A line over equal steps; a missing value leaves a gap, never a zero."""
    low, high, steps = axis_of([value for value in (*values, target) if value is not None])
    across = Scale(0, max(1, len(values) - 1), LEFT, WIDTH - RIGHT)
    up = Scale(low, high, HEIGHT - BOTTOM, TOP)
    placed = [None if value is None else (across(index), up(value)) for index, value in enumerate(values)]
    every = max(1, -(-len(labels) // 7))
    return LineChart(
        path=_path(placed),
        dots=[Dot(*place, labels[index], texts[index]) for index, place in enumerate(placed) if place],
        ticks_y=[Tick(up(step), f"{step:g}") for step in steps],
        ticks_x=[Tick(across(index), label) for index, label in enumerate(labels) if index % every == 0],
        reference=None if target is None else up(target),
    )


def dots(rows: Sequence[tuple[str, float, str]], target: float | None, better: str) -> DotChart:
    """Rows (label, value, text) from best to worst; those that miss the target are marked. Of very many the worst."""
    ordered = sorted(rows, key=lambda row: row[1], reverse=better == "higher")[-MOST_DOTS:]
    low, high, steps = axis_of([value for value in (*(row[1] for row in ordered), target) if value is not None])
    across = Scale(low, high, NAME, WIDTH - RIGHT)
    placed = [
        Dot(across(value), TOP + ROW * (index + 0.5), label, text, _misses(value, target, better))
        for index, (label, value, text) in enumerate(ordered)
    ]
    return DotChart(
        dots=placed,
        ticks_x=[Tick(across(step), f"{step:g}") for step in steps],
        reference=None if target is None else across(target),
        height=TOP + ROW * len(ordered) + BOTTOM,
        better=len(rows) - len(ordered),
    )


def _path(places: Sequence[tuple[float, float] | None]) -> str:
    """The pen goes from place to place, and is lifted where one is missing."""
    parts, pen = [], "M"
    for place in places:
        if place:
            parts.append(f"{pen}{place[0]:.1f} {place[1]:.1f}")
        pen = "L" if place else "M"
    return " ".join(parts)


def _misses(value: float, target: float | None, better: str) -> bool:
    if target is None:
        return False
    return value < target if better == "higher" else value > target
