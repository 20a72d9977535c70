"""Stations, what they serve, their technicians and shifts as records."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import selectinload

from fieldservice.accounts.models import User
from fieldservice.accounts.services import create_user
from fieldservice.foundation import display
from fieldservice.foundation.access import Person
from fieldservice.foundation.db import session
from fieldservice.foundation.formats import FormatError
from fieldservice.foundation.places import Point, divisions
from fieldservice.foundation.time import at_local, local
from fieldservice.mechanisms.events import record_many
from fieldservice.mechanisms.lifecycle import move
from fieldservice.mechanisms.records import Kind
from fieldservice.mechanisms.records.fields import (
    SEVERAL,
    Bilingual,
    Codes,
    Day,
    Division,
    DivisionList,
    Email,
    Field,
    Flag,
    Levels,
    Phone,
    Place,
    Reference,
    Warn,
    Words,
    read_day,
    read_hour,
)
from fieldservice.mechanisms.records.kinds import Values
from fieldservice.stations import areas
from fieldservice.stations.models import (
    Certificate,
    Shift,
    Station,
    Technician,
    TechnicianSkill,
    Territory,
    TerritoryDivision,
)
from fieldservice.stations.services import FUNCTIONS

READERS = ("admin", "station_manager", "director", "dispatcher", "agent", "quality")
STATION = Reference(name="station", label=_l("Station"), to="stations", required=True, example="WXXW")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
CERTIFICATE = re.compile(
    r"(.+?)[\s:：]+([0-9]{4}[-/.年][0-9]{1,2}[-/.月][0-9]{1,2}日?)(?:[\s:：]+(.{1,40}))?"
)  # kind, last valid day, number
_vocabulary: dict[str, Any] = {}


def speak_of(*, skills: Any, certificates: Any) -> None:
    """Name the skills and certificates there are: code → {zh, en}, asked when needed. Work orders own them."""
    _vocabulary.update(skills=skills, certificates=certificates)


def skill_words() -> Words:
    found: Words = _vocabulary["skills"]()
    return found


def certificate_words() -> Words:
    found: Words = _vocabulary["certificates"]()
    return found


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


@dataclass(frozen=True, kw_only=True)
class Certificates(Field):
    """Certificates with their last valid day: 'lv_electrician 2027-05-01 T3201…; hoisting 2026-09-30'."""

    default: Any = None
    most: int = 2000
    widget = "certificates"

    def read(self, texts: Mapping[str, str], warn: Warn) -> Any:
        chooser = Codes(name=self.name, label=self.label, words=certificate_words)
        found: dict[str, dict[str, str]] = {}
        for entry in filter(str.strip, SEVERAL.split(texts.get(self.name, ""))):
            match = CERTIFICATE.fullmatch(entry.strip())
            if match is None:
                raise FormatError(_l("Write certificates such as: lv_electrician 2027-05-01; hoisting 2026-09-30"))
            code = chooser.code(match[1])
            found[code] = {"valid_until": read_day(match[2]).isoformat(), "number": (match[3] or "").strip()}
        return dict(sorted(found.items()))

    def texts(self, value: Any) -> dict[str, str]:
        entries = [f"{kind} {held['valid_until']} {held['number']}".strip() for kind, held in (value or {}).items()]
        return {self.name: "; ".join(entries)}

    def show(self, value: Any) -> str:
        chooser = Codes(name=self.name, label=self.label, words=certificate_words)
        return str(_(", ")).join(
            f"{chooser.show([kind])} ({held['valid_until']})" for kind, held in (value or {}).items()
        )

    def get(self, row: Any) -> Any:
        return {
            held.kind: {"valid_until": held.valid_until.isoformat(), "number": held.number}
            for held in sorted(row.certificates, key=lambda one: one.kind)
        }

    def set(self, row: Any, value: Any) -> None:
        known = {held.kind: held for held in row.certificates}
        for kind, held in known.items():
            if kind not in value:
                row.certificates.remove(held)
        for kind, facts in value.items():
            held = known.get(kind)
            if held is None:
                held = Certificate(kind=kind)
                row.certificates.append(held)
            held.valid_until, held.number = date.fromisoformat(facts["valid_until"]), facts["number"]


@dataclass(frozen=True, kw_only=True)
class Skills(Levels):
    """Skills with levels 1–3."""

    def get(self, row: Any) -> Any:
        return {held.skill: held.level for held in sorted(row.skills, key=lambda one: one.skill)}

    def set(self, row: Any, value: Any) -> None:
        known = {held.skill: held for held in row.skills}
        for skill, held in known.items():
            if skill not in value:
                row.skills.remove(held)
        for skill, level in value.items():
            if skill in known:
                known[skill].level = level
            else:
                row.skills.append(TechnicianSkill(skill=skill, level=level))


class Technicians(OfStation):
    """Field engineers; a row is found by the personnel number, else by the account's e-mail."""

    code, symbol = "technicians", "hard-hat"
    title, one = _l("Technicians"), _l("Technician")
    model = Technician
    fields = (
        Field(name="code", label=_l("Personnel number"), most=40, default=None, example="T-017"),
        Bilingual(name="names", label=_l("Name"), required=True, most=80, example="陆建国", example_en="Lu Jianguo"),
        STATION,
        Phone(name="phone", label=_l("Phone"), example="13912340608"),
        Email(name="email", label=_l("Account (e-mail)"), default=None, example="lu@example.com",
              hint=_l("Signs in on the tablet with this address. A new address opens an account.")),
        Place(name="point", label=_l("Home, where the day starts"),
              hint=_l("Without a position the day starts at the station.")),
        Skills(name="skills", label=_l("Skills and levels"), words=skill_words, example="gearbox 2; hydraulics 3",
               hint=_l("1 helps, 2 works alone, 3 leads.")),
        Certificates(name="certificates", label=_l("Certificates"), example="lv_electrician 2027-05-01 T320214",
                     hint=_l("An expired certificate keeps a technician off jobs that need it.")),
    )  # fmt: skip
    keys = (("code",), ("email",), ("station", "names"))
    unique = ("code",)
    shown = ("names", "station", "skills", "certificates", "phone")
    searched = ("names", "code", "phone")
    moves = ("available", "suspended", "leave")
    page = "admin/kinds/technician.html"

    def statement(self, person: Person) -> Any:
        return super().statement(person).options(selectinload(Technician.account))

    def key_text(self, row: Any) -> str:
        return str(row.code or (row.account.email if row.account else "") or self.name(row))

    def values(self, row: Any) -> dict[str, Any]:
        return {**{one.name: one.get(row) for one in self.fields if one.name != "email"},
                "email": row.account.email if row.account is not None else None}  # fmt: skip

    def rows_by(self, key: tuple[str, ...], wanted: Sequence[tuple[Any, ...]]) -> dict[tuple[Any, ...], Any]:
        if key == ("email",):
            emails = {one[0] for one in wanted}
            rows = session.execute(
                select(User.email, Technician).join(Technician, Technician.id == User.technician_id)
                .where(User.email.in_(emails)).options(selectinload(Technician.account))
            )  # fmt: skip
            return {(email,): row for email, row in rows}
        if key == ("code",):
            rows_ = session.scalars(
                select(Technician).where(Technician.code.in_({one[0] for one in wanted}))
                .options(selectinload(Technician.account))
            )  # fmt: skip
            return {(row.code,): row for row in rows_}
        stations = {one[0] for one in wanted}
        team = session.scalars(
            select(Technician).where(Technician.station_id.in_(stations)).options(selectinload(Technician.account))
            .order_by(Technician.id.desc())
        )  # fmt: skip
        return _Team({(row.station_id, text): row for row in team for text in row.names.values() if text})

    def named(self, texts: Collection[tuple[int | None, str]]) -> dict[tuple[int | None, str], Sequence[int]]:
        wanted = {text for _within, text in texts}
        told = [Technician.code.in_(wanted), User.email.in_({text.lower() for text in wanted})]
        told += [Technician.names[spoken].as_string().in_(wanted) for spoken in ("zh", "en")]
        rows = session.execute(
            select(Technician.id, Technician.code, Technician.names, User.email)
            .outerjoin(User, User.technician_id == Technician.id).where(or_(*told))
        ).all()  # fmt: skip
        return {
            one: [row.id for row in rows if one[1] in (row.code, row.email)]
            or [row.id for row in rows if one[1] in row.names.values()]
            for one in texts
        }

    def check(self, drafts: Sequence[Any]) -> None:
        emails = {draft.values.get("email") for draft in drafts} - {None, ""}
        held = {
            user.email: user for user in (session.scalars(select(User).where(User.email.in_(emails))) if emails else ())
        }
        for draft in drafts:
            user = held.get(draft.values.get("email") or "")
            mine = draft.row.id if draft.row is not None else None
            if user is not None and (user.customer_id or user.technician_id not in (None, mine)):
                draft.refuse("email", _l("This account belongs to somebody else."))

    def create(self, wanted: Sequence[Values], at: datetime) -> Sequence[Any]:
        homes = {station.id: station for station in session.scalars(
            select(Station).where(Station.id.in_({values["station"] for values in wanted})))}  # fmt: skip
        rows = []
        for values in wanted:
            row = Technician(station_id=values["station"], names=values["names"], phone=values.get("phone") or "",
                             code=values.get("code"))  # fmt: skip
            home = homes[values["station"]]
            row.latitude, row.longitude = values.get("point") or (home.latitude, home.longitude)
            for name in ("skills", "certificates"):
                self.field(name).set(row, values.get(name) or {})
            rows.append(row)
        session.add_all(rows)
        session.flush()
        record_many("technician.employed", [(row, {"skills": dict(values.get("skills") or {})})
                                            for row, values in zip(rows, wanted, strict=True)], at=at)  # fmt: skip
        for row, values in zip(rows, wanted, strict=True):
            if values.get("email"):
                self._sign_in_as(row, values["email"])
        return rows

    def change(self, row: Any, values: Values, at: datetime) -> None:
        super().change(row, {name: value for name, value in values.items() if name not in ("email", "point")}, at)
        if "point" in values:
            home = session.get_one(Station, row.station_id)
            row.latitude, row.longitude = values["point"] or (home.latitude, home.longitude)
        if "email" in values:
            self._sign_in_as(row, values["email"])

    def remove(self, row: Any) -> None:
        self._sign_in_as(row, None)
        session.delete(row)

    def _sign_in_as(self, row: Any, email: str | None) -> None:
        """Let the account of this address be the technician; a new address opens one without a password."""
        for user in session.scalars(select(User).where(User.technician_id == row.id)):
            if user.email != email:
                user.technician_id = None
        if email:
            known = session.scalar(select(User).where(User.email == email))
            name = row.names.get("zh") or row.names.get("en")
            user = known or create_user(email=email, name=name, password=None, grants=[("technician", row.station_id)])
            user.technician_id = row.id
        session.flush()
        session.expire(row, ["account"])


class _Team(dict[tuple[Any, ...], Any]):
    """(station, names) → the technician who has one of the names."""

    def get(self, key: Any, default: Any = None) -> Any:
        station, names = key
        found = (super(_Team, self).get((station, text)) for text in names.values() if text)
        return next((row for row in found if row is not None), default)


@dataclass(frozen=True, kw_only=True)
class Hour(Field):
    """A time of day."""

    most: int = 8
    widget = "time"

    def read_text(self, text: str, warn: Warn) -> Any:
        return f"{read_hour(text):%H:%M}"


class Shifts(OfStation):
    """Time on duty, a row a day; found by technician, day and start. An end before the start is on the next day."""

    code, symbol = "shifts", "calendar-clock"
    title, one = _l("Shifts"), _l("Shift")
    model = Shift
    fields = (
        Reference(name="technician", label=_l("Technician"), to="technicians", required=True, example="T-017"),
        Day(name="day", label=_l("Day"), required=True, example="2026-12-01"),
        Hour(name="start", label=_l("Start"), required=True, example="08:00"),
        Hour(name="end", label=_l("End"), required=True, example="17:30"),
        Flag(name="on_call", label=_l("On call"), example="no"),
        Reference(name="station", label=_l("Station"), to="stations", example="WXXW",
                  hint=_l("Where the shift is worked. Empty: the technician's own station.")),
    )  # fmt: skip
    keys = (("technician", "day", "start"),)
    shown = ("technician", "day", "start", "end", "on_call", "station")

    def name(self, row: Any) -> str:
        return f"{display.date_short(row.starts_at)} {local(row.starts_at):%H:%M}–{local(row.ends_at):%H:%M}"

    def key_text(self, row: Any) -> str:
        return f"{row.technician_id} {local(row.starts_at):%Y-%m-%d %H:%M}"

    def values(self, row: Any) -> dict[str, Any]:
        return {
            "technician": row.technician_id, "day": local(row.starts_at).date().isoformat(),
            "start": f"{local(row.starts_at):%H:%M}", "end": f"{local(row.ends_at):%H:%M}", "on_call": row.on_call,
            "station": row.station_id,
        }  # fmt: skip

    def rows_by(self, key: tuple[str, ...], wanted: Sequence[tuple[Any, ...]]) -> dict[tuple[Any, ...], Any]:
        starts = {(technician, _moment(day, start)): (technician, day, start) for technician, day, start in wanted}
        rows = session.scalars(
            select(Shift).where(Shift.technician_id.in_({one[0] for one in wanted}))
            .where(Shift.starts_at.in_({moment for _technician, moment in starts}))
            .where(Shift.state.in_(("draft", "published")))
        )  # fmt: skip
        found = {(row.technician_id, row.starts_at): row for row in rows}
        return {key_: found[place] for place, key_ in starts.items() if place in found}

    def check(self, drafts: Sequence[Any]) -> None:
        """A technician is in one place at a time; the station defaults to the own one."""
        homes = {row.id: row.station_id for row in session.execute(select(Technician.id, Technician.station_id).where(
            Technician.id.in_({draft.all_values()["technician"] for draft in drafts})))}  # fmt: skip
        spans = [(draft, *_span(draft.all_values())) for draft in drafts]
        for draft, _start, _end in spans:
            if draft.values.get("station") is None and draft.row is None:
                draft.values["station"] = homes[draft.values["technician"]]
        if not spans:
            return
        first, last = min(start for _draft, start, _end in spans), max(end for _draft, _start, end in spans)
        rows = session.scalars(
            select(Shift).where(Shift.technician_id.in_(homes), Shift.starts_at < last, Shift.ends_at > first)
            .where(Shift.state != "swapped")
        ).all()  # fmt: skip
        taken = [(row.technician_id, row.starts_at, row.ends_at, row.id) for row in rows]
        for draft, start, end in spans:
            technician = draft.all_values()["technician"]
            own = draft.row.id if draft.row is not None else None
            clash = [one for one in taken if one[0] == technician and one[1] < end and one[2] > start and one[3] != own]
            if clash:
                draft.refuse("start", _l("The technician is on duty already at that time."))
            taken = [one for one in taken if one[3] != own or own is None]
            taken.append((technician, start, end, own or 0))

    def create(self, wanted: Sequence[Values], at: datetime) -> Sequence[Any]:
        rows = []
        for values in wanted:
            starts_at, ends_at = _span(values)
            rows.append(Shift(technician_id=values["technician"], station_id=values["station"], starts_at=starts_at,
                              ends_at=ends_at, on_call=bool(values.get("on_call")), state="published"))  # fmt: skip
        session.add_all(rows)
        session.flush()
        record_many("shift.published", [(row, {"technician": row.technician_id}) for row in rows], at=at)
        return rows

    def change(self, row: Any, values: Values, at: datetime) -> None:
        merged = {**self.values(row), **values}
        row.technician_id, row.station_id, row.on_call = merged["technician"], merged["station"], merged["on_call"]
        row.starts_at, row.ends_at = _span(merged)


def _moment(day: str, hour: str) -> datetime:
    clock = time.fromisoformat(hour)
    return at_local(date.fromisoformat(day), clock.hour, clock.minute)


def _span(values: Values) -> tuple[datetime, datetime]:
    start = _moment(values["day"], values["start"])
    end = _moment(values["day"], values["end"])
    return start, end if end > start else end + timedelta(days=1)
