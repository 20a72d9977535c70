"""What can be done with levels: reckon them, call that off, type limits, order what is short."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from typing import Literal

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from fieldservice.foundation.access import Person, actor
from fieldservice.foundation.db import session, take_turns
from fieldservice.foundation.deferred import defer
from fieldservice.foundation.errors import Conflict, Invalid
from fieldservice.foundation.formats import decimal_text
from fieldservice.foundation.time import local
from fieldservice.mechanisms import policies
from fieldservice.mechanisms.events import record
from fieldservice.parts.availability.asking import CARRIER
from fieldservice.parts.availability.reading import free_stock
from fieldservice.parts.catalogue import queries as catalogue
from fieldservice.parts.catalogue.models import Supplier, SupplierOffer
from fieldservice.parts.models import WHOLE, StockLocation
from fieldservice.parts.stocking import queries, reckoning
from fieldservice.parts.stocking.feeding import feeders_of
from fieldservice.parts.stocking.models import BUSY, StockLevel, StockLevelRun
from fieldservice.parts.stocking.queries import Stocked
from fieldservice.parts.stocking.running import TURN, compute_levels
from fieldservice.parts.supply import services as supply
from fieldservice.parts.supply.models import SupplyOrder
from fieldservice.parts.transfers import services as transfers
from fieldservice.parts.transfers.models import Transfer

MOST_PIECES = Decimal(1_000_000)
MOST_AT_ONCE = 200
MANAGERS = ("station_manager",)


# Runs -----------------------------------------------------------------------------------------------


def ask(*, at: datetime, run: bool = True) -> StockLevelRun:
    """Reckon all levels anew, after the commit. Who asks while that goes on gets the run that does it."""
    take_turns("stock_level_run")
    known = session.scalar(
        select(StockLevelRun).where(StockLevelRun.state.in_(BUSY), StockLevelRun.stop.is_(False)).limit(1)
    )
    if known is not None:
        return known
    made = StockLevelRun(asked_by=actor(), asked_at=at)
    session.add(made)
    session.flush()
    record("stock_level_run.asked", made, at=at)
    if run:
        defer(compute_levels, f"levels:{made.id}", {"run_id": made.id})
    return made


def stop(run: StockLevelRun) -> None:
    """Call it off; levels it has kept already stay. Raises Conflict `run_over`."""
    if run.state not in BUSY:
        raise Conflict(_l("This run is over already. Look at the levels again."), code="run_over", state=run.state)
    run.stop = True


# Limits ---------------------------------------------------------------------------------------------


def set_limits(level: StockLevel, least: Decimal | None, most: Decimal | None, *, at: datetime) -> None:
    """Order below `least`, never above `most`; None leaves that to the reckoning. Holds at once.

    Raises Invalid for a number nobody can mean, a half of what is whole, or a minimum above the maximum.
    """
    for name, given in (("least", least), ("most", most)):
        if given is not None:
            _check(given, level.part.unit, name)
    if least is not None and most is not None and least > most:
        raise Invalid({"most": [_l("The most is less than the least.")]})
    take_turns(TURN)
    mine = select(StockLevel).where(StockLevel.id == level.id).with_for_update()
    level = session.scalars(mine.execution_options(populate_existing=True)).one()
    told = level.explanation
    free = Decimal(told.get("level", 0)), Decimal(told.get("reorder_at", 0))
    level.least, level.most, level.typed_by, level.typed_at = least, most, actor(), at
    level.level, level.reorder_at = reckoning.limited(*free, least, most)
    facts = {"part": level.part.number, "least": _text(least), "most": _text(most)}
    record("stock_level.limited", level, facts, at=at)


def _check(given: Decimal, unit: str, name: str) -> None:
    if not given.is_finite() or not 0 <= given <= MOST_PIECES or given != given.quantize(Decimal("0.001")):
        raise Invalid({name: [_l("Write a number from 0 to %(most)s.", most=f"{MOST_PIECES:,}")]})
    if unit in WHOLE and given != given.to_integral_value():
        raise Invalid({name: [_l("This part is counted in whole pieces.")]})


def _text(given: Decimal | None) -> str | None:
    return None if given is None else decimal_text(given)


# What to order --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Proposal:
    """How to fill one shelf: from another of our places, from a supplier, or nobody has it (`way` None)."""

    stocked: Stocked
    quantity: Decimal
    way: Literal["transfer", "supply"] | None = None
    source: StockLocation | None = None
    supplier: Supplier | None = None
    offer: SupplierOffer | None = None


@dataclass
class Made:
    """What came of an approval."""

    orders: list[SupplyOrder] = field(default_factory=list)
    transfers: list[Transfer] = field(default_factory=list)
    waiting: int = 0  # orders that a manager still has to approve
    left: int = 0  # of the chosen ones, those that nobody has, or that somebody ordered meanwhile


def propose(short: Sequence[Stocked], at: datetime) -> list[Proposal]:
    """A van is filled by its station's store; a store by the central one where that has it free, else by the supplier
    who comes first (S-16), in his packs."""
    wanted = [one for one in short if one.short > 0]
    sources = feeders_of(one.level.location for one in wanted)
    numbers = {place.id for place in sources.values()}
    free = dict(free_stock({one.level.part_id for one in wanted}, numbers))
    found = []
    for one in wanted:
        need = one.short if one.level.part.unit not in WHOLE else one.short.to_integral_value(ROUND_CEILING)
        source = sources.get(one.level.location_id)
        key = (one.level.part_id, source.id if source is not None else 0)
        if source is not None and free.get(key, Decimal(0)) >= need:
            free[key] -= need
            found.append(Proposal(one, need, "transfer", source))
        elif one.level.location.kind == "van":
            found.append(Proposal(one, need))
        else:
            found.append(_by_supplier(one, need, at))
    return found


def order(person: Person, level_ids: Sequence[int], *, at: datetime) -> Made:
    """Order what is short of these levels: one supply order for each supplier and place, one transfer for each way.

    What was ordered meanwhile is not short any more, so that pressing twice orders once. An order that is worth more
    than the person may approve stays a draft. Raises Invalid for too many at once.
    """
    if not 0 < len(level_ids) <= MOST_AT_ONCE:
        raise Invalid({"levels": [_l("Choose at least one part, at most %(most)s.", most=MOST_AT_ONCE)]})
    take_turns("stock_proposals")  # two people who order the same: the second sees what the first ordered
    proposals = propose(queries.chosen(person, level_ids), at)
    made = Made(left=len(set(level_ids)) - sum(one.way is not None for one in proposals))
    sent: dict[tuple[int, int], list[Proposal]] = defaultdict(list)
    bought: dict[tuple[int, int], list[Proposal]] = defaultdict(list)
    for one in proposals:
        if one.source is not None:
            sent[one.source.id, one.stocked.level.location_id].append(one)
        elif one.supplier is not None:
            bought[one.supplier.id, one.stocked.level.location_id].append(one)
    for _way, some in sorted(sent.items()):
        made.transfers.append(_transfer(some, at))
    for _way, some in sorted(bought.items()):
        _buy(some, person, made, at)
    return made


def _by_supplier(one: Stocked, need: Decimal, at: datetime) -> Proposal:
    for offer, supplier in catalogue.offers_of(one.level.part, local(at).date()):
        if offer.currency == supply.CURRENCY:
            return Proposal(one, supply.in_packs(offer, need), "supply", supplier=supplier, offer=offer)
    return Proposal(one, need)


def _transfer(some: Sequence[Proposal], at: datetime) -> Transfer:
    source, target = some[0].source, some[0].stocked.level.location
    assert source is not None
    hours = float(policies.effective(CARRIER, station_id=target.station_id).value)
    wanted = [(one.stocked.level.part, one.quantity) for one in some]
    made = transfers.open_transfer(source, target, wanted, expected_at=at + timedelta(hours=hours), at=at)
    transfers.approve(made, at=at)
    return made


def _buy(some: Sequence[Proposal], person: Person, made: Made, at: datetime) -> None:
    supplier, place = some[0].supplier, some[0].stocked.level.location
    assert supplier is not None
    order = supply.open_order(supplier, place, at=at)
    for one in some:
        supply.put_line(order, one.stocked.level.part, one.quantity, at=at)
    leads = person.has(*MANAGERS) and person.covers(order.station_id, *MANAGERS)
    if leads or not supply.needs_manager(order):
        supply.approve(order, at=at, by_manager=leads)
    else:
        made.waiting += 1
    made.orders.append(order)
