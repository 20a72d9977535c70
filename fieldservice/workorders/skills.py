"""Words for skills and special-operation certificates (data/skills.yaml)."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from fieldservice.foundation.words import pick

SKILLS = Path(__file__).parent / "data" / "skills.yaml"


@cache
def _all() -> dict[str, dict[str, dict[str, Any]]]:
    loaded: dict[str, dict[str, dict[str, Any]]] = yaml.safe_load(SKILLS.read_text(encoding="utf-8"))
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
