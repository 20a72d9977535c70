"""Work types and fault patterns as records: edited, imported and exported like everything else.

They are templates: each save is a new version, orders keep the one they were triaged with, and taking an edit back
saves the former content as the next version.
"""

import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l

from fieldservice.foundation.access import Person
from fieldservice.foundation.errors import NotFound
from fieldservice.mechanisms import templates
from fieldservice.mechanisms.records import Kind
from fieldservice.mechanisms.records.fields import (
    Bilingual,
    Choice,
    Codes,
    Field,
    Levels,
    Whole,
    Words,
)
from fieldservice.mechanisms.records.kinds import Values
from fieldservice.parts.queries import parts_by_number
from fieldservice.workorders import catalogue
from fieldservice.workorders.definition_fields import Checklist, PartList, WordList
from fieldservice.workorders.skills import certificate_words, machine_kind_words, skill_words


@dataclass(frozen=True)
class Defined:
    """One definition, in its latest version, as a record."""

    id: int
    code: str
    version: int
    content: Mapping[str, Any]
    subject_type: str
    station_id: None = None


class DefinitionKind(Kind):
    """Definitions of a kind of template; there are some hundreds at most, so they are listed from memory."""

    template: str
    subject_type: str
    keys = (("code",),)
    readers = editors = ("admin", "engineer")
    previews = True
    title_field = "names"

    class model:  # noqa: N801 - stands where others have a mapped class
        subject_type = "definition"

    def _rows(self) -> list[Defined]:
        return [self._row(found) for found in templates.latest(self.template)]

    def _row(self, found: templates.Definition) -> Defined:
        return Defined(record_id(found.code), found.code, found.version, found.content, "definition")

    def page_of(self, person: Person | None, words: str, after: int, limit: int) -> Sequence[Any]:
        found = sorted(
            (row for row in self._rows() if row.id > after and self._says(row, words)), key=lambda row: row.id
        )
        return found[:limit]

    def _says(self, row: Defined, words: str) -> bool:
        texts = (row.code, *(row.content.get(self.title_field) or {}).values())
        return any(words.casefold() in text.casefold() for text in texts)

    def count(self, person: Person, most: int) -> int:
        return len(self._rows())

    def visible(self, person: Person, record_id: int) -> Any:
        return self.by_id(record_id)

    def by_id(self, record_id: int) -> Any:
        for row in self._rows():
            if row.id == record_id:
                return row
        raise NotFound()

    def labels(self, ids: Collection[int | None]) -> dict[int, tuple[str, str]]:
        return {row.id: (row.code, self.name(row)) for row in self._rows() if row.id in ids}

    def named(self, texts: Collection[tuple[int | None, str]]) -> dict[tuple[int | None, str], Sequence[int]]:
        known = {row.code: row.id for row in self._rows()}
        return {one: [known[one[1]]] if one[1] in known else [] for one in texts}

    def rows_by(self, key: tuple[str, ...], wanted: Sequence[tuple[Any, ...]]) -> dict[tuple[Any, ...], Any]:
        return {(row.code,): row for row in self._rows()}

    def values(self, row: Any) -> dict[str, Any]:
        return {one.name: row.code if one.name == "code" else one.get(row) for one in self.fields}

    def name(self, row: Any) -> str:
        return self.field(self.title_field).show(row.content.get(self.title_field)) or str(row.code)

    def create(self, wanted: Sequence[Values], at: datetime) -> Sequence[Any]:
        return [
            self._row(templates.save(self.template, values["code"], self.content(values), at=at)) for values in wanted
        ]

    def change(self, row: Any, values: Values, at: datetime) -> None:
        merged = {**self.values(row), **values}
        templates.save(self.template, row.code, self.content(merged, row.content), at=at)

    def remove(self, row: Any) -> None:
        from fieldservice.foundation.time import now

        templates.withdraw(self.template, row.code, at=now())

    def content(self, values: Values, before: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """What the template holds; what has no field stays as it was."""
        known = {name: value for name, value in values.items() if name != "code" and name in self.columns_of_content()}
        return {**(before or {}), **{name: value for name, value in known.items() if value is not None}}

    def columns_of_content(self) -> set[str]:
        return {one.name for one in self.fields}

    def check(self, drafts: Sequence[Any]) -> None:
        for draft in drafts:
            if not re.fullmatch(r"[a-z][a-z0-9_]{1,59}", draft.all_values().get("code") or ""):
                draft.refuse("code", _l("Write a code of small letters, digits and _."))
            self.check_one(draft)
        changed = [draft for draft in drafts if draft.values.get("parts") != draft.before.get("parts")]
        known = parts_by_number(number for draft in changed for number in _numbers(draft.values))
        for draft in changed:
            for number in _numbers(draft.values):
                if number not in known:
                    draft.refuse("parts", _l("The catalogue has no part %(number)s.", number=number[:40]))

    def check_one(self, draft: Any) -> None:
        """What a single definition must fulfil."""


def record_id(code: str) -> int:
    """A number for a code, since history names records by number; 48 bits of its hash."""
    return int.from_bytes(hashlib.sha256(code.encode()).digest()[:6], "big") or 1


def _numbers(values: Values) -> list[str]:
    return [entry["number"] for entry in values.get("parts") or ()]


CODE = Field(name="code", label=_l("Code"), required=True, most=60, fixed=True, example="gearbox_seal_change")


class WorkTypes(DefinitionKind):
    """Kinds of work: time, skills, parts and the checklist."""

    code, symbol, template = "work-types", "list-checks", catalogue.WORK_TYPE
    title, one = _l("Work types and checklists"), _l("Work type")
    fields = (
        CODE,
        Bilingual(name="names", label=_l("Name of the work"), required=True, most=80, example="减速机换油封",
                  example_en="Gearbox seal change", inside="content"),
        Choice(name="industry", label=_l("Industry"), words="industry", default="general", example="lubricants",
               inside="content"),
        Choice(name="kind", label=_l("Kind of work"), words="work_kind", required=True, example="corrective_immediate",
               inside="content"),
        Whole(name="duration_min", label=_l("Usual time"), required=True, low=5, high=6000, unit="min", example="150",
              inside="content"),
        Levels(name="skills", label=_l("Skills and levels"), words=skill_words, example="gearbox 2", inside="content"),
        Codes(name="certificates", label=_l("Certificates"), words=certificate_words, example="lv_electrician",
              inside="content", default=None),
        PartList(name="parts", label=_l("Usual parts"), example="OS-TC-180 1"),
        Checklist(name="checklist", label=_l("Checklist"),
                  example="lockout | check! | 停机、挂牌、上锁 | Stop, tag and lock out"),
    )  # fmt: skip
    shown = ("names", "industry", "kind", "duration_min", "skills")
    page = "admin/kinds/work_type.html"

    def content(self, values: Values, before: Mapping[str, Any] | None = None) -> dict[str, Any]:
        found = super().content(values, before)
        for name, empty in (("skills", {}), ("certificates", []), ("parts", []), ("checklist", [])):
            found.setdefault(name, empty)
        found.setdefault("industry", "general")
        return found

    def check_one(self, draft: Any) -> None:
        values = draft.all_values()
        if not {"zh", "en"} <= set(values.get("names") or ()):
            draft.refuse("names_zh", _l("Write it in both languages."))
        try:
            catalogue.read_work_type(values.get("code") or "x", 1, self.content(values))
        except (ValueError, KeyError) as error:
            draft.refuse("checklist", str(error))


class FaultPatterns(DefinitionKind):
    """How faults look, how they are coded, and what mends them."""

    code, symbol, template = "fault-patterns", "search", catalogue.PATTERN
    title, one = _l("Fault patterns"), _l("Fault pattern")
    title_field = "symptom"
    fields = (
        Field(name="code", label=_l("Code"), required=True, most=60, fixed=True, example="gearbox_output_seal_leak"),
        Bilingual(name="symptom", label=_l("What the customer says"), required=True, most=200,
                  example="减速机输出轴往下滴油", example_en="Oil drips from the gearbox output shaft",
                  inside="content"),
        WordList(name="words", label=_l("Words it is found by")),
        Choice(name="mode", label=_l("Failure mode"), words="failure_mode", required=True, example="ELU",
               inside="content"),
        Choice(name="mechanism", label=_l("Mechanism"), words="failure_mechanism", required=True, example="mechanical",
               inside="content"),
        Choice(name="cause", label=_l("Cause"), words="failure_cause", required=True, example="operation_maintenance",
               inside="content"),
        Choice(name="detection", label=_l("Detection"), words="detection", required=True, example="observation",
               inside="content"),
        Choice(name="activity", label=_l("Activity"), words="activity", required=True, example="replace",
               inside="content"),
        Choice(name="work_type", label=_l("Work type"), words=lambda: work_type_words(), required=True,
               example="gearbox_seal_change", inside="content"),
        Choice(name="severity", label=_l("Severity"), words="severity", required=True, example="degraded",
               inside="content"),
        Codes(name="machines", label=_l("Machines"), words=machine_kind_words, example="gearbox", inside="content",
              default=None),
        PartList(name="parts", label=_l("Parts"), example="OS-TC-180 1"),
        Bilingual(name="remedy", label=_l("What mended it, for the customer"), most=500, example="换了输出轴油封。",
                  example_en="The output seal was replaced.", inside="content"),
        Bilingual(name="lesson", label=_l("Lesson, for technicians"), most=500, inside="content"),
    )  # fmt: skip
    shown = ("symptom", "mode", "work_type", "severity")
    page = "admin/kinds/pattern.html"

    def content(self, values: Values, before: Mapping[str, Any] | None = None) -> dict[str, Any]:
        found = super().content(values, before)
        for name, empty in (("machines", []), ("parts", []), ("words", {"zh": [], "en": []}), ("remedy", {})):
            found.setdefault(name, empty)
        if not found.get("lesson"):
            found.pop("lesson", None)
        return found

    def check_one(self, draft: Any) -> None:
        values = draft.all_values()
        if not {"zh", "en"} <= set(values.get("symptom") or ()):
            draft.refuse("symptom_zh", _l("Write it in both languages."))
        try:
            catalogue.read_pattern(values.get("code") or "x", self.content(values))
        except (ValueError, KeyError) as error:
            draft.refuse("code", str(error))


def work_type_words() -> Words:
    """code → {zh, en} of every work type."""
    return {found.code: found.content["names"] for found in templates.latest(catalogue.WORK_TYPE)}


__all__ = ["FaultPatterns", "WorkTypes", "record_id", "work_type_words"]
