"""A whole country from one region: PostgreSQL copies what happened there, moved to other stations and earlier months.

Telling a million orders one by one would take hours. The region is told as any demo is; then its rows are inserted
again and again, each row with its id moved on by copy and table, so that what pointed to a row points to its twin.

- *Present*: every other region has all rows of the first one, with other people, places, numbers and machines.
- *Earlier*: orders that are closed are told again for every region, moved back by whole weeks; only what lists, figures
  and histories of machines read (requests, orders, visits, bookings, promises, ratings), without events and answers.

Indexes and constraints of the large tables are taken off meanwhile and put back as they were, which checks them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import Table, select, text

from fieldservice.demo.sizes import Size
from fieldservice.demo.twins import TABLES, named_by
from fieldservice.foundation.db import Base, UtcDateTime, session
from fieldservice.foundation.time import clock
from fieldservice.mechanisms.events import Event, chain_hash

STANDING = (*TABLES, "asset", "certificate", "technician_skill", "shift", "stock_balance")
FLOWING = (
    "service_request", "work_order", "visit", "booking", "clock", "survey", "task", "thread_message", "work_item",
    "stock_move", "part_use", "old_part", "stored_file", "answer", "finding", "event_note", "event",
)  # fmt: skip
EARLIER = {  # which rows are told again for earlier months
    "service_request": "s.id IN (SELECT id FROM old_request)",
    "work_order": "s.id IN (SELECT id FROM old_order)",
    "visit": "s.work_order_id IN (SELECT id FROM old_order)",
    "booking": "s.visit_id IN (SELECT v.id FROM visit v JOIN old_order o ON o.id = v.work_order_id)",
    "clock": "s.subject_id IN (SELECT id FROM old_request)",
    "survey": "s.request_id IN (SELECT id FROM old_request)",
}
PRESENT = {  # which rows have no twin: messages are sent once, and pictures still being looked at belong to nobody yet
    "event": "split_part(s.kind, '.', 1) NOT IN ('message', 'demo', 'part')"
    " AND NOT (s.subject_type = 'user' AND s.subject_id NOT IN (SELECT user_id FROM role_grant WHERE station_id > 0))",
    "stored_file": "s.state = 'ready'",
}
SUBJECTS = {
    "service_request": "service_request", "work_order": "work_order", "visit": "visit", "booking": "booking",
    "survey": "survey", "stock_move": "stock_move", "station": "station", "territory": "territory", "asset": "asset",
    "technician": "technician", "customer": "customer", "contact": "contact", "site": "site", "user": "user_account",
    "old_part": "old_part",
}  # fmt: skip
FACTS = {  # facts of events that are ids
    "clock": "clock", "technician": "technician", "asset": "asset", "home_station": "station",
    "work_order": "work_order", "message": "thread_message", "customer": "customer", "task": "task",
    "survey": "survey", "file": "stored_file", "finding": "finding",
}  # fmt: skip
NUMBERS = ("request", "of", "number", "work_order")  # facts that are numbers people say
TASK_KEYS = {"clock_breached": "clock", "recover": "survey"}
ROUND = 1000
MOST_ROWS = 6  # of any table for a request


@dataclass(frozen=True)
class Plan:
    """How many regions there are, and how often each one's past is told again, how far apart."""

    regions: int
    earlier: int
    apart: timedelta
    spans: Mapping[str, int]
    below: Mapping[str, int]  # by table: the first region's ids lie above this, those of earlier months below
    country: Sequence[int]  # ids of users who belong to no station and have no twin
    back: bool = False  # whether rows go back in time

    def moved(self, table: str, reference: str) -> str:
        """SQL of an id of a table, moved to its twin. `n` is the region, `b` how far back."""
        if table == "event":  # the events of all regions follow each other in time
            return f"{reference} + n"
        if table not in self.spans:
            return reference
        copy = f"(-1 - n - {self.regions} * (b - 1))" if self.back and table not in STANDING else "n"
        twin = f"{reference} + {copy} * {self.spans[table]}"
        if table == "user_account":
            return f"CASE WHEN {reference} = ANY(ARRAY{list(self.country)}) THEN {reference} ELSE {twin} END"
        return twin

    def first(self, table: str, reference: str) -> str:
        """SQL: whether an id is one of the first region."""
        return f"{reference} <= {self.below.get(table, 0) + self.spans[table]}"


def room_below(size: Size) -> dict[str, int]:
    """How many ids stay free for what happened before the region's own past: the newest have the largest."""
    if not size.past:
        return {}
    times = size.past // (size.regions * size.closed) + 2
    return dict.fromkeys(EARLIER, times * size.regions * MOST_ROWS * (size.open + size.closed))


def spans(below: Mapping[str, int]) -> dict[str, int]:
    """How far the ids of one region lie from the next one's, by table."""
    found = {}
    for name in (*STANDING, *FLOWING):
        if "id" in _table(name).c:
            last = (session.scalar(text(f"SELECT max(id) FROM {name}")) or 0) - below.get(name, 0)
            found[name] = (last // ROUND + 1) * ROUND
    found["number"] = max(found["service_request"], found["work_order"])
    return found


def copy_standing(plan: Plan) -> None:
    """Machines, skills, rosters and stocks of the other regions."""
    for name in STANDING:
        if name not in TABLES:
            _insert(plan, name, range(1, plan.regions), range(1))


def copy_present(plan: Plan, tell: Callable[[str], None]) -> None:
    """Everything that happened in the region, in all others. Event ids are spread first, to leave room between them."""
    for statement in (
        "CREATE TEMPORARY TABLE told_request ON COMMIT DROP AS SELECT id, contact_id FROM service_request",
        "ALTER TABLE told_request ADD PRIMARY KEY (id)",
        "DELETE FROM event_log", "DELETE FROM event_pending",
        f"UPDATE event SET id = id * {plan.regions}",
        f"UPDATE event_note SET event_id = event_id * {plan.regions}",
        f"UPDATE event_effect SET event_id = event_id * {plan.regions}",
        f"UPDATE task SET origin_event_id = origin_event_id * {plan.regions}",
    ):  # fmt: skip
        session.execute(text(statement))
    for name in FLOWING:
        tell(f"  {name} …")
        _insert(plan, name, range(1, plan.regions), range(1))


def copy_earlier(plan: Plan, tell: Callable[[str], None]) -> None:
    """What is closed, once more for every earlier stretch of time and every region."""
    for statement in (
        "CREATE TEMPORARY TABLE old_request ON COMMIT DROP AS SELECT id FROM service_request WHERE state = 'closed'"
        f" AND {plan.first('service_request', 'id')}",
        "CREATE TEMPORARY TABLE old_order ON COMMIT DROP AS SELECT id FROM work_order WHERE state = 'closed'"
        f" AND {plan.first('work_order', 'id')} AND (request_id IS NULL OR request_id IN (SELECT id FROM old_request))",
        "ANALYZE old_request",
        "ANALYZE old_order",
    ):
        session.execute(text(statement))
    plan = replace(plan, back=True)
    for name in EARLIER:
        tell(f"  earlier {name} …")
        _insert(plan, name, range(plan.regions), range(1, plan.earlier + 1))


def close_numbers() -> None:
    """The series go on after the highest number of each year, the sequences after the highest id."""
    for series, table in (("SR", "service_request"), ("WO", "work_order")):
        session.execute(
            text(
                "INSERT INTO number_series (series, year, last)"
                " SELECT :series, split_part(number, '-', 2)::int, max(split_part(number, '-', 3)::int)"
                f" FROM {table} GROUP BY 2 ON CONFLICT (series, year) DO UPDATE SET last = excluded.last"
            ),
            {"series": series},
        )
    for name, known in Base.metadata.tables.items():
        if "id" in known.c:
            last = f"(SELECT max(id) FROM {name})"
            session.execute(text(f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), greatest(1, {last}))"))


@contextmanager
def bare(names: Sequence[str]) -> Iterator[None]:
    """Tables without their indexes and constraints; afterwards they have them again, checked against all rows."""
    constraints = session.execute(
        text(
            "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE contype IN ('p', 'u', 'x', 'f')"
            " AND (conrelid = ANY(:names ::text[]::regclass[]) OR confrelid = ANY(:names ::text[]::regclass[]))"
            " ORDER BY contype = 'f', contype <> 'p'"
        ),
        {"names": list(names)},
    ).all()
    for table, name, _definition in reversed(constraints):
        session.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT {name}"))
    indexes = session.execute(
        text(
            "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index"
            " WHERE indrelid = ANY(:names ::text[]::regclass[])"
        ),
        {"names": list(names)},
    ).all()
    for name, _definition in indexes:
        session.execute(text(f"DROP INDEX {name}"))
    yield
    session.execute(text("SET LOCAL maintenance_work_mem = '256MB'"))
    for _name, definition in indexes:
        session.execute(text(definition))
    for table, name, definition in constraints:
        session.execute(text(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}"))


def _insert(plan: Plan, name: str, regions: range, back: range) -> None:
    table = _table(name)
    columns = [column.name for column in table.columns]
    values = [_value(plan, table, column, earlier=back.start > 0) for column in columns]
    wanted = EARLIER[name] if back.start > 0 else PRESENT.get(name, "true")
    if name in plan.spans and name != "event":  # an event id is no longer one of the span
        wanted = f"{plan.first(name, 's.id')} AND {wanted}"
    session.execute(
        text(
            f"INSERT INTO {name} ({', '.join(columns)}) SELECT {', '.join(values)} FROM {name} s,"
            f" generate_series({regions.start}, {regions.stop - 1}) n, generate_series({back.start}, {back.stop - 1}) b"
            f" WHERE {wanted}"
        )
    )


def _value(plan: Plan, table: Table, column: str, *, earlier: bool) -> str:
    """SQL of a column's value in the twin of row `s`."""
    own = OWN.get((table.name, column))
    if own is not None:
        return own(plan)
    here, kind = f"s.{column}", table.c[column]
    if column == "id":
        return plan.moved(table.name, here)
    if column in ("actor", "uploaded_by"):
        user = plan.moved("user_account", f"substr({here}, 6)::int")
        return f"CASE WHEN {here} LIKE 'user:%' THEN 'user:' || ({user})::text ELSE {here} END"
    if column == "subject_id":
        cases = (f"WHEN '{code}' THEN {plan.moved(name, here)}" for code, name in SUBJECTS.items())
        return f"CASE s.subject_type {' '.join(cases)} ELSE {here} END"
    target = named_by(kind)
    if target is not None:
        return plan.moved(target, here)
    if earlier and isinstance(kind.type, UtcDateTime):
        return f"{here} - b * interval '{plan.apart.days} days'"
    return here


def _number(plan: Plan, number: str, moment: str | None = None) -> str:
    """SQL of a number people say: the year in which it was given, and running numbers that no other region has."""
    running = f"(split_part({number}, '-', 3)::int + (n + {plan.regions} * b) * {plan.spans['number']})::text"
    year = f"split_part({number}, '-', 2)"
    if moment is not None:
        zone = clock.zone.key
        shifted = f"(s.{moment} - b * interval '{plan.apart.days} days') AT TIME ZONE '{zone}'"
        year = f"extract(year FROM {shifted})::int::text"
    padded = f"lpad({running}, greatest(6, length({running})), '0')"
    return f"split_part({number}, '-', 1) || '-' || {year} || '-' || {padded}"


def _facts(plan: Plan, facts: str) -> str:
    """SQL of facts whose ids and numbers name the twins."""
    ids = " ".join(f"WHEN '{key}' THEN {plan.moved(table, 'v::text::bigint')}" for key, table in FACTS.items())
    names = ", ".join(f"'{name}'" for name in {*FACTS, *NUMBERS})
    return (
        f"CASE WHEN {facts} ?| ARRAY[{names}] THEN (SELECT jsonb_object_agg(k, CASE"
        f" WHEN jsonb_typeof(v) = 'number' AND k IN ({', '.join(repr(key) for key in FACTS)})"
        f" THEN to_jsonb(CASE k {ids} END)"
        f" WHEN jsonb_typeof(v) = 'string' AND k IN {NUMBERS} THEN to_jsonb({_number(plan, 'v #>> array[]::text[]')})"
        f" ELSE v END) FROM jsonb_each({facts}) AS f(k, v)) ELSE {facts} END"
    )


def _of(table: str, column: str, key: str) -> Callable[[Plan], str]:
    """SQL of what the twin of a standing row says now; the row's own words where it names none."""
    last = f"s.{column}" if column in ("latitude", "longitude", "address", "division_code") else "s.contact_" + column

    def value(plan: Plan) -> str:
        found = f"(SELECT o.{column} FROM {table} o WHERE o.id = {plan.moved(table, f's.{key}')})"
        return f"COALESCE({found}, {last})"

    return value


OWN: dict[tuple[str, str], Callable[[Plan], str]] = {
    ("asset", "serial"): lambda plan: "s.serial || '-R' || lpad(n::text, 2, '0')",
    ("asset", "serial_key"): lambda plan: "s.serial_key || 'R' || lpad(n::text, 2, '0')",
    ("service_request", "number"): lambda plan: _number(plan, "s.number", "received_at"),
    ("service_request", "serial_given"): lambda plan: (
        "CASE WHEN n = 0 OR s.serial_given = '' THEN s.serial_given"
        " ELSE s.serial_given || '-R' || lpad(n::text, 2, '0') END"
    ),
    ("work_order", "number"): lambda plan: _number(plan, "s.number", "created_at"),
    # nobody looks at the marks of a clock that stands still
    ("clock", "marks"): lambda _plan: "CASE WHEN b = 0 THEN s.marks ELSE '[]'::jsonb END",
    ("task", "facts"): lambda plan: _facts(plan, "s.facts"),
    ("task", "key"): lambda plan: "CASE split_part(s.key, ':', 1) {} END".format(
        " ".join(
            f"WHEN '{prefix}' THEN '{prefix}:' || ({plan.moved(table, 'split_part(s.key, chr(58), 2)::int')})::text"
            for prefix, table in TASK_KEYS.items()
        )
    ),
    ("stored_file", "key"): lambda plan: "md5(s.key || n::text)",
    ("stock_move", "for_id"): lambda plan: plan.moved("visit", "s.for_id"),
    ("event", "facts"): lambda plan: _facts(plan, "s.facts"),
    ("event_note", "event_id"): lambda plan: plan.moved("event", "s.event_id"),
    ("answer", "content"): lambda plan: (
        "CASE WHEN jsonb_typeof(s.content -> 'value' -> 0) = 'number' THEN jsonb_set(s.content, '{value}',"
        f" (SELECT jsonb_agg({plan.moved('stored_file', 'f::text::bigint')})"
        " FROM jsonb_array_elements(s.content -> 'value') f)) ELSE s.content END"
    ),
    **{
        ("service_request", f"contact_{column}"): _of("contact", column, "contact_id")
        for column in ("name", "phone", "email")
    },
    **{
        ("service_request", column): _of("site", column, "site_id")
        for column in ("address", "division_code", "latitude", "longitude")
    },
    **{("work_order", column): _of("site", column, "site_id") for column in ("latitude", "longitude")},
    ("survey", "contact_phone"): lambda plan: (
        "COALESCE((SELECT o.phone FROM told_request r JOIN contact o"
        f" ON o.id = {plan.moved('contact', 'r.contact_id')} WHERE r.id = s.request_id), s.contact_phone)"
    ),
}


def _table(name: str) -> Table:
    return Base.metadata.tables[name]


def take_stock() -> None:
    """PostgreSQL plans by what it knows of the tables, and these are full all at once."""
    session.execute(text("ANALYZE"))


def chain_anew(batch: int = 20_000) -> int:
    """Give every event its place in the log and the hash chain, in the order of ids. Returns how many."""
    driver = session.connection().connection.driver_connection
    assert driver is not None
    after, seq, previous = 0, 0, ""
    events = select(*Event.__table__.columns).order_by(Event.id).limit(batch)
    while rows := session.execute(events.where(Event.id > after)).all():
        with driver.cursor().copy("COPY event_log (seq, event_id, hash) FROM STDIN") as log:
            for row in rows:
                seq, previous = seq + 1, chain_hash(previous, row)
                log.write_row((seq, row.id, previous))
        after = rows[-1].id
    return seq
