"""Words for skills and special-operation certificates (data/skills.yaml)."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from fieldservice.foundation.data_files import read_yaml
from fieldservice.foundation.words import pick

SKILLS = Path(__file__).parent / "data" / "skills.yaml"


@cache
def _all() -> dict[str, dict[str, dict[str, Any]]]:
    loaded: dict[str, dict[str, dict[str, Any]]] = read_yaml(SKILLS)
    return loaded


def skill_codes() -> tuple[str, ...]:
    """Every skill we know."""
    return tuple(_all()["skills"])


def skill_word(code: str) -> str:
    """The skill in the language being spoken; an unknown code as it is."""
    return pick(_all()["skills"].get(code)) or code


def certificate_word(code: str) -> str:
    """The certificate in the language being spoken; an unknown code as it is."""
    return pick(_all()["certificates"].get(code)) or code


def skill_words() -> Mapping[str, Mapping[str, str]]:
    """code → {zh, en} of every skill."""
    return {code: {"zh": texts["zh"], "en": texts["en"]} for code, texts in _all()["skills"].items()}


def certificate_words() -> Mapping[str, Mapping[str, str]]:
    """code → {zh, en} of every certificate."""
    return {code: {"zh": texts["zh"], "en": texts["en"]} for code, texts in _all()["certificates"].items()}


def machine_kind_words() -> Mapping[str, Mapping[str, str]]:
    """code → {zh, en} of every kind of machine."""
    return {code: {"zh": texts["zh"], "en": texts["en"]} for code, texts in _all()["machine_kinds"].items()}
