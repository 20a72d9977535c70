"""What a dispatcher looks at: day, range, station, selected order or visit, words. It lives in the address."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import url_for

from fieldservice.foundation.time import today

RANGES = (1, 3, 7)
FIRST, LAST = date(2020, 1, 1), date(2100, 1, 1)


@dataclass(frozen=True)
class Filters:
    """Never refuses: an address that somebody mistyped shows today."""

    day: date
    days: int = 1
    station: str = ""
    order: str = ""
    visit: int | None = None
    words: str = ""

    @property
    def query(self) -> str:
        """The part of the address after the question mark."""
        pairs = {
            "date": self.day.isoformat() if self.day != today() else "",
            "days": self.days if self.days != 1 else "",
            "station": self.station,
            "q": self.words,
            "order": self.order,
            "visit": self.visit or "",
        }
        return urlencode({name: value for name, value in pairs.items() if value != ""})

    def url(self, **changes: Any) -> str:
        """The day plan with something changed."""
        return _address("dispatch.day_plan", replace(self, **changes))

    def part_url(self, name: str) -> str:
        """One part of the page, for live updates."""
        return _address("dispatch.part", self, name=name)

    def later(self, days: int) -> str:
        """The day plan some days on (or back)."""
        return self.url(day=min(max(self.day + timedelta(days=days), FIRST), LAST))


def read_filters(given: Mapping[str, str]) -> Filters:
    """From the query of a request."""
    return Filters(
        day=_day(given.get("date", "")),
        days=_range(given.get("days", "")),
        station=given.get("station", "")[:12],
        order=given.get("order", "")[:20],
        visit=_number(given.get("visit", "")),
        words=given.get("q", "")[:60].replace("\0", ""),
    )


def read_back(query: str) -> Filters:
    """From the hidden field of a form, which carries the query of the page it was on."""
    return read_filters(dict(parse_qsl(query[:500])))


def _address(endpoint: str, filters: Filters, **values: Any) -> str:
    path = url_for(endpoint, **values)
    return f"{path}?{filters.query}" if filters.query else path


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text[:10])
    except ValueError:
        return today()
    return day if FIRST <= day <= LAST else today()


def _range(text: str) -> int:
    return int(text) if text in {str(days) for days in RANGES} else RANGES[0]


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
