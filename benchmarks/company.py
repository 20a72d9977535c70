"""A company of a given number of orders, in a PostgreSQL database of its own; made once and kept for later runs."""

import os
import time
from dataclasses import replace
from pathlib import Path

import psycopg
from flask import Flask
from flask_migrate import upgrade

from config import ROOT, Settings, load_settings
from fieldservice import create_app
from fieldservice.demo import load, sizes
from fieldservice.foundation.db import db, session
from tests import postgres

NOW = "2026-11-25T10:30:00+08:00"
OPEN = 2000
HEAD = sorted(path.name for path in (ROOT / "migrations" / "versions").glob("0*.py"))[-1][:4]


def settings(database_url: str, instance: Path) -> Settings:
    """An installation for measuring: demo accounts, a clock that starts at the same moment every time."""
    return load_settings(environment(database_url, instance))


def environment(database_url: str, instance: Path) -> dict[str, str]:
    """The settings of the server under measurement."""
    return {
        "FIELDSERVICE_DATABASE_URL": database_url, "FIELDSERVICE_INSTANCE_PATH": str(instance),
        "FIELDSERVICE_SECRET_KEY": "b" * 40, "FIELDSERVICE_NOW": NOW, "FIELDSERVICE_DEMO": "1",
    }  # fmt: skip


def database(orders: int) -> str:
    """The address of a copy of the company with so many orders; building it takes a while the first time."""
    template, copy = f"bench_{HEAD}_{orders}", f"bench_copy_{orders}"
    if template not in _names():
        _build(template, orders)
    return postgres.make_database(copy, template)


def _names() -> set[str]:
    with psycopg.connect(postgres.server_url(), autocommit=True) as connection:
        return {name for (name,) in connection.execute("SELECT datname FROM pg_database")}


def _build(name: str, orders: int) -> None:
    began = time.perf_counter()
    working = f"{name}_{os.getpid()}"
    url = postgres.make_database(working)
    instance = ROOT / "build" / "bench" / name
    app = create_app(replace(settings(url, instance), background=False))
    with app.app_context():
        upgrade(directory=str(ROOT / "migrations"))
        _fill(app, orders)
        session.remove()
        db.engine.dispose()
    with psycopg.connect(postgres.server_url(), autocommit=True) as connection:
        connection.execute(f'ALTER DATABASE "{working}" RENAME TO "{name}"')  # type: ignore[arg-type]
    with psycopg.connect(postgres.database_url(name).replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
    print(f"built a company of {orders} orders in {time.perf_counter() - began:.0f} s", flush=True)


def _fill(_app: Flask, orders: int) -> None:
    size = sizes.Size(
        f"bench{orders}", stations=10, technicians=20, customers=60, open=OPEN, closed=orders - OPEN,
        days=max(60, orders // 125),
    )  # fmt: skip
    sizes.SIZES[size.code] = size
    load.load(size.code, seed=360, tell=print)
