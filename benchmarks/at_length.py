"""Property tests of the suite at length: the same tests, with more examples than `make test` has time for."""

import os
import re
import subprocess
import sys
import time

from benchmarks.results import Measure
from config import ROOT


def by_pytest(name: str, test: str, **wishes: int) -> list[Measure]:
    """A property test of the suite at length; 1 when it fails."""
    environ = {**os.environ, **{key: str(value) for key, value in wishes.items()}}
    began = time.perf_counter()
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "0", test], cwd=ROOT, env=environ, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    told = re.findall(r"\d+ (?:passed|failed)[^\n]*", ended.stdout)
    print(f"  {name}: {told or ended.stdout[-800:]}, {(time.perf_counter() - began) / 60:.1f} min", flush=True)
    return [Measure(name, int(ended.returncode != 0), "failures", "lower", target=0)]
