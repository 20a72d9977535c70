"""Duties of technicians and swaps as pages: look, offer a shift, accept, agree, decline, withdraw."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from fieldservice.dispatch.cover import queries, swaps
from fieldservice.dispatch.cover.models import OPEN, ShiftSwap
from fieldservice.dispatch.cover.reading import monday_of
from fieldservice.dispatch.cover.swapping import Trade
from fieldservice.dispatch.cover.telling import span_text
from fieldservice.foundation.access import Person, current, roles
from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Conflict, DomainError, Forbidden, Invalid
from fieldservice.foundation.time import local, now
from fieldservice.foundation.web import navigation
from fieldservice.mechanisms.forms import plain_text
from fieldservice.stations.models import Shift, Station, Technician
from fieldservice.stations.queries import stations_by_id

blueprint = Blueprint("cover", __name__)
CONCERNED = ("technician", *queries.KEEPERS)
navigation("cover.mine", _l("My duties"), "technician")
MOST_REASON = 300


def shift_text(shift: Any) -> str:
    """Tue 8 Dec 17:30 – Wed 9 Dec 08:00, on call"""
    text = span_text(swaps.turn_of(shift).span if isinstance(shift, Shift) else shift.span)
    return _("%(time)s, on call", time=text) if shift.on_call else text


@blueprint.app_context_processor
def _words() -> dict[str, Any]:
    return {"shift_text": shift_text}


@blueprint.get("/roster/mine")
@roles("technician")
def mine() -> Any:
    """The technician's next four weeks, and swaps that wait or were decided."""
    somebody, at = current(), now()
    own = somebody.technician_id
    turns = queries.duties_of(own, at) if own is not None else []
    about = queries.swaps_about(own) if own is not None else ()
    offered = {one.shift_id for one in about if one.state in OPEN}
    return render_template(
        "dispatch/duties.html", turns=turns, swaps=about, own=own, offered=offered, at=at, open_states=OPEN,
        stations=stations_by_id({one.station_id for one in turns}),
    )  # fmt: skip


@blueprint.get("/roster/shifts/<int:shift_id>")
@roles(*CONCERNED)
def shift(shift_id: int) -> Any:
    """Whom a shift could go to, and what for."""
    return _offer(queries.shift_for(shift_id, current()))


def _offer(given: Shift, refused: DomainError | None = None) -> str:
    somebody, at = current(), now()
    giver = session.get_one(Technician, given.technician_id)
    station = session.get_one(Station, given.station_id)
    open_still = given.state == "published" and given.starts_at > at
    return render_template(
        "dispatch/swap_form.html", shift=given, giver=giver, open_still=open_still, refused=refused,
        errors=getattr(refused, "errors", {}), colleagues=queries.colleagues_for(given, at) if open_still else [],
        keeps=_decides(given.station_id, given.technician_id, somebody), station=station,
        objection_text=swaps.objection_text, back=_back(given),
    )  # fmt: skip


def _decides(station_id: int, technician_id: int, somebody: Person) -> bool:
    """Whether the person swaps as the manager does: at once. Who is both, asks for the own shift like others."""
    return queries.keeps(station_id, somebody) and not queries.is_own(technician_id, somebody)


def _back(given: Shift) -> str:
    """Where the person came from: the own duties, or the roster's week."""
    if queries.is_own(given.technician_id, current()):
        return url_for("cover.mine")
    station = session.get_one(Station, given.station_id)
    return url_for("admin.roster", station=station.code, week=monday_of(local(given.starts_at).date()).isoformat())


@blueprint.post("/roster/shifts/<int:shift_id>/swap")
@roles(*CONCERNED)
def offer(shift_id: int) -> Any:
    """Offer a shift to a colleague; a manager's offer is done at once."""
    somebody = current()

    def work() -> tuple[ShiftSwap, list[str]]:
        given = queries.shift_for(shift_id, somebody)
        receiver, back = _wanted(request.form.get("to", ""))
        by_manager = _decides(given.station_id, given.technician_id, somebody)
        words = plain_text(request.form.get("words", ""), MOST_REASON, field="words")
        trade = Trade(swaps.turn_of(given), receiver.id, swaps.turn_of(back) if back else None)
        warnings = swaps.rest_warnings(trade)
        return swaps.ask(given, receiver, back=back, words=words, by_manager=by_manager, at=now()), warnings

    try:
        swap, warnings = write(work)
    except (Conflict, Invalid) as refused:
        session.rollback()
        return _offer(queries.shift_for(shift_id, somebody), refused), refused.status
    for said in warnings if swap.by_manager else ():
        flash(said, "warn")
    flash(_("The shift was swapped.") if swap.by_manager else _("Your colleague was asked."))
    return redirect(_back(session.get_one(Shift, shift_id)), 303)


def _wanted(text: str) -> tuple[Technician, Shift | None]:
    """Whom to, and for which shift: 't12' hands over, 's345' exchanges for that shift. Raises Invalid."""
    kind, number = text[:1], text[1:]
    known = int(number) if number.isascii() and number.isdecimal() and len(number) < 19 else 0
    back = session.get(Shift, known) if kind == "s" else None
    receiver = session.get(Technician, back.technician_id if back is not None else known if kind == "t" else 0)
    if receiver is None:
        raise Invalid({"to": [_l("Choose a colleague of the station.")]})
    return receiver, back


# One swap -----------------------------------------------------------------------------------------


@blueprint.get("/roster/swaps/<int:swap_id>")
@roles(*CONCERNED)
def swap(swap_id: int) -> Any:
    """A swap with what may be done about it."""
    return _swap_page(queries.swap_for(swap_id, current()))


def _swap_page(found: ShiftSwap, refused: DomainError | None = None) -> str:
    waits = found.state in OPEN
    return render_template(
        "dispatch/swap.html", swap=found, deeds=_deeds(found, current()), refused=refused,
        warnings=swaps.warnings_of([found])[0] if waits else [], back=_back(found.shift),
    )  # fmt: skip


def _deeds(found: ShiftSwap, somebody: Person) -> list[str]:
    """What this person may do now."""
    receives = queries.is_own(found.receiver_id, somebody)
    keeps = queries.keeps(found.station_id, somebody)
    deeds = []
    if found.state == "asked" and receives:
        deeds += ["accept"]
    if found.state == "accepted" and keeps:
        deeds += ["agree"]
    if (found.state == "asked" and receives) or (found.state in OPEN and keeps):
        deeds += ["decline"]
    if found.state in OPEN and queries.is_own(found.giver_id, somebody):
        deeds += ["withdraw"]
    return deeds


@blueprint.post("/roster/swaps/<int:swap_id>/<any(accept, agree, decline, withdraw):deed>")
@roles(*CONCERNED)
def decide(swap_id: int, deed: str) -> Any:
    """Accept, agree, decline or withdraw."""
    somebody = current()
    acts: dict[str, Callable[[ShiftSwap, datetime], None]] = {
        "accept": swaps.accept,
        "agree": swaps.agree,
        "decline": lambda found, at: swaps.decline(
            found, at, plain_text(request.form.get("reason", ""), MOST_REASON, field="reason")
        ),
        "withdraw": swaps.withdraw,
    }

    def work() -> None:
        found = queries.swap_for(swap_id, somebody)
        session.refresh(found, ["state"])
        if deed not in _deeds(found, somebody):
            _refuse(found, deed, somebody)
        acts[deed](found, now())

    try:
        write(work)
    except Conflict as refused:
        session.rollback()
        return _swap_page(queries.swap_for(swap_id, somebody), refused), refused.status
    said = {
        "accept": _("Accepted. Now your station manager decides."), "agree": _("The shift was swapped."),
        "decline": _("Declined. The shift stays where it is."), "withdraw": _("Withdrawn."),
    }  # fmt: skip
    flash(said[deed])
    found = queries.swap_for(swap_id, somebody)
    own = queries.is_own(found.giver_id, somebody) or queries.is_own(found.receiver_id, somebody)
    return redirect(url_for("cover.mine") if own else _back(found.shift), 303)


def _refuse(found: ShiftSwap, deed: str, somebody: Person) -> None:
    """Somebody else's part is Forbidden; one's own at the wrong moment is a Conflict."""
    receives, gives = queries.is_own(found.receiver_id, somebody), queries.is_own(found.giver_id, somebody)
    keeps = queries.keeps(found.station_id, somebody)
    theirs = {"accept": receives, "agree": keeps, "decline": receives or keeps, "withdraw": gives}
    if not theirs[deed]:
        raise Forbidden()
    if deed == "agree" and found.state == "asked":
        raise Conflict(_l("The colleague has not accepted yet."), code="not_accepted")
    raise Conflict(_l("This was decided already."), code="move_forbidden", state=found.state)
