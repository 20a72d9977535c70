"""What can be asked about machines."""

import re
from collections.abc import Iterable, Sequence
from datetime import date

from sqlalchemy import select

from fieldservice.assets.models import Asset
from fieldservice.foundation.db import session
from fieldservice.foundation.tokens import read_link_token


def serial_key(serial: str) -> str:
    """A serial as it is compared: upper case, letters and digits only (O and 0 stay apart)."""
    return re.sub(r"[\W_]+", "", serial.upper())[:40]


def find_by_serial(serial: str) -> Asset | None:
    """The machine of a serial, however it was typed."""
    key = serial_key(serial)
    return session.scalar(select(Asset).where(Asset.serial_key == key)) if key else None


def asset_by_link(token: str) -> Asset | None:
    """The machine behind its QR code."""
    number = read_link_token("asset", token[:200])
    return asset_by_id(int(number)) if number is not None and number.isdecimal() else None


def asset_by_id(asset_id: int) -> Asset | None:
    """The machine of an id, however senseless the number."""
    return session.get(Asset, asset_id) if 0 < asset_id < 2**63 else None


def assets_by_serial(serials: Iterable[str]) -> dict[str, Asset]:
    """Many machines by `serial_key`, in one query."""
    keys = {serial_key(serial) for serial in serials} - {""}
    rows = session.scalars(select(Asset).where(Asset.serial_key.in_(keys))) if keys else ()
    return {asset.serial_key: asset for asset in rows}


def assets_of(customer_id: int, limit: int = 50) -> Sequence[Asset]:
    """A customer's machines."""
    return session.scalars(
        select(Asset).where(Asset.customer_id == customer_id, Asset.state != "retired").order_by(Asset.id).limit(limit)
    ).all()


def in_warranty(asset: Asset | None, day: date) -> bool:
    """Whether the warranty covers `day`, its last day included."""
    return asset is not None and asset.warranty_until is not None and asset.warranty_until >= day
