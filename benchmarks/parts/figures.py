"""Which figures there are, and which need the car parts, that are read beside the repository and never copied into it.

Car parts: Hyndman, Koehler, Ord and Snyder, *Forecasting with Exponential Smoothing* (2008); the visible half.
"""

import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks import results
from benchmarks.parts import bins, carparts, kits, promises, scale
from benchmarks.parts.promises import Wishes
from benchmarks.results import Measure
from config import ROOT
from fieldservice.parts.demand_files import read
from fieldservice.parts.levels.demand import Floats

DATA = str(ROOT.parent / "shared" / "data")
SHORT = Wishes(tries=20_000)
KEPT = results.LATEST.with_name("parts.json")
ON_CAR_PARTS: dict[str, Callable[[Floats], list[Measure]]] = {
    "lead1": lambda demand: carparts.figures(demand, 1),
    "lead3": lambda demand: carparts.figures(demand, 3),
    "kits": kits.figures,
}
ON_DRAWN: dict[str, Callable[[Wishes], list[Measure]]] = {
    "relevel": lambda _wishes: scale.relevelled(),
    "metric": lambda _wishes: scale.shared(),
    "bins": lambda _wishes: bins.figures(),
    "promises": promises.figures,
    "histories": promises.histories,
}
PARTS = (*ON_CAR_PARTS, *ON_DRAWN)


def figures(data: str = DATA, parts: tuple[str, ...] = PARTS, wishes: Wishes = SHORT) -> list[Measure]:
    """The figures of these parts. Without the car parts, those that need them are left out, and that is said."""
    file = Path(data) / "carparts" / "carparts_visible.csv"
    found: list[Measure] = []
    wanted = [name for name in parts if name in ON_CAR_PARTS]
    if wanted and not file.exists():
        sys.stderr.write(f"NOT MEASURED: {', '.join(wanted)} – {file} is not there; say where with --data FOLDER\n")
    elif wanted:
        demand = read(file).complete
        for name in wanted:
            found += ON_CAR_PARTS[name](demand)
    for name in parts:
        if name in ON_DRAWN:
            found += ON_DRAWN[name](wishes)
    return found
