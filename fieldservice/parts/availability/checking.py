"""Whether promises of parts are sound: none beyond what can be had, and trays that hold just what was picked."""

from collections import defaultdict
from datetime import datetime
from decimal import Decimal

from sqlalchemy import select

from fieldservice.foundation.db import session
from fieldservice.parts.availability.models import HOLDING, Reservation
from fieldservice.parts.availability.reading import Key, shelves
from fieldservice.parts.models import StockBalance

AT_ONCE = 500  # parts whose shelves are read together


def overpromised(at: datetime, limit: int = 100) -> list[Key]:
    """(part, location) that promises what it can never keep with what lies there and is known to come. One that is
    late, because what it waits for is on its way still, will be kept."""
    held = select(Reservation.part_id, Reservation.location_id).where(Reservation.state.in_(HOLDING)).distinct()
    keys = sorted((part, place) for part, place in session.execute(held))
    found: list[Key] = []
    for start in range(0, len(keys), AT_ONCE):
        some = keys[start : start + AT_ONCE]
        lying = shelves({part for part, _place in some}, {place for _part, place in some}, at)
        found += [key for key in some if len(lying[key].pool.kept) < len(lying[key].promised)]
        if len(found) >= limit:
            break
    return found[:limit]


def trays_astray(limit: int = 100) -> list[Key]:
    """(part, location) where what is set aside differs from what open reservations say was picked."""
    left: defaultdict[Key, Decimal] = defaultdict(Decimal)
    aside = select(StockBalance.part_id, StockBalance.location_id, StockBalance.set_aside)
    for part, place, quantity in session.execute(aside.where(StockBalance.set_aside > 0)):
        left[part, place] += quantity
    picked = select(Reservation).where(Reservation.state == "picked")
    for one in session.scalars(picked):
        left[one.part_id, one.location_id] -= sum((Decimal(quantity) for _batch, quantity in one.lots), Decimal(0))
    return sorted(key for key, quantity in left.items() if quantity)[:limit]
