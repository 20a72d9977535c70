"""The report form as browsers send it: its pictures, its machine, and the form again when it was refused."""

import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Any

from babel.dates import format_skeleton
from flask_babel import get_locale
from flask_babel import gettext as _

from fieldservice.assets.models import Asset
from fieldservice.assets.queries import asset_by_id, in_warranty
from fieldservice.contracts import promises
from fieldservice.customers.models import Contact, Customer
from fieldservice.foundation.errors import DomainError, Invalid
from fieldservice.foundation.places import divisions
from fieldservice.foundation.time import now, today
from fieldservice.foundation.words import language, word
from fieldservice.intake import report, services
from fieldservice.intake.models import ServiceRequest
from fieldservice.mechanisms import files
from fieldservice.mechanisms.limits import limit_text


@dataclass
class Place:
    """How the form shows where the machine is."""

    question: str = ""  # what is asked back
    choices: report.Choices = ()
    rivals: bool = False
    under: str = ""  # the division the choices lie in
    understood: str = ""  # the division the address was read as


@dataclass
class Form:
    """What a refused form shows: its reasons, the pictures it keeps, the place it asks for."""

    typed: Any
    refused: DomainError | None = None
    photos: list[files.Received] = field(default_factory=list)

    @property
    def errors(self) -> dict[str, list[Any]]:
        return self.refused.errors if isinstance(self.refused, Invalid) else {}

    @property
    def held(self) -> list[str]:
        return [files.hold(photo) for photo in self.photos]

    @property
    def receipt(self) -> str:
        """Tells a form sent twice from two forms."""
        return str(self.typed.get("receipt", ""))[:64] or secrets.token_hex(16)

    @property
    def place(self) -> Place:
        """What is asked back about the place, or how it was understood."""
        return asked(self.refused) if isinstance(self.refused, report.UnclearPlace) else place_of(self.typed)


def place_of(typed: Any) -> Place:
    """How what was typed about the place is read; what cannot be read the form says when it is sent."""
    try:
        place = report.read_place(typed, needed=False)
    except report.UnclearPlace as unclear:
        return asked(unclear)
    except Invalid:
        return Place()
    return Place(understood=divisions.label(place.division_code, language()) if place.division_code else "")


def asked(unclear: report.UnclearPlace) -> Place:
    """The question that an unclear place makes."""
    return Place(str(unclear.errors["division_code"][0]), unclear.choices, unclear.rivals, unclear.under or "")


def receipt_key(typed: Any) -> str:
    """One press twice is one report; the same form with other words (back, edit, send) is another."""
    words = "\n".join(str(typed.get(name, "")) for name in ("receipt", "description", "serial", "severity"))
    return (
        hashlib.sha256(words.encode("utf-8", "replace")).hexdigest() if typed.get("receipt") else secrets.token_hex(16)
    )


def make_request(
    given: report.Report,
    *,
    channel: str,
    language: str,
    key: str,
    photos: list[files.Received] | None = None,
    customer: Customer | None = None,
    contact: Contact | None = None,
) -> ServiceRequest:
    """Report what was read; inside `write`."""
    return services.report_fault(
        channel=channel, contact_name=given.contact_name, contact_phone=given.contact_phone,
        contact_email=given.contact_email, description=given.description, severity=given.severity, serial=given.serial,
        asset=asset_by_id(given.asset_id) if given.asset_id else None, customer=customer, contact=contact,
        place=given.place, language=language, photos=photos or [], receipt_key=key, at=now(),
    )  # fmt: skip


def warranty_text(asset: Asset) -> str:
    """Until when the warranty runs, or when it ended; nothing where it is not known."""
    if asset.warranty_until is None:
        return ""
    month = format_skeleton("yMMM", asset.warranty_until, locale=get_locale())
    if in_warranty(asset, today()):
        return str(_("under warranty until %(month)s", month=month))
    return str(_("warranty ended %(month)s", month=month))


def severities(customer: Customer | None) -> list[tuple[str, str, str]]:
    """(code, word, what is promised) to choose from; for a customer who is known with their own limits."""
    owner, tier = (customer.id, customer.tier) if customer is not None else (None, None)
    rows = []
    for code, priority in promises.limits()["priority"].items():
        limits = promises.effective(priority, customer_id=owner, tier=tier, station_id=None)
        told = _("On site within %(time)s", time=limit_text(limits["arrival"])) if "arrival" in limits else ""
        rows.append((code, word("severity", code), told))
    return rows
