"""Nothing open is forgotten: the technician is asked when an old part is due, the storekeeper when it is overdue."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from fieldservice.foundation.db import session
from fieldservice.foundation.words import pick
from fieldservice.mechanisms import tasks
from fieldservice.mechanisms.tasks import Task
from fieldservice.parts.returns import services
from fieldservice.parts.returns.models import OldPart
from fieldservice.stations.models import Technician

BEFORE = timedelta(days=1)  # the technician is asked a day before it is due
WITHIN = timedelta(days=2)  # then the storekeeper has so long to find out
BATCH = 200
DUE, OVERDUE = "old_part_due", "old_part_overdue"  # titles of tasks


def is_due(at: datetime) -> bool:
    """Whether anybody is to be asked; without writing."""
    return bool(_due(at + BEFORE, DUE, 1) or _due(at, OVERDUE, 1))


def remind(at: datetime) -> int:
    """Ask technicians and storekeepers about at most `BATCH` old parts; how many. Asked once each, however often."""
    asked = 0
    for old in _due(at + BEFORE, DUE):
        account = old.technician.account if old.technician is not None else None
        owner: dict[str, Any] = {"owner_user_id": account.id} if account is not None else {"owner_role": "storekeeper"}
        tasks.open_task(
            DUE, old, due_at=old.due_at, at=at, facts=_facts(old), key=services.due_key(old),
            supervisor_role="storekeeper", **owner,
        )  # fmt: skip
        asked += 1
    for old in _due(at, OVERDUE):
        tasks.open_task(
            OVERDUE, old, due_at=at + WITHIN, at=at, owner_role="storekeeper", facts=_facts(old),
            key=services.overdue_key(old),
        )  # fmt: skip
        asked += 1
    return asked


def _due(at: datetime, title: str, limit: int = BATCH) -> Sequence[OldPart]:
    """Expected ones that are due by then and nobody was asked about in this way."""
    known = select(Task.id).where(
        Task.subject_type == OldPart.subject_type, Task.subject_id == OldPart.id, Task.title == title
    )  # fmt: skip
    wanted = select(OldPart).where(OldPart.state == "expected", OldPart.due_at <= at, ~known.exists())
    told = (joinedload(OldPart.part), joinedload(OldPart.technician).joinedload(Technician.account))
    return session.scalars(wanted.options(*told).order_by(OldPart.due_at, OldPart.id).limit(limit)).all()


def _facts(old: OldPart) -> dict[str, str]:
    who = pick(old.technician.names) if old.technician is not None else ""
    return {"part": old.part.number, "serial": old.removed_serial or "", "technician": who}
