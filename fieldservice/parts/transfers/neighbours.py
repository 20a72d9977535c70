"""Asking another station for parts: it keeps them while it is asked, and agrees, or refuses with a reason, within a
time (docs/decisions/0035)."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Select, select

from fieldservice.foundation.access import Person
from fieldservice.foundation.db import session
from fieldservice.foundation.time import local
from fieldservice.mechanisms import policies, tasks
from fieldservice.mechanisms.forms import plain_text
from fieldservice.mechanisms.lifecycle import move
from fieldservice.parts.availability import services as promises
from fieldservice.parts.availability import waiting
from fieldservice.parts.models import StockLocation
from fieldservice.parts.transfers.models import Transfer
from fieldservice.stations.models import Station

KEEPERS = ("storekeeper", "station_manager", "admin")
WITHIN = "parts.neighbour_answer_minutes"  # how long another station has to answer
policies.register_defaults(WITHIN, 60, worth=policies.PLAIN)
LOOK_ELSEWHERE = timedelta(hours=4)  # for whoever asked in vain
MOST = 200
tasks.register_titles(Path(__file__).parent / "data" / "tasks.yaml")


def must_be_asked(source: StockLocation, target: StockLocation, person: Person | None) -> bool:
    """Whether somebody else has to agree: what lies in the central store, or with whoever asks, is free to send."""
    mine = person is not None and person.covers(source.station_id, *KEEPERS)
    return source.kind != "central" and source.station_id != target.station_id and not mine


def ask(transfer: Transfer, *, at: datetime) -> None:
    """Ask the station it leaves. The parts are kept there meanwhile. Raises Conflict `part_short`, `move_forbidden`."""
    minutes = float(policies.effective(WITHIN, station_id=transfer.station_id).value)
    move(transfer, "asked", at=at)
    transfer.answer_by = at + timedelta(minutes=minutes)
    for line in sorted(transfer.lines, key=lambda line: line.part_id):
        promises.reserve(line.part, transfer.source, line.quantity, need_at=at, about=transfer, at=at)
    tell_keepers(transfer, transfer.answer_by, at=at)


def tell_keepers(transfer: Transfer, by: datetime, *, at: datetime) -> None:
    """The storekeepers of the station it leaves are to answer; asked again, once."""
    asking = session.get_one(Station, transfer.to_station_id)
    facts = {"number": transfer.number, "station": asking.code, "by": f"{local(by):%m-%d %H:%M}"}
    tasks.open_task(
        "transfer_asked", transfer, due_at=by, at=at, owner_role="storekeeper", station_id=transfer.station_id,
        facts={**facts, "what": _what(transfer)}, key=_key(transfer),
    )  # fmt: skip


def refuse(transfer: Transfer, reason: str, *, at: datetime) -> None:
    """The station it would leave cannot spare it; who asked is told why. Raises Invalid `reason_needed`, Conflict."""
    move(transfer, "refused", at=at, reason=plain_text(reason, 300, field="reason"))
    _in_vain(transfer, "transfer_refused", at)


def due(at: datetime) -> bool:
    """Whether `expire` would find any; a read."""
    return session.scalar(_over(at).with_only_columns(Transfer.id).limit(1)) is not None


def expire(at: datetime) -> int:
    """What nobody answered in time is free again, and who asked is told; how many. Called by the scheduler."""
    held = _over(at).limit(MOST).with_for_update(skip_locked=True).execution_options(populate_existing=True)
    over: Sequence[Transfer] = session.scalars(held).all()
    for transfer in over:
        move(transfer, "expired", at=at)
        _in_vain(transfer, "transfer_unanswered", at)
    return len(over)


def answered(transfer: Transfer, result: str, *, at: datetime) -> None:
    """Nobody needs to answer any more."""
    task = tasks.open_of(_key(transfer))
    if task is not None:
        tasks.finish(task, at=at, result=result)


def _in_vain(transfer: Transfer, title: str, at: datetime) -> None:
    promises.release_for(transfer, at=at)
    answered(transfer, transfer.state, at=at)
    giving = session.get_one(Station, transfer.station_id)
    tasks.open_task(
        title, transfer, due_at=at + LOOK_ELSEWHERE, at=at, owner_role="storekeeper", station_id=transfer.to_station_id,
        facts={"number": transfer.number, "station": giving.code, "what": _what(transfer)},
        key=f"transfer-vain-{transfer.id}",
    )  # fmt: skip
    waiting.let_down(transfer, at)


def _over(at: datetime) -> Select[Transfer]:
    return select(Transfer).where(Transfer.state == "asked", Transfer.answer_by <= at).order_by(Transfer.id)


def _what(transfer: Transfer) -> str:
    """The parts in a few words, the same in both languages."""
    first, *others = transfer.lines
    return first.part.number + (f" +{len(others)}" if others else "")


def _key(transfer: Transfer) -> str:
    return f"transfer-asked-{transfer.id}"
