"""What is to be planned and what a plan is: one neutral model for every solver, for the checker and for the reasons.

Times are whole seconds since an origin that the caller chose; places are numbers that the travel object knows;
jobs and technician-days are named by their index. Hard rules are data here (start windows, the eligibility table,
shifts, breaks, crews, links); goals are weights (`objectives.py`).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from fieldservice.dispatch.planning.objectives import Goals
from fieldservice.foundation.places.course import Course

Seconds = NDArray[np.int32]
Table = NDArray[np.bool_]
Places = Sequence[int] | NDArray[np.intp]  # by their numbers
Routes = Sequence[Sequence[int]]  # by technician-day: its jobs in order


class Window(NamedTuple):
    """[start, end], both included: a moment may lie in it."""

    start: int
    end: int


class Break(NamedTuple):
    """A pause that begins within [earliest, latest]; travel may be interrupted for it, work may not."""

    earliest: int
    latest: int
    seconds: int

    @property
    def nominal(self) -> int:
        """When it is usually taken; solvers without breaks leave this time out of the clock."""
        return (self.earliest + self.latest) // 2


class Placement(NamedTuple):
    """A job on a technician-day, beginning then."""

    day: int
    start: int


@dataclass(frozen=True, slots=True)
class Job:
    """Work at a place. `starts` are the moments at which it may begin: promised windows, access hours and release met,
    in order and apart (`allowed_starts`, `joined`).

    A job that is not `pinned` may be moved or left out; `held` says where it stands at present (one placement for
    each member of the crew). Being later than `due` (begin) or `restore_due` (end) is allowed and costs.
    """

    key: str
    place: int
    seconds: int
    starts: tuple[Window, ...]
    weight: float = 1.0
    due: int | None = None
    restore_due: int | None = None
    station: int = 0
    crew: int = 1
    prefers: frozenset[int] = frozenset()  # technicians; anybody else costs
    held: tuple[Placement, ...] = ()
    pinned: bool = False
    after: tuple[int, ...] = ()  # jobs that must have ended before
    same_as: int | None = None  # the job whose technician does this one too
    needs: tuple[tuple[str, float], ...] = ()  # (part, quantity)
    in_vans: Mapping[tuple[int, str], float] = field(default_factory=dict)  # (technician, part) → held for it there

    def wants(self, technician: int) -> Iterator[tuple[str, float]]:
        """(part, quantity) beyond what that technician carries for this very job."""
        for part, quantity in self.needs:
            yield part, max(0.0, quantity - self.in_vans.get((technician, part), 0.0))


@dataclass(frozen=True, slots=True)
class Day:
    """One technician on one shift (or the part of it between two absences), ready at `start_place` from `start` on.

    With `end_place` the way there is travelled at the end; it counts, and it must end with the shift unless
    `home_after` says that it is own time. `overtime` is how much longer the shift may get.
    """

    key: str
    technician: int
    start: int
    end: int
    start_place: int
    end_place: int | None = None
    home_after: bool = True
    station: int = 0
    breaks: tuple[Break, ...] = ()
    overtime: int = 0
    pace: float = 1.0  # travel seconds are multiplied by it
    dearer: float = 0.0  # what a second of this technician's work and travel costs above the cheapest
    van: Mapping[str, float] = field(default_factory=dict)  # part → quantity
    store_place: int | None = None  # where parts are collected
    collect: int = 600  # seconds that collecting takes

    def __post_init__(self) -> None:
        if self.end < self.start or self.overtime < 0 or self.pace <= 0:
            raise ValueError(f"{self.key}: a shift ends after it began, and people move")
        if not all(self.start <= one.earliest <= one.latest <= self.end - one.seconds for one in self.breaks):
            raise ValueError(f"{self.key}: a break lies within its shift")

    @property
    def latest(self) -> int:
        """When the shift ends at the latest, overtime included."""
        return self.end + self.overtime


class Travel(Protocol):
    """Travel seconds between places, by car at an ordinary hour, without anybody's pace."""

    def block(self, origins: Places, destinations: Places) -> Seconds:
        """Seconds, shape (origins, destinations)."""
        ...

    def along(self, places: Sequence[int]) -> list[int]:
        """Seconds from each place to the next one: one number less than places."""
        ...


@dataclass(frozen=True, eq=False)
class Matrix:
    """Travel known beforehand."""

    seconds: Seconds

    def block(self, origins: Places, destinations: Places) -> Seconds:
        return self.seconds[np.ix_(np.asarray(origins, dtype=np.intp), np.asarray(destinations, dtype=np.intp))]

    def along(self, places: Sequence[int]) -> list[int]:
        found: list[int] = self.seconds[list(places[:-1]), list(places[1:])].tolist()
        return found


@dataclass(frozen=True, eq=False)
class Problem:
    """Everything a plan is made of and measured by.

    `eligible[job, day]` is the eligibility table of the rules that no other hour of that day would help
    (`people.table`). `lying` is what lies in each station's store: (station, part) → quantity; `coming` is what will
    lie there beyond that: (station, part) → (from when, quantity). Each day collects at its beginning.

    With `hours` a drive takes as long as they say from the moment it begins, up to whole minutes: moments should be
    whole minutes then. Without, every hour is an ordinary one.
    """

    jobs: tuple[Job, ...]
    days: tuple[Day, ...]
    travel: Travel
    eligible: Table
    goals: Goals = field(default_factory=Goals)
    lying: Mapping[tuple[int, str], float] = field(default_factory=dict)
    hours: Course | None = None
    coming: Mapping[tuple[int, str], tuple[tuple[int, float], ...]] = field(default_factory=dict)

    def there_by(self, station: int, part: str, second: int) -> float:
        """How much of a part a station's store will have had until then."""
        later = sum(quantity for since, quantity in self.coming.get((station, part), ()) if since <= second)
        return self.lying.get((station, part), 0.0) + later

    def __post_init__(self) -> None:
        if self.eligible.shape != (len(self.jobs), len(self.days)):
            raise ValueError("the eligibility table needs a row for each job and a column for each technician-day")


@dataclass(frozen=True)
class Plan:
    """Jobs in order on every technician-day. A job with a crew stands on as many days.

    Every job begins as early as it can, but for those that were `agreed` to begin at a moment: a crew meets then, and
    a job that waits for another knows when that has ended.
    """

    routes: tuple[tuple[int, ...], ...]
    agreed: Mapping[int, int] = field(default_factory=dict)

    @classmethod
    def of(cls, routes: Routes, agreed: Mapping[int, int] | None = None) -> "Plan":
        return cls(tuple(tuple(route) for route in routes), dict(agreed or {}))

    def unserved(self, problem: Problem) -> list[int]:
        """Jobs on no day."""
        served = {job for route in self.routes for job in route}
        return [job for job in range(len(problem.jobs)) if job not in served]


def linked(problem: Problem) -> frozenset[int]:
    """Jobs whose start is agreed on: crews, jobs that wait for another, and those they wait for."""
    found: set[int] = set()
    for index, job in enumerate(problem.jobs):
        before = (*job.after, *(() if job.same_as is None else (job.same_as,)))
        if before or job.crew > 1:
            found |= {index, *before}
    return frozenset(found)


def held_plan(problem: Problem) -> Plan:
    """What stands at present and may stand: the held placements, by their time."""
    routes: list[list[tuple[int, int]]] = [[] for _day in problem.days]
    together = linked(problem)
    agreed: dict[int, int] = {}
    for index, job in enumerate(problem.jobs):
        allowed = job.pinned or all(
            problem.eligible[index, held.day] and any(one.start <= held.start <= one.end for one in job.starts)
            for held in job.held
        )
        if not allowed or len(job.held) != job.crew:
            continue
        for placement in job.held:
            routes[placement.day].append((placement.start, index))
        if index in together and not job.pinned:
            agreed[index] = job.held[0].start
    return Plan.of([[index for _start, index in sorted(route)] for route in routes], agreed)


def allowed_starts(
    seconds: int, windows: Sequence[Window], access: Sequence[Window] = (), release: int = 0, until: int | None = None
) -> tuple[Window, ...]:
    """When work of this length may begin: in one of the windows, wholly within one of the access hours (where there
    are any), not before its release and not after `until`."""
    inside = [Window(hours.start, hours.end - seconds) for hours in access] if access else [Window(release, 2**31 - 1)]
    limit = 2**31 - 1 if until is None else until
    found = (
        Window(max(window.start, hours.start, release), min(window.end, hours.end, limit))
        for window in windows
        for hours in inside
    )
    return joined(one for one in found if one.start <= one.end)


def joined(windows: Iterable[Window]) -> tuple[Window, ...]:
    """Windows in order, those that touch made one."""
    found: list[Window] = []
    for one in sorted(windows):
        if found and one.start <= found[-1].end:
            found[-1] = Window(found[-1].start, max(found[-1].end, one.end))
        else:
            found.append(one)
    return tuple(found)
