"""Customers that may be one and the same: proposed, compared, merged, kept apart; and a merge taken back."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from fieldservice.admin.views import blueprint
from fieldservice.assets.models import Asset
from fieldservice.customers import merging
from fieldservice.customers.models import Contact, Customer, Site
from fieldservice.customers.records import CARERS
from fieldservice.foundation.access import current, roles
from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Invalid, NotFound
from fieldservice.foundation.time import now


@blueprint.get("/customers/duplicates")
@roles(*CARERS)
def duplicates() -> Any:
    """Groups that may be one company, and the latest merges."""
    found = merging.proposals(_stations())
    ids = {customer.id for proposal in found for customer in proposal.customers}
    merged = select(Customer).where(Customer.merged_into_id.is_not(None)).order_by(Customer.id.desc()).limit(20)
    if _stations() is not None:
        merged = merged.where(Customer.station_id.in_(_stations() or ()))
    return render_template(
        "admin/duplicates.html", proposals=found, sizes=_sizes(ids), merged=session.scalars(merged).all()
    )


def _stations() -> list[int] | None:
    stations = current().stations(*CARERS)
    return None if stations is None else sorted(stations)


def _sizes(ids: set[int]) -> dict[int, dict[str, int]]:
    """How many contacts, sites and machines each has; three queries."""
    sizes: dict[int, dict[str, int]] = {one: {"contacts": 0, "sites": 0, "assets": 0} for one in ids}
    for name, model in (("contacts", Contact), ("sites", Site), ("assets", Asset)):
        rows = session.execute(
            select(model.customer_id, func.count()).where(model.customer_id.in_(ids)).group_by(model.customer_id)
        )
        for customer_id, number in rows:
            sizes[customer_id][name] = number
    return sizes


def _customer(text: str) -> Customer:
    found = session.get(Customer, int(text)) if text.isascii() and text.isdecimal() and len(text) < 19 else None
    stations = _stations()
    if found is None or (stations is not None and found.station_id not in stations):
        raise NotFound()
    return found


@blueprint.post("/customers/merge")
@roles(*CARERS)
def merge() -> Any:
    """Merge the chosen ones into the one that stays, or note that they are different."""
    ids = request.form.getlist("id")[:20]
    if len(set(ids)) < 2:
        raise Invalid({"id": [_l("Choose two different customers.")]})

    def work() -> None:
        if request.form.get("act") == "apart":
            merging.keep_apart([_customer(one) for one in ids], at=now())
            return
        winner = _customer(request.form.get("winner", ""))
        for one in ids:
            if one != str(winner.id):
                merging.merge(winner, _customer(one), at=now())

    write(work)
    flash(_("They stay apart.") if request.form.get("act") == "apart" else _("Merged. It can be undone below."))
    return redirect(url_for("admin.duplicates"), 303)


@blueprint.post("/customers/<int:customer_id>/unmerge")
@roles(*CARERS)
def unmerge(customer_id: int) -> Any:
    """Give back what a merge moved."""
    write(lambda: merging.undo_merge(_customer(str(customer_id)), at=now()))
    flash(_("The merge was undone."))
    return redirect(url_for("admin.record", kind_code="customers", record_id=customer_id), 303)
