"""Which of our places fills which: a van is filled by its station's store, a store by the central one."""

from collections.abc import Iterable, Mapping

from sqlalchemy import select

from fieldservice.foundation.db import session
from fieldservice.parts.models import StockLocation


def feeders(places: Iterable[StockLocation]) -> dict[int, StockLocation]:
    """place → the one that fills it, of these; a central store, and a van without a store, is filled by nobody of us.

    Of two stores of a station, or two central ones, the older leads.
    """
    stores: dict[int | None, StockLocation] = {}
    some = sorted(places, key=lambda one: one.id)
    for one in some:
        if one.kind in ("central", "warehouse"):
            stores.setdefault(None if one.kind == "central" else one.station_id, one)
    wanted = ((one, stores.get(one.station_id if one.kind == "van" else None)) for one in some if one.kind != "central")
    return {one.id: source for one, source in wanted if source is not None and source.id != one.id}


def feeders_of(places: Iterable[StockLocation]) -> Mapping[int, StockLocation]:
    """The same for some places, the stores that fill them read in one statement."""
    some = list(places)
    mine = (StockLocation.kind == "warehouse") & StockLocation.station_id.in_({one.station_id for one in some})
    wanted = select(StockLocation).where(StockLocation.state != "closed", mine | (StockLocation.kind == "central"))
    stores = session.scalars(wanted).all()
    return feeders({one.id: one for one in (*stores, *some)}.values())
