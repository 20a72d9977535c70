"""A small company to look after, and tables to import."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from fieldservice.foundation.db import write
from fieldservice.mechanisms.records import kind_of
from fieldservice.mechanisms.records.importing import Outcome, import_table
from tests import factories as make

Table = Callable[..., Path]


@pytest.fixture
def table(tmp_path: Path) -> Table:
    """A CSV file of these rows."""

    def write_table(*rows: dict[str, str], name: str = "table.csv") -> Path:
        path = tmp_path / name
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list({column: 0 for row in rows for column in row}), restval="")
            writer.writeheader()
            writer.writerows(rows)
        return path

    return write_table


@pytest.fixture
def station(app: Flask) -> int:
    """The id of an open station, WXXW."""
    return write(lambda: make.station(territory=("320214",)).id)


def take(kind: str, path: Path, **facts: Any) -> Outcome:
    return import_table(kind_of(kind), path, **facts)


def counted(done: Outcome) -> tuple[int, int, int, int]:
    """new, changed, same, refused"""
    return done.create, done.change, done.same, done.refused
