"""Snow between home and the customer: a strip across a third of the way."""

from datetime import datetime
from typing import Any

from fieldservice.accounts.models import User
from fieldservice.dispatch.areas import services
from fieldservice.dispatch.areas.services import Drawn
from fieldservice.foundation.db import write
from fieldservice.stations.models import Station
from tests.conftest import make_user
from tests.workorders.scene import local_at

STRIP = [[31.50, 120.0], [31.50, 121.0], [31.51, 121.0], [31.51, 120.0]]


def drawn(station: Station, *, user: User | None = None, until: datetime | None = None, **facts: Any) -> Drawn:
    """Four times as slow until 14:00, unless told otherwise: to NEAR in 29 minutes instead of 15. Committed."""
    person = (user or make_user("dispatcher", station.id)).as_person()
    wish: dict[str, Any] = {"name": "Snow", "corners": STRIP, "factor": 4.0, "until": until or local_at(14), **facts}
    return write(lambda: services.draw(person, station, **wish))
