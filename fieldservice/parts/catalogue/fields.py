"""Kinds of facts that only records of parts hold."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from flask_babel import lazy_gettext as _l

from fieldservice.customers.models import Site
from fieldservice.foundation import formats
from fieldservice.foundation.db import session
from fieldservice.foundation.formats import FormatError, decimal_text
from fieldservice.mechanisms.records.fields import SEVERAL, Field, Reference, Warn

MOST_MODELS = 50


@dataclass(frozen=True, kw_only=True)
class Measure(Field):
    """A quantity greater than zero with at most three decimals; the value is its text."""

    default: Any = "1"
    widget = "number"

    def read_text(self, text: str, warn: Warn) -> Any:
        try:
            found = Decimal(re.sub(r"[,\s]", "", formats.trimmed(text)))
        except InvalidOperation:
            raise FormatError(_l("Write a quantity such as 1 or 2.5.")) from None
        if not found.is_finite() or not 0 < found <= 100_000 or found != found.quantize(Decimal("0.001")):
            raise FormatError(_l("Write a quantity such as 1 or 2.5."))
        return decimal_text(found)

    def get(self, row: Any) -> Any:
        kept = getattr(row, self.name)
        return None if kept is None else decimal_text(kept)

    def set(self, row: Any, value: Any) -> None:
        setattr(row, self.name, Decimal(value))


@dataclass(frozen=True, kw_only=True)
class Several(Field):
    """Words split by semicolons, such as models of machines."""

    default: Any = None

    def read(self, texts: Mapping[str, str], warn: Warn) -> Any:
        found = [entry.strip() for entry in SEVERAL.split(texts.get(self.name, "")) if entry.strip()]
        if len(found) > MOST_MODELS or any(len(entry) > 80 for entry in found):
            raise FormatError(_l("Use at most %(most)s entries.", most=MOST_MODELS))
        return list(dict.fromkeys(found))

    def texts(self, value: Any) -> dict[str, str]:
        return {self.name: "; ".join(value or ())}

    def get(self, row: Any) -> Any:
        return list(getattr(row, self.name) or ())

    def set(self, row: Any, value: Any) -> None:
        setattr(row, self.name, list(value or ()))


@dataclass(frozen=True, kw_only=True)
class OwnerOfSite(Reference):
    """The customer of a record's site: it tells which site is meant, and is kept by the site alone."""

    def get(self, row: Any) -> Any:
        site = session.get(Site, row.site_id) if row.site_id is not None else None
        return site.customer_id if site is not None else None

    def set(self, row: Any, value: Any) -> None:
        return
