"""Numbers of the fast path: the same series as `foundation.numbers`, counted in memory."""

from dataclasses import dataclass, field
from datetime import datetime

from fieldservice.demo.rows import Rows
from fieldservice.foundation.numbers import NumberSeries
from fieldservice.foundation.time import local


@dataclass
class Numbering:
    """Gives numbers in an empty database, and leaves the series where the services go on."""

    last: dict[tuple[str, int], int] = field(default_factory=dict)

    def next(self, series: str, at: datetime) -> str:
        year = local(at).year
        number = self.last[series, year] = self.last.get((series, year), 0) + 1
        return f"{series}-{year}-{number:06d}"

    def close(self, rows: Rows) -> None:
        for (series, year), last in self.last.items():
            rows.add(NumberSeries, series=series, year=year, last=last)
