"""What the page of a kind shows beside the form: what belongs to the record."""

from typing import Any

from sqlalchemy import select

from fieldservice.assets.models import Asset
from fieldservice.customers.models import Contact, Site
from fieldservice.foundation.db import session
from fieldservice.foundation.words import pick
from fieldservice.mechanisms import files
from fieldservice.mechanisms.records import Kind
from fieldservice.stations.models import Technician, Territory
from fieldservice.stations.team_records import certificate_words

MOST = 50


def extra_of(kind: Kind, row: Any) -> Any:
    """Facts for the kind's own template; None where it has none."""
    found = EXTRAS.get(kind.code)
    return found(row) if found is not None else None


def _customer(row: Any) -> dict[str, Any]:
    def some(model: Any) -> Any:
        return session.scalars(select(model).where(model.customer_id == row.id).order_by(model.id).limit(MOST)).all()

    return {"contacts": some(Contact), "sites": some(Site), "assets": some(Asset)}


def _asset(row: Any) -> dict[str, Any]:
    parts = session.scalars(select(Asset).where(Asset.parent_id == row.id).order_by(Asset.id).limit(MOST)).all()
    above: list[Asset] = []
    step = row.parent_id
    while step is not None and len(above) < 20:
        parent = session.get_one(Asset, step)
        above.insert(0, parent)
        step = parent.parent_id
    return {"parts": parts, "above": above}


def _station(row: Any) -> dict[str, Any]:
    team = session.scalars(
        select(Technician).where(Technician.station_id == row.id).order_by(Technician.id).limit(MOST)
    )
    held = session.scalars(select(Territory).where(Territory.station_id == row.id).order_by(Territory.id).limit(MOST))
    return {"team": team.all(), "territories": held.all()}


def _technician(row: Any) -> dict[str, Any]:
    photos = files.files_of(row.certificates) if row.certificates else {}
    words = certificate_words()
    return {
        "certificates": [
            {"id": one.id, "word": pick(words.get(one.kind)) or one.kind, "valid_until": one.valid_until,
             "photos": [file for file in photos[one.subject_type, one.id] if file.state == "ready"]}
            for one in sorted(row.certificates, key=lambda one: one.valid_until)
        ]
    }  # fmt: skip


EXTRAS = {"technicians": _technician, "customers": _customer, "assets": _asset, "stations": _station}
