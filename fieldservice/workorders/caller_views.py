"""What was done lately at a caller's machines, as a part of the agent's desk (J-13)."""

from typing import Any

from flask import Blueprint, render_template
from sqlalchemy import select
from sqlalchemy.orm import contains_eager, joinedload

from fieldservice.assets.models import Asset
from fieldservice.foundation.access import READS_ALL_WORK, Person, current, in_scope, roles
from fieldservice.foundation.db import session
from fieldservice.workorders.models import Visit, WorkOrder

blueprint = Blueprint("caller_visits", __name__)
SHOWN = 5


@blueprint.get("/customers/<int:customer_id>/visits")
@roles("agent", "dispatcher", "station_manager")
def last_visits(customer_id: int) -> Any:
    """The customer's last finished visits."""
    return render_template("workorders/_last_visits.html", visits=finished_visits(customer_id, current()))


def finished_visits(customer_id: int, person: Person) -> list[Visit]:
    """The newest finished visits to a customer's machines that the person may see."""
    machines = select(Asset.id).where(Asset.customer_id == min(customer_id, 2**63 - 1))
    newest = (
        select(Visit)
        .join(WorkOrder, WorkOrder.id == Visit.work_order_id)
        .where(
            WorkOrder.asset_id.in_(machines), Visit.finished_at.is_not(None), in_scope(Visit, person, *READS_ALL_WORK)
        )
        .options(contains_eager(Visit.work_order).joinedload(WorkOrder.asset), joinedload(Visit.technician))
        .order_by(Visit.finished_at.desc(), Visit.id.desc())
        .limit(SHOWN)
    )
    return list(session.scalars(newest))
