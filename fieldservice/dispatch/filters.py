"""What a dispatcher looks at: day, range, station, selected order or visit, words. It lives in the address."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import url_for

from fieldservice.foundation.time import today

RANGES = (1, 3, 7)
SHOW = ("p1", "risk", "free")
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
    show: str = ""  # of the lanes: risk, p1, free; several by comma

    @property
    def query(self) -> str:
        """The part of the address after the question mark."""
        pairs = {
            "date": self.day.isoformat() if self.day != today() else "",
            "days": self.days if self.days != 1 else "",
            "station": self.station,
            "q": self.words,
            "show": self.show,
            "order": self.order,
            "visit": self.visit or "",
        }
        return urlencode({name: value for name, value in pairs.items() if value != ""})

    def url(self, **changes: Any) -> str:
        """The day plan with something changed."""
        return _address("dispatch.day_plan", replace(self, **changes))

    @property
    def shown(self) -> frozenset[str]:
        """What the lanes are narrowed to."""
        return frozenset(self.show.split(",")) - {""}

    def toggled(self, what: str) -> str:
        """The day plan with one narrowing of the lanes more or less."""
        return self.url(show=_in_order(self.shown ^ {what}))

    @property
    def lanes_url(self) -> str:
        """The lanes as data; what is selected does not change them."""
        return _address("dispatch.lanes", replace(self, order="", visit=None, words=""))

    @property
    def table_url(self) -> str:
        """The lanes as a table to read."""
        return _address("dispatch.table", replace(self, order="", visit=None, words=""))

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
        show=_in_order(given.get("show", "")[:40].split(",")),
    )


def read_back(query: str) -> Filters:
    """From the hidden field of a form, which carries the query of the page it was on."""
    return read_filters(dict(parse_qsl(query[:500])))


def _address(endpoint: str, filters: Filters, **values: Any) -> str:
    path = url_for(endpoint, **values)
    return f"{path}?{filters.query}" if filters.query else path


def _in_order(wanted: Collection[str]) -> str:
    return ",".join(one for one in SHOW if one in wanted)


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
