"""Stations as records, and what every record of a station shares."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, or_, select

from fieldservice.foundation.db import session
from fieldservice.foundation.formats import FormatError
from fieldservice.foundation.places import divisions
from fieldservice.mechanisms.lifecycle import move
from fieldservice.mechanisms.records import Kind
from fieldservice.mechanisms.records.fields import (
    SEVERAL,
    Bilingual,
    Codes,
    Division,
    Field,
    Phone,
    Place,
    Reference,
    Warn,
    read_hour,
)
from fieldservice.mechanisms.records.kinds import Values
from fieldservice.stations.models import (
    Station,
)
from fieldservice.stations.services import FUNCTIONS

READERS = ("admin", "station_manager", "director", "dispatcher", "agent", "quality")
STATION = Reference(name="station", label=_l("Station"), to="stations", required=True, example="WXXW")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, kw_only=True)
class Hours(Field):
    """Opening hours by weekday: 'mon-fri 08:30-12:00, 13:00-17:30; sat 09:00-12:00'. Empty means the usual ones."""

    default: Any = None
    widget = "hours"

    def read(self, texts: Mapping[str, str], warn: Warn) -> Any:
        found: dict[str, str] = {}
        for entry in filter(str.strip, SEVERAL.split(texts.get(self.name, ""))):
            match = re.fullmatch(r"\s*([a-z]{3})(?:\s*[-–]\s*([a-z]{3}))?\s+(.+)", entry.strip().lower())
            if match is None or match[1] not in WEEKDAYS or (match[2] or "mon") not in WEEKDAYS:
                raise FormatError(_l("Write hours such as: mon-fri 08:30-17:30; sat 09:00-12:00"))
            first, last = WEEKDAYS.index(match[1]), WEEKDAYS.index(match[2] or match[1])
            spans = _spans(match[3])
            for day in WEEKDAYS[first : last + 1]:
                found[day] = spans
        return found

    def texts(self, value: Any) -> dict[str, str]:
        """Neighbouring days with the same hours are written together."""
        groups: list[list[Any]] = []
        for day in WEEKDAYS:
            spans = (value or {}).get(day)
            if spans and groups and groups[-1][1] == WEEKDAYS[WEEKDAYS.index(day) - 1] and groups[-1][2] == spans:
                groups[-1][1] = day
            elif spans:
                groups.append([day, day, spans])
        return {self.name: "; ".join(f"{a}-{b} {spans}" if a != b else f"{a} {spans}" for a, b, spans in groups)}

    def get(self, row: Any) -> Any:
        return dict(getattr(row, self.name) or {})

    def set(self, row: Any, value: Any) -> None:
        setattr(row, self.name, value or {})


def _spans(text: str) -> str:
    spans: list[str] = []
    last = time(0)
    for span in text.split(","):
        start, dash, end = span.replace("–", "-").partition("-")
        if not dash:
            raise FormatError(_l("Write hours such as: mon-fri 08:30-17:30; sat 09:00-12:00"))
        opens, closes = read_hour(start.strip()), read_hour(end.strip())
        if not opens < closes or (spans and opens <= last):
            raise FormatError(_l("Hours of a day follow each other and do not overlap."))
        spans.append(f"{opens:%H:%M}-{closes:%H:%M}")
        last = closes
    return ", ".join(spans)


class Stations(Kind):
    """4S stations, each found by its code."""

    code, symbol = "stations", "warehouse"
    title, one = _l("Stations"), _l("Station")
    model = Station
    fields = (
        Field(name="code", label=_l("Code"), required=True, most=12, example="WXXW", fixed=True,
              hint=_l("Short and lasting, such as WXXW. It stands in addresses and cannot be changed.")),
        Bilingual(name="names", label=_l("Station name"), required=True, most=80, example="无锡新吴站",
                  example_en="Wuxi Xinwu"),
        Codes(name="functions", label=_l("Functions"), words="station_function", default=list(FUNCTIONS),
              example="sale; spare_part; service; survey"),
        Phone(name="phone", label=_l("Phone"), example="0510-85880000"),
        Field(name="address", label=_l("Address"), most=200, example="长江路 88 号"),
        Division(name="division_code", label=_l("Division"), required=True, example="320214"),
        Place(name="point", label=_l("Place on the map"),
              hint=_l("Without a position the station stands in the middle of its division.")),
        Hours(name="hours", label=_l("Opening hours"), example="mon-fri 08:30-12:00, 13:00-17:30",
              hint=_l("Such as: mon-fri 08:30-17:30; sat 09:00-12:00. Empty: usual business hours.")),
    )  # fmt: skip
    keys = (("code",),)
    unique = ("code",)
    shown = ("code", "names", "functions", "division_code", "phone")
    searched = ("names", "code")
    editors, readers = ("admin", "station_manager"), READERS
    moves = ("open", "limited", "closed")
    page = "admin/kinds/station.html"

    def has_station(self) -> bool:
        return True

    def station_of(self, values: Values) -> int | None:
        return session.scalar(select(Station.id).where(Station.code == values.get("code")))

    def in_stations(self, stations: Collection[int]) -> ColumnElement[bool] | None:
        return Station.id.in_(sorted(stations))

    def named(self, texts: Collection[tuple[int | None, str]]) -> dict[tuple[int | None, str], Sequence[int]]:
        wanted = {text for _within, text in texts}
        told = [Station.code.in_({text.upper() for text in wanted} | wanted)]
        told += [Station.names[spoken].as_string().in_(wanted) for spoken in ("zh", "en")]
        rows = session.execute(select(Station.id, Station.code, Station.names).where(or_(*told))).all()
        return {one: _best(one[1], rows) for one in texts}

    def check(self, drafts: Sequence[Any]) -> None:
        for draft in drafts:
            if not re.fullmatch(r"[A-Z0-9_-]{2,12}", draft.values.get("code", "OK")):
                draft.refuse("code", _l("Use two to twelve capitals, digits, - or _."))
            if "functions" in draft.values and not draft.values["functions"]:
                draft.refuse("functions", _l("Choose at least one function."))

    def create(self, wanted: Sequence[Values], at: datetime) -> Sequence[Any]:
        rows = []
        for values in wanted:
            row = Station(functions=list(FUNCTIONS), hours={})
            self.change(row, {**values, "point": values.get("point")}, at)
            session.add(row)
            rows.append(row)
        session.flush()
        for row in rows:
            move(row, "open", at=at)
        return rows

    def change(self, row: Any, values: Values, at: datetime) -> None:
        super().change(row, {name: value for name, value in values.items() if name != "point"}, at)
        if values.get("point"):
            self.field("point").set(row, values["point"])
        elif "point" in values or ("division_code" in values and row.latitude is None):
            centre = divisions.centre(row.division_code)
            row.latitude, row.longitude = centre.latitude, centre.longitude


def _best(text: str, rows: Sequence[Any]) -> list[int]:
    coded = [row.id for row in rows if row.code == text.upper() or row.code == text]
    return coded or [row.id for row in rows if text in row.names.values()]


class OfStation(Kind):
    """What belongs to a station and is edited by its manager."""

    editors, readers = ("admin", "station_manager"), READERS
