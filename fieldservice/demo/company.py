"""The invented company as its data files tell it: names, customers, machines, sentences, people."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

try:
    from yaml import CSafeLoader as SafeLoader  # ten times faster, where libyaml is there
except ImportError:
    from yaml import SafeLoader  # type: ignore[assignment]  # the same face in Python

__all__ = ["SafeLoader", "Texts", "told"]

DATA = Path(__file__).parent / "data"
Texts = dict[str, str]  # {zh, en}


@cache
def told(name: str) -> Any:
    """A list or mapping of company.yaml or cast.yaml by its top-level name."""
    return _files()[name]


@cache
def _files() -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for file in ("company.yaml", "cast.yaml"):
        merged |= yaml.load((DATA / file).read_text(encoding="utf-8"), SafeLoader)
    return merged
