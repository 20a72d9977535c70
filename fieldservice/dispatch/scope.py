"""Who may see the day plan and who may plan; finding orders, visits, stations and technicians within that."""

from datetime import datetime, timedelta

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from fieldservice.foundation.access import Person, scoped
from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Forbidden, Invalid, NotFound
from fieldservice.stations import roster
from fieldservice.stations.models import Station, Technician
from fieldservice.workorders.models import Visit, WorkOrder

PLANNERS = ("dispatcher", "station_manager")
VIEWERS = (*PLANNERS, "agent", "director")
LARGEST_ID = 2**62
MOST_STATIONS = 400


def order_by_number(number: str, somebody: Person) -> WorkOrder:
    """An order the person may see. Raises NotFound."""
    wanted = select(WorkOrder).where(WorkOrder.number == number[:20])
    order: WorkOrder | None = session.scalar(
        scoped(wanted, WorkOrder, somebody, *VIEWERS).options(
            joinedload(WorkOrder.request),
            joinedload(WorkOrder.customer),
            joinedload(WorkOrder.site),
            joinedload(WorkOrder.asset),
            joinedload(WorkOrder.station),
        )
    )
    if order is None:
        raise NotFound()
    return order


def visit_by_id(visit_id: int, somebody: Person) -> Visit:
    """A visit of the person's stations, or of a technician lent by them. Raises NotFound."""
    if not 0 < visit_id < LARGEST_ID:
        raise NotFound()
    wanted = select(Visit).where(Visit.id == visit_id)
    visit: Visit | None = session.scalar(
        scoped(wanted, Visit, somebody, *VIEWERS).options(joinedload(Visit.work_order), joinedload(Visit.technician))
    )
    if visit is None:
        raise NotFound()
    return visit


def may_plan(somebody: Person, station_id: int) -> bool:
    """Whether the person plans work of that station."""
    return somebody.has(*PLANNERS) and somebody.covers(station_id, *PLANNERS)


def require_planner(somebody: Person, station_id: int) -> None:
    """Whoever sees an order only because of a lent technician (or another role) does not plan it: Forbidden."""
    if not may_plan(somebody, station_id):
        raise Forbidden()


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


def stations_of(somebody: Person) -> list[Station]:
    """The stations whose day plan the person may see, by name of code."""
    covered = somebody.stations(*VIEWERS)
    rows = select(Station).where(Station.state.in_(("open", "limited"))).order_by(Station.code).limit(MOST_STATIONS)
    if covered is not None:
        rows = rows.where(Station.id.in_(covered))
    return list(session.scalars(rows))


def chosen_stations(code: str, stations: list[Station]) -> list[Station]:
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
