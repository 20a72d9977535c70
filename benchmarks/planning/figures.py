"""Scores for the same CPU seconds: ours, VROOM at its best level, PyVRP on the whole, OR-Tools.

    python -m benchmarks.planning.figures --only 500

Every plan, whoever made it, is priced and tested by the product's own checker. A route of a baseline that its solver
believed to be drivable and the checker does not (PyVRP knows no breaks) loses the jobs that make it so. Times are CPU
seconds of one thread; VROOM's answer counts at each level that ends in time, and the best one is taken.
"""

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from statistics import fmean
from time import process_time

from benchmarks import results
from benchmarks.planning import by_ortools, live
from benchmarks.planning.instances import service_day
from benchmarks.results import Measure
from fieldservice.dispatch.planning import by_pyvrp, by_vroom
from fieldservice.dispatch.planning.checker import Checked, check
from fieldservice.dispatch.planning.methods import Effort, Enough, Progress, plan
from fieldservice.dispatch.planning.model import Plan, Problem
from fieldservice.dispatch.planning.piece import Piece, cut
from fieldservice.dispatch.planning.state import State

SEEDS = (1, 2, 3, 4, 5)
KEPT = results.LATEST.with_name("planning.json")
Solver = Callable[[Problem, float, int], list[float]]  # problem, CPU seconds, seed → the scores of its tries


@dataclass(frozen=True)
class Comparison:
    """One size with its time and what is to be reached against each baseline."""

    jobs: int
    technicians: int
    seconds: float
    targets: dict[str, float]


COMPARISONS = (
    Comparison(100, 15, 5, {"vroom": 1.0, "pyvrp": 1.0, "ortools": 1.0}),
    Comparison(500, 60, 20, {"vroom": 0.88, "pyvrp": 0.78, "ortools": 0.45}),
    Comparison(2_000, 250, 66, {"vroom": 0.85}),
)


class _Budget:
    """Ends a search when this process has used so many CPU seconds."""

    def __init__(self, seconds: float) -> None:
        self.until = process_time() + seconds

    def __call__(self, best_cost: int) -> bool:
        return process_time() >= self.until

    def follow(self, _progress: Progress) -> None:
        if process_time() >= self.until:
            raise Enough


def ours(problem: Problem, seconds: float, seed: int) -> list[float]:
    """The product's method in this process."""
    budget = _Budget(seconds)
    return [_valid(plan(problem, effort=Effort(10**9), seed=seed, progress=budget.follow)).score]


def vroom(problem: Problem, seconds: float, _seed: int) -> list[float]:
    """Each level that ends in time; level 0 counts however long it takes."""
    piece, scores = _whole(problem), []
    for level in range(6):
        begin = process_time()
        orders = by_vroom.construct(piece, level)
        if level and process_time() - begin > seconds:
            break
        scores.append(_priced(problem, orders))
    return scores


def pyvrp(problem: Problem, seconds: float, seed: int) -> list[float]:
    """PyVRP on the whole problem."""
    begin = process_time()
    piece = _whole(problem)
    return [_priced(problem, by_pyvrp.improve(piece, _Budget(seconds - (process_time() - begin)), seed))]


def ortools(problem: Problem, seconds: float, _seed: int) -> list[float]:
    """OR-Tools on the whole problem."""
    return [_priced(problem, by_ortools.solve(_whole(problem), seconds))]


BASELINES: dict[str, Solver] = {"vroom": vroom, "pyvrp": pyvrp, "ortools": ortools}


def compare(comparison: Comparison, seeds: tuple[int, ...] = SEEDS) -> list[Measure]:
    """Mean scores over the seeds, ours beside each baseline's best."""
    found: dict[str, list[float]] = {}
    for seed in seeds:
        problem = service_day(comparison.jobs, comparison.technicians, seed)
        for name, solver in {"ours": ours, **{one: BASELINES[one] for one in comparison.targets}}.items():
            score = min(solver(problem, comparison.seconds, seed))
            found.setdefault(name, []).append(score)
            sys.stdout.write(f"  {comparison.jobs} jobs, seed {seed}: {name} {score / 1000:.1f}\n")
            sys.stdout.flush()
    mean = fmean(found["ours"]) / 1000
    name = f"plan {comparison.jobs} jobs / {comparison.technicians}, {comparison.seconds:g} CPU s"
    return [
        Measure(
            f"{name} ÷ {one}", mean, "k score", "lower", fmean(found[one]) / 1000, one,
            target=round(target * fmean(found[one]) / 1000, 3),
        )
        for one, target in comparison.targets.items()
    ]  # fmt: skip


def _whole(problem: Problem) -> Piece:
    return cut(problem, range(len(problem.days)), range(len(problem.jobs)), {})


def _priced(problem: Problem, orders: list[list[int]]) -> float:
    empty = State(problem, Plan.of([[] for _day in problem.days]))
    empty.take(dict(enumerate(orders)))
    return _valid(check(problem, empty.plan)).score


def _valid(checked: Checked) -> Checked:
    if not checked.valid:
        raise AssertionError(f"a plan broke rules: {checked.faults[:3]}")
    return checked


def figures(only: list[int] | None = None, seeds: int = len(SEEDS)) -> list[Measure]:
    """All comparisons and the live board, or the comparisons of some sizes."""
    chosen = [one for one in COMPARISONS if only is None or one.jobs in only]
    found = [measure for one in chosen for measure in compare(one, SEEDS[:seeds])]
    return found + (live.figures() if only is None else [])


def main() -> None:
    """Measure and tell."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.planning.figures", description=__doc__)
    parser.add_argument("--only", type=int, nargs="+", help="jobs of the comparisons")
    parser.add_argument("--seeds", type=int, default=len(SEEDS))
    wishes = parser.parse_args()
    measures = figures(wishes.only, wishes.seeds)
    results.show(measures)
    results.write(measures, KEPT)


if __name__ == "__main__":
    main()
