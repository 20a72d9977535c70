"""China's provinces, prefectures and counties: names in both languages, the way down and up, and their centres.

Codes are the six digits of GB/T 2260. Levels that nobody says aloud ("市辖区", "省直辖县级行政区划") are left out:
a Beijing district lies directly in Beijing, Jiyuan directly in Henan. Codes and names given up since 2018
lead to what took their place. Where the data comes from: data/README.md.

A centre is a county's or prefecture's seat, kilometres from the customer's door: fit to choose a station or to place a
pin marked as such, never for an arrival time or a geofence.
"""

import csv
import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from fieldservice.foundation.places.points import Point
from fieldservice.foundation.places.travel import distances_km

DATA = Path(__file__).parent / "data"
NEAREST_KM = 150.0  # farther from every county centre than this is not in China
Level = Literal["province", "prefecture", "county"]


@dataclass(frozen=True, slots=True)
class Division:
    """One row of the table; `parent` is None for provinces; an `estimated` centre is a neighbour's or the parent's."""

    code: str
    level: Level
    parent: str | None
    name: str
    english: str
    centre: Point
    estimated: bool


@cache
def table() -> dict[str, Division]:
    """All present divisions by code, in code order."""
    rows = {row["code"]: row for row in _rows("divisions.csv")}
    return {code: _division(code, row, rows) for code, row in rows.items()}


@cache
def former() -> tuple[tuple[str, str, str], ...]:
    """(old code, old name, code of what took its place)."""
    return tuple((row["code"], row["name"], row["now"]) for row in _rows("former.csv"))


def _rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _division(code: str, row: dict[str, str], rows: dict[str, dict[str, str]]) -> Division:
    above = next((up for up in (code[:4] + "00", code[:2] + "0000") if up != code and up in rows), None)
    level: Level = "province" if above is None else "prefecture" if code.endswith("00") else "county"
    centre = Point(float(row["latitude"]), float(row["longitude"]))
    return Division(code, level, above, row["name"], row["english"], centre, bool(row["centre"]))


@cache
def _successors() -> dict[str, str]:
    return {old: now for old, _name, now in former() if old not in table()}


@cache
def _below() -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = defaultdict(list)
    for division in table().values():
        if division.parent:
            found[division.parent].append(division.code)
    return {code: tuple(below) for code, below in found.items()}


def by_code(code: object) -> Division | None:
    """The division of a code, of what took its place, or of the city whose unnamed level it is; None when unknown."""
    text = str(code or "").strip()
    if not re.fullmatch(r"[0-9]{6}", text):
        return None
    text = _successors().get(text, text)
    if text not in table() and re.fullmatch(r"..(0[12]|90)00", text):
        text = text[:2] + "0000"  # 110100, 500200, 419000: the unnamed level between a province and its counties
    elif text not in table() and text.endswith("01"):
        text = text[:4] + "00"  # 130101: "the districts of the city"
    return table().get(text)


def known(code: str) -> Division:
    """Like `by_code`, for codes that come from this table; KeyError otherwise."""
    division = by_code(code)
    if division is None:
        raise KeyError(code)
    return division


def provinces() -> tuple[str, ...]:
    """Codes of all provinces, the first pick of a division picker."""
    return tuple(code for code, division in table().items() if division.parent is None)


def children(code: str) -> tuple[str, ...]:
    """What a person picks next inside a division; empty for counties and for cities without districts (Dongguan)."""
    return _below().get(known(code).code, ())


def chain(code: str) -> tuple[str, ...]:
    """From the province down to the division itself."""
    division: Division | None = known(code)
    path: list[str] = []
    while division:
        path.append(division.code)
        division = table()[division.parent] if division.parent else None
    return tuple(reversed(path))


def within(code: str, ancestor: str) -> bool:
    """Whether a division is `ancestor` or lies in it, as territories made of divisions ask."""
    return known(ancestor).code in chain(code)


def name(code: str, lang: str = "zh") -> str:
    """新吴区 / Xinwu District"""
    division = known(code)
    return division.english if lang == "en" else division.name


def label(code: str, lang: str = "zh") -> str:
    """The full name: 江苏省无锡市新吴区 / Xinwu District, Wuxi, Jiangsu"""
    names = [name(step, lang) for step in chain(code)]
    return ", ".join(reversed(names)) if lang == "en" else "".join(names)


def centre(code: str) -> Point:
    """The seat of a division (WGS-84): county precision at best."""
    return known(code).centre


@cache
def centres(level: Level) -> tuple[tuple[str, Point], ...]:
    """Code and seat of every division of a level, for maps."""
    return tuple((code, division.centre) for code, division in table().items() if division.level == level)


def estimated(code: str) -> bool:
    """Whether the centre is only that of a neighbour or parent, because the source gives none."""
    return known(code).estimated


def search(text: str, limit: int = 20) -> list[str]:
    """Codes for a type-ahead in either script: beginnings before middles, larger divisions and closer names first."""
    wanted = _plain(text[:60])
    if not wanted:
        return []
    ranked = []
    for code, names in _plain_names().items():
        found = [(plain.find(wanted) > 0, len(chain(code)), len(plain)) for plain in names if wanted in plain]
        if found:
            ranked.append((*min(found), code))
    return [code for *_rank, code in sorted(ranked)[: max(0, limit)]]


@cache
def _plain_names() -> dict[str, tuple[str, str]]:
    return {code: (_plain(division.name), _plain(division.english)) for code, division in table().items()}


def _plain(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).lower()


def nearest(point: Point) -> str | None:
    """The county whose seat is nearest: a hint for a position from a phone, wrong near borders; None far from China."""
    leaves = [division for division in table().values() if division.code not in _below()]
    distances = distances_km(point, [division.centre for division in leaves])
    best = min(range(len(leaves)), key=distances.__getitem__)
    return leaves[best].code if distances[best] <= NEAREST_KM else None
