"""Follow-up work is for somebody: its contact is that of the work it follows, however often."""

from datetime import timedelta
from typing import Any

from flask import Flask
from sqlalchemy import select

from fieldservice.foundation.db import session, write
from fieldservice.foundation.time import now
from fieldservice.stations.models import Technician
from fieldservice.workorders import booking, visits
from fieldservice.workorders.models import Visit, WorkOrder
from fieldservice.workorders.onsite import follow_ups
from fieldservice.workorders.onsite.callers import caller_of
from fieldservice.workorders.onsite.models import FollowUp
from tests.workorders.on_tour import START, make_tour
from tests.workorders.test_tablet_commands import Tablet


def followed(tablet: Tablet, words: str) -> int:
    """Work that the present visit finds necessary, sent to the same technician after this one; the visit's id."""
    tablet.send("follow_up", words=words, urgency="soon")
    order_id = session.scalars(select(FollowUp.work_order_id).order_by(FollowUp.id.desc())).first()

    def send() -> int:
        lu = session.get_one(Technician, tablet.tour.technician_id)
        visit = booking.schedule_visit(session.get_one(WorkOrder, order_id), lu, START + timedelta(hours=4))
        booking.send_visit(visit)
        return visit.id

    return write(send)


def test_the_contact_of_the_first_request_speaks_for_everything_that_follows(app: Flask, sign_in: Any) -> None:
    tablet = Tablet(app, make_tour())
    write(lambda: setattr(tablet.tour.order, "number", "WO-SCENE"))  # out of the way of the numbers given here
    asked = tablet.tour.at_work().order.request
    assert asked is not None
    wanted = (asked.contact_name, asked.contact_phone, asked.language)
    visit_id = followed(tablet, "下月更换弹性体")
    shown = next(one for one in tablet.get("/tablet/snapshot").json["visits"] if one["id"] == visit_id)
    assert (shown["contact"]["name"], shown["contact"]["phone"], shown["customer_language"]) == wanted
    page = sign_in("dispatcher", tablet.tour.station_id).get(f"/work-orders/{shown['number']}").text
    assert f"tel:{wanted[1]}" in page

    def again() -> int:
        second = session.get_one(Visit, visit_id)
        for state in ("accepted", "en_route", "on_site"):
            visits.step(second, state, now())
        return follow_ups.open_follow_up(second, "再看一次", "normal", now()).work_order_id

    third = session.get_one(WorkOrder, write(again))
    caller = caller_of(third)
    assert caller is not None
    assert caller.contact_phone == wanted[1]


def test_work_that_nobody_asked_for_has_no_contact(app: Flask) -> None:
    tour = make_tour()
    write(lambda: setattr(tour.order, "request_id", None))
    assert caller_of(tour.order) is None
