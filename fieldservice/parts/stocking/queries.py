"""What can be asked about levels: what is there, what comes, what belongs there, and what is short."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import aliased, joinedload

from fieldservice.foundation.access import Person, scoped
from fieldservice.foundation.db import session
from fieldservice.foundation.errors import NotFound
from fieldservice.parts.models import Part, StockBalance, StockLocation
from fieldservice.parts.stocking.models import StockLevel, StockLevelRun
from fieldservice.parts.supply.models import SupplyOrder, SupplyOrderLine
from fieldservice.parts.transfers.models import Transfer, TransferLine

READERS = ("storekeeper", "station_manager", "finance", "director", "admin")
KEEPERS = ("storekeeper", "station_manager")
ORDERED = ("draft", "approved", "sent", "acknowledged", "part_received")  # whoever wrote an order wants no second one
ON_THE_WAY = ("draft", "approved", "shipped", "part_received")
PAGE = 50


@dataclass(frozen=True)
class Stocked:
    """A level with what is there and what was ordered for it."""

    level: StockLevel
    on_hand: Decimal
    coming: Decimal
    before: Decimal = Decimal(0)  # of its forerunners, which are used up first

    @property
    def short(self) -> Decimal:
        """What to order now: up to the level, once less is there and coming than the reorder point. What is no longer
        made is not ordered any more, whatever somebody typed."""
        there = self.on_hand + self.before + self.coming
        if self.level.part.state != "active":
            return Decimal(0)
        return self.level.level - there if there < self.level.reorder_at else Decimal(0)


def levels_of(
    person: Person, *, place: StockLocation | None = None, words: str = "", short: bool = False, after: int = 0,
    limit: int = PAGE + 1,
) -> list[Stocked]:  # fmt: skip
    """Levels of the person's places, by id, after one; of one place, of parts with these words, only what is short."""
    wanted = scoped(_with_stock(), StockLevel, person, *READERS).where(StockLevel.id > after)
    if place is not None:
        wanted = wanted.where(StockLevel.location_id == place.id)
    if words := words.strip()[:60]:
        named = [Part.names[one].as_string().icontains(words, autoescape=True) for one in ("zh", "en")]
        wanted = wanted.where(or_(Part.number.icontains(words, autoescape=True), *named))
    if short:
        wanted = wanted.where(_there() < StockLevel.reorder_at, Part.state == "active")
    return _read(wanted.order_by(StockLevel.id).limit(limit))


def chosen(person: Person, ids: Sequence[int]) -> list[Stocked]:
    """These levels, as they are now, of places the person keeps; others are left out."""
    if not ids:
        return []
    wanted = scoped(_with_stock(), StockLevel, person, *KEEPERS).where(StockLevel.id.in_(ids))
    return _read(wanted.order_by(StockLevel.id))


def level_by_id(person: Person, level_id: int) -> StockLevel:
    """A level of a place the person keeps. Raises NotFound."""
    wanted = scoped(select(StockLevel), StockLevel, person, *KEEPERS).where(StockLevel.id == level_id)
    found: StockLevel | None = session.scalar(wanted)
    if found is None:
        raise NotFound()
    return found


def last_run() -> StockLevelRun | None:
    """The newest run, whatever came of it."""
    return session.scalar(select(StockLevelRun).order_by(StockLevelRun.id.desc()).limit(1))


@cache
def _forerunners() -> Any:
    """Pairs of a part and one that comes after it, however many steps."""
    first = select(Part.id.label("old"), Part.superseded_by_id.label("new")).where(Part.superseded_by_id.is_not(None))
    pairs = first.cte("forerunner", recursive=True)
    later = aliased(Part)
    further = select(pairs.c.old, later.superseded_by_id).join(later, later.id == pairs.c.new)
    return pairs.union(further.where(later.superseded_by_id.is_not(None), later.superseded_by_id != pairs.c.old))


def _before() -> Any:
    """Good stock of forerunners at the place."""
    pairs = _forerunners()
    return (
        select(func.coalesce(func.sum(StockBalance.on_hand), 0))
        .join(pairs, pairs.c.old == StockBalance.part_id)
        .where(StockBalance.location_id == StockLevel.location_id, pairs.c.new == StockLevel.part_id)
        .where(StockBalance.condition == "good")
        .correlate(StockLevel)
        .scalar_subquery()
    )


def _on_hand() -> Any:
    return (
        select(func.coalesce(func.sum(StockBalance.on_hand), 0))
        .where(StockBalance.location_id == StockLevel.location_id, StockBalance.part_id == StockLevel.part_id)
        .where(StockBalance.condition == "good")
        .correlate(StockLevel)
        .scalar_subquery()
    )


def _coming() -> list[Any]:
    """What is ordered or sent, drafts included."""
    ordered = (
        select(func.coalesce(func.sum(SupplyOrderLine.quantity - SupplyOrderLine.received), 0))
        .join(SupplyOrder, SupplyOrder.id == SupplyOrderLine.order_id)
        .where(SupplyOrderLine.part_id == StockLevel.part_id, SupplyOrder.location_id == StockLevel.location_id)
        .where(SupplyOrder.state.in_(ORDERED))
    )
    sent = (
        select(func.coalesce(func.sum(TransferLine.quantity - TransferLine.received), 0))
        .join(Transfer, Transfer.id == TransferLine.transfer_id)
        .where(TransferLine.part_id == StockLevel.part_id, Transfer.to_id == StockLevel.location_id)
        .where(Transfer.state.in_(ON_THE_WAY))
    )
    return [one.correlate(StockLevel).scalar_subquery() for one in (ordered, sent)]


def _there() -> Any:
    ordered, sent = _coming()
    return _on_hand() + _before() + ordered + sent


def _with_stock() -> Select[Any]:
    ordered, sent = _coming()
    return (
        select(StockLevel, _on_hand(), ordered, sent, _before())
        .join(Part, Part.id == StockLevel.part_id)
        .options(joinedload(StockLevel.part), joinedload(StockLevel.location))
    )


def _read(statement: Select[Any]) -> list[Stocked]:
    rows = session.execute(statement)
    return [Stocked(level, on_hand, ordered + sent, before) for level, on_hand, ordered, sent, before in rows]
