"""The tablet's own modules, run by node with plain data in and out."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from config import ROOT

NODE = Path(sys.executable).parent / "node"


def run(script: str, given: Any) -> Any:
    """What the module's script prints for `given`, as JSON."""
    text = f"import {{ readFileSync }} from 'node:fs'; const given = JSON.parse(readFileSync(0, 'utf8'));\n{script}"
    done = subprocess.run(
        [str(NODE), "--input-type=module", "-e", text], input=json.dumps(given), capture_output=True, text=True,
        check=False, cwd=ROOT, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
