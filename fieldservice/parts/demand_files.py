"""Files of past demand: one line for each part, its number first, then one column for each month, the oldest first."""

from dataclasses import dataclass
from math import isfinite, nan
from pathlib import Path
from typing import Any

import numpy as np
from flask_babel import lazy_gettext as _l

from fieldservice.foundation.errors import Invalid
from fieldservice.mechanisms.records.tables import Row, open_table
from fieldservice.parts.levels.demand import Floats

MOST_PARTS, MOST_AMOUNT = 20_000, 1_000_000  # a backtest of so many takes half a gigabyte
MOST_TOLD = 10  # lines that are told of


@dataclass(frozen=True, eq=False)
class DemandFile:
    """What a file holds."""

    parts: tuple[str, ...]
    months: tuple[str, ...]  # as the header names them
    amounts: Floats  # (parts, months), NaN where the cell is empty: unknown, not zero

    @property
    def complete(self) -> Floats:
        """Amounts of the parts all of whose months are known."""
        return self.amounts[~np.isnan(self.amounts).any(axis=1)]


def read(path: Path) -> DemandFile:
    """Read a CSV or XLSX file of part × month. Raises Invalid, with the lines to be corrected."""
    with open_table(path) as table:
        if len(table.header) < 2:
            raise Invalid({"file": [_l("Give one column for the part and one for each month, with a header line.")]})
        parts: dict[str, list[float]] = {}
        faults: list[Any] = []
        for row in table.rows:
            fault = _fault(row, len(table.header), parts)
            if fault is None:
                parts[row.cells[0]] = [_amount(cell) for cell in row.cells[1:]]
            else:
                faults.append(_l("Line %(line)s: %(fault)s", line=row.line, fault=fault))
            if len(faults) == MOST_TOLD:
                break
            if len(parts) > MOST_PARTS:
                text = _l("There are more than %(most)s parts. Split the file.", most=MOST_PARTS)
                raise Invalid({"file": [text]})
    if faults:
        raise Invalid({"file": faults})
    if not parts:
        raise Invalid({"file": [_l("The file has no parts. Give one line for each part below the header.")]})
    return DemandFile(tuple(parts), tuple(table.header[1:]), np.array(list(parts.values()), dtype=np.float64))


def _fault(row: Row, width: int, parts: dict[str, list[float]]) -> Any:
    """What is wrong with a line, or None."""
    if row.broken or len(row.cells) != width:
        return _l("it does not have as many cells as the header.")
    if not row.cells[0]:
        return _l("the part's number is missing.")
    if row.cells[0] in parts:
        return _l("part %(part)s stands in the file twice.", part=row.cells[0][:40])
    for cell in row.cells[1:]:
        amount = _amount(cell)
        if cell and not (isfinite(amount) and 0 <= amount <= MOST_AMOUNT):
            return _l(
                "“%(cell)s” is no amount. Write a number from 0 to %(most)s, and nothing where it is not known.",
                cell=cell[:20], most=MOST_AMOUNT,
            )  # fmt: skip
    return None


def _amount(cell: str) -> float:
    """A cell as a number; NaN where it is none."""
    try:
        return float(cell) if cell else nan
    except ValueError:
        return nan
