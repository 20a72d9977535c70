"""What levels depend on, read from the ledger, the catalogue and what is promised: one row for each part and place."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.orm import aliased

from fieldservice.foundation.db import among, session
from fieldservice.foundation.time import at_local, local
from fieldservice.mechanisms import policies
from fieldservice.parts.availability.asking import CARRIER
from fieldservice.parts.availability.models import OPEN, Reservation
from fieldservice.parts.catalogue.models import Supplier, SupplierOffer
from fieldservice.parts.levels.stock import FLOORS
from fieldservice.parts.models import Part, StockBalance, StockLocation, StockMove
from fieldservice.parts.stocking import foresight
from fieldservice.parts.stocking.bases import Key, bases, job_kits
from fieldservice.parts.stocking.feeding import feeders
from fieldservice.parts.stocking.models import StockLevel
from fieldservice.parts.stocking.reckoning import MONTH_DAYS, REVIEW, Material

STORE = "warehouse"
KINDS = ("central", "warehouse", "van")  # places that have levels
MONTHS = 36
USUAL_LEAD = 14.0  # days, where neither an offer nor the part says [D]


@dataclass(frozen=True)
class Read:
    """The material for the engine, and whose rows its lines are."""

    keys: Sequence[Key]
    stations: Sequence[int]
    floors: Sequence[float]
    material: Material
    facts: Mapping[int, dict[str, Any]] = field(default_factory=dict)  # line → what its explanation tells besides


def read(at: datetime) -> Read:
    """Every part that lies, is used, is promised, has typed limits or belongs to jobs at a place that has levels."""
    places = {one.id: one for one in session.scalars(_places())}
    parts = {one.id: one for one in session.scalars(select(Part))}
    active = {one.id for one in parts.values() if one.state == "active"}
    successor, starts, feeds = _successors(parts), _starts(at), feeders(places.values())
    stores = {one.station_id: one.id for one in sorted(places.values(), key=lambda one: -one.id) if one.kind == STORE}
    used, kits = _used(places, stores, starts, successor), job_kits(at, successor, active)
    wanted = {*used, *_lying(places), *_typed(), *_known(at, None, successor), *kits.keys(stores)}
    keys = sorted(key for key in wanted if key[1] in places and key[0] in active)
    lines = {key: line for line, key in enumerate(keys)}
    offers, roads = _offers(local(at).date()), _roads(places)
    leads = [_lead(parts[part], places[place], offers, roads[place]) for part, place in keys]
    facts = _without_planned(used, dict(zip(keys, leads, strict=True)), places, stores, starts, successor)
    history = _history(keys, used, places, starts, successor)
    known = _known(at, dict(zip(keys, leads, strict=True)), successor)
    names = sorted({(parts[part].industry, places[place].kind) for part, place in keys})
    numbers = {name: at for at, name in enumerate(names)}
    floors = [FLOORS.get(parts[part].criticality, 0.0) for part, _place in keys]
    base = bases(keys, places, history, starts, at, successor, kits)
    feed = [lines.get((part, feeds[place].id), -1) if place in feeds else -1 for part, place in keys]
    material = Material(
        history=history,
        lead=np.array(leads, dtype=np.float64),
        price=np.array([max(1, parts[part].price) for part, _place in keys], dtype=np.float64),
        classes=np.array([numbers[parts[part].industry, places[place].kind] for part, place in keys], dtype=np.int64),
        floor=np.array(floors, dtype=np.float64),
        known=np.array([known.get(key, 0.0) for key in keys], dtype=np.float64),
        outlook=base.outlook,
        installed=base.installed,
        feed=np.array(feed, dtype=np.int64),
        road=np.array([roads[place] for _part, place in keys], dtype=np.float64),
        only_fed=np.array([places[place].kind == "van" for _part, place in keys], dtype=np.bool_),
        kits=kits.kits(lines, stores),
    )
    told = {line: dict(fact) for line, fact in base.facts.items()}
    for key, pieces in facts.items():
        told.setdefault(lines[key], {})["planned"] = pieces
    for line, at_line in enumerate(feed):
        if at_line >= 0:
            told.setdefault(line, {})["source"] = feeds[keys[line][1]].code
    return Read(keys, [places[place].station_id for _part, place in keys], floors, material, told)


def _roads(places: Mapping[int, StockLocation]) -> dict[int, float]:
    """place → months on the road to it from the place that fills it."""
    stations = {one.station_id for one in places.values()}
    hours = {one: float(policies.effective(CARRIER, station_id=one).value) for one in stations}
    return {one.id: hours[one.station_id] / 24.0 / MONTH_DAYS for one in places.values()}


def _without_planned(
    used: dict[Key, dict[int, float]], leads: Mapping[Key, float], places: Mapping[int, StockLocation],
    stores: Mapping[int, int], starts: Sequence[datetime], successor: Mapping[int, int],
) -> dict[Key, float]:  # fmt: skip
    """Take out what was planned longer before than the shelf needs to be filled: it was promised in time then, as the
    same work is now (`known`), and would count twice. What was planned later than that surprised the shelf, so it
    stays. (part, place) → pieces that were taken out."""
    found: dict[Key, float] = defaultdict(float)
    for one in foresight.told().planned(starts[0]):
        place, month = places.get(one.place_id), bisect_right(starts, one.at) - 1
        if place is None:
            continue
        keys = [(successor[one.part_id], place.id)]
        if place.kind == "van" and (store := stores.get(place.station_id)) is not None:
            keys.append((keys[0][0], store))
        for key in keys:
            notice = (one.at - one.planned_at) / _a_month()
            if key in leads and month in used.get(key, {}) and notice >= REVIEW + leads[key]:
                taken = min(float(one.quantity), used[key][month])
                used[key][month] -= taken
                found[key] += taken
    return found


def _places() -> Any:
    return select(StockLocation).where(StockLocation.kind.in_(KINDS), StockLocation.state != "closed")


def _starts(at: datetime) -> list[datetime]:
    """When each month began, the oldest first; months of equal length, back from the beginning of this day."""
    today = at_local(local(at).date())
    return [today - timedelta(days=MONTH_DAYS * (MONTHS - one)) for one in range(MONTHS)]


def _successors(parts: Mapping[int, Part]) -> dict[int, int]:
    """part → the one that is made today: what was asked of its forerunners is asked of it."""
    found = {}
    for number in parts:
        last, seen = number, {number}
        while (following := parts[last].superseded_by_id) is not None and following not in seen:
            last = following
            seen.add(last)
        found[number] = last
    return found


def _used(
    places: Mapping[int, StockLocation], stores: Mapping[int, int], starts: Sequence[datetime],
    successor: Mapping[int, int],
) -> dict[Key, dict[int, float]]:  # fmt: skip
    """(part, place) → month → pieces, one statement: what was used out of a store or van, what stations took from a
    central store; a move that was reversed is none. A store is asked for what its station's vans use, too."""
    month = case(*[(StockMove.at >= start, at) for at, start in reversed(list(enumerate(starts)))], else_=-1)
    reversal = aliased(StockMove)
    asked = or_(StockMove.cause == "use", and_(StockMove.cause == "transfer", StockLocation.kind == "central"))
    rows = session.execute(
        select(StockMove.part_id, StockMove.from_id, month.label("month"), func.sum(StockMove.quantity))
        .join(StockLocation, StockLocation.id == StockMove.from_id)
        .outerjoin(reversal, reversal.reverses_id == StockMove.id)
        .where(asked, reversal.id.is_(None), StockMove.at >= starts[0], StockMove.at < starts[-1] + _a_month())
        .group_by(StockMove.part_id, StockMove.from_id, month)
    )
    used: dict[Key, dict[int, float]] = defaultdict(lambda: defaultdict(float))
    for part, place, at, quantity in rows:
        if place not in places:
            continue
        now_part, amount = successor[part], float(quantity)
        used[now_part, place][at] += amount
        store = stores.get(places[place].station_id)
        if places[place].kind == "van" and store is not None:
            used[now_part, store][at] += amount
    return used


def _a_month() -> timedelta:
    return timedelta(days=MONTH_DAYS)


def _history(
    keys: Sequence[Key], used: Mapping[Key, Mapping[int, float]], places: Mapping[int, StockLocation],
    starts: Sequence[datetime], successor: Mapping[int, int],
) -> NDArray[np.float32]:  # fmt: skip
    """Pieces by (line, month); NaN before the part, or the place, was first heard of: nobody knows what was asked."""
    parts_began: dict[int, datetime] = {}
    for part, first in session.execute(select(StockMove.part_id, func.min(StockMove.at)).group_by(StockMove.part_id)):
        now_part = successor[part]
        parts_began[now_part] = min(first, parts_began.get(now_part, first))
    began: dict[int, datetime] = {}
    for side in (StockMove.from_id, StockMove.to_id):
        moves = select(side, func.min(StockMove.at)).where(among(side, places)).group_by(side)
        for place, first in session.execute(moves):
            assert place is not None
            began[place] = min(first, began.get(place, first))
    found = np.full((len(keys), MONTHS), np.nan, dtype=np.float32)
    for line, (part, place) in enumerate(keys):
        if part in parts_began and place in began:
            since = max(parts_began[part], began[place])
            whole = next((at for at, start in enumerate(starts) if start >= since), MONTHS)
            found[line, whole:] = 0.0
        for at, amount in used.get((part, place), {}).items():
            found[line, at] = amount
    return found


def _lying(places: Mapping[int, StockLocation]) -> set[Key]:
    rows = session.execute(
        select(StockBalance.part_id, StockBalance.location_id)
        .where(StockBalance.condition == "good", StockBalance.on_hand > 0)
        .distinct()
    )
    return {(part, place) for part, place in rows if place in places}


def _typed() -> set[Key]:
    typed = select(StockLevel.part_id, StockLevel.location_id)
    rows = session.execute(typed.where(or_(StockLevel.least.is_not(None), StockLevel.most.is_not(None))))
    return {(part, place) for part, place in rows}


def _known(at: datetime, leads: Mapping[Key, float] | None, successor: Mapping[int, int]) -> dict[Key, float]:
    """What is promised to be handed out in review + lead time, of forerunners too, since these are used up first;
    without leads, whatever is promised."""
    rows = session.execute(
        select(Reservation.part_id, Reservation.location_id, Reservation.need_at, Reservation.quantity).where(
            Reservation.state.in_(OPEN)
        )
    )
    found: dict[Key, float] = defaultdict(float)
    for part, place, need_at, quantity in rows:
        key = (successor[part], place)
        if leads is None or (key in leads and need_at <= at + timedelta(days=MONTH_DAYS * (REVIEW + leads[key]))):
            found[key] += float(quantity)
    return found


def _offers(on: date) -> dict[int, int]:
    """part → days of the offer that comes first: on time, then lead time, then price (S-16); one statement."""
    rows = session.execute(
        select(SupplierOffer.part_id, SupplierOffer.lead_days)
        .join(Supplier, Supplier.id == SupplierOffer.supplier_id)
        .where(SupplierOffer.valid_from <= on, Supplier.state == "active")
        .where(or_(SupplierOffer.valid_until.is_(None), SupplierOffer.valid_until >= on))
        .order_by(
            SupplierOffer.on_time_percent.is_(None), SupplierOffer.on_time_percent.desc(), SupplierOffer.lead_days,
            SupplierOffer.price, SupplierOffer.id,
        )
    )  # fmt: skip
    found: dict[int, int] = {}
    for part, days in rows:
        found.setdefault(part, days)
    return found


def _lead(part: Part, place: StockLocation, offers: Mapping[int, int], road: float) -> float:
    """Months from an order to the shelf if whoever fills it never lets it wait: a van is filled by its station's store,
    a store by the supplier (what a central store does about that is reckoned with the levels)."""
    if place.kind == "van":
        return road
    days = offers.get(part.id, part.lead_days if part.lead_days is not None else USUAL_LEAD)
    return days / MONTH_DAYS
