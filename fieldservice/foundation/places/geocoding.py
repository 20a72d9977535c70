"""Where is this address? Answered offline, to the county at best, and never by a silent guess.

Every answer says how precise it is; when the words fit several places they come back as rivals and there is no
point, so that the form can ask. The face is geopy's, so another geopy provider can stand in its place later.
"""

import re
import unicodedata
from dataclasses import dataclass, replace
from typing import Any, Literal

from flask_babel import lazy_gettext as _l
from geopy.geocoders.base import DEFAULT_SENTINEL, Geocoder
from geopy.location import Location

from fieldservice.foundation.errors import Invalid
from fieldservice.foundation.places import divisions
from fieldservice.foundation.places.latin import read_latin
from fieldservice.foundation.places.points import Point
from fieldservice.foundation.places.reader import Found, read

LONGEST = 200  # characters of an address
MOST_RIVALS = 12
Precision = Literal["point", "county", "prefecture", "province", "none"]


@dataclass(frozen=True, slots=True)
class GeocodeResult:
    """What an address tells. With rivals there is neither point nor division: ask back.

    `point` is the seat of the division unless `precision` is 'point'; county precision and worse must never
    feed an arrival time or a geofence. `detail` is what follows the division (street and number). `doubt` is
    the division the address plainly names although another was picked: the pick holds, staff should look.
    """

    point: Point | None
    division_code: str | None
    precision: Precision
    rivals: tuple[tuple[str, str], ...]
    detail: str
    doubt: str | None = None
    source: str = "divisions"  # or the service that gave the point; 'divisions_instead': it did not answer

    @property
    def clear(self) -> bool:
        """Whether nothing needs to be asked: a point, or the smallest division there is."""
        if self.precision == "point":
            return True
        return self.division_code is not None and not divisions.children(self.division_code)


def geocode(address: str, division_code: str | None = None, lang: str = "zh") -> GeocodeResult:
    """Place an address, helped by a division the person picked; labels of rivals are in `lang`.

    Raises Invalid for an address of more than 200 characters and for a division code nobody knows.
    """
    text = clean(address)
    if len(text) > LONGEST:
        raise Invalid({"address": [_l("This address is too long. Write at most %(count)s characters.", count=LONGEST)]})
    found = read_latin(text) if _is_latin(text) else read(text)
    if not division_code:
        return _result(found, lang)
    chosen = _chosen(division_code)
    return replace(_result(_inside_choice(found, chosen, text), lang), doubt=_doubt(found, chosen))


def clean(text: str) -> str:
    """One line of plain characters: full-width digits become plain, control and broken characters become spaces."""
    plain = unicodedata.normalize("NFKC", text)
    return re.sub(r"\s+", " ", "".join(" " if unicodedata.category(sign)[0] == "C" else sign for sign in plain)).strip()


def _is_latin(text: str) -> bool:
    return not re.search(r"[\u3400-\u9fff]", text)


def _chosen(code: str) -> str:
    division = divisions.by_code(code)
    if division is None:
        message = _l("We do not know this district. Choose province, city and district from the list.")
        raise Invalid({"division_code": [message]})
    return division.code


def _inside_choice(found: Found, chosen: str, text: str) -> Found:
    """What a person picked holds; the address refines it where it can."""
    if found.code and divisions.within(found.code, chosen):
        return found
    inside = [code for code in found.rivals if divisions.within(code, chosen)]
    return Found(inside[0] if len(inside) == 1 else chosen, detail=text if _doubt(found, chosen) else found.detail)


def _doubt(found: Found, chosen: str) -> str | None:
    """The division an address plainly names although another was picked."""
    if found.code is None or not found.strong:
        return None
    return None if divisions.within(found.code, chosen) or divisions.within(chosen, found.code) else found.code


def _result(found: Found, lang: str) -> GeocodeResult:
    if found.code is None:
        rivals = tuple((code, divisions.label(code, lang)) for code in found.rivals[:MOST_RIVALS])
        return GeocodeResult(None, None, "none", rivals, found.detail)
    division = divisions.known(found.code)
    return GeocodeResult(division.centre, division.code, division.level, (), found.detail)


class DivisionGeocoder(Geocoder):  # type: ignore[misc]  # geopy ships no types
    """The same as a geopy geocoder: a Location for a clear address, several for rivals, None for nothing."""

    def __init__(self, *, lang: str = "zh") -> None:
        super().__init__(user_agent="fieldservice")
        self.lang = lang

    def geocode(
        self, query: str, *, exactly_one: bool = True, timeout: Any = DEFAULT_SENTINEL, division_code: str | None = None
    ) -> Location | list[Location] | None:
        """Answer geopy's question. An ambiguous query has no single answer: with `exactly_one` it gives None."""
        del timeout  # part of geopy's signature; nothing here waits
        result = geocode(query, division_code, self.lang)
        codes = [result.division_code] if result.division_code else [code for code, _label in result.rivals]
        places = [self._location(code, result) for code in codes]
        if exactly_one:
            return places[0] if result.division_code else None
        return places or None

    def _location(self, code: str, result: GeocodeResult) -> Location:
        centre = divisions.centre(code)
        raw = {"division_code": code, "precision": divisions.known(code).level, "detail": result.detail}
        return Location(divisions.label(code, self.lang), (centre.latitude, centre.longitude), raw)
