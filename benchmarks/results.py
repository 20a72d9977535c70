"""What was measured, as the JSON that the contract names and as a table for people."""

import json
import os
import platform
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

LATEST = Path(__file__).parent / "results" / "latest.json"


@dataclass(frozen=True)
class Measure:
    """One figure, beside a baseline measured in the same run."""

    name: str
    value: float
    unit: str
    better: Literal["lower", "higher"]
    baseline: float | None = None
    baseline_name: str = ""
    target: float | None = None

    @property
    def ratio(self) -> float | None:
        """How the value stands to its baseline."""
        return round(self.value / self.baseline, 3) if self.baseline else None

    @property
    def met(self) -> bool | None:
        """Whether the target is met, where there is one."""
        if self.target is None:
            return None
        return self.value <= self.target if self.better == "lower" else self.value >= self.target


def write(measures: list[Measure], path: Path = LATEST, keep_others: bool = False) -> None:
    """Keep the figures; the machine they were taken on is the first entry. With `keep_others`, figures of other names
    that are in the file already stay."""
    machine = {
        "name": "machine", "value": os.cpu_count(),
        "unit": f"cores, {platform.machine()}, Python {platform.python_version()}",
        "better": "higher", "baseline": None, "baseline_name": "", "ratio": None,
    }  # fmt: skip
    rows = [{**asdict(one), "value": round(one.value, 3), "ratio": one.ratio} for one in measures]
    if keep_others and path.exists():
        known = {"machine", *(one.name for one in measures)}
        rows = [row for row in json.loads(path.read_text(encoding="utf-8")) if row["name"] not in known] + rows
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps([machine, *rows], ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def show(measures: list[Measure]) -> None:
    """A table on the screen."""
    width = max(len(one.name) for one in measures)
    for one in measures:
        baseline = f"{one.ratio:>7.2f} × {one.baseline_name}" if one.ratio is not None else ""
        target = "" if one.target is None else f"  target {one.target:g}: {'met' if one.met else 'MISSED'}"
        sys.stdout.write(f"{one.name:<{width}}  {one.value:>10.1f} {one.unit:<10} {baseline}{target}\n")
