"""Service requests in lists of the API: plain columns of a page, as `RequestSchema` describes them (decision 0016)."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, select

from fieldservice.assets.models import Asset
from fieldservice.foundation.db import among, session
from fieldservice.intake.models import ServiceRequest
from fieldservice.mechanisms.clocks import Clock
from fieldservice.stations.models import Station

PLAIN = (
    "number", "state", "channel", "priority", "severity", "description", "customer_id", "contact_name", "address",
    "division_code", "precision", "language",
)  # fmt: skip
MOMENTS = ("received_at", "triaged_at", "restored_at", "resolved_at", "closed_at")
OWN = tuple(getattr(ServiceRequest, name) for name in ("id", "serial_given", *PLAIN, *MOMENTS))


def columns(statement: Select[Any]) -> Select[Any]:
    """The same requests, as the columns that a list tells."""
    return (
        statement.join(Station, Station.id == ServiceRequest.station_id)
        .outerjoin(Asset, Asset.id == ServiceRequest.asset_id)
        .with_only_columns(*OWN, Station.code.label("station"), Asset.serial.label("serial"))
    )


def told(rows: Sequence[Any]) -> list[dict[str, Any]]:
    """A page of such rows; one more statement for all their promises."""
    promises = _promises([row.id for row in rows])
    return [
        {
            **{name: getattr(row, name) for name in PLAIN},
            **{name: getattr(row, name) for name in MOMENTS},
            "station": row.station, "asset_serial": row.serial if row.serial is not None else row.serial_given,
            "promises": promises.get(row.id, []),
        }
        for row in rows
    ]  # fmt: skip


def _promises(requests: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    """request → its promises, the one due first first"""
    found: dict[int, list[dict[str, Any]]] = {}
    if requests:
        wanted = select(Clock.subject_id, Clock.kind, Clock.due_at, Clock.quoted_at, Clock.state).where(
            Clock.subject_type == ServiceRequest.subject_type, among(Clock.subject_id, requests)
        )
        for subject, kind, due, quoted, state in session.execute(wanted.order_by(Clock.due_at, Clock.id)):
            told_at = quoted or due
            one = {"kind": kind, "due_at": due, "quoted_at": told_at, "state": state}
            found.setdefault(subject, []).append(one)
    return found
