"""Lendings as pages: the list, asking for somebody, and one lending with what would come of it and what was worked."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from fieldservice.dispatch import page, scope
from fieldservice.dispatch.lending import queries, services
from fieldservice.dispatch.lending.prospects import InTheWay, in_the_way, prospects_at, who_could_come
from fieldservice.dispatch.lending.worked import worked_for
from fieldservice.foundation.access import Person, current, roles
from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Conflict, DomainError, Invalid, NotFound
from fieldservice.foundation.time import at_local, now, today
from fieldservice.stations.lendings import HOLDS, Lending
from fieldservice.stations.models import Station
from fieldservice.workorders.history import history_of
from fieldservice.workorders.placement import Span
from fieldservice.workorders.queries import PLANNERS, order_by_number, stations_for
from fieldservice.workorders.skills import skill_codes, skill_word

blueprint = Blueprint("lendings_pages", __name__, url_prefix="/dispatch/lendings")
ROWS = 3  # skills that can be chosen on the page


@blueprint.get("")
@roles(*queries.READERS)
def listed() -> Any:
    """Open asks, what runs, what is over: of the person's stations, lent or borrowed."""
    somebody = current()
    show = request.args.get("show", "running")
    show = show if show in queries.SHOWN else "running"
    found = queries.listed(somebody, show, _id(request.args.get("after", "")))
    return render_template(
        "dispatch/lendings.html", listed=found, show=show, shown=list(queries.SHOWN), asks=queries.open_asks(somebody),
        who=services.who_text, may_ask=bool(_planned(somebody)), own=somebody.stations(*queries.READERS), at=now(),
    )  # fmt: skip


@blueprint.get("/new")
@roles(*PLANNERS)
def new() -> Any:
    """Say whom and when, see who could come, then ask."""
    return _form(request.args, looked=bool(request.args.get("starts_at")))


@blueprint.post("")
@roles(*PLANNERS)
def ask() -> Any:
    """Ask for the chosen technician, or for whoever has the skills at the chosen station."""
    somebody, form = current(), request.form

    def work() -> int:
        to = queries.own_station(form.get("to_station", "")[:12], somebody)
        kind, _sep, named = form.get("whom", "")[:40].partition(":")
        technician = queries.colleague(_id(named) or -1) if kind == "technician" else None
        home = session.get_one(Station, technician.station_id) if technician else queries.other_station(named)
        words = page.words(form, "words", services.MOST_WORDS)
        return services.ask(
            somebody, to, home, _span(form), technician=technician, skills=_skills(form), words=words
        ).id  # fmt: skip

    try:
        lending_id = write(work)
    except (Invalid, Conflict) as refused:
        session.rollback()
        return _form(form, error=refused, looked=True), refused.status
    flash(str(_("Asked. The manager of that station is told and answers here.")))
    return redirect(url_for("lendings_pages.one", lending_id=lending_id), 303)


@blueprint.get("/<int:lending_id>")
@roles(*queries.READERS)
def one(lending_id: int) -> Any:
    """A lending: who, when, cost; consequences before it is agreed to; visits since."""
    return _page(queries.lending_by_id(lending_id, current()))


@blueprint.post("/<int:lending_id>/<any(agree, refuse, withdraw, end):step>")
@roles(*PLANNERS)
def act(lending_id: int, step: str) -> Any:
    """The next step."""
    somebody, form = current(), request.form
    told = {
        "agree": _l("Agreed. The technician belongs to the other station for that time; both stations see the visits."),
        "refuse": _l("Refused. The other station is told why."),
        "withdraw": _l("Withdrawn. Nobody is needed any more."),
        "end": _l("Ended. The technician is back at home."),
    }

    def agree(lending: Lending) -> None:
        services.agree(
            lending, somebody, technician_id=_id(form.get("technician", "")), keep=bool(form.get("keep")),
            lodges=bool(form.get("lodges")) if "lodging_asked" in form else None,
        )  # fmt: skip

    steps: dict[str, Callable[[Lending], None]] = {
        "agree": agree,
        "refuse": lambda lending: services.refuse(lending, somebody, page.words(form, "reason", services.MOST_WORDS)),
        "withdraw": lambda lending: services.withdraw(lending, somebody),
        "end": lambda lending: services.end(lending, somebody),
    }
    try:
        write(lambda: steps[step](queries.lending_by_id(lending_id, somebody)))
    except (Invalid, Conflict) as refused:
        session.rollback()
        return _page(queries.lending_by_id(lending_id, somebody), refused), refused.status
    flash(str(told[step]))
    return redirect(url_for("lendings_pages.one", lending_id=lending_id), 303)


# Inside -------------------------------------------------------------------------------------------


def _page(lending: Lending, error: DomainError | None = None) -> Any:
    somebody, at = current(), now()
    span = Span(lending.starts_at, lending.ends_at)
    answers = lending.state == "asked" and services.may_answer(somebody, lending)
    holds = lending.state in HOLDS
    found = []
    if answers:
        found = prospects_at(
            lending.station, lending.to_station, span, technician_id=lending.technician_id, skills=lending.skills
        )
    begun = lending.starts_at <= at
    lines = [line for line in history_of([lending]) if line.kind.startswith("lending.") and line.kind != "lending.told"]
    return render_template(
        "dispatch/lending.html", lending=lending, who=services.who_text(lending), error=error, at=at,
        errors=getattr(error, "errors", {}), skills_text=services.skills_text, skill_word=skill_word,
        prospects=found, answers=answers, worked=worked_for(lending, at) if holds else None,
        kept=_kept(lending, span) if holds else [],
        may_end=lending.state == "agreed" and begun and services.may_end(somebody, lending),
        may_withdraw=(lending.state == "asked" or (lending.state == "agreed" and not begun))
        and scope.may_plan(somebody, lending.to_station_id),
        lines=lines, own=somebody.stations(*queries.READERS) or {lending.station_id, lending.to_station_id},
    )  # fmt: skip


def _kept(lending: Lending, span: Span) -> list[InTheWay]:
    return in_the_way([lending.technician_id], lending.to_station_id, span) if lending.technician_id else []


def _form(given: Mapping[str, Any], error: DomainError | None = None, looked: bool = False) -> Any:
    somebody = current()
    stations, typed = _planned(somebody), _typed(given, somebody)
    found: list[Any] = []
    errors = dict(getattr(error, "errors", {}))
    if looked:
        try:
            to = queries.own_station(typed["to_station"], somebody)
            found = who_could_come(to, _within(_span(typed)), _skills(typed))
        except Invalid as refused:
            errors = {**refused.errors, **errors}
    return render_template(
        "dispatch/lending_new.html", stations=stations, typed=typed, errors=errors, error=error, found=found,
        looked=looked, skills=sorted(skill_codes(), key=skill_word), skill_word=skill_word, rows=range(ROWS),
        most_words=services.MOST_WORDS, skills_text=services.skills_text, wanted=_wanted(typed),
    )  # fmt: skip


def _typed(given: Mapping[str, Any], somebody: Person) -> dict[str, str]:
    """What stands in the form: what was typed, else what the order needs, from now until tomorrow evening."""
    typed = {name: str(text)[:300] for name, text in given.items()}
    if number := typed.get("order", ""):
        try:
            order = order_by_number(number, somebody)
        except NotFound:
            order = None
        if order is not None:
            typed.setdefault("to_station", order.station.code)
            for row, (skill, level) in enumerate(list(order.skills.items())[:ROWS]):
                typed.setdefault(f"skill_{row}", skill)
                typed.setdefault(f"level_{row}", str(level))
    stations = _planned(somebody)
    typed.setdefault("to_station", stations[0].code if stations else "")
    tomorrow = today() + timedelta(days=1)
    typed.setdefault("starts_at", page.local_input(at_local(tomorrow, 8)))
    typed.setdefault("ends_at", page.local_input(at_local(tomorrow, 18)))
    return typed


def _planned(somebody: Person) -> Sequence[Station]:
    return [one for one in stations_for(somebody) if scope.may_plan(somebody, one.id)]


def _span(form: Mapping[str, Any]) -> Span:
    return Span(page.moment(form, "starts_at"), page.moment(form, "ends_at"))


def _within(span: Span) -> Span:
    """Raises Invalid for a time that nobody can be asked for."""
    if not services.SHORTEST <= span.ends_at - span.starts_at <= services.LONGEST:
        raise Invalid({"ends_at": [_l("A lending takes an hour at least and 31 days at most.")]})
    return span


def _skills(form: Mapping[str, Any]) -> dict[str, int]:
    """Skills with levels, as chosen. Raises Invalid."""
    found: dict[str, int] = {}
    for row in range(ROWS):
        skill, level = str(form.get(f"skill_{row}", "")), str(form.get(f"level_{row}", "") or "1")
        if not skill:
            continue
        if skill not in skill_codes() or level not in {str(one) for one in services.LEVELS}:
            raise Invalid({"skills": [_l("Choose up to 8 skills of the list, with a level from 1 to 3.")]})
        found[skill] = max(int(level), found.get(skill, 0))
    return found


def _wanted(typed: Mapping[str, Any]) -> dict[str, int]:
    try:
        return _skills(typed)
    except Invalid:
        return {}


def _id(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
