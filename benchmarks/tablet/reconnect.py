"""One tablet with 300 entries and 10 photos whose network comes back while half of the answers are lost."""

from statistics import median

from benchmarks.results import Measure
from benchmarks.tablet.stage import fresh_app, served
from fieldservice.foundation.db import session
from tests.workorders.tablet_faults.proxy import NO_FAULTS, Faults
from tests.workorders.tablet_faults.trials import bearers, run_trials

COMMANDS, PHOTOS, RUNS = 300, 10, 5
HALF_LOST = Faults(refused=0, lost=0.5, late=0, most_late_s=0)


def reconnect() -> list[Measure]:
    """Milliseconds until nothing is left, beside a line without faults."""
    smooth, bad = _runs(NO_FAULTS), _runs(HALF_LOST)
    name = f"tablet, {COMMANDS} entries and {PHOTOS} photos"
    return [
        Measure(f"{name}, half of the answers lost, until nothing is left", bad, "ms", "lower", smooth,
                "no answer lost", 5000)
    ]  # fmt: skip


def _runs(faults: Faults) -> float:
    with fresh_app("sqlite") as (app, folder):
        people = bearers(RUNS)
        session.rollback()
        with served(app, folder) as server:
            outcome = run_trials(
                server, people, seed=7, commands=COMMANDS, photos=PHOTOS, at_once=1, kills=False, faults=faults,
                offline_first=True,
            )  # fmt: skip
    print(f"  {faults}: {outcome.settled_ms} ms, {outcome.told}, {outcome.wrong}", flush=True)
    if outcome.wrong:
        raise RuntimeError(f"not everything arrived as recorded: {outcome.wrong}")
    return float(median(outcome.settled_ms))
