"""`python -m benchmarks.parts [part …] [--data FOLDER]`: figures of spare parts, into results/parts.json."""

import argparse

from benchmarks import results
from benchmarks.parts.figures import DATA, KEPT, PARTS, figures
from benchmarks.parts.promises import Wishes


def main() -> None:
    """Measure and tell; figures of parts not asked for stay as they are."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.parts", description=__doc__)
    parser.add_argument("part", nargs="*", choices=[*PARTS, []], help=", ".join(PARTS))
    parser.add_argument("--data", default=DATA, help="folder with carparts/carparts_visible.csv (%(default)s)")
    wishes = {
        "tries": (Wishes.tries, "reservations to fight for on each database"),
        "minutes": (Wishes.minutes, "at most so long on each; what was run is told"),
        "histories": (Wishes.histories, "random histories of a shelf"),
    }
    for name, (default, told) in wishes.items():
        parser.add_argument(f"--{name}", type=int, default=default, help=f"{told} (%(default)s)")
    given = parser.parse_args()
    for name in given.part or PARTS:
        print(f"\n{name}", flush=True)
        measures = figures(given.data, (name,), Wishes(given.tries, given.minutes, given.histories))
        if measures:
            results.show(measures)
            results.write(measures, KEPT, keep_others=True)


if __name__ == "__main__":
    main()
