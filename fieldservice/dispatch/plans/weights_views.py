"""The page on which a manager says what a good day means at a station: weights of the goals, with what each trades."""

from collections.abc import Mapping
from math import isfinite
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from fieldservice.dispatch.planning import objectives as worth
from fieldservice.dispatch.planning.objectives import MOST, NAMES, OBJECTIVES
from fieldservice.dispatch.plans import weighing
from fieldservice.dispatch.plans.views import blueprint
from fieldservice.foundation.access import current, roles
from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import DomainError, Invalid, PreconditionFailed
from fieldservice.stations.models import Station

MINUTE = 60


@blueprint.get("/weights")
@roles(*weighing.LOOKERS)
def weights() -> Any:
    """What holds at a station; `preset` fills the form with the numbers of an objective, saving nothing."""
    station = weighing.station_by_code(request.args.get("station", "")[:12], current())
    preset = request.args.get("preset", "")
    return _page(station, _preset(preset) if preset in OBJECTIVES else None, preset=preset)


@blueprint.post("/weights/<code>")
@roles(*weighing.SETTERS)
def set_weights(code: str) -> Any:
    """Keep what was typed, or (`reset`) go back to the numbers of the objectives."""
    form = request.form

    def work() -> None:
        station = weighing.station_by_code(code[:12], current())
        typed = {} if form.get("reset") else _typed(form)
        weighing.set_weights(station, typed, form.get("seen", ""), current())

    try:
        write(work)
    except (Invalid, PreconditionFailed) as refused:
        session.rollback()
        return _page(weighing.station_by_code(code[:12], current()), form, refused), refused.status
    flash(str(_("Saved. Plans asked for from now on weigh like this.")))
    return redirect(url_for("plans_pages.weights", station=code), 303)


# Inside -------------------------------------------------------------------------------------------


def _typed(form: Mapping[str, str]) -> dict[str, float]:
    """The goals that were given a number. Raises Invalid."""
    found, errors = {}, {}
    for name in NAMES:
        text = form.get(f"weight_{name}", "").strip()[:12]
        try:
            if text:
                found[name] = float(text)
            if not isfinite(found.get(name, 0.0)):
                raise ValueError
        except ValueError:
            errors[f"weight_{name}"] = [_l("Enter a number from 0 to 20, or nothing.")]
    if errors:
        raise Invalid(errors)
    return found


def _preset(objective: str) -> dict[str, str]:
    return {f"weight_{name}": f"{getattr(OBJECTIVES[objective], name):g}" for name in NAMES}


def _trades() -> dict[str, str]:
    """What a goal trades, by its name: what one unit is worth in driving at weight 1 (objectives.py says why)."""
    facts = {
        "late": f"{worth.LATE:g}", "unserved": round(worth.UNSERVED / MINUTE),
        "person": round(worth.CHANGED_PERSON / MINUTE), "day": round(worth.CHANGED_DAY / MINUTE),
        "wished": round(worth.NOT_PREFERRED / MINUTE), "uneven": f"{worth.UNEVEN:g}",
        "borrowed": round(worth.BORROWED / MINUTE), "overtime": f"{worth.OVERTIME:g}",
    }  # fmt: skip
    return {
        "promises": _(
            "A minute after a promise counts like %(late)s min of driving, an order that nobody takes like "
            "%(unserved)s; urgent orders count several times. More: promises are kept at the price of longer ways and "
            "more changes.",
            **facts,
        ),
        "travel": _("A minute of driving counts as one. More: shorter rounds, even if a promise or a wish suffers."),
        "changes": _(
            "A planned visit that goes to somebody else counts like %(person)s min of driving, to another day like "
            "%(day)s. More: what is planned stays, even if a better day was to be had.",
            **facts,
        ),
        "balance": _(
            "A minute of work above the fair share counts like %(uneven)s min of driving. More: everybody has about as "
            "much to do, at the price of longer ways.",
            **facts,
        ),
        "preference": _(
            "Sending somebody else than the customer asked for counts like %(wished)s min of driving. More: customers "
            "see the faces they know.",
            **facts,
        ),
        "station_cost": _(
            "Borrowing somebody from another station counts like %(borrowed)s min of driving, a minute of overtime "
            "like %(overtime)s. More: the station gets by with its own people within their shifts.",
            **facts,
        ),
    }


def _page(
    station: Station, typed: Mapping[str, str] | None, error: DomainError | None = None, *, preset: str = ""
) -> Any:
    somebody, held = current(), weighing.weights_of(station)
    stored = {f"weight_{name}": f"{value:g}" for name, value in held.stored.items()}
    return render_template(
        "dispatch/weights.html",
        station=station,
        stations=weighing.stations_of(somebody),
        held=held,
        values=stored if typed is None else typed,
        names=NAMES,
        objectives=list(OBJECTIVES),
        trades=_trades(),
        most=MOST,
        preset=preset,
        may_set=weighing.may_set(somebody, station.id),
        may_plan=somebody.has("dispatcher", "station_manager"),
        errors=error.errors if isinstance(error, Invalid) else {},
        error=error,
    )
