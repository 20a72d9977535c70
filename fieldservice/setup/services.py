"""What the steps of the set-up do. The command and the pages call the same functions."""

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from flask_babel import lazy_gettext as _l

from config import LANGUAGES
from fieldservice.accounts.models import User
from fieldservice.accounts.services import create_user
from fieldservice.foundation import company
from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Conflict, DomainError, Invalid
from fieldservice.foundation.formats import FormatError, check_email, check_phone
from fieldservice.foundation.places import Point, divisions
from fieldservice.foundation.time import now
from fieldservice.mechanisms.events import record
from fieldservice.mechanisms.forms import plain_text
from fieldservice.setup.first_run import STEPS, row_for_update, state, use_code
from fieldservice.stations.models import Station
from fieldservice.stations.services import hold_territory, open_station

MOST_NAME, MOST_SHORT, MOST_PERSON = 80, 20, 80
LONGEST_PASSWORD = 1024


class WrongCode(DomainError):
    """The one-time code does not fit, was used, or is void."""

    status, code = 422, "wrong_code"
    default_message = _l(
        "This is not the code. It stands in the server's console; a new one is made by: flask --app wsgi setup code"
    )


def open_first_account(*, name: str, email: str, password: str, code: str | None, language: str) -> User | None:
    """The first administrator. `code` is None for who commands the machine anyway. None when the code is wrong
    (which counts, so nothing is raised). Raises Conflict when somebody was faster, Invalid for unusable entries.
    """
    row = row_for_update()  # whoever comes second waits here, and finds the account of the first
    if state().has_account:
        raise Conflict(_l("Somebody has just made the administrator's account. Sign in to go on."), code="set_up")
    if code is not None and not use_code(code):
        return None
    errors = _person_errors(name, email, password)
    if errors:
        raise Invalid(errors)
    user = create_user(
        email=check_email(email), name=name.strip(), password=password, grants=[("admin", None)], language=language
    )
    row.code_hash = None
    _done(row, "account")
    return user


def _person_errors(name: str, email: str, password: str) -> dict[str, list[Any]]:
    errors: dict[str, list[Any]] = {}
    if not 0 < len(name.strip()) <= MOST_PERSON:
        errors["name"] = [_l("Enter your name.")]
    try:
        check_email(email)
    except FormatError as error:
        errors["email"] = [error.message]
    if len(password) < 12:
        errors["password"] = [_l("Use at least 12 characters.")]
    elif not 5 <= len(set(password)) <= LONGEST_PASSWORD or password.lower() in (email.lower(), name.lower()):
        errors["password"] = [_l("This password is too easy to guess. Use several words that do not belong together.")]
    return errors


def name_company(*, names: Mapping[str, str], short_names: Mapping[str, str], hotline: str) -> None:
    """Whose installation this is: shown on public pages, in messages and on reports."""
    errors: dict[str, list[Any]] = {}
    full = {language: _line(names.get(language, ""), MOST_NAME, f"name_{language}", errors) for language in LANGUAGES}
    short = {
        language: _line(short_names.get(language, ""), MOST_SHORT, f"short_{language}", errors)
        for language in LANGUAGES
    }
    if not any(full.values()):
        errors["name_zh"] = [_l("Enter the company's name in one language at least.")]
    number = ""
    if hotline.strip():
        try:
            number = check_phone(hotline)
        except FormatError as error:
            errors["hotline"] = [error.message]
    if errors:
        raise Invalid(errors)
    row = row_for_update()
    row.names, row.short_names, row.hotline = full, short, number
    company.changed()
    _done(row, "company")


def _line(text: str, most: int, field: str, errors: dict[str, list[Any]]) -> str:
    try:
        return " ".join(plain_text(text, most, field=field).split())
    except Invalid as error:
        errors.update(error.errors)
        return ""


def choose_language(*, language: str, timezone: str) -> None:
    """The language of whoever said nothing, and the clock of the installation."""
    errors: dict[str, list[Any]] = {}
    if language not in LANGUAGES:
        errors["language"] = [_l("Use one of: %(values)s.", values=", ".join(LANGUAGES))]
    if timezone not in available_timezones():
        errors["timezone"] = [_l("Write a zone name such as Asia/Shanghai.")]
    if errors:
        raise Invalid(errors)
    row = row_for_update()
    row.default_language, row.timezone = language, ZoneInfo(timezone).key
    _done(row, "language")


def keep_result(check: str, *, ok: bool, code: str) -> None:
    """How a test went, so that the page still tells it when somebody comes back."""
    row = row_for_update()
    row.results = {**row.results, check: {"ok": ok, "code": code, "at": now().isoformat()}}


def pass_step(step: str) -> None:
    """Go on: what the step shows was read, or is left for later."""
    if step not in STEPS:
        raise Invalid({"step": [_l("Choose one of the steps shown.")]})
    _done(row_for_update(), step)


def found_station(
    *, code: str, names: Mapping[str, str], division_code: str, point: Point | None, phone: str = ""
) -> Station:
    """The first station. It serves its own division (the whole city's, when that is what was chosen)."""
    errors: dict[str, list[Any]] = {}
    full = {language: _line(names.get(language, ""), MOST_NAME, f"name_{language}", errors) for language in LANGUAGES}
    if not any(full.values()):
        errors["name_zh"] = [_l("Enter the station's name in one language at least.")]
    plain = code.strip().upper()
    if not (2 <= len(plain) <= 12 and plain.isascii() and plain.isalnum()):
        errors["code"] = [_l("Use 2 to 12 letters and digits, such as WXXW.")]
    division = divisions.by_code(division_code)
    if division is None:
        errors["division_code"] = [_l("Choose a division from the list.")]
    number = ""
    if phone.strip():
        try:
            number = check_phone(phone)
        except FormatError as error:
            errors["phone"] = [error.message]
    if errors or division is None:
        raise Invalid(errors)
    row, at = row_for_update(), now()
    station = open_station(
        code=plain, names=full, division_code=division.code, point=point or division.centre, at=at, phone=number
    )
    hold_territory(station, [division.code], at=at)
    _done(row, "station")
    return station


def finish() -> None:
    """The set-up is over for good. Raises Conflict while steps before it are open."""
    row = row_for_update()
    open_ = [step for step in STEPS[:-1] if step not in row.steps and step != "station"]
    if open_:
        raise Conflict(_l("Some steps are still open. Go through them first."), code="steps_open", open=open_)
    if row.finished_at is None:
        row.finished_at, row.code_hash = now(), None
        record("installation.set_up", row, {"languages": list(LANGUAGES), "timezone": row.timezone})


def _done(row: Any, step: str) -> None:
    if step not in row.steps:
        row.steps = [*row.steps, step]


def speak_as_stored() -> None:
    """After the transaction: this process speaks and counts time as was chosen."""
    row = session.get(company.Installation, company.ONLY)
    if row is not None:
        company.speak(row.default_language, row.timezone)
