"""The planning engine's figures, each beside its baseline in the same run; kept in `benchmarks/results/planning.json`.

    python -m benchmarks.planning.figures                      # everything: an hour on two quiet cores
    python -m benchmarks.planning.figures --only 500 --seeds 1 # one part, one day: two minutes

Parts: 100, 500, 2000 and 10000 jobs against single libraries (the same CPU seconds for each, means over the seeds'
days); `two`: wall time of two processes against one, for the same plan; `live`: urgent jobs and ranking; `rules`:
10,000 random plans looked through by a second, slow and independent checker. A run of some parts replaces the figures
of these in the file. Every plan, whoever made it, is priced and tested by the product's own checker. Each method runs
in a process of its own, so that its memory and CPU time can be told. Wall times (`two` alone) ask for a quiet machine.
"""

import argparse
import sys
from dataclasses import dataclass
from statistics import fmean
from time import perf_counter

from benchmarks import results
from benchmarks.planning import live, rules
from benchmarks.planning.runs import Run, Size, alone
from benchmarks.results import Measure
from fieldservice.dispatch.planning.methods import Effort, plan
from fieldservice.dispatch.planning.model import Plan, Problem
from fieldservice.dispatch.planning.runners import Here, Processes, Runner

SEEDS = (1, 2, 3, 4, 5)
KEPT = results.LATEST.with_name("planning.json")


@dataclass(frozen=True)
class Comparison:
    """One size, what is to be reached against each baseline, and the most memory that may take."""

    size: Size
    targets: dict[str, float]
    memory: float | None = None  # MB
    race: bool = False  # how soon the score of VROOM's highest level is reached


COMPARISONS = (
    Comparison(Size(100, 15, 5), {"vroom": 1.0, "pyvrp": 1.0, "ortools": 1.0}),
    Comparison(Size(500, 60, 20), {"vroom": 0.88, "pyvrp": 0.78, "ortools": 0.45}, race=True),
    Comparison(Size(2_000, 250, 66), {"vroom": 0.85}, memory=450),
    Comparison(Size(10_000, 1_000, 60, 40), {"vroom by station": 0.75}, memory=1_000),
)
HARDEST = "vroom at its hardest"
RACE, FASTER, EFFORT = 0.5, 1.7, 400  # neighbourhoods: what the product spends on 500 jobs
PARTS = (*(str(one.size.jobs) for one in COMPARISONS), "two", "live", "rules")


def compare(comparison: Comparison, seeds: tuple[int, ...]) -> list[Measure]:
    """Mean scores over the seeds, ours beside each baseline's best; memory and the race where they are asked for."""
    size, found = comparison.size, dict[str, list[Run]]()
    for seed in seeds:
        for name in ("ours", *comparison.targets, *((HARDEST,) if comparison.race else ())):
            run = alone(name, size, seed)
            found.setdefault(name, []).append(run)
            last = f"{run.curve[-1][0]:.1f} CPU s, {run.peak_mb:.0f} MB"
            sys.stdout.write(f"  {size.jobs} jobs, seed {seed}: {name} {run.score / 1000:.1f} ({last})\n")
            sys.stdout.flush()
    title = f"plan {size.jobs} jobs / {size.technicians}, {size.seconds:g} CPU s"
    mean = fmean(run.score for run in found["ours"]) / 1000
    measures = []
    for name, target in comparison.targets.items():
        base = fmean(run.score for run in found[name]) / 1000
        measures.append(
            Measure(f"{title} ÷ {name}", mean, "k score", "lower", base, name, target=round(target * base, 3))
        )
    if comparison.memory is not None:
        peak = max(run.peak_mb for run in found["ours"])
        base = max(run.peak_mb for name, runs in found.items() if name != "ours" for run in runs)
        measures.append(Measure(f"{title}, peak memory", peak, "MB", "lower", base, name, target=comparison.memory))
    if comparison.race:
        measures.append(_race(title, found["ours"], found[HARDEST]))
    return measures


def _race(title: str, ours: list[Run], vroom: list[Run]) -> Measure:
    """CPU seconds until we have what VROOM's highest level ended with; all of ours where that never came."""
    mine, theirs = [], []
    for our, their in zip(ours, vroom, strict=True):
        took, reached = their.curve[-1]
        theirs.append(took)
        mine.append(our.reaches(reached) or our.curve[-1][0])
    base = fmean(theirs)
    name = f"{title}, time to the score of VROOM's highest level"
    return Measure(name, fmean(mine), "CPU s", "lower", base, "its own time", target=round(RACE * base, 3))


def two_processes(seeds: tuple[int, ...]) -> list[Measure]:
    """Wall seconds for one and the same plan."""
    walls: dict[int, list[float]] = {1: [], 2: []}
    for seed in seeds:
        problem = Size(500, 60, 0).day(seed)

        def timed(runner: Runner, seed: int = seed, problem: Problem = problem) -> tuple[float, Plan]:
            begin = perf_counter()
            found = plan(problem, effort=Effort(EFFORT), seed=seed, runner=runner)
            return perf_counter() - begin, found.plan

        one, first = timed(Here())
        with Processes(2) as runner:
            for future in [runner.submit(_awake) for _process in range(2)]:
                future.result()  # what starting takes is no part of planning: a server keeps its processes
            two, second = timed(runner)
        if first != second:
            raise AssertionError("the same seed gave another plan with two processes")
        walls[1].append(one)
        walls[2].append(two)
        sys.stdout.write(f"  seed {seed}: one process {one:.1f} s, two {two:.1f} s\n")
        sys.stdout.flush()
    base = fmean(walls[1])
    name = f"plan 500 jobs / 60, {EFFORT} neighbourhoods, two processes"
    return [Measure(name, fmean(walls[2]), "s", "lower", base, "one process", target=round(base / FASTER, 3))]


def _awake() -> None:
    """Something to do for a process that is to be started."""
    import fieldservice.dispatch.planning.methods  # noqa: F401  # takes a second or two, once


def figures(parts: tuple[str, ...] = PARTS, seeds: int = len(SEEDS)) -> list[Measure]:
    """These parts, over so many days."""
    found: list[Measure] = []
    for one in COMPARISONS:
        if str(one.size.jobs) in parts:
            found += compare(one, SEEDS[:seeds])
    if "two" in parts:
        found += two_processes(SEEDS[: min(seeds, 3)])
    if "live" in parts:
        found += live.figures()
    if "rules" in parts:
        found += rules.figures()
    return found


def main() -> None:
    """Measure and tell."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.planning.figures", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="parts")
    parser.add_argument("--seeds", type=int, default=len(SEEDS), help="days of each size")
    parser.add_argument("--dry", action="store_true", help="keep nothing")
    wishes = parser.parse_args()
    measures = figures(tuple(wishes.only), wishes.seeds)
    results.show(measures)
    if not wishes.dry:
        results.write(measures, KEPT, keep_others=set(wishes.only) != set(PARTS))


if __name__ == "__main__":
    main()
