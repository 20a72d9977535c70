"""Charts as coordinates: pure functions from numbers to places in an SVG of 560 × 240 (templates draw them)."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 560, 220
LEFT, RIGHT, TOP, BOTTOM = 44, 60, 10, 24
ROW, NAME = 26, 132


@dataclass(frozen=True)
class Tick:
    """A place on an axis with its text."""

    at: float
    text: str


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


def line(labels: Sequence[str], values: Sequence[float | None], texts: Sequence[str], target: float | None) -> LineChart:
    """A line over equal steps; a missing value leaves a gap, never a zero."""
    low, high, steps = _axis([value for value in values if value is not None] + ([target] if target is not None else []))
    x = lambda index: LEFT + (WIDTH - LEFT - RIGHT) * (index / max(1, len(values) - 1))  # noqa: E731 - two small scales
    y = lambda value: HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (value - low) / (high - low)  # noqa: E731 - see above
    path, pen, dots = [], "M", []
    for index, value in enumerate(values):
        if value is None:
            pen = "M"
            continue
        path.append(f"{pen}{x(index):.1f} {y(value):.1f}")
        dots.append(Dot(x(index), y(value), labels[index], texts[index]))
        pen = "L"
    every = max(1, -(-len(labels) // 7))
    return LineChart(
        " ".join(path),
        dots,
        [Tick(y(step), f"{step:g}") for step in steps],
        [Tick(x(index), label) for index, label in enumerate(labels) if index % every == 0],
        y(target) if target is not None else None,
    )


def dots(rows: Sequence[tuple[str, float, str]], target: float | None, better: str) -> DotChart:
    """Rows (label, value, text) from best to worst; those that miss the target by more than the rest are hollow."""
    ordered = sorted(rows, key=lambda row: row[1], reverse=better == "higher")
    low, high, steps = _axis([value for _label, value, _text in ordered] + ([target] if target is not None else []))
    x = lambda value: NAME + (WIDTH - NAME - RIGHT) * (value - low) / (high - low)  # noqa: E731 - a small scale
    missed = lambda value: target is not None and (value < target if better == "higher" else value > target)  # noqa: E731 - see above
    placed = [Dot(x(value), TOP + ROW * (index + 0.5), label, text, missed(value)) for index, (label, value, text) in enumerate(ordered)]
    return DotChart(
        placed,
        [Tick(x(step), f"{step:g}") for step in steps],
        x(target) if target is not None else None,
        TOP + ROW * len(ordered) + BOTTOM,
    )


def _axis(values: Sequence[float]) -> tuple[float, float, list[float]]:
    """A range with round steps around the values."""
    if not values:
        return 0.0, 1.0, [0.0, 1.0]
    low, high = min(values), max(values)
    span = (high - low) or max(abs(high), 1) * 0.2
    step = next(size for size in _STEPS if span / size <= 5)
    first, last = int(low // step), -int(-high // step)
    if first == last:
        last += 1
    return first * step, last * step, [index * step for index in range(first, last + 1)]


_STEPS = [size * scale for scale in (0.1, 1, 10, 100, 1000, 10_000, 100_000) for size in (1, 2, 5)]
