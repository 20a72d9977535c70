"""How late technicians of a station arrive, so that a told window is wide enough to be kept (DOMAIN 'Quoted wait')."""

from datetime import datetime, timedelta

from sqlalchemy import select

from fieldservice.contracts.quoting import quote
from fieldservice.dispatch.offers.windows import LENGTH
from fieldservice.foundation.db import session
from fieldservice.workorders.models import Visit
from fieldservice.workorders.slots import STEP

HISTORY = timedelta(days=180)
MOST = 300  # the newest


def spread(station_id: int, at: datetime) -> timedelta:
    """The lateness that 95 % of the newest arrivals stay within, ten minutes above the median at least; the whole
    window while fewer than thirty are known."""
    rows = (
        select(Visit.starts_at, Visit.on_site_at)
        .where(Visit.station_id == station_id, Visit.starts_at > at - HISTORY, Visit.starts_at < at)
        .where(Visit.on_site_at.is_not(None))
        .order_by(Visit.starts_at.desc())
        .limit(MOST)
    )
    late = [max((there - planned).total_seconds() / 60, 0.0) for planned, there in session.execute(rows) if there]
    minutes = quote(LENGTH / timedelta(minutes=1), late).minutes
    return -(-timedelta(minutes=minutes) // STEP) * STEP
