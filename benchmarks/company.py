"""A company of a given number of orders, in a PostgreSQL database of its own; told once and kept for later runs."""

import os
import time
from dataclasses import replace
from pathlib import Path

import psycopg
from flask_migrate import upgrade

from config import ROOT, Settings, load_settings
from fieldservice import create_app
from fieldservice.demo import load, sizes
from fieldservice.foundation.db import db, session
from tests import postgres

NOW = "2026-11-25T10:30:00+08:00"
FOLDER = ROOT / "build" / "bench"
OPEN = 1000  # of all orders; the rest is closed. As many technicians for ten times the orders: only the past grows
TOLD = 9000  # closed requests that are told; more than those are copied by the database, and have no events
HEAD = max(path.name[:4] for path in (ROOT / "migrations" / "versions").glob("0*.py"))


def environment(database_url: str, instance: Path) -> dict[str, str]:
    """The settings of the server that is measured."""
    return {
        "FIELDSERVICE_DATABASE_URL": database_url, "FIELDSERVICE_INSTANCE_PATH": str(instance),
        "FIELDSERVICE_SECRET_KEY": "b" * 40, "FIELDSERVICE_NOW": NOW, "FIELDSERVICE_DEMO": "1",
    }  # fmt: skip


def settings(database_url: str, instance: Path) -> Settings:
    """An installation whose clock starts at the same moment every time and which works on nothing by itself."""
    return replace(load_settings(environment(database_url, instance)), background=False)


def copy(orders: int) -> str:
    """The address of a fresh copy of the company with so many orders; telling it takes a while the first time."""
    template = f"bench_{HEAD}_{orders}_orders"  # a name that ends in digits would be taken for a dead test's
    if template not in _names():
        _tell(template, orders)
    return str(postgres.make_database(f"bench_copy_{orders}_orders", template))


def drop(orders: int) -> None:
    """Give the copy's room back."""
    postgres.drop_database(f"bench_copy_{orders}_orders")


def _names() -> set[str]:
    with psycopg.connect(postgres.server_url(), autocommit=True) as connection:
        return {str(name) for (name,) in connection.execute("SELECT datname FROM pg_database")}


def _tell(name: str, orders: int) -> None:
    began = time.perf_counter()
    working = f"{name}_{os.getpid()}"
    app = create_app(settings(postgres.make_database(working), FOLDER / name))
    with app.app_context():
        upgrade(directory=str(ROOT / "migrations"))
        size = sizes.Size(
            "bench", stations=10, technicians=20, customers=60, open=OPEN, closed=TOLD, days=TOLD // 125,
            past=orders - OPEN,
        )  # fmt: skip
        sizes.SIZES[size.code] = size
        load.load(size.code, seed=360, tell=print)
        session.remove()
        db.engine.dispose()
    with psycopg.connect(postgres.server_url(), autocommit=True) as connection:
        connection.execute(f'ALTER DATABASE "{working}" RENAME TO "{name}"')
    with psycopg.connect(postgres.database_url(name).replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
    print(f"told a company of {orders} orders in {time.perf_counter() - began:.0f} s", flush=True)
