"""Who may plan what; stations and technicians within that. Orders and visits are found by workorders/queries.py."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from flask_babel import lazy_gettext as _l

from fieldservice.foundation.access import Person
from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Forbidden, Invalid, NotFound
from fieldservice.stations import roster
from fieldservice.stations.models import Station, Technician
from fieldservice.workorders import queries
from fieldservice.workorders.models import WorkOrder
from fieldservice.workorders.queries import LARGEST_ID, PLANNERS


def may_plan(somebody: Person, station_id: int) -> bool:
    """Whether the person plans work of that station."""
    return somebody.has(*PLANNERS) and somebody.covers(station_id, *PLANNERS)


def require_planner(somebody: Person, station_id: int) -> None:
    """Whoever sees an order only because of a lent technician (or another role) does not plan it: Forbidden."""
    if not may_plan(somebody, station_id):
        raise Forbidden()


def order_to_plan(number: str, somebody: Person) -> WorkOrder:
    """An order whose work the person plans. Raises NotFound and Forbidden."""
    order = queries.order_by_number(number, somebody)
    require_planner(somebody, order.station_id)
    return order


def technician_for(order: WorkOrder, technician_id: int, starts_at: datetime, somebody: Person) -> Technician:
    """A technician the person may send: of an own station, or rostered at the order's. Raises NotFound."""
    technician = session.get(Technician, technician_id) if 0 < technician_id < LARGEST_ID else None
    if technician is None:
        raise NotFound()
    if not somebody.covers(technician.station_id, *PLANNERS):
        around = timedelta(days=1)
        if technician.id not in roster.lent_to([order.station_id], starts_at - around, starts_at + around):
            raise NotFound()
    return technician


def chosen_stations(code: str, stations: Sequence[Station]) -> Sequence[Station]:
    """The station with that code, or all of them. Raises NotFound for one the person does not see."""
    if not code:
        return stations
    found = [station for station in stations if station.code == code]
    if not found:
        raise NotFound()
    return found


def required_id(value: object, field: str) -> int:
    """An id from a form. Raises Invalid."""
    text = str(value or "").strip()
    if not text.isascii() or not text.isdigit() or not 0 < int(text[:20]) < LARGEST_ID:
        raise Invalid({field: [_l("Choose one of the options.")]})
    return int(text)
