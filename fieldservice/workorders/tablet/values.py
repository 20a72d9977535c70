"""Values as the tablet's snapshot writes them."""

from datetime import date, datetime
from decimal import Decimal

from fieldservice.foundation.time import local


def time_text(moment: datetime | None) -> str | None:
    """The moment on the local clock, with its offset."""
    return local(moment).isoformat(timespec="seconds") if moment else None


def day_text(day: date | None) -> str | None:
    """The calendar day."""
    return day.isoformat() if day else None


def number(value: Decimal | None) -> float | int | None:
    """A quantity or limit as a plain JSON number."""
    if value is None:
        return None
    return int(value) if value == value.to_integral_value() else float(value)
