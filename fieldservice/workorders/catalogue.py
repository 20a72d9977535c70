"""Work types and fault patterns: what kinds of work there are, and how faults look (templates, data/)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from flask_babel import lazy_gettext as _l

from fieldservice.foundation.errors import Invalid, NotFound
from fieldservice.foundation.words import has_word, pick
from fieldservice.mechanisms import templates
from fieldservice.mechanisms.forms import Field, Form
from fieldservice.workorders.models import WorkOrder

DATA = Path(__file__).parent / "data"
WORK_TYPE, PATTERN = "work_type", "fault_pattern"
templates.load_all(WORK_TYPE, DATA / "work_types")
templates.load_all(PATTERN, DATA / "fault_patterns")

Texts = Mapping[str, str]
HINTS = 5
LATIN = re.compile(r"[a-z0-9]+")
HAN = re.compile(r"[\u4e00-\u9fff]+")
STOP_WORDS = frozenset("the a an is are of to in on at and or it its not no for with from by has have does".split())


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


def find_patterns(text: str, *, work_type: str | None = None, limit: int = 8) -> list[FaultPattern]:
    """Patterns whose symptom and words share most with the text, in either language; best first.

    Words are Latin words and pairs of Chinese characters; a rarer one counts more. Patterns of the
    order's work type win ties.
    """
    wanted = _tokens(text)
    index = _index()
    scores: dict[str, float] = {}
    for token in wanted:
        holders = index.holders.get(token, {})
        for code, weight in holders.items():
            scores[code] = scores.get(code, 0) + weight * index.rarity[token]
    by_code = {one.code: one for one in patterns()}
    if not scores and not wanted and work_type is not None:
        return [one for one in by_code.values() if one.work_type == work_type][:limit]
    ranked = sorted(
        scores, key=lambda code: (-scores[code] * (1.25 if by_code[code].work_type == work_type else 1), code)
    )
    return [by_code[code] for code in ranked[:limit]]


def suggest_work_types(text: str, limit: int = 3) -> list[WorkType]:
    """The work types of the fault patterns that fit a report best: a hint for triage."""
    codes = dict.fromkeys(one.work_type for one in find_patterns(text, limit=HINTS * 2))
    return [work_type(code) for code in list(codes)[:limit]]


@dataclass(frozen=True)
class _Index:
    holders: Mapping[str, Mapping[str, float]]  # token → pattern → weight
    rarity: Mapping[str, float]


@cache
def _index() -> _Index:
    holders: dict[str, dict[str, float]] = {}
    every = patterns()
    for one in every:
        weighted = [(text, 1.0) for text in one.symptom.values()]
        weighted += [(text, 1.5) for texts in one.words.values() for text in texts]
        for text, weight in weighted:
            for token in _tokens(text):
                kept = holders.setdefault(token, {})
                kept[one.code] = max(kept.get(one.code, 0), weight)
    return _Index(holders, {token: 1 / len(codes) ** 0.5 for token, codes in holders.items()})


def _tokens(text: str) -> frozenset[str]:
    lowered = text.lower()[:4000]
    words = {word[:5] for word in LATIN.findall(lowered) if word not in STOP_WORDS}  # five letters join word forms
    for run in HAN.findall(lowered):
        words.update(run[index : index + 2] for index in range(max(1, len(run) - 1)))
    return frozenset(words)


# Reading -------------------------------------------------------------------------------------------


@cache
def _work_type(found: templates.Definition) -> WorkType:
    return _read_work_type(found.code, found.version, found.content)


@cache
def _pattern(found: templates.Definition) -> FaultPattern:
    return _read_pattern(found.code, found.content)


def _read_work_type(code: str, version: int, content: Mapping[str, Any]) -> WorkType:
    return WorkType(
        code=code, version=version, names=content["names"], industry=content["industry"], kind=content["kind"],
        duration_min=content["duration_min"], skills=content["skills"], certificates=tuple(content["certificates"]),
        parts=_parts(content), form=Form.load(code, version, content["checklist"]),
    )  # fmt: skip


def _read_pattern(code: str, content: Mapping[str, Any]) -> FaultPattern:
    return FaultPattern(
        code=code, symptom=content["symptom"], words=content["words"], mode=content["mode"],
        mechanism=content["mechanism"], cause=content["cause"], detection=content["detection"],
        activity=content["activity"], work_type=content["work_type"], severity=content["severity"],
        parts=_parts(content), remedy=content["remedy"], lesson=content.get("lesson"),
        machines=tuple(content.get("machines", ())),
    )  # fmt: skip


def _parts(content: Mapping[str, Any]) -> tuple[tuple[str, Decimal], ...]:
    return tuple((entry["number"], Decimal(str(entry["quantity"]))) for entry in content.get("parts", ()))
