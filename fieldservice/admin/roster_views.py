"""The week of a station's team: who is on duty when, filled by pattern."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from babel.dates import get_day_names
from flask import flash, redirect, render_template, request, url_for
from flask_babel import get_locale, ngettext
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from fieldservice.admin.views import KEEPERS, blueprint, open_kind
from fieldservice.foundation.access import Person, current, roles
from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import DomainError, Invalid, NotFound
from fieldservice.foundation.time import at_local, local, now, today
from fieldservice.mechanisms.records import Draft, apply, plan
from fieldservice.mechanisms.records.fields import read_day
from fieldservice.stations.models import Shift, Station, Technician
from fieldservice.workorders.models import Booking

MOST_WEEKS = 13
MOST_TEAM = 200


@blueprint.get("/roster")
@roles(*KEEPERS)
def roster() -> Any:
    """A station's week."""
    open_kind("shifts")
    return _page(_station(request.args.get("station", "")), _monday(request.args.get("week", "")), {}, {})


def _page(station: Station | None, monday: date, errors: Any, typed: Any) -> Any:
    days = [monday + timedelta(days=number) for number in range(7)]
    team: Sequence[Technician] = []
    if station is not None:
        mine = select(Technician).where(Technician.station_id == station.id).order_by(Technician.id).limit(MOST_TEAM)
        team = session.scalars(mine).all()
    return render_template(
        "admin/roster.html", station=station, stations=_stations(current()), days=days, team=team,
        cells=_cells([one.id for one in team], monday), back=monday - timedelta(days=7),
        ahead=monday + timedelta(days=7), errors=errors, typed=typed, weekday_word=_weekday_word,
        may_edit=current().has("admin", "station_manager"),
    )  # fmt: skip


def _weekday_word(number: int) -> str:
    """Monday is 0."""
    return str(get_day_names("abbreviated", "format", get_locale())[number])


def _cells(team: Sequence[int], monday: date) -> dict[tuple[int, date], list[tuple[str, str, int]]]:
    """(technician, day) → kind, times and record id of what is planned; two queries."""
    start, end = at_local(monday, 0), at_local(monday + timedelta(days=7), 0)
    found: dict[tuple[int, date], list[tuple[str, str, int]]] = {}
    if not team:
        return found
    shifts = session.scalars(
        select(Shift).where(Shift.technician_id.in_(team), Shift.starts_at >= start, Shift.starts_at < end)
        .where(Shift.state != "swapped").order_by(Shift.starts_at)
    )  # fmt: skip
    for shift in shifts:
        text = f"{local(shift.starts_at):%H:%M}–{local(shift.ends_at):%H:%M}"
        kind = "on_call" if shift.on_call else "shift"
        found.setdefault((shift.technician_id, local(shift.starts_at).date()), []).append((kind, text, shift.id))
    absences = session.scalars(
        select(Booking).where(Booking.technician_id.in_(team), Booking.away(), Booking.state == "held")
        .where(Booking.touching(start, end))
    )  # fmt: skip
    for absence in absences:
        for number in range(7):
            day = monday + timedelta(days=number)
            if absence.starts_at < at_local(day + timedelta(days=1), 0) and absence.ends_at > at_local(day, 0):
                found.setdefault((absence.technician_id, day), []).append(("absence", absence.cause, absence.id))
    return found


def _stations(person: Person) -> Sequence[Station]:
    stations = person.stations("admin", "station_manager", "director", "dispatcher")
    every = select(Station).order_by(Station.code).limit(500)
    return session.scalars(every if stations is None else every.where(Station.id.in_(stations))).all()


def _station(code: str) -> Station | None:
    mine = _stations(current())
    if not code:
        return mine[0] if mine else None
    found = next((one for one in mine if one.code == code), None)
    if found is None:
        raise NotFound()
    return found


def _monday(text: str) -> date:
    try:
        day = read_day(text) if text else today()
    except ValueError:
        day = today()
    return day - timedelta(days=day.weekday())


@blueprint.post("/roster")
@roles("admin", "station_manager")
def fill_roster() -> Any:
    """Shifts by pattern: these people, these weekdays, these hours, for so many weeks. All or none."""
    kind, sent = open_kind("shifts", edit=True), request.form
    station, monday = _station(sent.get("station", "")), _monday(sent.get("week", ""))
    if station is None:
        raise NotFound()
    try:
        drafts = _drafts(station, monday)
        made = write(lambda: _publish(kind, drafts))
    except DomainError as refused:
        session.rollback()
        errors = getattr(refused, "errors", None) or {"start": [refused.message]}
        return _page(_station(sent.get("station", "")), monday, errors, sent), refused.status
    flash(ngettext("One shift was published.", "%(num)s shifts were published.", made))
    return redirect(url_for("admin.roster", station=station.code, week=monday.isoformat()), 303)


def _drafts(station: Station, monday: date) -> list[Draft]:
    sent = request.form
    weekdays = [int(one) for one in sent.getlist("weekday") if one in "0123456" and len(one) == 1]
    weeks = sent.get("weeks", "1")
    team = {str(one) for one in session.scalars(select(Technician.id).where(Technician.station_id == station.id))}
    people = [one for one in sent.getlist("technician") if one in team]
    errors: dict[str, list[Any]] = {}
    if not people:
        errors["technician"] = [_l("Choose at least one person.")]
    if not weekdays:
        errors["weekday"] = [_l("Choose at least one weekday.")]
    if not (weeks.isascii() and weeks.isdecimal() and 1 <= int(weeks) <= MOST_WEEKS):
        errors["weeks"] = [_l("The number lies between %(low)s and %(high)s.", low=1, high=MOST_WEEKS)]
    if errors:
        raise Invalid(errors)
    days = [monday + timedelta(days=7 * week + weekday) for week in range(int(weeks)) for weekday in weekdays]
    texts = {
        "start": sent.get("start", ""),
        "end": sent.get("end", ""),
        "on_call": "yes" if sent.get("on_call") else "no",
    }
    return [
        Draft(line=number, texts={**texts, "technician": person, "day": day.isoformat(), "station": station.code})
        for number, (person, day) in enumerate((person, day) for person in people for day in days)
    ]


def _publish(kind: Any, drafts: list[Draft]) -> int:
    for draft in drafts:
        draft.values, draft.errors = {"technician": int(draft.texts["technician"])}, {}
        draft.texts = {name: text for name, text in draft.texts.items() if name != "technician"}
    plan(kind, drafts, current())
    errors: dict[str, list[Any]] = {}
    for draft in drafts:
        for column, said in draft.errors.items():
            known = errors.setdefault(column, [])
            known += [text for text in said if str(text) not in map(str, known)]
    if errors:
        raise Invalid(errors)
    apply(kind, drafts, at=now())
    return sum(draft.action == "create" for draft in drafts)
