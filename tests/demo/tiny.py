"""A demo company small enough for tests, and a digest of what was loaded."""

import hashlib
import json
from typing import Any

from sqlalchemy import select

from fieldservice.demo.sizes import Size
from fieldservice.foundation.db import Base, session

TINY = Size("tiny", stations=3, technicians=4, customers=4, open=15, closed=30, days=45)
COUNTER = "version"  # how often a row was written, which follows how the engine is asked, not what it says
SECRET = {  # made at random on purpose
    "user_account": ("password", "fs_uniquifier"),
    "event_note": ("salt",),
    "event_log": ("hash",),
    "stored_file": ("key",),
}


def stored(*, without: tuple[str, ...] = ()) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table, without what is random."""
    tables: dict[str, list[dict[str, Any]]] = {}
    for table in Base.metadata.sorted_tables:
        if table.name in without:
            continue
        hidden = SECRET.get(table.name, ())
        rows = [dict(row._mapping) for row in session.execute(select(table).order_by(*table.primary_key.columns))]
        tables[table.name] = [
            {name: value for name, value in row.items() if name not in (*hidden, COUNTER)} for row in rows
        ]
    for event in tables.get("event", []):
        event["facts"] = {name: fact for name, fact in event["facts"].items() if name != "note"}
    return tables


def digest() -> str:
    """One line for all data; the same for the same data on either database."""

    def plain(value: Any) -> str:
        return value.isoformat() if hasattr(value, "isoformat") else f"{value.normalize():f}"

    content = json.dumps(stored(), sort_keys=True, ensure_ascii=False, default=plain)
    return hashlib.sha256(content.encode()).hexdigest()
