"""The last visits to a caller's machines, beside the agent's form (J-13)."""

from typing import Any

from flask import Flask

from fieldservice.foundation.access import Person
from fieldservice.foundation.db import session, write
from fieldservice.foundation.time import Clock, now
from fieldservice.workorders import visits
from fieldservice.workorders.caller_views import SHOWN, finished_visits
from fieldservice.workorders.models import Visit
from tests import factories as make

EVERYWHERE = Person(1, "周敏", "z@demo.test", roles={"agent": None})


def company(count: int = 1) -> tuple[int, int]:
    """Station and customer, with so many visits that ended without access, and one that is still to come."""

    def build() -> tuple[int, int]:
        station = make.station(territory=["320214"])
        technician = make.technician(station, days=14)
        machine = make.asset(make.site(make.customer()))
        for number in range(count + 1):
            visit = make.visit(make.order(make.request(machine)), technician, in_minutes=60 + 200 * number)
            if number < count:
                for step in (visits.accept, visits.set_off, visits.arrive):
                    step(visit, now())
                visits.finish(visit, outcome="cannot_complete", restored=False, reason="no_access", at=now())
        return station.id, machine.customer_id

    return write(build)


def test_J_13_finished_visits_newest_first(app: Flask, clock: Clock) -> None:
    station, customer = company(1)
    (visit,) = finished_visits(customer, EVERYWHERE)
    assert (visit.state, visit.work_order.asset is not None) == ("cannot_complete", True)
    assert finished_visits(customer, Person(2, "x", "x@demo.test", roles={"agent": frozenset({station})})) == [visit]
    assert finished_visits(customer + 1, EVERYWHERE) == []
    assert finished_visits(10**30, EVERYWHERE) == []


def test_another_stations_visits_are_not_told(sqlite_app: Flask, clock: Clock) -> None:
    station, customer = company(1)
    elsewhere = Person(2, "x", "x@demo.test", roles={"agent": frozenset({station + 1})})
    assert finished_visits(customer, elsewhere) == []


def test_the_part_of_the_desk(app: Flask, clock: Clock, sign_in: Any) -> None:
    _station, customer = company(1)
    page = sign_in("agent").get(f"/customers/{customer}/visits").get_data(as_text=True)
    number = session.query(Visit).order_by(Visit.id).first().work_order.number
    assert f"/work-orders/{number}" in page
    assert "陆建国" in page
    assert "<html" not in page
    assert "暂无上门记录" in sign_in("agent").get("/customers/999/visits").get_data(as_text=True)
    assert sign_in("technician").get(f"/customers/{customer}/visits").status_code == 403
    assert SHOWN == 5
