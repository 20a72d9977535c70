"""Plans of random small problems, with everything the model knows, looked through by two independent checkers."""

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from benchmarks.results import Measure
from fieldservice.dispatch.planning.methods import Effort, plan
from fieldservice.dispatch.planning.model import Problem
from tests.dispatch.planning.problems import problems
from tests.dispatch.planning.slow_checker import wrong

PLANS = 10_000


def figures(many: int = PLANS) -> list[Measure]:
    """How many of so many random plans break a rule. The same plans each time."""
    seen = [0, 0]  # plans, those that broke one

    @settings(
        max_examples=many, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(problems(), st.integers(1, 9))
    def look(problem: Problem, seed: int) -> None:
        found = plan(problem, effort=Effort(2), seed=seed)
        needing = any(one.needs for one in problem.jobs)  # the slow checker knows nothing of vans
        seen[0] += 1
        seen[1] += not found.valid or (not needing and bool(wrong(problem, found)))

    look()
    return [
        Measure("random plans", seen[0], "plans", "higher", target=many),
        Measure("random plans that break a rule", seen[1], "plans", "lower", target=0),
    ]
