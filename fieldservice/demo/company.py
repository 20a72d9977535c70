"""The invented company as its data files tell it: names, customers, machines, sentences, people."""

from functools import cache
from pathlib import Path
from typing import Any

from fieldservice.foundation.data_files import read_yaml

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
        merged |= read_yaml(DATA / file)
    return merged
