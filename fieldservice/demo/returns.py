"""What came back of the old parts of the past: dropped off, inspected, claimed, repaired, scrapped – and what did not,
told by the services."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from flask import g
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from fieldservice.demo.cast import Cast
from fieldservice.demo.world import StationPlan
from fieldservice.foundation.db import session
from fieldservice.parts.catalogue.models import Supplier, SupplierOffer
from fieldservice.parts.returns import claims, services
from fieldservice.parts.returns.claims import Answer
from fieldservice.parts.returns.models import OldPart, SupplierClaim

SEEN = {  # finding → what whoever looked at it saw
    "claim": (
        "密封唇口龟裂，运行不足一年，疑为材料批次问题。", "轴承滚道剥落，润滑正常，判为制造缺陷。",
        "线圈绝缘击穿，外观无损。",
    ),
    "repair": ("阀芯卡滞，清洗更换弹簧后可用。", "电路板电容鼓包，可返修。"),
    "scrap": ("磨损严重，无修复价值。", "已断裂，金相无异常，按疲劳报废。"),
    "sound": ("台架测试两小时正常，故障在接线端子。",),
}  # fmt: skip
FINDINGS = ("claim", "scrap", "claim", "repair", "sound", "claim", "scrap")
STOPS = timedelta(days=5)  # nothing that is younger has come back yet
STILL_OUT = timedelta(days=12)  # some that fell due since are forgotten in vans
OF_CLAIM = 4  # pieces


def show(cast: Cast) -> None:
    """Of the first stations; those of a large company have too many for it. Inside `write`."""
    before = g.get("actor")
    for plan in cast.world.stations[:3]:
        g.actor = f"user:{cast.people.by_role['storekeeper', plan.code].id}"
        _of_station(cast, plan)
    g.actor = before


def _of_station(cast: Cast, plan: StationPlan) -> None:
    now, warehouse = cast.world.now, cast.store.warehouses[plan.code]
    mine = select(OldPart).where(OldPart.station_id == warehouse.station_id, OldPart.state == "expected")
    found = session.scalars(
        mine.where(OldPart.opened_at < now - STOPS).options(joinedload(OldPart.part)).order_by(OldPart.id)
    ).all()
    waiting: dict[int, list[OldPart]] = {}
    forgotten = {old.technician_id: old.id for old in found}.values()  # everybody's last one
    for number, old in enumerate(found):
        overdue = number % 4 == 1 and now - STILL_OUT < old.due_at < now
        if overdue or old.id in forgotten:  # still in the vans
            continue
        at = old.opened_at + timedelta(days=1 + number % 4, hours=number % 7)
        serial = "" if not old.part.serial_tracked else f"{old.part.number}-{2400 + old.id}"
        services.drop_off(old, at=at, serial=serial)
        if number >= len(found) - 6:
            continue
        _inspect(old, FINDINGS[number % len(FINDINGS)], number, at + timedelta(hours=20), now)
        if old.finding == "claim" and old.supplier_id is not None:
            waiting.setdefault(old.supplier_id, []).append(old)
    for supplier_id, lines in waiting.items():
        _claim(session.get_one(Supplier, supplier_id), warehouse.station_id, lines, now)


def _inspect(old: OldPart, finding: str, number: int, at: datetime, now: datetime) -> None:
    words = SEEN[finding][number % len(SEEN[finding])]
    supplier = _supplier_of(old, number) if finding in ("claim", "repair") else None
    services.inspect(old, finding, at=at, words=words, supplier=supplier)
    later = at + timedelta(days=9)
    if finding == "scrap":
        services.scrap(old, at=at + timedelta(hours=2))
    elif finding == "sound":
        services.restock(old, at=at + timedelta(hours=1))
    elif finding == "repair":
        services.send_to_repair(old, at=at + timedelta(hours=3))
        if later < now:
            services.come_repaired(old, 180_00 + number % 5 * 65_00, at=later)


def _supplier_of(old: OldPart, number: int) -> Supplier:
    offer = session.scalar(
        select(Supplier)
        .join(SupplierOffer, SupplierOffer.supplier_id == Supplier.id)
        .where(SupplierOffer.part_id == old.part_id)
        .order_by(SupplierOffer.id)
        .limit(1)
    )
    known = session.scalars(select(Supplier).where(Supplier.state == "active").order_by(Supplier.id)).all()
    return offer or known[number % len(known)]


def _claim(supplier: Supplier, station_id: int, lines: Sequence[OldPart], now: datetime) -> None:
    """A few pieces a claim; the last ones still wait to be claimed, or for an answer."""
    for first in range(0, len(lines) - len(lines) % OF_CLAIM, OF_CLAIM):
        batch = lines[first : first + OF_CLAIM]
        at = max(line.inspected_at or line.opened_at for line in batch) + timedelta(days=2)
        if at > now:
            return
        claim = claims.open_claim(supplier, station_id, [line.id for line in batch], at=at)
        if at + timedelta(days=1) > now:
            return
        claims.send(
            claim, at=at, answer_due_at=at + timedelta(days=14), carrier="顺丰速运", tracking=f"SF10{claim.id:08d}"
        )  # fmt: skip
        _answer(claim, batch, at + timedelta(days=8 + first % 4), now)


def _answer(claim: SupplierClaim, batch: Sequence[OldPart], at: datetime, now: datetime) -> None:
    if at > now:
        return
    ways = ("credit", "credit", "replacement", "credit", "refused", "credit")
    given = {line.id: ways[(line.id + claim.id) % len(ways)] for line in batch}
    answers = {
        line.id: Answer(given[line.id], line.claimed * 9 // 10 if given[line.id] == "credit" else 0) for line in batch
    }
    claims.answer(claim, answers, at=at, their_number=f"RA-{7300 + claim.id}")
    if at + timedelta(days=6) > now:
        return
    for line in batch:
        if given[line.id] == "replacement":
            claims.replacement_came(
                claim, line.id, at=at + timedelta(days=4), serial=f"{line.part.number}-R{line.id}",
                batch="R-2401" if line.part.batch_tracked else "",
            )  # fmt: skip
    claims.settle(claim, at=at + timedelta(days=6), credit_note=f"CN-{5100 + claim.id}")
