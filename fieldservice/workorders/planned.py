"""Planned work: an order that nobody reported – a service, a sampling, an inspection on an agreed day."""

from datetime import datetime

from fieldservice.assets.models import Asset
from fieldservice.customers.models import Site
from fieldservice.foundation.time import local
from fieldservice.stations.models import Station
from fieldservice.workorders import catalogue
from fieldservice.workorders.models import WorkOrder
from fieldservice.workorders.opening import Place, open_order

PRIORITY = "P4"


def plan_work(*, station: Station, site: Site, asset: Asset, work_type: str, at: datetime) -> WorkOrder:
    """An order without a report, ready to be placed; the work type brings duration, skills, checklist, usual parts.

    There is no promise: the day is agreed with the customer. Raises Invalid for an unknown work type.
    """
    return open_order(
        catalogue.work_type(work_type), station_id=station.id, priority=PRIORITY, asset=asset,
        machine="", covered_on=local(at).date(), at=at,
        place=Place(asset.customer_id, site.id, site.latitude, site.longitude, site.precision),
    )  # fmt: skip
