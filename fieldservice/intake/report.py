"""Reading a report: what was typed becomes values that `services.report_fault` takes, or sentences that help.

The form, the agent's desk, the API and the import all pass here, so that each is equally kind.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask_babel import lazy_gettext as _l

from fieldservice.assets.models import Asset
from fieldservice.assets.queries import find_by_serial
from fieldservice.foundation import formats
from fieldservice.foundation.errors import Invalid
from fieldservice.foundation.places import Point, divisions, geocode
from fieldservice.foundation.words import has_word, language
from fieldservice.intake.services import MOST_WORDS, Place
from fieldservice.mechanisms.forms import plain_text

SHORTEST_WORDS = 4
MOST_OFFERED = 40  # districts to choose from; a prefecture has at most that many
Texts = dict[str, list[Any]]


@dataclass
class Report:
    """A report that can be taken; `doubts` are sentences for staff that do not stop it."""

    contact_name: str
    contact_phone: str
    contact_email: str
    description: str
    severity: str
    serial: str
    asset: Asset | None
    place: Place
    doubts: list[Any] = field(default_factory=list)


class UnclearPlace(Invalid):
    """The address fits several places, or none; `rivals` are (code, label) to choose from."""

    def __init__(self, errors: Texts, rivals: tuple[tuple[str, str], ...]) -> None:
        super().__init__(errors, code="place_unclear")
        self.rivals = rivals
        self.facts["rivals"] = [{"division_code": code, "label": label} for code, label in rivals]


def read(given: Mapping[str, Any], asset: Asset | None = None) -> Report:
    """Check everything at once. Keys: name, phone, email, description, severity, serial, address, division_code,
    latitude, longitude. Raises Invalid with a sentence a field, UnclearPlace when only the place is in question."""
    errors: Texts = {}
    name = _text(given, "name", 80, errors, _l("Please tell us your name."))
    phone = _checked(formats.check_phone, given, "phone", errors)
    email = _checked(formats.check_email, given, "email", errors) if _raw(given, "email") else ""
    if not phone and not email and "phone" not in errors:
        errors["phone"] = [_l("Please give a phone number, so that we can call you.")]
    description = _text(given, "description", MOST_WORDS, errors, _l("Say in a few words what happened."))
    if description and len(description) < SHORTEST_WORDS and "description" not in errors:
        errors["description"] = [_l("Say a little more: what does the machine do, or not do?")]
    severity = str(given.get("severity") or "")
    if not has_word("severity", severity):
        errors["severity"] = [_l("Say how bad it is.")]
    serial = _text(given, "serial", 40, errors)
    asset = asset or (find_by_serial(serial) if serial else None)
    place, unclear = _place(given, asset, errors)
    if errors:
        raise Invalid(errors)
    if unclear is not None:
        raise unclear
    doubts = [_l("The serial %(serial)s is not known to us.", serial=serial)] if serial and asset is None else []
    return Report(name, phone, email, description, severity, serial, asset, place, doubts)


def _place(given: Mapping[str, Any], asset: Asset | None, errors: Texts) -> tuple[Place, UnclearPlace | None]:
    """Position of the device, else address with division, else the machine's site."""
    address = _text(given, "address", 200, errors)
    code = _raw(given, "division_code") or None
    named = _text(given, "division_name", 40, errors)
    point = _point(given, errors)
    if point is not None:
        return Place(address, divisions.nearest(point), point, "point"), None
    if not address and code is None:
        if asset is None and "address" not in errors:
            errors["address"] = [_l("Where is the machine? Give its address or serial number.")]
        return Place(), None
    if code is None and named:
        matches = divisions.search(named, MOST_OFFERED)
        if len(matches) != 1:
            return Place(), _ask(_labelled(matches))
        code = matches[0]
    try:
        found = geocode(address, code, language())
    except Invalid as error:
        errors.update(error.errors)
        return Place(), None
    if found.rivals:
        return Place(), _ask(found.rivals)
    if not found.clear and (code is None or found.division_code is None):  # a code that was given is meant, even a city's
        return Place(), _ask(_labelled(divisions.children(found.division_code)) if found.division_code else ())
    return Place(address, found.division_code, found.point, found.precision), None


def _ask(rivals: tuple[tuple[str, str], ...]) -> UnclearPlace:
    """Ask back: which of these, or in which district or county at all."""
    if rivals:
        return UnclearPlace({"address": [_l("This address fits several places. Choose the right one.")]}, rivals)
    return UnclearPlace({"division_name": [_l("We could not find this place. In which district or county is it?")]}, ())


def _labelled(codes: Sequence[str]) -> tuple[tuple[str, str], ...]:
    return tuple((code, divisions.label(code, language())) for code in codes[:MOST_OFFERED])


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


def _text(given: Mapping[str, Any], name: str, most: int, errors: Texts, needed: Any = None) -> str:
    try:
        text = plain_text(given.get(name) or "", most, field=name)
    except Invalid as error:
        errors.update(error.errors)
        return ""
    if not text and needed is not None:
        errors[name] = [needed]
    return text


def _checked(check: Any, given: Mapping[str, Any], name: str, errors: Texts) -> str:
    text = _raw(given, name)
    if not text:
        return ""
    try:
        return str(check(text))
    except formats.FormatError as error:
        errors[name] = [error.message]
        return ""
