"""Exact positions from a service, where one is set up: Nominatim, or AMap, which answers in GCJ-02.

The division geocoder speaks first and last: a service's point is taken only where it lies in the division that the
address or the person named, and without an answer the division stands. `source` tells which of them it was.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from fieldservice.foundation.places import divisions
from fieldservice.foundation.places.asking import Service, Unavailable
from fieldservice.foundation.places.geocoding import GeocodeResult, geocode
from fieldservice.foundation.places.points import Point, gcj_to_wgs
from fieldservice.foundation.places.travel import distance_km

KEPT = 20_000  # addresses
FAR_KM = {
    "county": 120.0,
    "prefecture": 300.0,
    "province": 1200.0,
}  # how far from a division's seat a place in it may lie
Turn = Callable[[], bool]  # whether a question may be asked now (the provider's own limit)


class Locator:
    """Asks a service for the point of an address. Subclasses know its questions and answers."""

    name = ""

    def __init__(self, url: str, key: str = "", *, may_ask: Turn = lambda: True) -> None:
        self.service, self.key, self.may_ask = Service(self.name, url), key, may_ask
        self._known = lru_cache(maxsize=KEPT)(self._look)

    def point(self, address: str, division_code: str | None) -> Point | None:
        """The point, or None where the service knows none. Raises Unavailable; failures are not kept."""
        return self._known(address, division_code)

    def _look(self, address: str, division_code: str | None) -> Point | None:
        if not self.may_ask():
            raise Unavailable("the limit of questions is reached")
        try:
            return self.read(self.service.ask(self.question(address, division_code)))
        except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
            self.service.fail()
            raise Unavailable(f"{self.name} answered nonsense") from error

    def question(self, address: str, division_code: str | None) -> str:
        raise NotImplementedError

    def read(self, answer: Any) -> Point | None:
        raise NotImplementedError


class Nominatim(Locator):
    """OpenStreetMap's geocoder (GET /search?format=jsonv2); answers in WGS-84."""

    name = "nominatim"

    def question(self, address: str, division_code: str | None) -> str:
        place = f"{divisions.label(division_code, 'zh')} {address}" if division_code else address
        return "/search?" + urlencode({"format": "jsonv2", "limit": 1, "q": place[:200]})

    def read(self, answer: Any) -> Point | None:
        return Point(float(answer[0]["lat"]), float(answer[0]["lon"])) if answer else None


class Amap(Locator):
    """高德 (GET /v3/geocode/geo); answers in GCJ-02, which is turned into WGS-84 here and nowhere else (N-18)."""

    name = "amap"
    EXACT = frozenset({"门牌号", "兴趣点", "门址", "单元号", "道路", "道路交叉路口", "开发区", "村庄", "热点商圈"})

    def question(self, address: str, division_code: str | None) -> str:
        facts = {"key": self.key, "address": address[:200], **({"city": division_code} if division_code else {})}
        return "/v3/geocode/geo?" + urlencode(facts)

    def read(self, answer: Any) -> Point | None:
        if str(answer["status"]) != "1":
            raise ValueError(answer.get("infocode"))
        found = answer["geocodes"]
        if not found or found[0].get("level") not in self.EXACT:
            return None
        longitude, latitude = found[0]["location"].split(",")
        return gcj_to_wgs(Point(float(latitude), float(longitude)))


LOCATORS: dict[str, type[Locator]] = {one.name: one for one in (Nominatim, Amap)}
_current: dict[str, Locator | None] = {"locator": None}


def use(locator: Locator | None) -> None:
    """Called by the app factory."""
    _current["locator"] = locator


def locate(address: str, division_code: str | None = None, lang: str = "zh") -> GeocodeResult:
    """`geocode`, with an exact point where a service is set up and knows one."""
    found, locator = geocode(address, division_code, lang), _current["locator"]
    if locator is None or found.rivals or not found.detail.strip():
        return found
    try:
        point = locator.point(address.strip()[:200], found.division_code)
    except Unavailable:
        return replace(found, source="divisions_instead")
    if point is None or not _inside(point, found.division_code):
        return found
    code = found.division_code or divisions.nearest(point)
    return replace(found, point=point, division_code=code, precision="point", source=locator.name)


def _inside(point: Point, code: str | None) -> bool:
    """Whether a service's point can lie in the division; only seats are known, so it is a matter of distance."""
    return code is None or distance_km(point, divisions.centre(code)) <= FAR_KM[divisions.known(code).level]
