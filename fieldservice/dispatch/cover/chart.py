"""The coming two weeks as a chart: work to be expected as bars with their spread, capacity as a line. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from fieldservice.dispatch.cover.forecast import Forecast
from fieldservice.foundation.scales import Scale, Tick, axis_of

WIDTH, HEIGHT = 720, 220
LEFT, RIGHT, TOP, BOTTOM = 44, 12, 10, 38
BAR = 0.56  # of a day's room


@dataclass(frozen=True)
class Column:
    """A day: a bar of expected hours with its spread, and the step of the capacity line."""

    day: date
    hours: float
    spread: float
    capacity: float
    x: float
    width: float
    y: float
    height: float
    low: float  # ends of the spread
    high: float
    short: bool  # more is to be expected than there is time for

    @property
    def middle(self) -> float:
        return self.x + self.width / 2


@dataclass(frozen=True)
class DemandChart:
    """Places in an SVG of `width` × `height`."""

    columns: list[Column]
    ticks_y: list[Tick]
    path: str  # capacity, as steps
    width: int = WIDTH
    height: int = HEIGHT


def demand_chart(days: Sequence[date], expected: Forecast, capacity: Callable[[date], float]) -> DemandChart:
    """`capacity` gives the hours there are on a day."""
    demands = [(day, expected.weekdays[day.weekday()], capacity(day)) for day in days]
    values = [max(demand.hours + demand.spread, there) for _day, demand, there in demands]
    low, high, steps = axis_of([0.0, *values])
    up = Scale(low, high, HEIGHT - BOTTOM, TOP)
    room = (WIDTH - LEFT - RIGHT) / max(1, len(days))
    columns: list[Column] = []
    path: list[str] = []
    for number, (day, demand, there) in enumerate(demands):
        left = LEFT + room * number
        top = up(demand.hours)
        columns.append(
            Column(
                day, demand.hours, demand.spread, there, left + room * (1 - BAR) / 2, room * BAR, top,
                HEIGHT - BOTTOM - top, up(max(0.0, demand.hours - demand.spread)), up(demand.hours + demand.spread),
                demand.hours > there,
            )
        )  # fmt: skip
        path.append(f"{'L' if path else 'M'}{left:.1f} {up(there):.1f}H{left + room:.1f}")
    return DemandChart(columns, [Tick(up(step), f"{step:g}") for step in steps], "".join(path))
