"""Finding what somebody is about to change: readers of a station see more than they may handle."""

from fieldservice.foundation.access import current
from fieldservice.foundation.errors import Forbidden
from fieldservice.intake.models import ServiceRequest
from fieldservice.intake.queries import request_by_number
from fieldservice.workorders import queries
from fieldservice.workorders.models import WorkOrder
from fieldservice.workorders.rescue.queries import DECIDERS


def triaged_request(number: str) -> ServiceRequest:
    """A request the person handles. Raises NotFound when it is not seen at all, Forbidden when only read."""
    found = request_by_number(number, current())
    if not current().covers(found.station_id, *queries.TRIAGERS):
        raise Forbidden()
    return found


def planned_order(number: str) -> WorkOrder:
    """An order of a station whose work the person plans. Raises NotFound, or Forbidden when only read."""
    found = queries.order_by_number(number, current())
    if not current().covers(found.station_id, *queries.PLANNERS):
        raise Forbidden()
    return found


def decided_order(number: str) -> WorkOrder:
    """An order about which the person may decide. Raises NotFound, or Forbidden when only read."""
    found = queries.order_by_number(number, current())
    if not current().covers(found.station_id, *DECIDERS):
        raise Forbidden()
    return found
