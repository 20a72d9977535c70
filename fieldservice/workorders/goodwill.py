"""Goodwill at the machine (P-09): the technician gives it at once; beyond his limit the manager is asked to look at it.

Nothing is ever kept waiting by it: the work goes on, and who decides looks at it afterwards, without blame.
"""

from datetime import datetime, timedelta

from fieldservice.foundation import display
from fieldservice.mechanisms import tasks
from fieldservice.workorders.lines import lines_of
from fieldservice.workorders.models import Visit

TITLE = "goodwill_over_limit"
WITHIN = timedelta(days=1)


def watch(visit: Visit, at: datetime) -> frozenset[str]:
    """Ask the manager where goodwill of the order is beyond the limit, withdraw the question where it is not any more.

    The keys of the lines beyond it.
    """
    lines = lines_of(visit.work_order)
    given = sum(line.worth for line in lines if line.decision.by_goodwill)
    over = frozenset(line.key for line in lines if line.over_limit)
    key = f"goodwill-{visit.work_order_id}-{given}"  # every further amount is asked about once
    for task in tasks.tasks_about(visit):
        if task.title == TITLE and task.state == "open" and (not over or task.key != key):
            tasks.cancel(task, at=at)
    if over:
        tasks.open_task(
            TITLE, visit, due_at=at + WITHIN, at=at, owner_role="station_manager", supervisor_role="director",
            facts={"number": visit.work_order.number, "amount": display.money(given)}, key=key,
        )  # fmt: skip
    return over
