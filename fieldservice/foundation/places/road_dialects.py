"""How road services are asked for a table of driving times, and where the seconds stand in their answers.

Sources: OSRM's HTTP API, "Table service"; Valhalla's "Time-Distance Matrix service API reference".
"""

from collections.abc import Sequence
from math import inf
from typing import Any, NamedTuple, Protocol

from fieldservice.foundation.places.points import Point


class Question(NamedTuple):
    """What `asking.Service.ask` takes."""

    path: str
    body: Any = None  # JSON of a POST; None for a GET


class Dialect(Protocol):
    """A road service's way of speaking."""

    reach_km: float  # straight kilometres past which the service refuses a whole question

    def question(self, sources: Sequence[Point], destinations: Sequence[Point]) -> Question:
        """Asks for the way by car from each source to each destination."""
        ...

    def seconds(self, answer: Any) -> Any:
        """A row for each source, in it a number, or None without a road, for each destination.

        What is there is not checked. Raises KeyError, IndexError, TypeError or ValueError where it is missing.
        """
        ...


class Osrm:
    """GET /table/v1/driving/{longitude,latitude;…}: all places in one list, and which of them are which."""

    reach_km = inf

    def question(self, sources: Sequence[Point], destinations: Sequence[Point]) -> Question:
        places = ";".join(f"{one.longitude:.6f},{one.latitude:.6f}" for one in (*sources, *destinations))
        first, last = len(sources), len(sources) + len(destinations)
        roles = f"sources={_numbers(0, first)}&destinations={_numbers(first, last)}"
        return Question(f"/table/v1/driving/{places}?{roles}&annotations=duration")

    def seconds(self, answer: Any) -> Any:
        if answer["code"] != "Ok":
            raise ValueError(answer["code"])
        return answer["durations"]


class Valhalla:
    """POST /sources_to_targets, with a small object for each pair in answer."""

    # Its ready-made limit for cars is 400 km (service_limits.auto.max_matrix_distance), on an Earth a little
    # different from ours; one pair beyond it spoils the question.
    reach_km = 395.0

    def question(self, sources: Sequence[Point], destinations: Sequence[Point]) -> Question:
        facts = {"sources": _places(sources), "targets": _places(destinations), "costing": "auto"}
        return Question("/sources_to_targets", facts)

    def seconds(self, answer: Any) -> Any:
        return [[pair["time"] for pair in row] for row in answer["sources_to_targets"]]


DIALECTS: dict[str, Dialect] = {"osrm": Osrm(), "valhalla": Valhalla()}  # by FIELDSERVICE_TRAVEL


def _numbers(start: int, end: int) -> str:
    return ";".join(str(number) for number in range(start, end))


def _places(points: Sequence[Point]) -> list[dict[str, float]]:
    return [{"lat": round(one.latitude, 6), "lon": round(one.longitude, 6)} for one in points]
