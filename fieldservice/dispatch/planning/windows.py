"""What each of many windows for one job would cost: the cheapest technicians to begin it in each, priced exactly."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from fieldservice.dispatch.planning.checker import check
from fieldservice.dispatch.planning.gaps import Gaps
from fieldservice.dispatch.planning.model import Problem, Window, held_plan
from fieldservice.dispatch.planning.ranking import Offer, rank


def price_windows(problem: Problem, job: int, windows: Sequence[Window], most: int = 3) -> list[tuple[Offer, ...]]:
    """For each window the `most` best technicians, the best first, with what the whole plan then costs more.

    The job may stand already; prices are those of putting it into the plan without it, so they can be compared with
    one another. Raises ValueError where what stands beside the job breaks a rule.
    """
    wanted = replace(problem.jobs[job], held=(), pinned=False)
    asked = tuple(replace(wanted, key=f"{wanted.key} {number}", starts=(one,)) for number, one in enumerate(windows))
    first = len(problem.jobs)
    jobs = (*problem.jobs[:job], wanted, *problem.jobs[job + 1 :], *asked)
    eligible = np.vstack([problem.eligible, np.repeat(problem.eligible[job : job + 1], len(asked), axis=0)])
    board = replace(problem, jobs=jobs, eligible=eligible)
    stands = check(board, held_plan(board))
    if not stands.valid:
        raise ValueError(f"what stands breaks a rule: {stands.faults[0]}")
    gaps = Gaps(board, stands)
    return [rank(gaps, first + number, most).offers for number in range(len(asked))]
