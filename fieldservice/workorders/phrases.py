"""Sentences that technicians use again and again, by where they are used, in both languages."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from fieldservice.foundation.data_files import read_yaml

PLACES = ("found", "done", "watch", "office")


@cache
def phrases() -> Mapping[str, list[dict[str, str]]]:
    """{place: [{zh, en}]}: both languages, since the customer may speak the other one."""
    rows = read_yaml(Path(__file__).parent / "data" / "phrases.yaml")
    return {place: [{"zh": row["zh"], "en": row["en"]} for row in rows if row["for"] == place] for place in PLACES}
