"""Looking after customers' stock: refills before it runs out (Q-13), and asking where nobody reads."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select

from fieldservice.foundation.db import session
from fieldservice.foundation.formats import decimal_text
from fieldservice.foundation.time import local
from fieldservice.mechanisms import policies, tasks
from fieldservice.mechanisms.lifecycle import move
from fieldservice.parts.consignment import lines, outlook, refills
from fieldservice.parts.consignment.models import ConsignmentLine

UNREAD = "consignment.unread_days"  # after so many days without a reading somebody is asked to read
policies.register_defaults(UNREAD, 7, worth=policies.PLAIN)
tasks.register_titles(Path(__file__).parent / "data" / "tasks.yaml")
ASKED = timedelta(hours=24)
BATCH = 50


def due_after(after: int) -> Sequence[int]:
    """The next lines that hold, by id; a read."""
    wanted = select(ConsignmentLine.id).where(ConsignmentLine.state == "active", ConsignmentLine.id > after)
    return session.scalars(wanted.order_by(ConsignmentLine.id).limit(BATCH)).all()


def look_after(ids: Sequence[int], at: datetime) -> int:
    """Reckon these lines for today, propose what is due, ask for readings; how many refills were proposed. Doing it
    again changes nothing."""
    wanted = select(ConsignmentLine).where(ConsignmentLine.id.in_(ids), ConsignmentLine.state == "active")
    held = session.scalars(
        wanted.order_by(ConsignmentLine.id).with_for_update(of=ConsignmentLine)
        .execution_options(populate_existing=True)
    ).all()  # fmt: skip
    proposed = 0
    for line in held:
        if line.active_to is not None and line.active_to < local(at).date() and lines.open_refill(line) is None:
            move(line, "ended", at=at)
            continue
        outlook.reckon(line, at)
        proposed += follow(line, at=at)
        _ask_for_reading(line, at)
    return proposed


def follow(line: ConsignmentLine, *, at: datetime) -> bool:
    """Propose a refill of a reckoned line where contact is due and none is under way."""
    if line.state != "active" or line.contact_on > local(at).date() or lines.open_refill(line) is not None:
        return False
    bring = outlook.to_bring(line, at)
    if bring <= 0 or line.location.state == "closed":
        return False
    refills.propose(line, bring, at=at)
    return True


def _ask_for_reading(line: ConsignmentLine, at: datetime) -> None:
    limit = int(policies.effective(UNREAD, station_id=line.station_id).value)
    if (local(at).date() - (line.read_on or line.active_from)).days < limit:
        return
    told = {"part": line.part.number, "place": line.location.code, "stock": decimal_text(line.stock)}
    tasks.open_task(
        "consignment_unread", line, owner_role="storekeeper", due_at=at + ASKED, at=at, facts=told,
        key=unread_key(line),
    )  # fmt: skip


def unread_key(line: ConsignmentLine) -> str:
    """The cause of asking for a reading: none since the last one."""
    return f"consignment_unread:{line.id}:{line.read_on or line.active_from}"
