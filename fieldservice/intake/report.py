"""Reading a report: what was typed becomes values that `services.report_fault` takes, or sentences that help.

The form, the agent's desk, the API and the import all pass here, so that each is equally kind.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext as _l

from fieldservice.assets.models import Asset
from fieldservice.assets.queries import find_by_serial
from fieldservice.foundation import formats
from fieldservice.foundation.errors import Invalid
from fieldservice.foundation.places import GeocodeResult, Point, distance_km, divisions, geocode
from fieldservice.foundation.places.locating import locate
from fieldservice.foundation.words import has_word, language
from fieldservice.intake.receiving import MOST_WORDS, Place
from fieldservice.mechanisms.forms import plain_text

SHORTEST_WORDS = 2  # 漏油 says it all
GIVEN = "given"  # as division_asked: a program tells, which cannot be asked step by step
FAR_KM = 150.0  # a position farther from its address than this belongs to another place
Texts = dict[str, list[Any]]
Choices = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Report:
    """A report that can be taken: plain values, fit to be taken into a transaction and tried again."""

    contact_name: str
    contact_phone: str
    contact_email: str
    description: str
    severity: str
    serial: str
    asset_id: int | None
    place: Place


class UnclearPlace(Invalid):
    """The address fits several places, or none: `choices` are (code, label) to choose from.

    `under` is the division they lie in when the address told that much; None with all provinces, or with rivals.
    """

    def __init__(self, message: Any, choices: Choices, under: str | None = None, rivals: bool = False) -> None:
        super().__init__({"division_code": [message]}, code="place_unclear")
        self.choices, self.under, self.rivals = choices, under, rivals
        self.facts["rivals"] = [{"division_code": code, "label": label} for code, label in choices]


def read(given: Mapping[str, Any], asset: Asset | None = None) -> Report:
    """Check everything at once. Keys: name, phone, email, description, severity, serial, address, division_code,
    division_asked, latitude, longitude. Raises Invalid with a sentence a field, UnclearPlace when only the place
    is in question."""
    errors: Texts = {}
    name = _line(given, "name", 80, errors, _l("Please tell us your name."))
    phone = _checked(formats.check_phone, given, "phone", errors)
    email = _checked(formats.check_email, given, "email", errors)
    if not phone and not email and "phone" not in errors:
        errors["phone"] = [_l("Please give a phone number, so that we can call you.")]
    description = _text(given, "description", MOST_WORDS, errors, _l("Say in a few words what happened."))
    if description and len(description) < SHORTEST_WORDS and "description" not in errors:
        errors["description"] = [_l("Say a little more: what does the machine do, or not do?")]
    severity = _raw(given, "severity")
    if not has_word("severity", severity):
        errors["severity"] = [_l("Say how bad it is.")]
    serial = _line(given, "serial", 40, errors)
    asset = asset or (find_by_serial(serial) if serial else None)
    try:
        place = read_place(given, needed=asset is None)
    except UnclearPlace as unclear:
        if errors:
            unclear.errors = {**errors, **unclear.errors}
        raise
    except Invalid as refused:
        errors.update(refused.errors)
        place = Place()
    if errors:
        raise Invalid(errors)
    return Report(name, phone, email, description, severity, serial, asset.id if asset else None, place)


def read_place(given: Mapping[str, Any], *, needed: bool) -> Place:
    """Position of the device, else address with division, else nothing (the machine's site is known)."""
    errors: Texts = {}
    address = _line(given, "address", 200, errors)
    point = _point(given, errors)
    if errors:
        raise Invalid(errors)
    code = _raw(given, "division_code") or None
    if point is not None:
        return _at(point, address, code)
    if address or code:
        return _by_address(address, code, _raw(given, "division_asked"))
    if needed:
        raise Invalid({"address": [_l("Where is the machine? Give its address or serial number.")]})
    return Place()


def _at(point: Point, address: str, code: str | None) -> Place:
    """A position is exact; the address names its division better than the nearest county seat does."""
    found = geocode(address, code, language()) if address or code else None
    if found is None or found.point is None or not found.clear:
        return Place(address, divisions.nearest(point), point, "point")
    away = distance_km(point, found.point)
    if away > FAR_KM:
        message = _l("This address is %(km)s km from your position. Correct one of them.", km=round(away))
        raise Invalid({"address": [message]})
    return Place(address, found.division_code, point, "point")


def _by_address(address: str, code: str | None, asked: str) -> Place:
    found = locate(address, code, language())
    if found.rivals:
        raise UnclearPlace(_l("This address fits several places. Choose the right one."), found.rivals, rivals=True)
    if found.clear or _meant(code, found, asked):
        return Place(address, found.division_code, found.point, found.precision, found.doubt)
    raise _ask(found.division_code)


def _meant(code: str | None, found: GeocodeResult, asked: str) -> bool:
    """A large division is meant when its parts were offered; of a program a city must do, since nobody can be asked."""
    division = divisions.by_code(code)
    if asked == GIVEN:
        return found.precision == "prefecture"
    return division is not None and division.code == asked


def _ask(under: str | None) -> UnclearPlace:
    """In which city of this province, which district of this city, which province at all?"""
    if under is None:
        return UnclearPlace(_l("We could not find this place. Choose where it is."), named(divisions.provinces()))
    text = _l("Where in %(place)s is it?", place=divisions.label(under, language()))
    return UnclearPlace(text, named(divisions.children(under)), under)


def named(codes: tuple[str, ...]) -> Choices:
    """Divisions with their own names, to choose from."""
    return tuple((code, divisions.name(code, language())) for code in codes)


def _point(given: Mapping[str, Any], errors: Texts) -> Point | None:
    latitude, longitude = given.get("latitude"), given.get("longitude")
    if latitude in (None, "") and longitude in (None, ""):
        return None
    try:
        return Point(float(str(latitude)), float(str(longitude)))
    except (TypeError, ValueError, OverflowError):
        errors["latitude"] = [_l("This position cannot be used. Give the address instead.")]
        return None


def _raw(given: Mapping[str, Any], name: str) -> str:
    value = given.get(name)
    return value.strip() if isinstance(value, str) else ""


def _line(given: Mapping[str, Any], name: str, most: int, errors: Texts, needed: Any = None) -> str:
    """Text on one line."""
    return " ".join(_text(given, name, most, errors, needed).split())


def _text(given: Mapping[str, Any], name: str, most: int, errors: Texts, needed: Any = None) -> str:
    try:
        text = plain_text(given.get(name) or "", most, field=name)
    except Invalid as error:
        errors.update(error.errors)
        return ""
    if not text and needed is not None:
        errors[name] = [needed]
    return text


def _checked(check: Callable[[str], str], given: Mapping[str, Any], name: str, errors: Texts) -> str:
    text = _raw(given, name)
    if not text:
        return ""
    try:
        return check(text)
    except formats.FormatError as error:
        errors[name] = [error.message]
        return ""
