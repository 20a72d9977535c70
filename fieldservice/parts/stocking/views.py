"""Levels as pages: what belongs where and why, typed limits, the run that reckons them, ordering what is short."""

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from fieldservice.foundation.access import current, roles
from fieldservice.foundation.db import write
from fieldservice.foundation.errors import Conflict, DomainError, Invalid, NotFound
from fieldservice.foundation.time import now
from fieldservice.parts.queries import place_by_code, places_of
from fieldservice.parts.stocking import queries, reckoning, services
from fieldservice.parts.stocking.models import BUSY
from fieldservice.parts.stocking.reading import KINDS

blueprint = Blueprint("levels", __name__)
LONGEST_ID = 18  # digits
ASKED = ("place", "q", "short", "after")


@blueprint.get("/parts/levels")
@roles(*queries.READERS)
def list_levels() -> Any:
    """What belongs where, why, and what is short."""
    return _page()


@blueprint.post("/parts/levels/run")
@roles(*queries.KEEPERS)
def ask() -> Any:
    """Reckon all levels anew."""
    return _act(lambda: services.ask(at=now()))


@blueprint.post("/parts/levels/stop")
@roles(*queries.KEEPERS)
def stop() -> Any:
    """Call the run off."""

    def work() -> None:
        run = queries.last_run()
        if run is None:
            raise NotFound()
        services.stop(run)

    return _act(work)


@blueprint.post("/parts/levels/<int:level_id>")
@roles(*queries.KEEPERS)
def limit(level_id: int) -> Any:
    """Type least and most of a part at a place, or leave them to the reckoning."""
    if len(str(level_id)) > LONGEST_ID:
        raise NotFound()

    def work() -> None:
        least, most = (_number(name) for name in ("least", "most"))
        services.set_limits(queries.level_by_id(current(), level_id), least, most, at=now())

    return _act(work, level_id)


@blueprint.post("/parts/levels/order")
@roles(*queries.KEEPERS)
def order() -> Any:
    """Order what is short of the chosen levels."""
    chosen = [
        int(text) for text in request.form.getlist("level")
        if text.isascii() and text.isdecimal() and len(text) <= LONGEST_ID
    ]  # fmt: skip

    def work() -> str:
        return _told(services.order(current(), chosen, at=now()))

    return _act(work)


# Inside -------------------------------------------------------------------------------------------


def _act(work: Callable[[], Any], level_id: int = 0) -> Any:
    """Do it and go back to the same list; a refusal shows it with the reason."""
    try:
        said = write(work)
    except (Conflict, Invalid) as error:
        return _page(error, level_id), error.status
    if isinstance(said, str) and said:
        flash(said)
    kept = {name: request.args[name][:60] for name in ASKED if request.args.get(name)}
    return redirect(url_for("levels.list_levels", **kept), 303)  # type: ignore[arg-type]  # its own keywords are no text


def _told(made: services.Made) -> str:
    parts = []
    if made.orders:
        parts.append(ngettext("One supply order was made.", "%(num)s supply orders were made.", len(made.orders)))
    if made.waiting:
        parts.append(
            ngettext("One of them waits for the manager.", "%(num)s of them wait for the manager.", made.waiting)
        )
    if made.transfers:
        parts.append(ngettext("One transfer was asked for.", "%(num)s transfers were asked for.", len(made.transfers)))
    if made.left:
        parts.append(
            ngettext(
                "One was left out: it is ordered already, or nobody has it.",
                "%(num)s were left out: they are ordered already, or nobody has them.",
                made.left,
            )
        )
    return " ".join(parts) or str(_("Nothing is short."))


def _number(name: str) -> Decimal | None:
    text = request.form.get(name, "").strip().replace(",", "")[:20]
    try:
        return Decimal(text) if text else None
    except InvalidOperation:
        raise Invalid({name: [_l("Write a number from 0 to %(most)s.", most="1,000,000")]}) from None


def _after() -> int:
    text = request.args.get("after", "0")
    if not (text.isascii() and text.isdecimal() and len(text) <= LONGEST_ID):
        raise NotFound()
    return int(text)


def _page(error: DomainError | None = None, level_id: int = 0) -> str:
    somebody, code = current(), request.args.get("place", "")[:40]
    place = place_by_code(code, somebody, *queries.READERS) if code else None
    short, words = request.args.get("short") == "1", request.args.get("q", "")[:60]
    found = queries.levels_of(somebody, place=place, words=words, short=short, after=_after())
    shown, run = found[: queries.PAGE], queries.last_run()
    reckoned = [one.level for one in shown if one.level.explanation]
    curves = reckoning.bought([(int(one.level), one.explanation) for one in reckoned])
    return render_template(
        "parts/levels.html", shown=shown, words=words, short=short, place=place, run=run,
        more=shown[-1].level.id if len(found) > queries.PAGE else None, busy=run is not None and run.state in BUSY,
        worth=dict(zip([one.id for one in reckoned], curves, strict=True)), refused=error,
        errors=getattr(error, "errors", {}), open_level=level_id,
        kept={"place": code or None, "q": words or None, "short": "1" if short else None},
        proposals={one.stocked.level.id: one for one in services.propose(shown, now())},
        places=places_of(somebody, *queries.READERS, kinds=KINDS), month_days=reckoning.MONTH_DAYS,
        may_order=somebody.has(*queries.KEEPERS),
        keeps={one.level.id for one in shown if somebody.covers(one.level.station_id, *queries.KEEPERS)},
    )  # fmt: skip
