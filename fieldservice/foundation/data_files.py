"""Reading the data files that come with the package. A start reads a dozen of them, so the fast parser is used."""

from pathlib import Path
from typing import Any

import yaml

try:
    from yaml import CSafeLoader as Loader  # ten times faster, where libyaml is there
except ImportError:
    from yaml import SafeLoader as Loader  # type: ignore[assignment]  # the same face in Python


def read_yaml(path: Path) -> Any:
    """The content of a YAML file; both loaders build plain values only."""
    return yaml.load(path.read_text(encoding="utf-8"), Loader)  # nosec B506
