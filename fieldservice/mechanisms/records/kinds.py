"""A kind of record, declared by the capability that owns it, and the register of all kinds."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, Select, String, cast, func, or_, select

from fieldservice.foundation.access import Person
from fieldservice.foundation.db import session
from fieldservice.foundation.errors import NotFound
from fieldservice.foundation.words import pick
from fieldservice.mechanisms.records.fields import Bilingual, Field, Reference

Values = Mapping[str, Any]  # field name → value


class Kind:
    """What a kind of record is. Capabilities subclass it in their `records.py` and override what differs.

    `keys` are the ways a row of a table finds the record it means: the first whose fields are all given decides.
    `unique` fields are held by one record at most. Everything takes many records at once, so that a table of a
    hundred thousand rows costs a few statements a batch.
    """

    code: ClassVar[str]
    title: ClassVar[Any]  # lazy, plural
    one: ClassVar[Any]  # lazy, singular
    symbol: ClassVar[str] = "database"
    model: ClassVar[Any]
    fields: ClassVar[tuple[Field, ...]]
    keys: ClassVar[tuple[tuple[str, ...], ...]]
    unique: ClassVar[tuple[str, ...]] = ()
    shown: ClassVar[tuple[str, ...]] = ()  # columns of the list
    searched: ClassVar[tuple[str, ...]] = ()
    editors: ClassVar[tuple[str, ...]] = ("admin",)
    readers: ClassVar[tuple[str, ...]] = ("admin",)
    moves: ClassVar[tuple[str, ...]] = ()  # states people may choose on its page
    only_new: ClassVar[bool] = False  # a row that means a known record changes nothing
    listed: ClassVar[bool] = True  # has a list and forms of its own
    guarded: ClassVar[bool] = False  # editing it asks once more who is there
    previews: ClassVar[bool] = False  # can be looked at before it is saved
    page: ClassVar[str] = ""  # a template with more than the form, where the kind has one

    def field(self, name: str) -> Field:
        """One of its fields. Raises KeyError."""
        return {field.name: field for field in self.fields}[name]

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column of its tables, in order."""
        return tuple(column for field in self.fields for column in field.columns)

    # What a record is -----------------------------------------------------------------------------

    def values(self, row: Any) -> dict[str, Any]:
        """Everything a record holds, as JSON."""
        return {field.name: field.get(row) for field in self.fields}

    def export_values(self, row: Any) -> dict[str, Any]:
        """What a table of all records holds."""
        return self.values(row)

    def name(self, row: Any) -> str:
        """What people call it."""
        return pick(getattr(row, "names", None)) or str(getattr(row, "name", "") or f"#{row.id}")

    def key_text(self, row: Any) -> str:
        """How a table names it."""
        return str(getattr(row, self.keys[0][0]) or "")

    def plain_key(self, text: str) -> str:
        """A key as it is compared, however it was typed."""
        return text

    def station_of(self, values: Values) -> int | None:
        """The station whose people may edit it, as far as the given values tell."""
        found = values.get("station")
        return found if isinstance(found, int) else None

    def has_station(self) -> bool:
        """Whether a record belongs to a station; where it does not, only those who cover all may edit it."""
        return any(field.name == "station" for field in self.fields)

    # What can be asked ----------------------------------------------------------------------------

    def every(self) -> Select[Any]:
        """Every record there is: of rows that are also something else, or over, only those that count."""
        return select(self.model)

    def statement(self, person: Person) -> Select[Any]:
        """Every record the person may see."""
        statement = self.every()
        stations = person.stations(*self.readers)
        condition = None if stations is None else self.in_stations(stations)
        return statement if condition is None else statement.where(condition)

    def in_stations(self, stations: Collection[int]) -> ColumnElement[bool] | None:
        """The condition that keeps records to some stations; None where they belong to none."""
        column = getattr(self.model, "station_id", None)
        return None if column is None else column.in_(sorted(stations))

    def holds(self, words: str) -> ColumnElement[bool]:
        """The condition that a record holds the words."""
        found = []
        for name in self.searched:
            column = getattr(self.model, name)
            if isinstance(column.type, String):
                found.append(column.icontains(words, autoescape=True))
            else:
                found += [column[spoken].as_string().icontains(words, autoescape=True) for spoken in ("zh", "en")]
        return or_(*found) if found else cast(self.model.id, String) == words

    def page_of(self, person: Person | None, words: str, after: int, limit: int) -> Sequence[Any]:
        """The next records after an id; all of them for `person` None."""
        statement = self.statement(person) if person is not None else self.every()
        if words:
            statement = statement.where(self.holds(words))
        return session.scalars(statement.where(self.model.id > after).order_by(self.model.id).limit(limit)).all()

    def count(self, person: Person, most: int) -> int:
        """How many there are, counted no further than `most`."""
        some = self.statement(person).with_only_columns(self.model.id).limit(most).subquery()
        return session.scalar(select(func.count()).select_from(some)) or 0

    def visible(self, person: Person, record_id: int) -> Any:
        """A record the person may see. Raises NotFound."""
        mine = self.statement(person).where(self.model.id == record_id)
        row = session.scalar(mine) if 0 < record_id < 2**63 else None
        if row is None:
            raise NotFound()
        return row

    def by_id(self, record_id: int) -> Any:
        """Raises NotFound."""
        row = session.get(self.model, record_id) if 0 < record_id < 2**63 else None
        if row is None:
            raise NotFound()
        return row

    def labels(self, ids: Collection[int | None]) -> dict[int, tuple[str, str]]:
        """id → (the key as tables write it, the name people read), in one query."""
        wanted = {one for one in ids if one is not None}
        rows = session.scalars(select(self.model).where(self.model.id.in_(wanted))) if wanted else ()
        return {row.id: (self.key_text(row), self.name(row)) for row in rows}

    def named(self, texts: Collection[tuple[int | None, str]]) -> dict[tuple[int | None, str], Sequence[int]]:
        """(id of what it must lie within, text) → the ids it may mean; in one query."""
        wanted = {text for _within, text in texts}
        column = getattr(self.model, self.keys[0][0])
        rows = session.execute(select(column, self.model.id).where(column.in_(wanted))).all() if wanted else ()
        known = {key: record_id for key, record_id in rows}  # noqa: C416 - rows are no pairs to the type checker
        return {one: [known[one[1]]] if one[1] in known else [] for one in texts}

    def match(self, wanted: Sequence[Values]) -> list[Any | None]:
        """The record each of these means, or None. The default asks one query for each way of naming."""
        found: list[Any | None] = [None] * len(wanted)
        for rank, key in enumerate(self.keys):
            mine = [
                (place, tuple(values.get(name) for name in key))
                for place, values in enumerate(wanted)
                if found[place] is None and self._given(key, values)
            ]
            rows = self.rows_by(key, [texts for _place, texts in mine]) if mine else {}
            for place, texts in mine:
                row = rows.get(texts)
                if row is not None and not self._differs(self.keys[:rank], row, wanted[place]):
                    found[place] = row
        return found

    def _given(self, key: tuple[str, ...], values: Values) -> bool:
        return all(not self.field(name).is_empty(values.get(name)) for name in key)

    def _differs(self, better: Sequence[tuple[str, ...]], row: Any, values: Values) -> bool:
        """Whether a better way of naming speaks against a record: it has another number than the row gives."""
        given = [self.field(name) for key in better for name in key if self._given(key, values)]
        return any(not one.is_empty(one.get(row)) and one.get(row) != values[one.name] for one in given)

    def rows_by(self, key: tuple[str, ...], wanted: Sequence[tuple[Any, ...]]) -> dict[tuple[Any, ...], Any]:
        """The records of these keys. One plain column by default."""
        column = getattr(self.model, key[0])
        rows = session.scalars(select(self.model).where(column.in_({texts[0] for texts in wanted})))
        return {(getattr(row, key[0]),): row for row in rows}

    # What can be done -----------------------------------------------------------------------------

    def check(self, drafts: Sequence[Any]) -> None:
        """Add what is wrong with these drafts beyond single fields (`Draft.refuse`)."""

    def create(self, wanted: Sequence[Values], at: datetime) -> Sequence[Any]:
        """Make records; given values only, the model's defaults otherwise. One flush, one event each."""
        raise NotImplementedError

    def change(self, row: Any, values: Values, at: datetime) -> None:
        """Let a record hold these values, of changed fields alone."""
        for name, value in values.items():
            self.field(name).set(row, value)

    def remove(self, row: Any) -> None:
        """Take back a record that was just made. The database refuses where something points at it."""
        session.delete(row)

    def left_by_undo(self, row: Any, before: Values | None) -> list[Any]:
        """What taking an edit back leaves open, as sentences to be told; the record then holds `before`, or is gone."""
        return []

    def move(self, row: Any, to: str, reason: str, at: datetime) -> None:
        """Move a record to another state."""
        from fieldservice.mechanisms.lifecycle import move

        move(row, to, reason=reason or None, at=at)


_kinds: dict[str, Kind] = {}


def register(*found: Kind) -> None:
    """Make kinds known; wiring calls it once."""
    for kind in found:
        _kinds[kind.code] = kind


def kinds() -> list[Kind]:
    return list(_kinds.values())


def kind_of(code: str) -> Kind:
    """Raises NotFound."""
    if code not in _kinds:
        raise NotFound()
    return _kinds[code]


def title_of(field: Field) -> str:
    """What a field is called, for messages."""
    return str(field.label)


def references(kind: Kind) -> list[Reference]:
    return [field for field in kind.fields if isinstance(field, Reference)]


def bilingual(kind: Kind) -> list[Bilingual]:
    return [field for field in kind.fields if isinstance(field, Bilingual)]
