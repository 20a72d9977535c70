"""Which old parts have to come back, and by when."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from fieldservice.mechanisms import policies
from fieldservice.parts.models import WHOLE, Part

DAYS = "parts.old_part_days"
MOST_DAYS = 365
DEFAULT: Mapping[str, int] = {"safety": 3, "A": 7, "B": 14, "C": 21}  # [D] criticality → days from removal to the store


def _read(stored: Any) -> Any:
    """Raises ValueError for anything but days for every criticality."""
    if not isinstance(stored, Mapping) or set(stored) != set(DEFAULT):
        raise ValueError(f"{DAYS} needs {sorted(DEFAULT)}")
    if not all(type(days) is int and 0 < days <= MOST_DAYS for days in stored.values()):
        raise ValueError(f"{DAYS} needs whole days, 1 to {MOST_DAYS}")
    return stored


policies.register_defaults(DAYS, DEFAULT, worth=replace(policies.PLAIN, read=_read))


def reasons_of(part: Part, removed_serial: str | None, coverage: str) -> list[str]:
    """Why the old piece is wanted back; nothing where it is not.

    What is poured or greased in leaves no piece, and under warranty small consumables (criticality C) and what comes
    in batches are not worth the way.
    """
    if part.unit not in WHOLE:
        return []
    found = {
        "numbered": bool(removed_serial),
        "tracked": part.serial_tracked,
        "warranty": coverage == "warranty" and part.criticality != "C" and not part.batch_tracked,
    }
    return [reason for reason, holds in found.items() if holds]


def due_at(part: Part, station_id: int, at: datetime) -> datetime:
    """By when it should be at the store."""
    days = policies.effective(DAYS, station_id=station_id).value[part.criticality]
    return at + timedelta(days=days)
