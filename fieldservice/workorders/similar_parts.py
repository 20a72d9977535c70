"""Which parts similar jobs used: closed orders on machines of the same model, with the same fault or kind of work."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import func, select

from fieldservice.assets.models import Asset
from fieldservice.foundation.db import session
from fieldservice.parts.models import Part
from fieldservice.workorders.models import PartUse, WorkOrder

MOST_JOBS = 2_000  # the newest of them tell enough


@dataclass(frozen=True)
class Used:
    """A part with the number of jobs that used it and how much they used together."""

    part: Part
    jobs: int
    quantity: Decimal


@dataclass(frozen=True)
class Similar:
    """How many similar jobs there were, and their parts, the most used first."""

    jobs: int
    used: Sequence[Used]


def parts_of_similar_jobs(
    *, model: str = "", failure_mode: str = "", work_type: str = "", limit: int = 30
) -> Similar:  # fmt: skip
    """Of closed orders that share all that is given. Nothing given: nothing is similar."""
    if not (model or failure_mode or work_type):
        return Similar(0, [])
    wanted = select(WorkOrder.id).where(WorkOrder.state == "closed").order_by(WorkOrder.id.desc()).limit(MOST_JOBS)
    if model:
        wanted = wanted.join(Asset, Asset.id == WorkOrder.asset_id).where(Asset.model == model)
    if failure_mode:
        wanted = wanted.where(WorkOrder.failure_mode == failure_mode)
    if work_type:
        wanted = wanted.where(WorkOrder.work_type == work_type)
    jobs = wanted.subquery()
    times = func.count(func.distinct(PartUse.work_order_id))
    rows = session.execute(
        select(Part, times, func.sum(PartUse.quantity))
        .join(PartUse, PartUse.part_id == Part.id)
        .join(jobs, jobs.c.id == PartUse.work_order_id)
        .group_by(Part.id)
        .order_by(times.desc(), Part.number)
        .limit(limit)
    )
    count = session.scalar(select(func.count()).select_from(jobs)) or 0
    return Similar(count, [Used(part, number, quantity) for part, number, quantity in rows])
