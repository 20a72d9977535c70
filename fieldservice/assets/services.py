"""What can be done with machines."""

from collections.abc import Mapping
from datetime import date, datetime

from flask_babel import lazy_gettext as _l

from fieldservice.assets.models import Asset
from fieldservice.assets.queries import find_by_serial, serial_key
from fieldservice.customers.models import Site
from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Conflict
from fieldservice.mechanisms.lifecycle import move


def put_into_service(
    site: Site, *, serial: str, names: Mapping[str, str], model: str, at: datetime, brand: str = "",
    industry: str = "general", installed_on: date | None = None, warranty_until: date | None = None,
    loss_per_hour: int | None = None,
) -> Asset:  # fmt: skip
    """A machine stands at a site and runs. Raises Conflict for a serial that is known already."""
    if find_by_serial(serial) is not None:
        raise Conflict(_l("A machine with this serial number is known already."), code="serial_known", serial=serial)
    asset = Asset(
        serial=serial, serial_key=serial_key(serial), names=dict(names), model=model, brand=brand, industry=industry,
        customer_id=site.customer_id, site_id=site.id, installed_on=installed_on, warranty_until=warranty_until,
        loss_per_hour=loss_per_hour,
    )  # fmt: skip
    session.add(asset)
    session.flush()
    move(asset, "installed", at=at)
    move(asset, "in_service", at=at)
    return asset
