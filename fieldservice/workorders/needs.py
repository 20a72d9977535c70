"""What a visit found missing is asked of the storekeeper, so that it lies ready for the next one."""

from datetime import datetime, timedelta

from fieldservice.mechanisms import tasks
from fieldservice.parts.models import Part
from fieldservice.workorders.models import Visit, WorkItem

WITHIN = timedelta(days=1)


def ask(visit: Visit, item: WorkItem, part: Part | None, at: datetime) -> None:
    """Ask for it."""
    pieces = f"{part.number} ×{item.quantity.normalize():f}" if part is not None and item.quantity is not None else ""
    what = " · ".join(filter(None, (pieces, item.words)))
    tasks.open_task(
        "part_needed", visit, due_at=at + WITHIN, at=at, owner_role="storekeeper", supervisor_role="dispatcher",
        facts={"number": visit.work_order.number, "what": what}, key=_key(item),
    )  # fmt: skip


def arrived(item: WorkItem, at: datetime) -> None:
    """It was there: the task is done."""
    task = tasks.open_of(_key(item))
    if task is not None:
        tasks.finish(task, at=at)


def not_needed(item: WorkItem, at: datetime) -> None:
    """Nobody has to look for it any more."""
    tasks.cancel_keyed(_key(item), at=at)


def _key(item: WorkItem) -> str:
    return f"need-{item.id}"
