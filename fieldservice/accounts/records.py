"""People who sign in, as records: who they are and which roles they hold where."""

import re
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, select

from fieldservice.accounts.models import RoleGrant, User
from fieldservice.accounts.services import revoke_sign_ins
from fieldservice.foundation.access import STAFF
from fieldservice.foundation.db import session
from fieldservice.foundation.formats import FormatError
from fieldservice.foundation.words import word
from fieldservice.mechanisms.events import record_many
from fieldservice.mechanisms.records import Kind, kind_of
from fieldservice.mechanisms.records.fields import SEVERAL, Choice, Email, Field, Flag, Phone, Warn
from fieldservice.mechanisms.records.kinds import Values

LANGUAGE_WORDS = {"zh": {"zh": "中文", "en": "中文"}, "en": {"zh": "English", "en": "English"}}


@dataclass(frozen=True, kw_only=True)
class Grants(Field):
    """Roles with their stations: 'technician@WXXW; dispatcher@WXXW; admin'. Without a station a role covers all."""

    default: Any = None
    widget = "grants"

    def read(self, texts: Mapping[str, str], warn: Warn) -> Any:
        chooser, found = Choice(name=self.name, label=self.label, words="role", only=STAFF), []
        for entry in filter(str.strip, SEVERAL.split(texts.get(self.name, ""))):
            role, _at, station = entry.strip().partition("@")
            found.append([chooser.code(role), station.strip().upper()])
        if len(found) > 60:
            raise FormatError(_l("Use at most %(most)s entries.", most=60))
        return sorted(map(list, {tuple(one) for one in found}))

    def texts(self, value: Any) -> dict[str, str]:
        return {self.name: "; ".join(f"{role}@{station}" if station else role for role, station in value or ())}

    def show(self, value: Any) -> str:
        return str(_l(", ")).join(
            f"{word('role', role)} ({station})" if station else word("role", role) for role, station in value or ()
        )


class People(Kind):
    """Everybody who can sign in, found by the e-mail address."""

    code, symbol = "people", "users"
    title, one = _l("People"), _l("Person")
    model = User
    fields = (
        Email(name="email", label=_l("E-mail"), required=True, example="lu@example.com"),
        Field(name="name", label=_l("Name"), required=True, most=80, example="陆建国"),
        Phone(name="phone", label=_l("Phone"), default=None, example="13912340608"),
        Choice(name="language", label=_l("Language"), words=lambda: LANGUAGE_WORDS, default=None, example="zh"),
        Grants(name="roles", label=_l("Roles"), example="technician@WXXW; dispatcher@WXXW",
               hint=_l("Role@station, split by semicolons. Without a station a role covers all stations.")),
        Flag(name="active", label=_l("May sign in"), default=True, example="yes"),
    )  # fmt: skip
    keys = (("email",),)
    unique = ("email",)
    shown = ("name", "email", "roles", "phone", "active")
    searched = ("name", "email", "phone")
    page, guarded = "admin/kinds/person.html", True

    def values(self, row: Any) -> dict[str, Any]:
        return {
            **{one.name: one.get(row) for one in self.fields if one.name != "roles"},
            "roles": roles_of([row])[row.id],
        }

    def in_stations(self, stations: Collection[int]) -> ColumnElement[bool] | None:
        held = select(RoleGrant.user_id).where(RoleGrant.station_id.in_(sorted(stations)))
        return User.id.in_(held)

    def name(self, row: Any) -> str:
        return str(row.name)

    def statement(self, person: Any) -> Any:
        return super().statement(person).where(User.customer_id.is_(None))

    def check(self, drafts: Sequence[Any]) -> None:
        wanted = {station for draft in drafts for _role, station in draft.values.get("roles") or () if station}
        known = stations_by_code(wanted)
        for draft in drafts:
            for _role, station in draft.values.get("roles") or ():
                if station and station not in known:
                    draft.refuse("roles", _l("No station has the code %(code)s.", code=station[:12]))

    def create(self, wanted: Sequence[Values], at: datetime) -> Sequence[Any]:
        rows = []
        for values in wanted:
            row = User(
                email=values["email"], name=values["name"], phone=values.get("phone") or None,
                language=values.get("language"), active=values.get("active", True), fs_uniquifier=uuid.uuid4().hex,
                created_at=at,
            )  # fmt: skip
            rows.append(row)
        session.add_all(rows)
        session.flush()
        known = stations_by_code(
            {station for values in wanted for _role, station in values.get("roles") or () if station}
        )
        for row, values in zip(rows, wanted, strict=True):
            grant(row, values.get("roles") or (), known)
        session.flush()
        record_many("user.created", [(row, {"roles": [role.name for role in row.roles]}) for row in rows], at=at)
        return rows

    def change(self, row: Any, values: Values, at: datetime) -> None:
        plain = {name: value for name, value in values.items() if name != "roles"}
        super().change(row, plain, at)
        if "roles" in values:
            known = stations_by_code({station for _role, station in values["roles"] if station})
            grant(row, values["roles"], known)
        if values.get("active") is False:
            revoke_sign_ins(row.id)


def stations_by_code(codes: Collection[str]) -> dict[str, int]:
    """Ids of stations; accounts stand below them, so the register of kinds is asked."""
    found = kind_of("stations").named({(None, code) for code in codes}) if codes else {}
    return {code: ids[0] for (_within, code), ids in found.items() if len(ids) == 1}


def roles_of(rows: Sequence[User]) -> dict[int, list[list[str]]]:
    """Each person's roles with station codes, in one query."""
    places = {grant.station_id for row in rows for grant in row.grants if grant.station_id is not None}
    codes = kind_of("stations").labels(places) if places else {}
    return {
        row.id: sorted(
            [grant.role, codes[grant.station_id][0] if grant.station_id in codes else ""] for grant in row.grants
        )
        for row in rows
    }


def grant(row: User, roles: Sequence[Sequence[str]], stations: Mapping[str, int]) -> None:
    """Let a person hold exactly these roles."""
    wanted = {(role, stations[station] if station else None) for role, station in roles}
    for held in list(row.grants):
        if (held.role, held.station_id) not in wanted:
            row.grants.remove(held)
    known = {(held.role, held.station_id) for held in row.grants}
    row.grants.extend(
        RoleGrant(role=role, station_id=station_id) for role, station_id in sorted(wanted - known, key=str)
    )


CODE = re.compile(r"[A-Za-z0-9_-]{1,12}")
