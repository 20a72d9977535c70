"""The size `nation` in small: one region told, copied by PostgreSQL to other areas and earlier months."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text

from fieldservice.assets.models import Asset
from fieldservice.customers.models import Contact, Customer, Site
from fieldservice.demo import load, sizes
from fieldservice.demo.areas import areas
from fieldservice.foundation.db import session
from fieldservice.foundation.places import divisions
from fieldservice.insight.verify import verify
from fieldservice.intake.models import ServiceRequest
from fieldservice.mechanisms.clocks.models import Clock
from fieldservice.mechanisms.events import Event, first_broken_link, lost_events, unlogged_count
from fieldservice.mechanisms.files.folder import kept_path
from fieldservice.mechanisms.files.models import StoredFile
from fieldservice.stations.models import Station, Technician, TerritoryDivision
from fieldservice.workorders.models import Answer, Visit, WorkOrder

LITTLE = sizes.Size(
    "little", stations=3, technicians=4, customers=4, open=15, closed=30, days=45, regions=4, past=400
)  # fmt: skip
SCHEMA = """
SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE contype <> 'n'
UNION ALL SELECT indrelid::regclass::text, '', pg_get_indexdef(indexrelid) FROM pg_index
JOIN pg_class c ON c.oid = indrelid WHERE c.relnamespace = 'public'::regnamespace ORDER BY 1, 2, 3
"""


@pytest.fixture
def country(databases: Any, monkeypatch: pytest.MonkeyPatch, clock: Any) -> Iterator[list[Any]]:
    """A little country on PostgreSQL, at the standing clock: a company so small has a photo by the hour or not. Gives
    the schema as it was before."""
    monkeypatch.setitem(sizes.SIZES, LITTLE.code, LITTLE)
    postgres = databases["postgresql"]
    postgres.reset()
    with postgres.app.app_context():
        before = list(session.execute(text(SCHEMA)).all())
        load.load(LITTLE.code, seed=360, tell=lambda _line: None)
        yield before
        session.remove()


def count(model: Any, *where: Any) -> int:
    return session.scalar(select(func.count()).select_from(model).where(*where)) or 0


@pytest.mark.slow
def test_a_country_is_sound_and_as_large_as_told(country: list[Any]) -> None:
    assert [f"{check.code}: {check.seen}" for check in verify() if not check.sound] == []
    assert (unlogged_count(), lost_events(), first_broken_link()) == (0, 0, None)
    assert list(session.execute(text(SCHEMA)).all()) == country, "indexes and constraints are back"
    assert (count(Station), count(Technician)) == (12, 48)
    assert 350 <= count(WorkOrder, WorkOrder.state == "closed") <= 450
    for table in ("service_request", "work_order", "visit", "event", "clock", "customer"):
        last, given = session.execute(
            text(
                f"SELECT (SELECT max(id) FROM {table}),"
                f" pg_sequence_last_value(pg_get_serial_sequence('{table}', 'id')::regclass)"
            )
        ).one()
        assert given == last, table


@pytest.mark.slow
def test_regions_differ_in_place_and_people_and_agree_in_what_happened(country: list[Any]) -> None:
    names = session.scalars(select(Customer.name_core)).all()
    assert len(set(names)) == len(names), "no customer looks like a duplicate of another"
    phones = session.scalars(select(Contact.phone)).all()
    assert len(set(phones)) == len(phones)
    held = session.scalars(select(TerritoryDivision.code)).all()
    assert not [(one, other) for one in held for other in held if one != other and divisions.within(one, other)]
    for station in session.scalars(select(Station)):
        mine = session.execute(
            select(Site.latitude, Site.longitude)
            .join(Customer, Customer.id == Site.customer_id)
            .where(Customer.station_id == station.id)
        ).all()
        assert all(abs(site.latitude - station.latitude) < 6 for site in mine), station.code
    newest = session.scalars(
        select(WorkOrder)
        .where(WorkOrder.state.not_in(("closed", "completed")), WorkOrder.request_id.is_not(None))
        .order_by(WorkOrder.id.desc())
    ).first()
    assert newest is not None
    asset, request = session.get(Asset, newest.asset_id), session.get(ServiceRequest, newest.request_id)
    assert asset is not None
    assert asset.customer_id == newest.customer_id
    assert request is not None
    contact = session.get(Contact, request.contact_id)
    assert contact is not None
    assert (contact.customer_id, contact.phone) == (newest.customer_id, request.contact_phone)
    clocks = session.scalars(select(Clock).where(Clock.subject_id == request.id)).all()
    assert {clock.station_id for clock in clocks} == {newest.station_id}
    told = session.scalars(select(Event).where(Event.subject_type == "service_request", Event.subject_id == request.id))
    assert {event.station_id for event in told} == {newest.station_id}
    made = session.scalars(select(Event).where(Event.kind == "work_order.created", Event.subject_id == newest.id)).one()
    assert made.facts.get("request") == request.number


@pytest.mark.slow
def test_earlier_months_hold_closed_orders_without_events(country: list[Any]) -> None:
    oldest = session.scalars(select(WorkOrder).order_by(WorkOrder.created_at)).first()
    assert oldest is not None
    newest = session.scalars(select(WorkOrder.created_at).order_by(WorkOrder.id.desc())).first()
    assert newest is not None
    assert newest - oldest.created_at > timedelta(days=100)
    assert oldest.id < (session.scalar(select(func.min(WorkOrder.id)).where(WorkOrder.state == "ready")) or 0)
    assert oldest.state == "closed"
    assert oldest.number.split("-")[1] == str(oldest.created_at.year)
    assert count(Event, Event.subject_type == "work_order", Event.subject_id == oldest.id) == 0
    visits = session.scalars(select(Visit).where(Visit.work_order_id == oldest.id)).all()
    assert visits
    assert all(visit.starts_at > oldest.created_at for visit in visits)


@pytest.mark.slow
def test_copied_photos_are_there(country: list[Any]) -> None:
    files = session.scalars(select(StoredFile).where(StoredFile.state == "ready")).all()
    assert files
    assert len(files) % LITTLE.regions == 0
    assert all(kept_path(file.key, file.content_type).exists() for file in files)
    photos = {file.id: file for file in files}
    for answer in session.scalars(select(Answer)):
        value = answer.content.get("value")
        if isinstance(value, list) and value and isinstance(value[0], int):
            assert [photos[number].subject_id for number in value] == [answer.visit_id] * len(value)


def test_areas_are_enough_for_a_nation_and_never_overlap() -> None:
    held = ["320200", "320505", "330200"]
    found = areas(290, held)
    codes = [area.code for area in found]
    assert len(set(codes)) == 290
    assert "320500" not in codes, "held in part"
    assert not [one for one in codes for other in codes if one != other and divisions.within(one, other)]
