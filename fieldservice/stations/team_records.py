"""Technicians with their skills and certificates as records."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import or_, select
from sqlalchemy.orm import selectinload

from fieldservice.accounts.models import User
from fieldservice.accounts.services import create_user
from fieldservice.foundation.access import Person
from fieldservice.foundation.db import session
from fieldservice.foundation.formats import FormatError
from fieldservice.mechanisms.events import record_many
from fieldservice.mechanisms.records.fields import (
    SEVERAL,
    Bilingual,
    Codes,
    Email,
    Field,
    Levels,
    Phone,
    Place,
    Warn,
    Words,
    read_day,
)
from fieldservice.mechanisms.records.kinds import Values
from fieldservice.stations.models import (
    Certificate,
    Station,
    Technician,
    TechnicianSkill,
)
from fieldservice.stations.records import STATION, OfStation

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
