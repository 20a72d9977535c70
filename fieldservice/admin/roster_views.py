"""The week of a station's team: filled by pattern as drafts, published when somebody is always there (T-03)."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from babel.dates import get_day_names
from flask import flash, redirect, render_template, request, url_for
from flask_babel import get_locale, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from fieldservice.admin import roster_page
from fieldservice.admin.views import KEEPERS, blueprint, open_kind
from fieldservice.dispatch.cover import publishing, rules
from fieldservice.dispatch.cover.reading import monday_of, week_of
from fieldservice.dispatch.cover.records import DraftShifts
from fieldservice.foundation.access import Person, current, roles
from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import DomainError, Invalid, NotFound
from fieldservice.foundation.time import now, today
from fieldservice.mechanisms.records import Draft, apply, plan
from fieldservice.mechanisms.records.fields import read_day
from fieldservice.stations.models import Station, Technician
from fieldservice.workorders import held_time

MOST_WEEKS = 13
MAKERS = ("admin", "station_manager")
USUAL = {"start": "08:00", "end": "17:30", "weeks": "4"}


@blueprint.get("/roster")
@roles(*KEEPERS)
def roster() -> Any:
    """A station's week. A link from a gap brings what the form should hold."""
    open_kind("shifts")
    typed = request.args if "weekday" in request.args else None
    return _page(_station(request.args.get("station", "")), _monday(request.args.get("week", "")), typed=typed)


def _page(station: Station | None, monday: date, *, refused: DomainError | None = None, typed: Any = None) -> Any:
    at, context = now(), dict[str, Any]()
    if station is not None:
        context = roster_page.shown(week_of(station, monday, at), at)
    errors = getattr(refused, "errors", None) or {}
    return render_template(
        "admin/roster.html", station=station, stations=_stations(current()), back=monday - timedelta(days=7),
        ahead=monday + timedelta(days=7), errors=errors, refused=refused, typed=typed, usual=USUAL, monday=monday,
        weekday_word=_weekday_word, may_edit=current().has(*MAKERS), covers=rules.COVERS, **context,
    )  # fmt: skip


def _weekday_word(number: int) -> str:
    """Monday is 0."""
    return str(get_day_names("abbreviated", "format", get_locale())[number])


def _stations(person: Person) -> Any:
    stations = person.stations("admin", "station_manager", "director", "dispatcher")
    every = select(Station).order_by(Station.code).limit(500)
    return session.scalars(every if stations is None else every.where(Station.id.in_(stations))).all()


def _station(code: str) -> Station | None:
    mine = _stations(current())
    if not code:
        return mine[0] if mine else None
    found: Station | None = next((one for one in mine if one.code == code), None)
    if found is None:
        raise NotFound()
    return found


def _monday(text: str) -> date:
    try:
        day = read_day(text) if text else today()
    except ValueError:
        day = today()
    return monday_of(day)


# What is done with a week -------------------------------------------------------------------------


@blueprint.post("/roster")
@roles(*MAKERS)
def fill_roster() -> Any:
    """Drafts by pattern: these people, these weekdays, these hours, for so many weeks. All or none."""

    def fill(station: Station, monday: date) -> str:
        made = _draft(_drafts(station, monday))
        words = ngettext(
            "One shift was drafted. Publish the week when it is complete.",
            "%(num)s shifts were drafted. Publish each week when it is complete.",
            made,
        )
        return str(words)

    return _act(fill)


@blueprint.post("/roster/publish")
@roles(*MAKERS)
def publish_roster() -> Any:
    """All drafts of the week, unless somebody would be missing."""

    def publish(station: Station, monday: date) -> str:
        made = publishing.publish_week(station, monday, now())
        return str(ngettext("One shift was published.", "%(num)s shifts were published.", made))

    return _act(publish)


@blueprint.post("/roster/discard")
@roles(*MAKERS)
def discard_roster() -> Any:
    """All drafts of the week, away."""

    def discard(station: Station, monday: date) -> str:
        gone = publishing.discard_drafts(station, monday, now())
        return str(ngettext("One draft was discarded.", "%(num)s drafts were discarded.", gone))

    return _act(discard)


@blueprint.post("/roster/rules")
@roles(*MAKERS)
def set_rules() -> Any:
    """When somebody must be there at this station, and from which load on it warns."""
    sent = request.form

    def keep(station: Station, _monday: date) -> str:
        text = sent.get("warn_above", "").strip()
        share = int(text) / 100 if text.isascii() and text.isdecimal() and len(text) < 4 else 0.0
        rules.set_rules(station, cover=sent.get("cover", ""), warn_above=share, reason=sent.get("reason", ""), at=now())
        return str(_("Saved."))

    return _act(keep)


def _act(deed: Callable[[Station, date], str]) -> Any:
    """Do it to the station and week of the form; a refusal shows the page as it is, why, and what was typed."""
    open_kind("shifts", edit=True)
    sent = request.form
    monday = _monday(sent.get("week", ""))

    def work() -> tuple[str, str]:
        station = _station_made(sent.get("station", ""))
        return deed(station, monday), station.code

    try:
        said, code = write(work)
    except NotFound:
        raise
    except DomainError as refused:
        session.rollback()
        typed = sent if "start" in sent else None
        return _page(_station(sent.get("station", "")), monday, refused=refused, typed=typed), refused.status
    flash(said)
    return redirect(url_for("admin.roster", station=code, week=monday.isoformat()), 303)


def _station_made(code: str) -> Station:
    """A station whose roster the person makes. Raises NotFound."""
    station = _station(code)
    if station is None or not current().covers(station.id, *MAKERS):
        raise NotFound()
    return station


# By pattern ---------------------------------------------------------------------------------------


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
    held_time.lock(*map(int, people))  # two who fill the same at once: the second one looks again
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


def _draft(drafts: list[Draft]) -> int:
    kind = DraftShifts()
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
