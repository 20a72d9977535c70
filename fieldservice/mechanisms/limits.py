"""Time limits as people write them: '4 h', '30 min' on the wall; '2 bh', '1 bd' in business time."""

import re
from dataclasses import dataclass, replace
from typing import Literal, Self

from flask_babel import ngettext

from fieldservice.foundation import display

CalendarCode = Literal["wall", "business"]
MINUTES_PER_BUSINESS_DAY = 480  # 1 bd = 8 bh (DOMAIN §1)
MOST_MINUTES = 5 * 366 * 1440  # five years: the longest step is a year; more is a slip of the pen
_UNITS: dict[str, tuple[int, CalendarCode]] = {
    "min": (1, "wall"),
    "h": (60, "wall"),
    "d": (1440, "wall"),
    "bmin": (1, "business"),
    "bh": (60, "business"),
    "bd": (MINUTES_PER_BUSINESS_DAY, "business"),
}


@dataclass(frozen=True)
class Limit:
    """A length of time in a calendar; `origin` says which policy set it (default, tier, customer …)."""

    minutes: int
    calendar: CalendarCode = "wall"
    origin: str = "default"

    def __post_init__(self) -> None:
        if not 0 < self.minutes <= MOST_MINUTES:
            raise ValueError("a limit is longer than nothing and at most five years")

    @classmethod
    def parse(cls, text: str, origin: str = "default") -> Self:
        """Read '15 min', '24 h', '2 bh' or '1 bd'. Raises ValueError for anything else."""
        found = re.fullmatch(r"([0-9]{1,7}) ?(min|h|d|bmin|bh|bd)", text.strip())
        if found is None:
            raise ValueError(f"{text!r} is no time limit: write e.g. 30 min, 4 h, 2 bh or 1 bd")
        minutes, calendar = _UNITS[found[2]]
        return cls(int(found[1]) * minutes, calendar, origin)

    def __str__(self) -> str:
        units = ("bd", "bh", "bmin") if self.calendar == "business" else ("h", "min")
        for unit in units:
            if self.minutes % _UNITS[unit][0] == 0:
                return f"{self.minutes // _UNITS[unit][0]} {unit}"
        raise AssertionError("a minute always divides")

    def scaled(self, factor: float) -> "Limit":
        """This limit times a factor, in whole minutes rounded down (so a promise never grows)."""
        return replace(self, minutes=max(1, int(self.minutes * factor + 1e-9)))


def never_worse(limit: Limit, floor: Limit) -> bool:
    """Whether `limit` ends no later than `floor` from every possible start.

    Business minutes never pass faster than wall minutes, so a wall limit may replace a business one
    of at least its length; the other way round nothing is certain.
    """
    return limit.minutes <= floor.minutes and (limit.calendar == floor.calendar or limit.calendar == "wall")


def limit_text(limit: Limit) -> str:
    """'24 h', '2 business hours' / '24 小时', '2 个工作小时'."""
    if limit.calendar == "wall":
        return display.minutes(limit.minutes)
    days, rest = divmod(limit.minutes, MINUTES_PER_BUSINESS_DAY)
    if not rest:
        return str(ngettext("%(num)s business day", "%(num)s business days", days))
    hours, minutes = divmod(limit.minutes, 60)
    if not minutes:
        return str(ngettext("%(num)s business hour", "%(num)s business hours", hours))
    return str(ngettext("%(num)s business minute", "%(num)s business minutes", limit.minutes))
