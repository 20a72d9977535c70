"""Words for codes. Data and rules hold codes; people read words, in their language.

Sentences live in gettext catalogues; the names of states, roles, severities, rules and the like
live in `data/words.yaml`, because they are data that both languages share (DOMAIN §2).
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from flask_babel import get_locale

from fieldservice.foundation.data_files import read_yaml

WORDS = Path(__file__).parent / "data" / "words.yaml"


@cache
def all_words() -> dict[str, dict[str, dict[str, str]]]:
    """namespace → code → {zh, en}."""
    loaded: dict[str, dict[str, dict[str, str]]] = read_yaml(WORDS)
    return loaded


def language() -> str:
    """The language being spoken now: 'zh' or 'en'."""
    locale = get_locale()
    return "en" if locale is not None and locale.language == "en" else "zh"


def pick(names: Mapping[str, Any] | None, spoken: str | None = None) -> str:
    """The text of a bilingual mapping in the current (or given) language; the other one if it is empty."""
    if not names:
        return ""
    spoken = spoken or language()
    return str(names.get(spoken) or names.get("en" if spoken == "zh" else "zh") or "")


def word(namespace: str, code: object, spoken: str | None = None) -> str:
    """The word for a code; an unknown code is shown as it is, so that nothing is hidden."""
    entry = all_words().get(namespace, {}).get(str(code))
    return pick(entry, spoken) if entry else str(code)


def has_word(namespace: str, code: str) -> bool:
    return code in all_words().get(namespace, {})
