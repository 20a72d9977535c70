"""Travel times from an OSRM table service, kept once known; straight lines, and word of it, while it is silent."""

import threading
from collections.abc import Sequence
from math import isfinite
from typing import Any

from fieldservice.foundation.places.asking import Service, Unavailable
from fieldservice.foundation.places.points import Point
from fieldservice.foundation.places.travel import StraightLine, TravelProvider

AT_ONCE = 99  # destinations of one question: a table service takes a hundred places by default
MOST_KEPT = 200_000  # pairs; some 30 MB
DIGITS = 4  # decimals of a degree: eleven metres
Pair = tuple[float, float, float, float]


class RoadTable:
    """A `TravelProvider` over OSRM's table service (GET /table/v1/driving/…, durations in seconds)."""

    def __init__(self, url: str, *, fallback: TravelProvider | None = None, timeout: float = 2.5) -> None:
        self.service = Service("road table", url, timeout=timeout)
        self.fallback = fallback or StraightLine()
        self._kept: dict[Pair, float] = {}
        self._lock = threading.Lock()

    @property
    def answering(self) -> bool:
        """Whether times come from roads at present; else from straight lines."""
        return not self.service.resting

    def minutes(self, origin: Point, destinations: Sequence[Point]) -> list[float]:
        """Minutes from the origin to each destination; one question for a hundred unknown ones."""
        wanted = [_pair(origin, one) for one in destinations]
        unknown = {pair: one for pair, one in zip(wanted, destinations, strict=True) if pair not in self._kept}
        pairs = list(unknown)
        for start in range(0, len(pairs), AT_ONCE):
            some = pairs[start : start + AT_ONCE]
            try:
                self._keep(dict(zip(some, self._ask(origin, [unknown[pair] for pair in some]), strict=True)))
            except Unavailable:
                break
        straight = self.fallback.minutes(origin, destinations)
        return [self._kept.get(pair, line) for pair, line in zip(wanted, straight, strict=True)]

    def _ask(self, origin: Point, destinations: Sequence[Point]) -> list[float | None]:
        places = ";".join(f"{one.longitude:.6f},{one.latitude:.6f}" for one in (origin, *destinations))
        answer = self.service.ask(f"/table/v1/driving/{places}?sources=0&annotations=duration")
        try:
            if answer["code"] != "Ok":
                raise ValueError(answer["code"])
            found = answer["durations"][0][1:]
            if len(found) != len(destinations):
                raise ValueError("not a time for each place")
            return [_minutes(seconds) for seconds in found]
        except (KeyError, IndexError, TypeError, ValueError) as error:
            self.service.fail()
            raise Unavailable("the road table answered nonsense") from error

    def _keep(self, found: dict[Pair, float | None]) -> None:
        """A pair without a road (an island) is not kept: the straight line serves it each time."""
        with self._lock:
            if len(self._kept) > MOST_KEPT:
                self._kept.clear()
            self._kept.update({pair: time for pair, time in found.items() if time is not None})


def _pair(one: Point, other: Point) -> Pair:
    return (round(one.latitude, DIGITS), round(one.longitude, DIGITS),
            round(other.latitude, DIGITS), round(other.longitude, DIGITS))  # fmt: skip


def _minutes(seconds: Any) -> float | None:
    if seconds is None:
        return None
    value = float(seconds) / 60
    if not isfinite(value) or value < 0:
        raise ValueError(seconds)
    return value
