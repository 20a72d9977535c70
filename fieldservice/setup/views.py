"""The set-up as guided pages. They answer 404 once it is over."""

from collections.abc import Callable
from typing import Any
from zoneinfo import available_timezones

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import lazy_gettext as _l
from flask_security.utils import login_user

from fieldservice.accounts.freshness import now_fresh
from fieldservice.foundation.access import person, public
from fieldservice.foundation.company import ONLY, Installation
from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import DomainError, Forbidden, Invalid, NotFound, SignInNeeded
from fieldservice.foundation.places import Point, divisions
from fieldservice.foundation.time import clock
from fieldservice.foundation.web import limiter, settings
from fieldservice.foundation.words import language
from fieldservice.setup import services
from fieldservice.setup.first_run import STEPS, State, code_is_void, state
from fieldservice.setup.safety import look, unsafe
from fieldservice.setup.trials import Outcome, send_trial, sentence_of, try_folder

blueprint = Blueprint("setup", __name__)
COMMON_ZONES = (
    "Asia/Shanghai", "Asia/Urumqi", "Asia/Hong_Kong", "Asia/Taipei", "Asia/Singapore", "Asia/Tokyo", "Asia/Kolkata",
    "Asia/Dubai", "Europe/Berlin", "Europe/London", "America/New_York", "America/Los_Angeles", "UTC",
)  # fmt: skip
MOST_FOUND = 12


@blueprint.get("/setup")
@public
def begin() -> Any:
    """On to the step where somebody left off."""
    return redirect(url_for("setup.show", step=_reach(None).step))


@blueprint.get("/setup/<step>")
@public
def show(step: str) -> Any:
    """One step, with what is stored."""
    return _page(_reach(step), step)


@blueprint.post("/setup/<step>")
@public
@limiter.limit("30 per minute")
def save(step: str) -> Any:
    """Keep what was entered and go on; a wrong entry shows the step again."""
    at = _reach(step)
    if unsafe(look(settings())):
        return _page(at, step, status=422)
    try:
        stay = SAVES[step]()
    except DomainError as error:
        session.rollback()
        return _page(at, step, error=error, status=error.status)
    if stay is not None:
        return _page(at, step, outcome=stay)
    services.speak_as_stored()
    if step == STEPS[-1]:
        return redirect(url_for("accounts.sign_in_form"))
    return redirect(url_for("setup.show", step=STEPS[STEPS.index(step) + 1]))


def _reach(step: str | None) -> State:
    """Whether this step may be seen now: the first by everybody, the others by the administrator."""
    found = state()
    if not found.needed or (step is not None and step not in STEPS):
        raise NotFound()
    if step == STEPS[0] and found.has_account:
        raise NotFound()
    if step != STEPS[0] and found.has_account:
        somebody = person()
        if somebody is None:
            raise SignInNeeded()
        if not somebody.has("admin"):
            raise Forbidden()
    elif step not in (None, STEPS[0]):
        raise SignInNeeded()
    return found


def _page(
    at: State, step: str, *, error: DomainError | None = None, outcome: tuple[str, Outcome] | None = None,
    status: int = 200,
) -> Any:  # fmt: skip
    row = session.get(Installation, ONLY)
    shown: dict[str, Any] = dict(EXTRAS[step]()) if step in EXTRAS else {}
    page = render_template(
        f"setup/{step}.html", step=step, steps=STEPS, done=at.done, row=row, typed=request.form, error=error,
        errors=error.errors if isinstance(error, Invalid) else {}, problems=unsafe(look(settings())),
        outcome=outcome, sentence_of=sentence_of, settings=settings(), **shown,
    )  # fmt: skip
    return page, status


# What each step keeps ---------------------------------------------------------------------------------


def _given(name: str, most: int = 200) -> str:
    return request.form.get(name, "")[:most]


def _both(name: str) -> dict[str, str]:
    return {spoken: _given(f"{name}_{spoken}") for spoken in ("zh", "en")}


def _account() -> None:
    spoken = language()
    user = write(
        lambda: services.open_first_account(
            name=_given("name"), email=_given("email", 255), password=_given("password", 2000), code=_given("code"),
            language=spoken,
        )
    )  # fmt: skip
    if user is None:
        raise services.WrongCode()
    login_user(user, remember=False)
    now_fresh()  # the password was chosen this moment


def _company() -> None:
    given, short = _both("name"), _both("short")
    write(lambda: services.name_company(names=given, short_names=short, hotline=_given("hotline")))


def _language() -> None:
    write(lambda: services.choose_language(language=_given("language", 5), timezone=_given("timezone", 64).strip()))


def _messages() -> tuple[str, Outcome] | None:
    channel = _given("try", 10)
    if channel not in ("email", "sms"):
        write(lambda: services.pass_step("messages"))
        return None
    outcome = send_trial(channel, _given(f"{channel}_to", 255), settings())
    write(lambda: services.keep_result(channel, ok=outcome.ok, code=outcome.code))
    return channel, outcome


def _backup() -> tuple[str, Outcome] | None:
    folder = try_folder(settings().backup_folder, settings().instance_path)
    write(lambda: services.keep_result("backup", ok=folder.ok, code="ok" if folder.ok else "not_writable"))
    if request.form.get("try"):
        return "backup", Outcome(folder.ok, "", "")
    write(lambda: services.pass_step("backup"))
    return None


def _station() -> tuple[str, Outcome] | None:
    if request.form.get("later"):
        write(lambda: services.pass_step("station"))
        return None
    if request.form.get("find"):
        return "find", Outcome(True, "", "")
    point = _point()
    write(
        lambda: services.found_station(
            code=_given("code", 40), names=_both("name"), division_code=_given("division_code", 6), point=point,
            phone=_given("phone", 40),
        )
    )  # fmt: skip
    return None


def _point() -> Point | None:
    """Where the station stands; the middle of its division when nothing is entered."""
    latitude, longitude = _given("latitude", 20).strip(), _given("longitude", 20).strip()
    if not latitude and not longitude:
        return None
    try:
        return Point(float(latitude), float(longitude))
    except ValueError as error:
        sentence = _l("Write both in degrees, such as 31.4906 and 120.3667, or leave both empty.")
        raise Invalid({"latitude": [sentence]}) from error


def _finish() -> None:
    write(services.finish)


SAVES: dict[str, Callable[[], tuple[str, Outcome] | None]] = {
    "account": _account, "company": _company, "language": _language, "messages": _messages, "backup": _backup,
    "station": _station, "finish": _finish,
}  # fmt: skip


# What each step shows besides ---------------------------------------------------------------------------


def _zones() -> dict[str, Any]:
    current = clock.zone.key
    return {"zones": list(dict.fromkeys([current, *COMMON_ZONES])), "all_zones": sorted(available_timezones())}


def _folder() -> dict[str, Any]:
    """A look only writes in a POST."""
    tried = try_folder(settings().backup_folder, settings().instance_path) if request.method == "POST" else None
    return {"folder": tried, "backup_folder": settings().backup_folder}


def _divisions() -> dict[str, Any]:
    wanted = request.form.get("place", "")[:60]
    found = divisions.search(wanted, MOST_FOUND) if wanted else []
    return {"found": [(code, divisions.label(code, language()), "") for code in found], "place": wanted}


EXTRAS: dict[str, Callable[[], dict[str, Any]]] = {
    "account": lambda: {"void": code_is_void()}, "language": _zones, "backup": _folder, "station": _divisions,
}  # fmt: skip
