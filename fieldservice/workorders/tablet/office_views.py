"""The office's pages about tablets: devices, and entries of tablets that somebody has to look at."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import lazy_gettext as _l

from fieldservice.foundation.access import current, roles
from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Conflict, DomainError, Invalid, PreconditionFailed
from fieldservice.foundation.web import navigation
from fieldservice.workorders.history import history_of
from fieldservice.workorders.queries import READERS as READ_ORDERS
from fieldservice.workorders.tablet import commands, device_list, devices, review_list, reviews

blueprint = Blueprint("tablet_office", __name__)
navigation("tablet_office.listed", _l("Tablets"), *reviews.REVIEWERS)
REFUSALS = (Conflict, Invalid, PreconditionFailed)


# Devices ---------------------------------------------------------------------------------------------


@blueprint.get("/tablets/devices")
@roles(*reviews.REVIEWERS)
def listed() -> Any:
    """Tablets of the person's technicians: when they were heard last, what waits on them, what is wrong."""
    filters = device_list.Filters.read(request.args)
    return render_template(
        "tablet/devices.html", listed=device_list.listed(current(), filters), filters=filters,
        stations=device_list.stations_for(current()), to_review=review_list.open_count(current()),
    )  # fmt: skip


@blueprint.get("/tablets/devices/<int:row_id>")
@roles(*reviews.REVIEWERS)
def one(row_id: int) -> Any:
    """One tablet: how it fares, what happened to it, and signing it out."""
    return _device_page(row_id)


@blueprint.post("/tablets/devices/<int:row_id>/<any(ask, withdraw, revoke):step>")
@roles(*reviews.REVIEWERS)
def act(row_id: int, step: str) -> Any:
    """Ask it to sign out, withdraw that, or end its access now."""
    told = {
        "ask": _l("Asked. At its next contact the tablet sends everything and signs out."),
        "withdraw": _l("Withdrawn. The tablet stays signed in."),
        "revoke": _l("Its access has ended. What was not sent stays on the tablet."),
    }

    def work() -> None:
        device = device_list.device_by_id(row_id, current(), hold=True)
        if step == "revoke":
            devices.revoke(device, request.form.get("reason", ""))
        else:
            {"ask": devices.ask_to_sign_out, "withdraw": devices.withdraw}[step](device)

    try:
        write(work)
    except REFUSALS as refused:
        session.rollback()
        return _device_page(row_id, refused), refused.status
    flash(str(told[step]))
    return redirect(url_for("tablet_office.one", row_id=row_id), 303)


def _device_page(row_id: int, refused: DomainError | None = None) -> str:
    device = device_list.device_by_id(row_id, current())
    return render_template(
        "tablet/device.html", shown=device_list.shown([device])[0], refused=refused,
        errors=getattr(refused, "errors", {}), typed=request.form.get("reason", "")[:300],
        lines=history_of([device]), newest=commands.CURRENT, to_review=review_list.open_count(current()),
    )  # fmt: skip


# Entries to look at ------------------------------------------------------------------------------------


@blueprint.get("/tablets/reviews")
@roles(*reviews.REVIEWERS)
def to_review() -> Any:
    """Entries of tablets that were rejected, or applied with a remark."""
    return _reviews_page()


@blueprint.post("/tablets/reviews/<int:row_id>/<any(apply, dismiss, note):step>")
@roles(*reviews.REVIEWERS)
def decide(row_id: int, step: str) -> Any:
    """Apply it by hand, dismiss it with a reason, or note that it was read."""
    reason = request.form.get("reason", "")
    told = {
        "apply": _l("Applied by hand."),
        "dismiss": _l("Dismissed; the reason is kept with it."),
        "note": _l("Noted."),
    }
    steps = {
        "apply": lambda: reviews.apply_by_hand(row_id, current(), reason),
        "dismiss": lambda: reviews.dismiss(row_id, current(), reason),
        "note": lambda: reviews.note(row_id, current()),
    }
    try:
        write(steps[step])
    except REFUSALS as refused:
        session.rollback()
        return _reviews_page(row_id, step, refused), refused.status
    flash(str(told[step]))
    return redirect(url_for("tablet_office.to_review"), 303)


def _reviews_page(row_id: int = 0, step: str = "", refused: DomainError | None = None) -> str:
    show = request.args.get("show", "open")
    show = show if show in review_list.SHOWN else "open"
    after = request.args.get("after", "")
    key = int(after) if after.isascii() and after.isdigit() and len(after) < 19 else None
    return render_template(
        "tablet/reviews.html", listed=review_list.listed(current(), show, key), show=show, after=key,
        to_review=review_list.open_count(current()), refused=refused, refused_id=row_id, refused_step=step,
        errors=getattr(refused, "errors", {}), typed=request.form.get("reason", "")[:300],
        moment_text=review_list.moment_text, reads_orders=current().has(*READ_ORDERS),
    )  # fmt: skip
