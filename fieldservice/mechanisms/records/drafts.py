"""Drafts: rows of a table, or one form, read and judged before anything is written.

`plan` reads nothing it does not need and writes nothing, so a dry run and the real thing judge alike.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from fieldservice.foundation.access import Person
from fieldservice.foundation.db import session
from fieldservice.foundation.errors import DomainError, Invalid
from fieldservice.foundation.formats import FormatError
from fieldservice.mechanisms.records.fields import Field, Reference
from fieldservice.mechanisms.records.kinds import Kind, kind_of, references

Action = Literal["create", "change", "same", "refused"]


@dataclass
class Draft:
    """One row on its way in."""

    line: int
    texts: Mapping[str, str]
    values: dict[str, Any] = field(default_factory=dict)
    row: Any = None  # the record it means; None makes a new one
    changed: dict[str, Any] = field(default_factory=dict)
    before: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, list[Any]] = field(default_factory=dict)  # column → sentences
    warnings: dict[str, list[Any]] = field(default_factory=dict)
    action: Action = "refused"
    key: str = ""

    def refuse(self, column: str, message: Any) -> None:
        """Say what is wrong; a refused draft is never written."""
        self.errors.setdefault(column, []).append(message)

    def warn(self, column: str, message: Any) -> None:
        self.warnings.setdefault(column, []).append(message)

    def all_values(self) -> dict[str, Any]:
        """What the record will hold: its present values under the given ones."""
        return {**self.before, **self.values}


def plan(
    kind: Kind, drafts: Sequence[Draft], person: Person | None, *, coming: Collection[str] = (), fixed_row: bool = False
) -> None:
    """Judge drafts: read their texts, find what they mean, and say what each would do.

    `person` None is the system itself. `coming` are keys that an earlier batch of a dry run would have made.
    `fixed_row`: the drafts' rows are known already (a form), so that their keys may change.
    """
    readable = [draft for draft in drafts if "_row" not in draft.errors]
    for draft in readable:
        _read(kind, draft)
    for reference in references(kind):
        _look_up(kind, reference, readable, coming)
    if not fixed_row:
        _match(kind, readable)
    for draft in readable:
        draft.before = kind.values(draft.row) if draft.row is not None else {}
        if draft.row is None or not kind.only_new:
            _demand(kind, draft, coming)
    _check_unique(kind, [draft for draft in readable if not draft.errors])
    kind.check([draft for draft in readable if kind.only_new or not draft.errors])
    for draft in drafts:
        _decide(kind, draft, person, coming)


def _match(kind: Kind, drafts: Sequence[Draft]) -> None:
    """Find what the drafts mean. What is wrong with a row that changes nothing anyway is not told."""
    asked = [draft for draft in drafts if kind.only_new or not draft.errors]
    for draft, row in zip(asked, kind.match([draft.values for draft in asked]), strict=True):
        draft.row = row
        if row is not None and kind.only_new:
            draft.errors = {}


def _read(kind: Kind, draft: Draft) -> None:
    for one in kind.fields:
        given = [column for column in one.columns if column in draft.texts]
        if not given:
            if one.default and any(one.name in key for key in kind.keys):
                draft.values[one.name] = one.default
            continue
        try:
            draft.values[one.name] = one.read(draft.texts, partial(draft.warn, given[0]))
        except FormatError as error:
            draft.refuse(given[0], error.message)
        except DomainError as error:
            draft.refuse(given[0], error.message)
    draft.key = next((draft.texts[name] for name in kind.columns if draft.texts.get(name)), "")[:80]


def _look_up(kind: Kind, one: Reference, drafts: Sequence[Draft], coming: Collection[str]) -> None:
    """Turn the texts of a reference into ids, for all drafts at once."""
    asking = [draft for draft in drafts if isinstance(draft.values.get(one.name), str) and draft.values[one.name]]
    for draft in drafts:
        if draft.values.get(one.name) == "":
            draft.values[one.name] = None
    if not asking:
        return

    def wanted(draft: Draft) -> tuple[int | None, str]:
        return (draft.values.get(one.within) if one.within else None, draft.values[one.name])

    found = kind_of(one.to).named({wanted(draft) for draft in asking})
    for draft in asking:
        ids = found[wanted(draft)]
        text = draft.values[one.name]
        if len(ids) == 1:
            draft.values[one.name] = ids[0]
            continue
        draft.values[one.name] = None
        if not ids and one.to == kind.code and kind.plain_key(text) in coming:
            continue
        other = kind_of(one.to).title
        said = _l("“%(text)s” is not known (%(kind)s).", text=text[:60], kind=other)
        if ids:
            said = _l("“%(text)s” is there several times (%(kind)s). Use its code.", text=text[:60], kind=other)
        draft.refuse(one.name, said)


def _demand(kind: Kind, draft: Draft, coming: Collection[str]) -> None:
    for one in kind.fields:
        missing = one.is_empty(draft.values.get(one.name))
        if one.required and missing and (draft.row is None or one.name in draft.values):
            said_already = any(column in draft.errors for column in one.columns)
            if not said_already and not (
                isinstance(one, Reference) and kind.plain_key(draft.texts.get(one.name, "")) in coming
            ):
                draft.refuse(one.columns[0], _l("%(field)s is needed.", field=one.label))
        known = draft.row is not None and one.name in draft.values
        if one.fixed and known and draft.values[one.name] != draft.before[one.name]:
            draft.refuse(one.columns[0], _l("%(field)s cannot be changed later.", field=one.label))


def _check_unique(kind: Kind, drafts: Sequence[Draft]) -> None:
    """A value that another record, or an earlier row, holds already."""
    for name in kind.unique:
        one, column = kind.field(name), getattr(kind.model, name)
        asking = [draft for draft in drafts if not one.is_empty(draft.values.get(name))]
        wanted = {draft.values[name] for draft in asking}
        if not wanted:
            continue
        rows = session.execute(select(column, kind.model.id).where(column.in_(wanted)))
        holders: dict[Any, int | None] = {value: record_id for value, record_id in rows}  # noqa: C416 - rows are no pairs
        for draft in asking:
            value = draft.values[name]
            if value in holders and holders[value] != (draft.row.id if draft.row is not None else None):
                draft.refuse(one.columns[0], _l("%(field)s “%(text)s” is there already.", field=one.label, text=value))
            holders.setdefault(value, draft.row.id if draft.row is not None else None)


def _decide(kind: Kind, draft: Draft, person: Person | None, coming: Collection[str]) -> None:
    if draft.errors:
        draft.action = "refused"
        return
    if person is not None and not _may(kind, draft, person):
        draft.refuse("_row", _l("This belongs to another station."))
        draft.action = "refused"
        return
    if draft.row is None:
        draft.action = "same" if draft.key in coming and not draft.values else "create"
        return
    if kind.only_new:
        draft.before, draft.action = {}, "same"
        return
    draft.changed = {name: value for name, value in draft.values.items() if value != draft.before[name]}
    draft.before = {name: draft.before[name] for name in draft.changed}
    draft.action = "change" if draft.changed else "same"


def _may(kind: Kind, draft: Draft, person: Person) -> bool:
    stations = person.stations(*kind.editors)
    if stations is None:
        return True
    if not kind.has_station():
        return False
    places = [kind.station_of(draft.all_values())]
    if draft.row is not None:
        places.append(kind.station_of(kind.values(draft.row)))
    return all(place is not None and place in stations for place in places)


def refused(draft: Draft) -> Invalid:
    """The error a form shows."""
    return Invalid(dict(draft.errors))


def field_of(kind: Kind, column: str) -> Field | None:
    """The field a column belongs to."""
    return next((one for one in kind.fields if column in one.columns), None)
