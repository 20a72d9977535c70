"""The form of any record: what stands in it, and what was sent."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from werkzeug.datastructures import MultiDict

from fieldservice.admin.exporting import cells_of
from fieldservice.foundation.access import STAFF
from fieldservice.foundation.db import dumps
from fieldservice.foundation.places import divisions
from fieldservice.foundation.words import language
from fieldservice.mechanisms.records import Kind, kind_of
from fieldservice.mechanisms.records.fields import Choice, Field, Reference
from fieldservice.stations.team_records import certificate_words

MOST_GRANTS = 60
MOST_LINES = 80


@dataclass
class RecordForm:
    """One record, shown for editing. `seen` tells what it held when the page was opened."""

    kind: Kind
    row: Any = None
    texts: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, list[Any]] = field(default_factory=dict)
    warnings: Mapping[str, list[Any]] = field(default_factory=dict)
    seen: str = ""

    def text(self, column: str) -> str:
        return self.texts.get(column, "")

    def grants(self) -> list[tuple[str, str]]:
        """Roles with stations, and two empty lines to add more."""
        entries = [entry.strip().partition("@") for entry in self.text("roles").split(";") if entry.strip()]
        return [*((role.strip(), station.strip()) for role, _at, station in entries), ("", ""), ("", "")]

    def levels(self, name: str) -> dict[str, str]:
        """Code → level as typed."""
        found = {}
        for entry in filter(str.strip, self.text(name).split(";")):
            code, _space, level = entry.strip().rpartition(" ")
            found[code] = level
        return found

    def certificates(self, name: str) -> dict[str, tuple[str, str]]:
        """Kind → (last valid day, number) as typed."""
        found = {}
        for entry in filter(str.strip, self.text(name).split(";")):
            code, day, number = [*entry.strip().split(" ", 2), "", ""][:3]
            found[code] = (day, number)
        return found

    def chosen(self, name: str) -> set[str]:
        return {entry.strip() for entry in self.text(name).split(";")}

    def division_lines(self, name: str) -> str:
        """Divisions one a line, code and name."""
        codes = [entry.strip()[:6] for entry in self.text(name).replace("\n", ";").split(";") if entry.strip()]
        return "\n".join(
            f"{code} {divisions.label(code, language())}" if divisions.by_code(code) else code for code in codes
        )

    def checklist(self, name: str) -> list[list[str]]:
        """Lines of a checklist as cells, and three empty ones."""
        lines = [
            [piece.strip() for piece in line.split("|", 5)] for line in self.text(name).splitlines() if line.strip()
        ]
        return [(line + [""] * 6)[:6] for line in [*lines, [], [], []]]

    def labels(self) -> dict[str, str]:
        return {column: one.column_label(column) for one in self.kind.fields for column in one.columns}


def of_row(kind: Kind, row: Any) -> RecordForm:
    """The form of a record as it is stored."""
    texts = dict(zip(kind.columns, cells_of(kind, [row])[0], strict=True))
    return RecordForm(kind, row, texts, seen=digest(kind, row))


def empty(kind: Kind, given: Mapping[str, str]) -> RecordForm:
    """The form of a new record, filled as far as the address says (`?customer=…`) and with the defaults."""
    texts: dict[str, str] = {}
    for one in kind.fields:
        texts.update(one.texts(one.default) if not isinstance(one, Reference) else {one.name: ""})
    return RecordForm(kind, None, {**texts, **{name: given[name][:200] for name in kind.columns if name in given}})


def digest(kind: Kind, row: Any) -> str:
    """Tells whether a record was changed since it was shown."""
    return hashlib.sha256(dumps(kind.values(row)).encode()).hexdigest()[:16]


def collect(kind: Kind, sent: MultiDict[str, str]) -> dict[str, str]:
    """The texts of all columns as the form sent them; its inputs for lists become one text each."""
    texts: dict[str, str] = {}
    for one in kind.fields:
        texts.update(_collect_one(one, sent))
    return texts


def _collect_one(one: Field, sent: MultiDict[str, str]) -> dict[str, str]:
    name = one.name
    if one.widget == "flag":
        return {name: "yes" if sent.get(name) else "no"}
    if one.widget == "codes":
        return {name: "; ".join(sent.getlist(name))}
    if one.widget == "levels" and isinstance(one, Choice):
        pairs = [(code, sent.get(f"{name}.{code}", "")) for code, _word in one.options()]
        return {name: "; ".join(f"{code} {level}" for code, level in pairs if level)}
    if one.widget == "certificates":
        return {name: "; ".join(filter(None, (_certificate(name, code, sent) for code in certificate_words())))}
    if one.widget == "checklist":
        return {name: "\n".join(filter(None, (_checklist_line(f"{name}.{n}", sent) for n in range(MOST_LINES))))}
    if one.widget == "grants":
        rows = [(sent.get(f"{name}.{n}.role", ""), sent.get(f"{name}.{n}.station", "")) for n in range(MOST_GRANTS)]
        return {name: "; ".join(f"{role}@{station}" if station else role for role, station in rows if role)}
    return {column: sent.get(column, "") for column in one.columns}


def _certificate(name: str, code: str, sent: MultiDict[str, str]) -> str:
    day, number = sent.get(f"{name}.{code}.day", "").strip(), sent.get(f"{name}.{code}.number", "").strip()
    return f"{code} {day} {number.replace(';', ' ')}".strip() if day else ""


def _checklist_line(prefix: str, sent: MultiDict[str, str]) -> str:
    def cell(name: str) -> str:
        return " ".join(sent.get(f"{prefix}.{name}", "").replace("|", " ").split())

    if not (cell("code") or cell("zh") or cell("en")):
        return ""
    kind = cell("type") + ("!" if sent.get(f"{prefix}.required") else "")
    pieces = [cell("code"), kind, cell("zh"), cell("en"), cell("more"), cell("hint")]
    while len(pieces) > 4 and not pieces[-1]:
        pieces.pop()
    return " | ".join(pieces)


def role_codes() -> tuple[str, ...]:
    return STAFF


def station_codes() -> list[tuple[str, str]]:
    """(code, name) of every station, for choosing."""
    from sqlalchemy import select

    from fieldservice.foundation.db import session

    kind = kind_of("stations")
    rows = session.scalars(select(kind.model).order_by(kind.model.code).limit(500))
    return [(kind.key_text(row), kind.name(row)) for row in rows]
