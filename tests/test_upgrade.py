"""A database made by stage 1 (migrations 0001 and 0002) comes to the present head without loss, on both engines.

Its rows are written by what the old schema itself says – reflected tables, never today's models – with two rows in
every table, so that every column of stage 1 has a value to lose.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_migrate import upgrade

from config import Settings
from fieldservice import create_app
from fieldservice.foundation.db import db, session
from fieldservice.setup.first_run import state
from fieldservice.setup.safety import is_migrated
from tests import postgres
from tests.conftest import DATABASES, NOW

STAGE_1 = "0002"
ROWS = 2
MOMENT = NOW.replace(tzinfo=None) - timedelta(hours=8)  # UTC as SQLite keeps it
LATER = ("ends_at", "window_ends_at", "due_at", "expires_at")
# What checks and meanings ask of columns; any other is filled by its type.
SAID: dict[str, Any] = {
    "state": "open", "language": "zh", "names": {"zh": "无锡新吴站", "en": "Wuxi Xinwu"}, "channel": "sms",
    "priority": "P2", "severity": "line_stop", "division_code": "320214", "level": 2, "latitude": 31.4906,
    "longitude": 120.3667, "role": "dispatcher", "precision": "point",
    "description": "减速机输出轴往下滴油 “测试” – 😀",
    "duration_min": 90, "work_type": "gearbox_seal_change", "work_type_version": 1, "kind": "repair",
}  # fmt: skip
SAID_IN: dict[tuple[str, str], Any] = {("booking", "state"): "held", ("deferred_job", "status"): "queued"}


@contextmanager
def old_database(kind: str, settings: Settings, folder: Path) -> Iterator[Flask]:
    """An app over a database that stage 1 made."""
    name = f"upgrade_{os.getpid()}"
    url = f"sqlite:///{folder / name}.db" if kind == "sqlite" else postgres.make_database(name)
    app = create_app(replace(settings, database_url=url))
    with app.app_context():
        upgrade(revision=STAGE_1)
        yield app
        session.remove()
        db.engine.dispose()
    if kind == "postgresql":
        postgres.drop_database(name)


def fill(connection: sa.Connection, tables: sa.MetaData) -> dict[str, list[dict[str, Any]]]:
    """Two rows in each table, parents first; each refers to the row of its own number."""
    written: dict[str, list[dict[str, Any]]] = {}
    for table in tables.sorted_tables:
        if table.name == "alembic_version":
            continue
        for number in range(1, ROWS + 1):
            row = {column.name: value(table, column, number) for column in table.columns}
            connection.execute(table.insert().values(row))
        written[table.name] = rows_of(connection, table)
    return written


def value(table: sa.Table, column: sa.Column[Any], number: int) -> Any:
    """Something that this column can hold and that its loss would show."""
    if column.foreign_keys or (column.primary_key and isinstance(column.type, sa.Integer)):
        return number if not is_self(table, column) else None
    said = SAID_IN.get((table.name, column.name), SAID.get(column.name))
    if said is not None and not is_unique(table, column):
        return said
    return by_type(column, number)


def by_type(column: sa.Column[Any], number: int) -> Any:
    kind = column.type
    if isinstance(kind, sa.JSON):
        return {"zh": f"第 {number} 条", "en": f"No. {number}", "list": [1, "二", None]}
    if isinstance(kind, sa.DateTime):
        moment = MOMENT + timedelta(days=number, hours=1 if column.name in LATER else 0, microseconds=123456)
        return moment.replace(tzinfo=UTC) if kind.timezone else moment
    if isinstance(kind, sa.Date):
        return date(2026, 11, 25) + timedelta(days=number)
    if isinstance(kind, sa.Boolean):
        return number % 2 == 0
    if isinstance(kind, sa.Float):
        return 31.25 + number
    if isinstance(kind, sa.Integer):
        return number
    if isinstance(kind, sa.Numeric):
        return Decimal("12.125") + number
    if isinstance(kind, sa.LargeBinary):
        return bytes([0, 255, number])
    assert isinstance(kind, sa.String), (column, kind)
    text = f"{number} 号 – Zhenhu’s “机床” 😀"
    return text[: kind.length] if kind.length else text * 50


def is_self(table: sa.Table, column: sa.Column[Any]) -> bool:
    """Whether a column refers to its own table (the first request of a duplicate)."""
    return any(key.column.table is table for key in column.foreign_keys)


def is_unique(table: sa.Table, column: sa.Column[Any]) -> bool:
    """Whether two rows may not share this value."""
    sole = [one for one in table.constraints if isinstance(one, sa.UniqueConstraint) and len(one.columns) == 1]
    indexed = [one for one in table.indexes if one.unique and len(one.columns) == 1]
    return column.primary_key or any(column.name in one.columns for one in (*sole, *indexed))


def rows_of(connection: sa.Connection, table: sa.Table) -> list[dict[str, Any]]:
    """The columns that the table had, in a fixed order of rows."""
    found = connection.execute(sa.select(*table.columns).order_by(*table.primary_key.columns))
    return [dict(row) for row in found.mappings()]


@pytest.mark.parametrize("kind", DATABASES)
def test_a_database_of_stage_1_is_upgraded_without_loss(kind: str, settings: Settings, tmp_path: Path) -> None:
    with old_database(kind, settings, tmp_path):
        old = sa.MetaData()
        engine = sa.create_engine(db.engine.url)
        with engine.begin() as connection:
            old.reflect(connection)
            written = fill(connection, old)
        assert len(written) > 40
        assert not is_migrated()
        upgrade()
        assert is_migrated()
        with engine.connect() as connection:
            for name, rows in written.items():
                assert rows_of(connection, old.tables[name]) == rows, name
        engine.dispose()
        assert not state().needed  # whoever works already is not led to a set-up


@pytest.mark.parametrize("kind", DATABASES)
def test_an_empty_database_of_stage_1_is_set_up_after_the_upgrade(
    kind: str, settings: Settings, tmp_path: Path
) -> None:
    with old_database(kind, settings, tmp_path):
        upgrade()
        assert state().needed
