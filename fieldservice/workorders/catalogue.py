"""Work types and fault patterns: what kinds of work there are, and how faults look (templates, data/)."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Self

import yaml
from flask_babel import lazy_gettext as _l

from fieldservice.foundation.errors import Invalid, NotFound
from fieldservice.foundation.words import has_word, pick
from fieldservice.mechanisms import templates
from fieldservice.mechanisms.forms import Field, Form
from fieldservice.workorders import fault_search, hint_learning
from fieldservice.workorders.learned import Learned
from fieldservice.workorders.models import WorkOrder

DATA = Path(__file__).parent / "data"
WORK_TYPE, PATTERN = "work_type", "fault_pattern"
templates.load_all(WORK_TYPE, DATA / "work_types")
templates.load_all(PATTERN, DATA / "fault_patterns")

Texts = Mapping[str, str]
DENIED = re.compile(r"(没|未|无|不|\bno |\bnot |\bwithout )[^。，,.;；]*$")
JOBS_COUNT = 0.5  # what closed work counts beside the patterns; measured in docs/decisions/0012
CONSIDERED = 10  # best patterns that speak for a work type


@dataclass(frozen=True)
class Tool:
    """A tool that a kind of work needs; a `calibrated` one only counts while its calibration is in date."""

    code: str
    names: Texts
    calibrated: bool = False


@dataclass(frozen=True)
class WorkType:
    """What a job of this kind takes."""

    code: str
    version: int
    names: Texts
    industry: str
    kind: str
    duration_min: int
    skills: Mapping[str, int]
    certificates: tuple[str, ...]
    parts: tuple[tuple[str, Decimal], ...]  # part number, quantity
    form: Form
    industry_skills: Mapping[str, Mapping[str, int]] = field(default_factory=dict)  # what an industry asks besides
    tools: tuple[Tool, ...] = ()
    permits: tuple[str, ...] = ()  # words.yaml permit

    def at(self, industry: str) -> Self:
        """The work at a machine of this industry: a rescue of a lathe asks for other skills than one of a pump."""
        more = self.industry_skills.get(industry)
        return replace(self, skills={**self.skills, **more}) if more else self


@dataclass(frozen=True)
class FaultPattern:
    """How a fault looks to the customer, its codes, and what usually mends it."""

    code: str
    symptom: Texts
    words: Mapping[str, list[str]]
    mode: str
    mechanism: str
    cause: str
    detection: str
    activity: str
    work_type: str
    severity: str
    parts: tuple[tuple[str, Decimal], ...]
    remedy: Texts
    lesson: Texts | None
    machines: tuple[str, ...]


def work_type(code: str, version: int | None = None) -> WorkType:
    """A kind of work; the version an order was triaged with, else the latest. Raises Invalid."""
    try:
        found = templates.get(WORK_TYPE, code, version)
    except NotFound as error:
        raise Invalid({"work_type": [_l("Choose one of the work types offered.")]}) from error
    return _work_type(found)


def work_types() -> list[WorkType]:
    """The latest version of each, by industry as the files have them."""
    return [_work_type(found) for found in templates.latest(WORK_TYPE)]


def pattern(code: str) -> FaultPattern:
    """Raises Invalid for an unknown code."""
    try:
        return _pattern(templates.get(PATTERN, code))
    except NotFound as error:
        raise Invalid({"pattern": [_l("Choose one of the fault patterns offered.")]}) from error


def patterns() -> list[FaultPattern]:
    """Every fault pattern."""
    return [_pattern(found) for found in templates.latest(PATTERN)]


def checklist_of(order: WorkOrder) -> Form:
    """The checklist an order was given at triage."""
    return work_type(order.work_type, order.work_type_version).form


def is_code(namespace: str, code: str) -> bool:
    """Whether a failure code exists."""
    return has_word(namespace, code)


def label_of(field: Field) -> str:
    """A checklist field as it is read."""
    return pick(field.label)


# Search --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Hint:
    """A work type that fits a report, and why: the fault pattern it reads like, and how many closed jobs were alike."""

    work_type: WorkType
    pattern: FaultPattern | None
    jobs: int = 0


def find_patterns(text: str, *, work_type: str | None = None, limit: int = 8) -> list[FaultPattern]:
    """Patterns whose symptom and words share most with the text, in either language; best first (fault_search.py).

    Without words: those of the order's work type.
    """
    by_code = {one.code: one for one in patterns()}
    if not text.strip():
        return [one for one in by_code.values() if one.work_type == work_type][:limit]
    ranked = fault_search.rank(_index(), text, work_type)
    return [by_code[code] for code, _score in ranked[:limit]]


def hints(text: str, limit: int = 3) -> list[Hint]:
    """The work types that fit a report best, each with its reason: by fault patterns and by closed work together."""
    index = _index()
    ranked = fault_search.rank(index, text)[:CONSIDERED]
    best = dict(fault_search.work_types_of(index, ranked))
    closed = {one.work_type: one for one in hint_learning.suggested(text)}
    found = together(_votes(index, ranked), {kind: one.weight for kind, one in closed.items()})
    known = {kind.code: kind for kind in work_types()}
    return [
        Hint(known[kind], _reason(best.get(kind), closed.get(kind)), closed[kind].jobs if kind in closed else 0)
        for kind in found
        if kind in known
    ][:limit]


def together(by_patterns: Mapping[str, float], by_jobs: Mapping[str, float]) -> list[str]:
    """Work types, best first, by what both ways give them (each 0…1)."""
    kinds = list(dict.fromkeys([*by_patterns, *by_jobs]))  # ties stay in the order of the patterns
    return sorted(kinds, key=lambda kind: -by_patterns.get(kind, 0) - JOBS_COUNT * by_jobs.get(kind, 0))


def _votes(index: fault_search.Index, ranked: list[tuple[str, float]]) -> dict[str, float]:
    """Each work type's share of what its patterns scored."""
    votes: dict[str, float] = {}
    for code, score in ranked:
        votes[index.work_types[code]] = votes.get(index.work_types[code], 0.0) + score
    whole = sum(votes.values())
    return {kind: vote / whole for kind, vote in votes.items()}


def _reason(by_words: str | None, by_jobs: Learned | None) -> FaultPattern | None:
    """The pattern that the words remind of, else the one that closed jobs had."""
    code = by_words or (by_jobs.pattern if by_jobs else None)
    return {one.code: one for one in patterns()}.get(code) if code else None


def suggest_work_types(text: str, limit: int = 3) -> list[WorkType]:
    """The work types that fit a report best: a hint for triage."""
    return [hint.work_type for hint in hints(text, limit)]


def severity_said(text: str) -> str | None:
    """The severity that a report's words speak for, the worst of them; None when they do not say. Denied words
    ("no smoke", "没有停线") do not count."""
    lowered = text.lower()[: fault_search.MOST_LETTERS]
    for severity, said in _severity_words().items():
        if any(not DENIED.search(lowered[max(0, at - 8) : at]) for word in said for at in _places(lowered, word)):
            return severity
    return None


def _places(text: str, word: str) -> Iterator[int]:
    expression = rf"\b{re.escape(word)}\b" if word.isascii() else re.escape(word)
    return (found.start() for found in re.finditer(expression, text))


@cache
def _severity_words() -> dict[str, list[str]]:
    loaded = yaml.safe_load((DATA / "severity_words.yaml").read_text(encoding="utf-8"))
    return {severity: [word for said in texts.values() for word in said] for severity, texts in loaded.items()}


def _index() -> fault_search.Index:
    return _index_of(tuple(templates.latest(PATTERN)))


@lru_cache(maxsize=4)  # an administrator who edits a pattern makes a new one
def _index_of(found: tuple[templates.Definition, ...]) -> fault_search.Index:
    return fault_search.build(_pattern(one) for one in found)


# Reading -------------------------------------------------------------------------------------------


@cache
def _work_type(found: templates.Definition) -> WorkType:
    return read_work_type(found.code, found.version, found.content)


@cache
def _pattern(found: templates.Definition) -> FaultPattern:
    return read_pattern(found.code, found.content)


def read_work_type(code: str, version: int, content: Mapping[str, Any]) -> WorkType:
    """A work type from its content. Raises ValueError or KeyError for a content that cannot be used."""
    return WorkType(
        code=code, version=version, names=content["names"], industry=content["industry"], kind=content["kind"],
        duration_min=content["duration_min"], skills=content["skills"], certificates=tuple(content["certificates"]),
        parts=_parts(content), form=Form.load(code, version, content["checklist"]),
        industry_skills=content.get("industry_skills", {}),
        tools=tuple(Tool(one["code"], one["names"], bool(one.get("calibrated"))) for one in content.get("tools", ())),
        permits=tuple(content.get("permits", ())),
    )  # fmt: skip


def read_pattern(code: str, content: Mapping[str, Any]) -> FaultPattern:
    """A fault pattern from its content. Raises ValueError or KeyError for a content that cannot be used."""
    return FaultPattern(
        code=code, symptom=content["symptom"], words=content["words"], mode=content["mode"],
        mechanism=content["mechanism"], cause=content["cause"], detection=content["detection"],
        activity=content["activity"], work_type=content["work_type"], severity=content["severity"],
        parts=_parts(content), remedy=content["remedy"], lesson=content.get("lesson"),
        machines=tuple(content.get("machines", ())),
    )  # fmt: skip


def _parts(content: Mapping[str, Any]) -> tuple[tuple[str, Decimal], ...]:
    return tuple((entry["number"], Decimal(str(entry["quantity"]))) for entry in content.get("parts", ()))
