"""Sitting at a desk: pages of a client signed in, with the forms' cross-site token; a company to work on."""

import re
from dataclasses import dataclass
from typing import Any

import pytest
from flask.testing import FlaskClient

from fieldservice.foundation import deferred
from fieldservice.foundation.db import session, write
from tests import factories


@dataclass(frozen=True)
class Numbers:
    """What tests name: rows are read again by whoever needs them."""

    station: int
    far_station: int
    technician: int
    asset: int
    request: str
    far_request: str


def make_company() -> Numbers:
    """Two stations; a customer with a machine at the first; one new request at each. Committed."""

    def work() -> Numbers:
        here = factories.station(territory=("320214",))
        far = factories.station(
            "SZSIP",
            "苏州园区站",
            "Suzhou SIP",
            division_code="320506",
            territory=("320506",),
            point=factories.Point(31.32, 120.72),
        )
        somebody = factories.technician(here)
        machine = factories.asset(factories.site(factories.customer()))
        factories.part()
        near = factories.request(machine)
        place = factories.Place("江苏省苏州市吴中区东方大道 1 号", "320506", factories.Point(31.32, 120.72), "point")
        away = factories.request(None, place=place, contact_phone="13800138000", severity="minor")
        assert (near.station_id, away.station_id) == (here.id, far.id)
        return Numbers(here.id, far.id, somebody.id, machine.id, near.number, away.number)

    return write(work)


def token(client: FlaskClient, page: str = "/work-orders") -> str:
    """The cross-site token of a page."""
    found = re.search(r'name="csrf-token" content="([^"]+)"', client.get(page).text)
    assert found is not None
    return found[1]


def post(client: FlaskClient, url: str, **fields: Any) -> Any:
    """A form sent from our own page."""
    return client.post(url, data={"csrf_token": token(client), **fields})


def fresh(model: Any, number: str) -> Any:
    """The row of a number as it is now."""
    session.rollback()
    return session.query(model).filter_by(number=number).one()


def finish_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Re-encode what was received, in this process."""

    def compute(function: Any, *arguments: Any, timeout: float) -> Any:
        return function(*arguments)

    monkeypatch.setattr("fieldservice.mechanisms.files.services.compute", compute)
    for claimed in write(lambda: deferred.claim(20)):
        deferred.run(claimed)
    session.rollback()
