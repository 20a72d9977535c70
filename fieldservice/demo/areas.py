"""Where the stations of a whole country stand: prefectures that nobody holds yet, with their counties. Plain values."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

from fieldservice.demo.company import Texts
from fieldservice.foundation.places import Point, distance_km, divisions

SUFFIXES = {"zh": ("市", "区", "县"), "en": (" District", " City", " County")}
CITIES = ("110000", "120000", "310000", "500000")  # directly under the state: districts lie in them at once


@dataclass(frozen=True)
class Area:
    """What one station cares for."""

    code: str
    counties: tuple[str, ...]

    @property
    def point(self) -> Point:
        return divisions.centre(self.code)

    @cached_property
    def place(self) -> Texts:
        """常州市 → 常州"""
        return {spoken: short(divisions.name(self.code, spoken), spoken) for spoken in ("zh", "en")}


def areas(count: int, held: Collection[str]) -> list[Area]:
    """So many areas of many counties, by code so that neighbours follow each other; none that is held in part."""
    free = [_area(code) for code in (*CITIES, *_prefectures()) if not _touched(code, held)]
    largest = sorted(free, key=lambda area: (area.code not in CITIES, -len(area.counties), area.code))[:count]
    if len(largest) < count:
        raise ValueError(f"only {len(largest)} areas are free")
    return sorted(largest, key=lambda area: area.code)


def short(name: str, spoken: str) -> str:
    """新吴区 → 新吴, Xinwu District → Xinwu"""
    for suffix in SUFFIXES[spoken]:
        shorter = name.removesuffix(suffix)
        if shorter != name and len(shorter) > 1:
            return shorter
    return name


def _prefectures() -> list[str]:
    return [one.code for one in divisions.table().values() if one.level == "prefecture"]


def _area(code: str) -> Area:
    """The counties nearest to the middle come first."""
    below, centre = divisions.children(code) or (code,), divisions.centre(code)
    return Area(code, tuple(sorted(below, key=lambda one: (distance_km(centre, divisions.centre(one)), one))))


def _touched(code: str, held: Collection[str]) -> bool:
    return any(divisions.within(one, code) or divisions.within(code, one) for one in held)
