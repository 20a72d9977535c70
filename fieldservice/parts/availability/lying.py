"""Promising from what lies there, in one statement: the way nearly every promise takes.

What lies there and keeps, less all that is promised of it for whatever time, is free for any time. Whoever takes of
that breaks no older promise, so nobody has to look at times (`phased` would say the same: `tests/parts/test_lying.py`).
Where it is not enough, there may still be some for that time, and `phased` decides (docs/decisions/0039).
"""

from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Executable, Text, bindparam, case, cast, func, insert, select
from sqlalchemy.types import TypeEngine

from fieldservice.foundation.db import is_sqlite, must_write, session, turn
from fieldservice.parts.availability.models import HOLDING, Reservation
from fieldservice.parts.models import StockBalance, StockBatch

_balance, _batch, _held = StockBalance.__table__.c, StockBatch.__table__.c, Reservation.__table__.c


def promise(values: dict[str, Any]) -> int | None:
    """Write a reservation of these values (every column but the id) if so much is free; its id.

    Where too little lies there nobody is held up: others who promise from that shelf go on meanwhile.
    """
    must_write()
    connection = session.connection()
    if not is_sqlite(connection):  # and SQLite has one writer at a time
        where = {name: values[name] for name in ("part_id", "location_id", "quantity")}
        if connection.scalar(_turn(), {**where, "name": name_of(values["part_id"], values["location_id"])}) is None:
            return None
    made: int | None = connection.scalar(_promise(), values)
    return made


def name_of(part_id: int, location_id: int) -> str:
    """What those who promise from this shelf, or look after its promises, take turns at."""
    return f"reserve:{part_id}:{location_id}"


@cache
def _turn() -> Executable:
    """Wait for a turn at the shelf if it is worth it. What is read to know that may be over when the turn has come, so
    `_promise` looks again, as a statement of its own."""
    return select(case((_enough(), cast(turn(bindparam("name")), Text))))


@cache
def _promise() -> Executable:
    columns = [column for column in Reservation.__table__.columns if column.name != "id"]
    values = [_given(column.name, column.type) for column in columns]
    wanted = select(*values).where(_enough())
    return insert(Reservation.__table__).from_select(columns, wanted).returning(_held.id)  # type: ignore[arg-type]


def _enough() -> ColumnElement[bool]:
    part, place = _given("part_id", _held.part_id.type), _given("location_id", _held.location_id.type)
    lies = (
        select(func.coalesce(func.sum(_balance.on_hand), 0))
        .select_from(StockBalance.__table__.outerjoin(StockBatch.__table__, _batch.id == _balance.batch_id))
        .where(_balance.part_id == part, _balance.location_id == place)
        .where(_balance.condition == "good", _batch.expires_on.is_(None))
        .scalar_subquery()
    )
    promised = (
        select(func.coalesce(func.sum(_held.quantity), 0))
        .where(_held.part_id == part, _held.location_id == place, _held.state.in_(HOLDING))
        .scalar_subquery()
    )
    return lies - promised >= _given("quantity", _held.quantity.type)


def _given(name: str, kind: TypeEngine[Any]) -> ColumnElement[Any]:
    return bindparam(name, type_=kind)
