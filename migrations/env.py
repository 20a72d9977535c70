"""Runs migrations on both databases.

On SQLite foreign keys are off while tables are rebuilt (a batch alter of a parent with foreign keys on
silently deletes its cascading children) and everything is checked before the commit.
"""

from typing import Any

import sqlalchemy as sa
from alembic import context
from flask import current_app

from fieldservice.foundation.db import BigId, Json, Quantity, UtcDateTime

PLAIN_TYPES = {
    UtcDateTime: "sa.DateTime(timezone=True)",
    Quantity: 'sa.Numeric(14, 3).with_variant(sa.BigInteger(), "sqlite")',
}


def render_item(kind: str, item: Any, _autogenerate: Any) -> str | bool:
    """Write our column types as plain ones, so that migrations never import the package."""
    if kind != "type":
        return False
    if item is BigId or (isinstance(item, sa.BigInteger) and item._variant_mapping):
        return 'sa.BigInteger().with_variant(sa.Integer(), "sqlite")'
    if item is Json or (isinstance(item, sa.JSON) and item._variant_mapping):
        return 'sa.JSON().with_variant(postgresql.JSONB(), "postgresql")'
    return PLAIN_TYPES.get(type(item), False)


def run() -> None:
    """Upgrade or downgrade inside one transaction, with foreign keys checked at its end."""
    given = context.config.attributes.get("connection")
    database = current_app.extensions["migrate"].db
    if given is not None:  # a restore migrates inside its own transaction
        _configure(given, database)
        context.run_migrations()
        return
    engine = sa.create_engine(database.engine.url, poolclass=sa.pool.NullPool)
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    with engine.connect() as connection:
        _configure(connection, database)
        with connection.begin():
            context.run_migrations()
            if engine.dialect.name == "sqlite":
                broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
                if broken:
                    raise RuntimeError(f"this migration breaks foreign keys: {broken[:5]}")


def _configure(connection: sa.Connection, database: Any) -> None:
    context.configure(
        connection=connection,
        target_metadata=database.metadata,
        render_item=render_item,
        compare_type=True,
        render_as_batch=True,
        transactional_ddl=True,
    )


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    connection.execute("PRAGMA busy_timeout=15000")
    connection.execute("PRAGMA foreign_keys=OFF")
    connection.execute("PRAGMA journal_mode=WAL")


run()
