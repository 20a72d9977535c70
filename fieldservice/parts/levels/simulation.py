"""A shelf month by month: what levels would have done with demand as it was.

At the beginning of a month every part is ordered up to its level (on the shelf + ordered − owed); what was ordered
`lead` months before arrives, and what is owed is handed out first. Then the month's demand comes. Its *line* is
filled when all of it lies on the shelf; what does not is owed and handed out as soon as it arrives. A shelf begins
with its first levels on it and nothing ordered. Stock is the mean of what lies there after arrivals and at the end of
the month.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fieldservice.parts.levels.demand import Floats, Ints


@dataclass(frozen=True, eq=False)
class Kept:
    """What happened, month by month. All (months,)."""

    filled: Ints  # lines
    lines: Ints
    stock: Floats  # money on the shelf

    def share(self, months: slice = slice(None)) -> float:
        """Lines filled ÷ lines; 1 where nobody asked for anything."""
        asked = int(self.lines[months].sum())
        return float(self.filled[months].sum() / asked) if asked else 1.0


def filled(
    levels: NDArray[np.floating], demand: Floats, lead: Ints, price: Floats | None = None
) -> tuple[NDArray[np.bool_], Floats]:
    """Keep levels of (parts, months) against demand of the same shape; `lead` in whole months, by part.

    Tells whether all that was asked lay there, (parts, months), and the money on the shelf, (months,).
    """
    parts, months = demand.shape
    price = np.ones(parts) if price is None else price
    net, every = levels[:, 0].astype(np.float64), np.arange(parts)  # on the shelf − owed
    coming = np.zeros((parts, int(lead.max(initial=0)) + 1))  # [:, k] arrives in k months
    served, stock = np.empty((parts, months), dtype=np.bool_), np.empty(months)
    for month in range(months):
        coming[every, lead] += np.maximum(levels[:, month] - net - coming.sum(axis=1), 0.0)
        net = net + coming[:, 0]
        coming = np.concatenate([coming[:, 1:], np.zeros((parts, 1))], axis=1)
        there = np.maximum(net, 0.0)
        served[:, month] = there >= demand[:, month]
        net = net - demand[:, month]
        stock[month] = ((there + np.maximum(net, 0.0)) / 2.0 * price).sum()
    return served, stock


def kept(levels: NDArray[np.floating], demand: Floats, lead: Ints, price: Floats | None = None) -> Kept:
    """The same, counted in lines."""
    served, stock = filled(levels, demand, lead, price)
    asked = demand > 0
    return Kept((served & asked).sum(axis=0), asked.sum(axis=0), stock)
