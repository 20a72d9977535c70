"""What becomes of everybody else when one plan takes the place of another: who moves, who waits, which promises."""

from collections.abc import Iterator
from dataclasses import dataclass

from fieldservice.dispatch.planning.checker import Checked
from fieldservice.dispatch.planning.model import Job, Placement, Problem

Standing = dict[int, dict[int, int]]  # job → day → start


@dataclass(frozen=True)
class Moved:
    """A job that goes to another technician-day."""

    job: int
    before: Placement
    after: Placement
    to_somebody_else: bool


@dataclass(frozen=True)
class Later:
    """A job that stays on its day and begins so many seconds later."""

    job: int
    day: int
    seconds: int


@dataclass(frozen=True)
class Touched:
    """A promise ('due': to begin, 'restore_due': to end) that is broken by more seconds than before."""

    job: int
    promise: str
    before: int  # seconds late; 0 where it was kept, or the job stood nowhere
    after: int

    @property
    def newly_broken(self) -> bool:
        """Whether it would have been kept."""
        return not self.before


@dataclass(frozen=True)
class Consequences:
    """Everything that changes for jobs that stood before, and for all promises."""

    moved: tuple[Moved, ...]
    left_out: tuple[int, ...]  # stood before, and stand nowhere now
    later: tuple[Later, ...]
    promises: tuple[Touched, ...]
    travel: int  # seconds more

    @property
    def changed_technician(self) -> int:
        """How many placements go to somebody else."""
        return sum(one.to_somebody_else for one in self.moved)


def compare(problem: Problem, before: Checked, after: Checked) -> Consequences:
    """What changes from one plan of the problem to another. Only days whose times differ are looked at."""
    pairs = zip(before.routes, after.routes, strict=True)
    changed = [day for day, (old, new) in enumerate(pairs) if old is not new]
    old, new = _standing(before, changed), _standing(after, changed)
    jobs = sorted(old.keys() | new.keys())
    return Consequences(
        moved=tuple(one for job in jobs for one in _moves(problem, job, old.get(job, {}), new.get(job, {}))),
        left_out=tuple(sorted(set(after.unserved) - set(before.unserved))),
        later=tuple(
            Later(job, day, start - old[job][day])
            for job in jobs
            for day, start in new.get(job, {}).items()
            if start > old.get(job, {}).get(day, start)
        ),
        promises=tuple(one for job in jobs for one in _touched(problem, job, old.get(job, {}), new.get(job, {}))),
        travel=sum(_travel(after, day) - _travel(before, day) for day in changed),
    )


def _standing(checked: Checked, days: list[int]) -> Standing:
    found: Standing = {}
    for day in days:
        timed = checked.routes[day]
        for job, start in zip(checked.plan.routes[day], timed.starts if timed is not None else ()):
            found.setdefault(job, {})[day] = start
    return found


def _moves(problem: Problem, job: int, old: dict[int, int], new: dict[int, int]) -> Iterator[Moved]:
    """One for each day that the job leaves for another one."""
    for gone, come in zip(sorted(old.keys() - new.keys()), sorted(new.keys() - old.keys())):
        other = problem.days[gone].technician != problem.days[come].technician
        yield Moved(job, Placement(gone, old[gone]), Placement(come, new[come]), other)


def _touched(problem: Problem, job: int, old: dict[int, int], new: dict[int, int]) -> Iterator[Touched]:
    """Promises of a job that stands."""
    wanted = problem.jobs[job]
    for promise in ("due", "restore_due"):
        after = max((_late(wanted, promise, start) for start in new.values()), default=0)
        before = max((_late(wanted, promise, start) for start in old.values()), default=0)
        if after > before:
            yield Touched(job, promise, before, after)


def _late(job: Job, promise: str, start: int) -> int:
    limit, moment = (job.due, start) if promise == "due" else (job.restore_due, start + job.seconds)
    return 0 if limit is None else max(0, moment - limit)


def _travel(checked: Checked, day: int) -> int:
    timed = checked.routes[day]
    return 0 if timed is None else sum(timed.legs)
