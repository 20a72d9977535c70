"""How far a count may differ before the manager looks at it: policy `count_tolerance`, by criticality."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from fieldservice.mechanisms import policies
from fieldservice.parts.counts.models import StockCountLine
from fieldservice.parts.models import Part

TOLERANCE = "count_tolerance"
# criticality → share of what should be there, in per cent; and money, in minor units: beyond either, somebody looks
DEFAULT: Mapping[str, Mapping[str, int]] = {
    "safety": {"percent": 0, "money": 0},
    "A": {"percent": 0, "money": 0},
    "B": {"percent": 2, "money": 20_000},
    "C": {"percent": 5, "money": 20_000},
}


def _read(stored: Any) -> Any:
    """Raises ValueError for anything but whole numbers of per cent and money for every criticality."""
    if not isinstance(stored, Mapping) or set(stored) != set(DEFAULT):
        raise ValueError(f"count_tolerance needs {sorted(DEFAULT)}")
    for limits in stored.values():
        if not isinstance(limits, Mapping) or set(limits) != {"percent", "money"}:
            raise ValueError("count_tolerance needs percent and money")
        if not all(isinstance(limit, int) and limit >= 0 for limit in limits.values()):
            raise ValueError("count_tolerance needs whole numbers")
    return stored


policies.register_defaults(TOLERANCE, DEFAULT, worth=replace(policies.PLAIN, read=_read))


def beyond(part: Part, line: StockCountLine, station_id: int) -> bool:
    """Whether a difference needs the manager's approval at this station."""
    limits = policies.effective(TOLERANCE, station_id=station_id).value[part.criticality]
    expected, counted = line.expected or Decimal(0), line.counted or Decimal(0)
    if line.missing:
        return True
    return is_beyond(expected, counted, part.price, percent=limits["percent"], money=limits["money"])


def is_beyond(expected: Decimal, counted: Decimal, price: int, *, percent: int, money: int) -> bool:
    """The pure rule: more than `percent` of what should be there, or more worth than `money` (minor units).

    No difference is never beyond; where nothing should be there, any difference is.
    """
    off = abs(counted - expected)
    return off > 0 and (off * 100 > expected * percent or off * price > money)
