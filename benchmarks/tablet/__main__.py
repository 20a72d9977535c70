"""`python -m benchmarks.tablet [part …]`: figures of the tablet, beside their baselines, into results/tablet.json."""

import argparse
from collections.abc import Callable
from pathlib import Path

from benchmarks import results
from benchmarks.at_length import by_pytest
from benchmarks.results import Measure
from benchmarks.tablet import crowd, pages, reconnect, trials

RESULTS = Path(results.__file__).parent / "results" / "tablet.json"
SEED = 20261127


def parts(given: argparse.Namespace) -> dict[str, Callable[[], list[Measure]]]:
    """Every part by its name."""
    return {
        "pages": pages.pages,
        "reconnect": reconnect.reconnect,
        "crowd": lambda: crowd.crowd(given.tablets),
        "protocol": lambda: trials.protocol(given.trials, SEED),
        "chromium": lambda: trials.days("chromium", given.chromium, SEED),
        "webkit": lambda: trials.days("webkit", given.webkit, SEED),
        "histories": lambda: by_pytest(
            f"tablet, {given.histories} histories against a model", "tests/workorders/test_tablet_histories.py",
            HISTORIES=given.histories,
        ),
    }  # fmt: skip


def main() -> None:
    """Measure and tell; figures of parts not asked for stay as they are."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tablet", description=__doc__)
    parser.add_argument("part", nargs="*")
    for name, default in (("trials", 1000), ("chromium", 20), ("webkit", 5), ("histories", 10_000), ("tablets", 1000)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    known = parts(given)
    for name in given.part or known:
        print(f"\n{name}", flush=True)
        measures = known[name]()
        results.show(measures)
        results.write(measures, RESULTS, keep_others=True)


if __name__ == "__main__":
    main()
