"""Many reports at once leave the same rows as one by one."""

from datetime import timedelta
from typing import Any

from flask import Flask
from sqlalchemy import select

from fieldservice.assets.queries import asset_by_id
from fieldservice.foundation.db import session, write
from fieldservice.foundation.places import Point
from fieldservice.foundation.time import now
from fieldservice.intake.models import ServiceRequest
from fieldservice.intake.receiving import Place, report_fault
from fieldservice.intake.receiving_many import Report, report_many
from fieldservice.mechanisms import clocks
from fieldservice.mechanisms.events import Event
from tests.intake.conftest import Wuxi

LEFT_OUT = ("id", "number", "external_id")


def row_of(request: ServiceRequest) -> dict[str, Any]:
    columns = {column.key: getattr(request, column.key) for column in request.__table__.columns}
    kept = {name: value for name, value in columns.items() if name not in LEFT_OUT}
    promised = sorted(
        (one.kind, one.due_at, one.quoted_at, one.told_at, one.origin, one.priority, one.station_id, one.marks)
        for one in clocks.of(request)
    )
    told = [
        (event.kind, event.at, event.facts, event.station_id, event.actor)
        for event in session.scalars(select(Event).where(Event.subject_type == "service_request",
                                                         Event.subject_id == request.id).order_by(Event.id))
    ]  # fmt: skip
    return {**kept, "promised": promised, "told": told}


def test_many_reports_leave_what_single_ones_leave(app: Flask, wuxi: Wuxi) -> None:
    places = [
        Place(), Place("江苏省无锡市新吴区长江路 18 号", "320214", None, "county"),
        Place("", None, Point(31.5, 120.4), "point"), Place("别处", "320205", None, "county", doubt="320211"),
    ]  # fmt: skip
    reports = [
        Report("phone", f"王工{n}", phone, "", f"漏油 {n}", severity, "zh", place, serial, asset, f"A-{n}", received)
        for n, (phone, severity, place, serial, asset, received) in enumerate(
            (phone, severity, place, serial, asset, received)
            for place in places
            for phone in ("13912340608", "13900000000")
            for severity, serial, asset, received in (
                ("safety", "", wuxi.machine, None), ("minor", "X-UNKNOWN", None, now() - timedelta(days=400)),
                ("line_stop", "", None, now() - timedelta(hours=3)),
            )
        )
    ]  # fmt: skip

    def singly() -> list[int]:
        return [
            report_fault(
                channel=one.channel, contact_name=one.contact_name, contact_phone=one.contact_phone,
                description=one.description, severity=one.severity, language=one.language, place=one.place, at=now(),
                serial=one.serial, asset=asset_by_id(one.asset_id) if one.asset_id else None,
                external_id=f"S-{one.external_id}", received_at=one.received_at, tell=False,
            ).id
            for one in reports
        ]  # fmt: skip

    first = write(singly)
    second = write(lambda: [request.id for request in report_many(reports, at=now())])
    for one, other in zip(first, second, strict=True):
        assert row_of(session.get_one(ServiceRequest, one)) == row_of(session.get_one(ServiceRequest, other))
    numbers = session.scalars(select(ServiceRequest.number)).all()
    assert len(set(numbers)) == 2 * len(reports)
