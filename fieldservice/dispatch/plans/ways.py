"""Places of a plan by number, and how long the ways between them take. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from math import ceil
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fieldservice.foundation.places import Point, TravelProvider
from fieldservice.foundation.places.slow_areas import SlowArea, slowed_by
from fieldservice.workorders.collecting import HANDING_OVER


class OverStore(NamedTuple):
    """The place of a job that is done by way of a store: one gets there over the store, and leaves from the job."""

    job: str
    store: Point
    site: Point


@dataclass
class Places:
    """Points by number, each once; a job over a store has a number of its own."""

    numbers: dict[Point | OverStore, int] = field(default_factory=dict)

    def number(self, place: Point | OverStore) -> int:
        """Of a place, known or new."""
        if isinstance(place, OverStore):
            self.number(place.store)
        return self.numbers.setdefault(place, len(self.numbers))

    def minutes(self, provider: TravelProvider, areas: Sequence[SlowArea]) -> NDArray[np.float64]:
        """Minutes of the ways between all of them. A plan knows one time for each way, so an area slows it all along.
        Booking asks for the time of each drive, which is never more: what is planned can be applied."""
        points = [place.site if isinstance(place, OverStore) else place for place in self.numbers]
        if not points:
            return np.zeros((0, 0))
        ordinary = provider.matrix(points, points)
        return self._over_stores(slowed_by(ordinary, points, points, areas) if areas else ordinary)

    def _over_stores(self, minutes: NDArray[np.float64]) -> NDArray[np.float64]:
        """The same with the ways over stores: to the store, ten minutes there, and on to the job."""
        over = {number: place for place, number in self.numbers.items() if isinstance(place, OverStore)}
        if not over:
            return minutes
        found, stop = minutes.copy(), HANDING_OVER / timedelta(minutes=1)
        for number, place in over.items():
            store = self.numbers[place.store]
            found[:, number] = np.ceil(minutes[:, store]) + stop + ceil(minutes[store, number])
            found[number, number] = 0.0
        return found
