"""Database: one session, two engines, one code path.

Every transaction is read-only unless it runs inside `write`: on SQLite a reader then never takes
the write lock and a writer takes it at BEGIN (so it cannot fail half-way with SQLITE_BUSY); on
PostgreSQL a stray write in a GET is refused by the server. Services never commit; `write` does.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from time import sleep
from typing import Annotated, Any, TypeVar
from weakref import WeakKeyDictionary

import orjson
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    DateTime,
    Dialect,
    Engine,
    Integer,
    MetaData,
    Numeric,
    String,
    any_,
    bindparam,
    event,
    func,
    inspect,
    literal,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import (
    DeclarativeBase,
    Session,
    SessionTransaction,
    make_transient_to_detached,
    mapped_column,
    registry,
    scoped_session,
)
from sqlalchemy.orm.exc import StaleDataError
from sqlalchemy.types import JSON, TypeDecorator

from fieldservice.foundation.errors import Conflict, PreconditionFailed
from fieldservice.foundation.turnstile import Turnstile

T = TypeVar("T")
MAX_TRIES = 4  # the first try and at most three retries
BUSY_MS = 15_000  # that a writer waits for others on SQLite
RETRIED_SQLSTATES = {"40001", "40P01"}


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC in, aware UTC out. Naive values are refused, since nobody can know what they meant."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive time {value!r}: give it a zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Quantity(TypeDecorator[Decimal]):
    """A decimal quantity with three places; SQLite keeps exact thousandths as an integer."""

    impl = Numeric(14, 3)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        return dialect.type_descriptor(BigInteger() if dialect.name == "sqlite" else Numeric(14, 3))

    def process_bind_param(self, value: Decimal | int | str | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        exact = Decimal(value)
        if exact != exact.quantize(Decimal("0.001")):
            raise ValueError(f"quantity {value} has more than three decimals")
        return int(exact * 1000) if dialect.name == "sqlite" else exact

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        if value is None:
            return None
        return Decimal(value) / 1000 if dialect.name == "sqlite" else Decimal(value)


Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
BigId = BigInteger().with_variant(Integer(), "sqlite")
Id = Annotated[int, mapped_column(BigId, primary_key=True)]


class Base(DeclarativeBase):
    """All models. Constraint names are fixed so that migrations can name them on both databases."""

    registry = registry(
        metadata=MetaData(
            naming_convention={
                "ix": "ix_%(table_name)s_%(column_0_N_name)s",
                "uq": "uq_%(table_name)s_%(column_0_N_name)s",
                "ck": "ck_%(table_name)s_%(constraint_name)s",
                "fk": "fk_%(table_name)s_%(column_0_N_name)s",
                "pk": "pk_%(table_name)s",
            }
        ),
        type_annotation_map={
            datetime: UtcDateTime(),
            int: BigId,
            dict[str, Any]: Json,
            list[Any]: Json,
            list[str]: Json,
            Decimal: Quantity(),
        },
    )


db = SQLAlchemy(model_class=Base)
session: scoped_session[Session] = db.session  # type: ignore[assignment]  # Flask-SQLAlchemy types its own Session subclass


HELD = "held"  # rows, in a session's info


class ReadOnly(RuntimeError):
    """A service wrote outside `write`."""


_encode = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode


def dumps(value: Any) -> str:
    """JSON as stored: readable Chinese, stable key order (hashes depend on it)."""
    return _encode(value)


def loads(stored: Any) -> Any:
    """JSON as read back. SQLite gives a number that stands alone as the number itself."""
    return stored if isinstance(stored, int | float) else orjson.loads(stored)


def is_sqlite(connection: Connection | None = None) -> bool:
    return (connection or session.connection()).dialect.name == "sqlite"


def reserved_ids(model: type[Base], count: int) -> list[int]:
    """Ids for so many new rows, so that they need not be asked for while inserting: on PostgreSQL a statement that
    gives them back is as long as its rows and parsed anew each time. Empty on SQLite, which gives them for nothing."""
    if is_sqlite():
        return []
    sequence = func.pg_get_serial_sequence(model.__tablename__, "id")
    return list(session.scalars(select(func.nextval(sequence)).select_from(func.generate_series(1, count).alias())))


def among(column: Any, ids: Iterable[int]) -> ColumnElement[bool]:
    """`column` is one of `ids`. PostgreSQL gets them as one array, so that the statement and its plan stay the same
    however many there are; an IN list of 80 is parsed and planned anew each time.
    """
    wanted = list(ids)
    if is_sqlite():
        return column.in_(wanted)  # type: ignore[no-any-return]  # a column of any type
    return column == any_(literal(wanted, ARRAY(BigInteger)))  # type: ignore[no-any-return]  # as above


LONGEST = timedelta(days=2)  # no visit and no shift lasts that long: forms and imports end both within a day


def touching(model: Any, start: datetime, end: datetime) -> tuple[ColumnElement[bool], ...]:
    """Rows of `model` with time in [start, end). The bound on how long they last keeps years of history unread."""
    return (model.starts_at < end, model.starts_at > start - LONGEST, model.ends_at > start)


def install(engine: Engine) -> None:
    """Fit an engine with our transaction rules; called once per engine by the app factory."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _on_sqlite_connect)
        _turnstiles[engine] = Turnstile(BUSY_MS / 1000)
    event.listen(engine, "begin", _on_begin)


def _on_sqlite_connect(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves, below
    for pragma in ("journal_mode=WAL", f"busy_timeout={BUSY_MS}", "foreign_keys=ON", "synchronous=FULL"):
        connection.execute(f"PRAGMA {pragma}")


def _on_begin(connection: Connection) -> None:
    writing = bool(connection.get_execution_options().get("writing"))
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"PRAGMA query_only={'OFF' if writing else 'ON'}")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
    else:  # said with the driver's BEGIN, which costs no statement of its own
        driver: Any = connection.connection.driver_connection
        driver.read_only = not writing


def writing() -> bool:
    """Whether we are inside `write`."""
    return bool(session.info.get("writing"))


def must_write() -> None:
    """For rows written without objects, which no flush looks at. Raises ReadOnly outside `write`."""
    if not writing():
        raise ReadOnly(_STRAY)


_STRAY = "a write outside foundation.db.write: wrap the service call of the view, command or job in write(...)"


@event.listens_for(Session, "before_flush")
def _refuse_stray_writes(current: Session, _context: Any, _instances: Any) -> None:
    if not current.info.get("writing") and (
        current.new or current.deleted or any(map(current.is_modified, current.dirty))
    ):
        raise ReadOnly(_STRAY)


def write(work: Callable[[], T]) -> T:
    """Run `work` in one write transaction, commit, and give its result.

    Serialization failures, deadlocks and a busy SQLite are retried here and nowhere else, so `work`
    must not have effects outside the database. Called inside another `write` it joins it. Raises
    Conflict when a constraint of the database decided a race against us, PreconditionFailed when a
    row with a version was changed meanwhile.
    """
    if writing():
        return work()
    for attempt in range(MAX_TRIES):
        session.rollback()
        try:
            with _turn_to_write(db.engine):
                return _in_transaction(work)
        except DBAPIError as error:
            if isinstance(error, IntegrityError):
                raise Conflict(code=_constraint_code(error)) from error
            if attempt + 1 == MAX_TRIES or not _worth_retrying(error):
                raise
            sleep(0.02 * 3**attempt)
        except StaleDataError as error:
            raise PreconditionFailed() from error
    raise AssertionError("unreachable")


def _in_transaction(work: Callable[[], T]) -> T:
    session.info["writing"] = True
    try:
        session.connection(execution_options={"writing": True})
        result = work()
        session.commit()
        return result
    except BaseException:
        session.rollback()
        raise
    finally:
        session.info["writing"] = False


_turnstiles: WeakKeyDictionary[Engine, Turnstile] = WeakKeyDictionary()  # of SQLite's engines


def _turn_to_write(engine: Engine) -> AbstractContextManager[None]:
    known = _turnstiles.get(engine)
    return known.turn() if known else nullcontext()


def _worth_retrying(error: DBAPIError) -> bool:
    if getattr(error.orig, "sqlite_errorcode", None) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_BUSY_SNAPSHOT):
        return True
    return getattr(error.orig, "sqlstate", None) in RETRIED_SQLSTATES


def _constraint_code(error: IntegrityError) -> str:
    return "overlap" if "no_overlap" in str(error.orig) else "conflict"


def lock_rows(*rows: Any) -> None:
    """Hold these rows until this transaction ends and know how they stand now, so that two people cannot both change
    them. Rows are held in one order everywhere: visit, order, technicians, balances.

    What is held already is as we know it and costs nothing. SQLite has one writer at a time: what was read holds.
    """
    for row in rows:
        known = inspect(row, raiseerr=False)
        if known is None or not known.persistent or is_sqlite():
            continue
        held = session.info.setdefault(HELD, {})  # the rows themselves: the session forgets what nobody has
        if known.key not in held:
            changed = known.committed_state  # what we are about to write stays
            names = [one.key for one in known.mapper.column_attrs if one.key not in changed]
            session.refresh(row, names, with_for_update=True)
            held[known.key] = row


@event.listens_for(Session, "after_soft_rollback")
def _let_go(current: Session, _transaction: SessionTransaction) -> None:
    current.info.pop(HELD, None)  # a savepoint lets go what was held since it; which rows those were nobody need know


@event.listens_for(Session, "after_transaction_end")
def _let_go_all(current: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        current.info.pop(HELD, None)


def defer_constraints() -> None:
    """Check deferrable constraints at commit (applying a plan swaps visits between technicians)."""
    if not is_sqlite():
        session.execute(text("SET CONSTRAINTS ALL DEFERRED"))


def take_turns(name: str) -> None:
    """Until this transaction ends, others who name the same thing wait here; then they see what we did.

    For "look, else make" where no row exists yet to be locked. SQLite has one writer at a time anyway.
    """
    connection = session.connection()
    if not is_sqlite(connection):
        connection.execute(_TURN, {"name": name})


def turn(name: ColumnElement[str]) -> ColumnElement[Any]:
    """`take_turns` as an expression of PostgreSQL, for statements that wait for a turn only if it is worth it."""
    return func.pg_advisory_xact_lock(func.hashtextextended(name, 360))


_TURN = select(turn(bindparam("name", type_=String)))


def in_savepoint() -> bool:
    """Whether what we write may be undone although the transaction goes on."""
    return session().in_nested_transaction()


def written(row: T) -> T:
    """`row` was written by a statement with all its columns: the session knows it from now on, as if it had read it.

    Not inside a savepoint: if that is rolled back, the session would not know.
    """
    make_transient_to_detached(row)
    session.add(row)
    return row
