"""One method on one day, in a process of its own: its score over CPU time, and the most memory it took."""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from os import times

from benchmarks.memory import peak_mb
from benchmarks.planning.instances import service_day
from fieldservice.dispatch.planning import by_pyvrp, by_vroom
from fieldservice.dispatch.planning.checker import Checked, check
from fieldservice.dispatch.planning.methods import Effort, Enough, Progress, plan
from fieldservice.dispatch.planning.model import Plan, Problem
from fieldservice.dispatch.planning.piece import Piece, cut
from fieldservice.dispatch.planning.state import State

VROOM_LEVELS = 6
Orders = list[list[int]]


def cpu() -> float:
    """CPU seconds of this process, all its threads, and the children that have ended."""
    used = times()
    return used.user + used.system + used.children_user + used.children_system


@dataclass(frozen=True)
class Size:
    """A day of `instances.py` and what each method may spend on it."""

    jobs: int
    technicians: int
    seconds: float  # CPU
    stations: int | None = None

    def day(self, seed: int) -> Problem:
        """The problem of this seed."""
        return service_day(self.jobs, self.technicians, seed, self.stations)


@dataclass(frozen=True)
class Run:
    """What came out. Scores are those of plans that keep every rule."""

    score: float
    curve: tuple[tuple[float, float], ...]  # (CPU seconds, score) on the way, the end included
    peak_mb: float = 0.0

    def reaches(self, score: float) -> float | None:
        """CPU seconds until the score was at most that; None where it never was."""
        return next((spent for spent, reached in self.curve if reached <= score), None)


Method = Callable[[Size, int], Run]


class _Budget:
    """Ends a search when this process has used so many CPU seconds more."""

    def __init__(self, seconds: float) -> None:
        self._began, self._seconds = cpu(), seconds
        self.curve: list[tuple[float, float]] = []

    @property
    def spent(self) -> float:
        return cpu() - self._began

    def __call__(self, best_cost: int) -> bool:  # how PyVRP asks
        return self.spent >= self._seconds

    def follow(self, progress: Progress) -> None:
        self.curve.append((self.spent, progress.score))
        if self.spent >= self._seconds:
            raise Enough


def ours(size: Size, seed: int) -> Run:
    """The product's method."""
    problem = size.day(seed)
    budget = _Budget(size.seconds)
    found = plan(problem, effort=Effort(10**9), seed=seed, progress=budget.follow)
    return _told(found, budget.curve, budget.spent)


def vroom(size: Size, seed: int) -> Run:
    """VROOM at each level that ends in time; level 0 counts however long it takes."""
    problem = size.day(seed)
    return _levels(problem, size, [_whole(problem)])


def vroom_hardest(size: Size, seed: int) -> Run:
    """VROOM at its highest level, however long that takes."""
    problem = size.day(seed)
    piece, begin = _whole(problem), cpu()
    orders = by_vroom.construct(piece, VROOM_LEVELS - 1)
    return _told(_priced(problem, [piece], [orders]), [], cpu() - begin)


def vroom_by_station(size: Size, seed: int) -> Run:
    """VROOM for each station by itself, at each level at which all of them end in time."""
    problem = size.day(seed)
    pieces = []
    for station in sorted({day.station for day in problem.days}):
        days = [at for at, day in enumerate(problem.days) if day.station == station]
        jobs = [at for at, job in enumerate(problem.jobs) if job.station == station]
        pieces.append(cut(problem, days, jobs, {}))
    return _levels(problem, size, pieces)


def _levels(problem: Problem, size: Size, pieces: list[Piece]) -> Run:
    curve: list[tuple[float, float]] = []
    best: Checked | None = None
    for level in range(VROOM_LEVELS):
        begin, orders = cpu(), []
        for piece in pieces:
            orders.append(by_vroom.construct(piece, level))
            if level and cpu() - begin > size.seconds:
                break
        spent = cpu() - begin
        if level and spent > size.seconds:
            break
        found = _priced(problem, pieces, orders)
        curve.append((spent, found.score))
        best = found if best is None or found.score < best.score else best
    assert best is not None
    return Run(best.score, tuple(curve))


def pyvrp(size: Size, seed: int) -> Run:
    """PyVRP on the whole problem."""
    problem = size.day(seed)
    budget = _Budget(size.seconds)
    piece = _whole(problem)
    orders = by_pyvrp.improve(piece, budget, seed)
    return _told(_priced(problem, [piece], [orders]), [], budget.spent)


def ortools(size: Size, seed: int) -> Run:
    """OR-Tools on the whole problem: guided local search."""
    from benchmarks.planning import by_ortools  # here: the other methods' memory is not to hold it

    problem = size.day(seed)
    piece = _whole(problem)
    orders = by_ortools.solve(piece, size.seconds)
    return _told(_priced(problem, [piece], [orders]), [], size.seconds)


METHODS: dict[str, Method] = {
    "ours": ours, "vroom": vroom, "vroom at its hardest": vroom_hardest, "vroom by station": vroom_by_station,
    "pyvrp": pyvrp, "ortools": ortools,
}  # fmt: skip


def alone(name: str, size: Size, seed: int) -> Run:
    """The run in a fresh process."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_with_peak, name, size, seed).result()


def _with_peak(name: str, size: Size, seed: int) -> Run:
    found = METHODS[name](size, seed)
    return Run(found.score, found.curve, peak_mb())


def _whole(problem: Problem) -> Piece:
    return cut(problem, range(len(problem.days)), range(len(problem.jobs)), {})


def _priced(problem: Problem, pieces: list[Piece], orders: list[Orders]) -> Checked:
    """A baseline's orders by the product's own checker. A route that its solver believed to be drivable and the checker
    does not (PyVRP knows no breaks) loses the jobs that make it so."""
    state = State(problem, Plan.of([[] for _day in problem.days]))
    for piece, order in zip(pieces, orders, strict=True):
        state.take({day: [piece.jobs[job] for job in route] for day, route in zip(piece.days, order, strict=True)})
    return check(problem, state.plan)


def _told(found: Checked, curve: list[tuple[float, float]], spent: float) -> Run:
    if not found.valid:
        raise AssertionError(f"a plan broke rules: {found.faults[:3]}")
    return Run(found.score, (*curve, (spent, found.score)))
