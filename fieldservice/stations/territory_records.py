"""What stations serve, as records: divisions, or areas drawn on the map."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from fieldservice.foundation.db import session
from fieldservice.foundation.formats import FormatError
from fieldservice.foundation.places import Point
from fieldservice.mechanisms.events import record_many
from fieldservice.mechanisms.lifecycle import move
from fieldservice.mechanisms.records.fields import (
    SEVERAL,
    DivisionList,
    Field,
    Flag,
    Warn,
)
from fieldservice.mechanisms.records.kinds import Values
from fieldservice.stations import areas
from fieldservice.stations.models import (
    Territory,
    TerritoryDivision,
)
from fieldservice.stations.records import STATION, OfStation


@dataclass(frozen=True, kw_only=True)
class Area(Field):
    """A closed line drawn on the map: 'latitude longitude; latitude longitude; …', at least three corners, WGS-84."""

    default: Any = None
    most: int = 20_000
    widget = "area"

    def read_text(self, text: str, warn: Warn) -> Any:
        corners = []
        for entry in filter(str.strip, SEVERAL.split(super().read_text(text, warn))):
            parts = re.split(r"[\s,，]+", entry.strip())
            try:
                if len(parts) != 2:
                    raise ValueError(entry)
                point = Point(float(parts[0]), float(parts[1]))
            except ValueError:
                raise FormatError(_l("Write corners such as: 31.49 120.36; 31.52 120.36; 31.50 120.41")) from None
            corners.append([round(point.latitude, 6), round(point.longitude, 6)])
        areas.check(corners)
        return corners

    def texts(self, value: Any) -> dict[str, str]:
        return {self.name: "; ".join(f"{latitude} {longitude}" for latitude, longitude in value or ())}

    def show(self, value: Any) -> str:
        return _("%(km2)s km²", km2=round(areas.size_km2(value))) if value else ""


class Territories(OfStation):
    """What a station serves. Drafts may overlap; an active territory shares nothing with another active one."""

    code, symbol = "territories", "map"
    title, one = _l("Territories"), _l("Territory")
    model = Territory
    fields = (
        Field(name="code", label=_l("Code"), required=True, most=20, example="WXXW-1"),
        STATION,
        DivisionList(name="divisions", label=_l("Divisions"), example="320205; 320214", default=None,
                     hint=_l("Counties or whole prefectures, by code or name.")),
        Area(name="area", label=_l("Drawn area"),
             hint=_l("Goes before divisions: what lies inside is this station's, whoever holds the county.")),
        Flag(name="active", label=_l("In force"), default=True, example="yes"),
    )  # fmt: skip
    keys = (("code",),)
    unique = ("code",)
    shown = ("code", "station", "divisions", "area", "active")
    searched = ("code",)
    page = "admin/kinds/territory.html"

    def name(self, row: Any) -> str:
        return str(row.code or f"#{row.id}")

    def values(self, row: Any) -> dict[str, Any]:
        return {
            "code": row.code, "station": row.station_id, "area": row.area, "active": row.state == "active",
            "divisions": sorted(held.code for held in row.divisions),
        }  # fmt: skip

    def check(self, drafts: Sequence[Any]) -> None:
        for draft in drafts:
            values = draft.all_values()
            if not values.get("divisions") and not values.get("area"):
                draft.refuse("divisions", _l("Name divisions, or draw an area."))
        areas.check_free([draft for draft in drafts if not draft.errors and draft.all_values().get("active", True)])

    def create(self, wanted: Sequence[Values], at: datetime) -> Sequence[Any]:
        rows = []
        for values in wanted:
            area = values.get("area")
            row = Territory(station_id=values["station"], code=values["code"], area=area, drawn=bool(area))
            row.divisions = [TerritoryDivision(code=code) for code in values.get("divisions") or ()]
            session.add(row)
            rows.append(row)
        session.flush()
        for row, values in zip(rows, wanted, strict=True):
            if values.get("active", True):
                self._enforce(row, at)
        record_many("territory.drawn", [(row, {"divisions": len(row.divisions)}) for row in rows], at=at)
        return rows

    def change(self, row: Any, values: Values, at: datetime) -> None:
        if "code" in values:
            row.code = values["code"]
        if "area" in values:
            row.area, row.drawn = values["area"], bool(values["area"])
        if "station" in values:
            row.station_id = values["station"]
        if "divisions" in values:
            wanted = set(values["divisions"])
            for held in list(row.divisions):
                if held.code not in wanted:
                    row.divisions.remove(held)
            known = {held.code for held in row.divisions}
            row.divisions.extend(TerritoryDivision(code=code) for code in sorted(wanted - known))
        if values.get("active") is False and row.state == "active":
            for held in row.divisions:
                held.active_code = None
            move(row, "retired", at=at)
        elif values.get("active") and row.state != "active":
            self._enforce(row, at)
        elif row.state == "active":
            session.flush()
            for held in row.divisions:
                held.active_code = held.code

    def _enforce(self, row: Any, at: datetime) -> None:
        areas.wait_for_turn()
        for held in row.divisions:
            held.active_code = held.code
        session.flush()
        move(row, "active", at=at)
