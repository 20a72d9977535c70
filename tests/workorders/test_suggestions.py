"""Suggestions on both databases: who, when, why, and in how many statements."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime

import pytest
from flask import Flask
from flask_babel import force_locale
from sqlalchemy import event

from fieldservice.assets.models import Asset
from fieldservice.customers.models import Site
from fieldservice.foundation.db import db, session, write
from fieldservice.foundation.errors import Conflict
from fieldservice.foundation.places import Point
from fieldservice.foundation.time import day_span
from fieldservice.mechanisms import policies
from fieldservice.mechanisms.lifecycle import move
from fieldservice.stations.models import Technician
from fieldservice.workorders import booking
from fieldservice.workorders.days import LENDING, ROSTERED
from fieldservice.workorders.models import Visit, WorkOrder
from fieldservice.workorders.suggestions import Suggestions, suggest
from fieldservice.workorders.wishes import TechnicianWish
from tests.workorders.cast import DAY, FAR, HOME
from tests.workorders.scene import (
    Scene,
    local_at,
    make_order,
    make_request,
    make_scene,
    make_station,
    make_technician,
    need_part,
    roster,
    stock,
    team,
)  # fmt: skip


@pytest.fixture
def scene(app: Flask) -> Scene:
    return make_scene()


@contextmanager
def statements() -> Iterator[list[str]]:
    """Every SQL statement sent meanwhile."""
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        sent.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def ask(order: WorkOrder, days: int = 1, **facts: object) -> Suggestions:
    start, end = day_span(DAY, days)
    return suggest(order, start=start, end=end, **facts)  # type: ignore[arg-type]  # passed on


def names(answers: Suggestions) -> list[str]:
    return [one.member.names["en"] for one in answers.suggestions]


def test_whoever_fits_is_suggested_and_everybody_else_has_a_rule(scene: Scene) -> None:
    answers = ask(scene.order)
    assert names(answers) == ["Lu Jianguo"]
    (best,) = answers.suggestions
    assert best.slot.starts_at == local_at(10, 45)
    assert best.slot.travel_min == 15
    assert [(one.member.names["en"], one.first.rule) for one in answers.refused] == [("Xu Xiaofeng", "skill")]
    with force_locale("en"):
        assert best.reasons == ["Gearboxes L2", "15 min away"]
        assert (best.warning, best.outlook) == ("", "3 h 45 min before the promise")
    with force_locale("zh"):
        assert best.reasons == ["齿轮箱 L2", "路程 15 分钟"]
        assert best.outlook == "早于承诺 3 小时 45 分"


def test_what_is_suggested_can_be_booked(scene: Scene) -> None:
    write(lambda: team(scene.station, 3, days=3))
    answers = ask(scene.order, days=3).suggestions
    assert len(answers) == 12

    def book(technician_id: int, starts_at: datetime) -> Visit:
        order = make_order(scene.station, request=scene.request)
        return booking.schedule_visit(order, session.get_one(Technician, technician_id), starts_at)

    for answer in answers:
        visit = write(lambda answer=answer: book(answer.member.id, answer.slot.starts_at))
        assert visit.travel_min == answer.slot.travel_min


def test_several_days_give_one_slot_each(scene: Scene) -> None:
    found = [one.slot.starts_at for one in ask(scene.order, days=3).suggestions]
    assert found == [local_at(10, 45), local_at(8, 15, date(2026, 11, 26)), local_at(8, 15, date(2026, 11, 27))]
    assert len(ask(scene.order, days=3, limit=1).suggestions) == 1


def test_T_04_a_late_arrival_is_warned_of(scene: Scene) -> None:
    request = write(lambda: make_request(scene.station, arrival="10 min"))
    order = write(lambda: make_order(scene.station, request=request))
    (best,) = ask(order).suggestions
    assert best.slot.late_min == 5
    with force_locale("en"):
        assert best.warning == "Arrives 5 min late"
    with force_locale("zh"):
        assert best.warning == "到场迟 5 分钟"


def test_G_02_a_customers_named_engineer_goes_first_and_an_unwanted_one_stays(scene: Scene) -> None:
    def wish(technician: Technician, what: str) -> None:
        session.add(TechnicianWish(customer_id=scene.customer.id, technician_id=technician.id, wish=what))

    [one, other] = write(lambda: team(scene.station, 2, home=FAR))
    assert names(ask(scene.order))[0] == "Lu Jianguo"
    write(lambda: wish(other, "preferred"))
    with force_locale("en"):
        asked = [found for found in ask(scene.order).suggestions if found.member.id == other.id]
        assert "asked for by the customer" in asked[0].reasons
    write(lambda: wish(one, "required"))
    answers = ask(scene.order)
    assert [found.member.id for found in answers.suggestions] == [one.id]
    assert {found.first.rule for found in answers.refused} == {"customer", "skill"}
    write(lambda: wish(scene.lu, "excluded"))
    with pytest.raises(Conflict) as refused:
        write(lambda: booking.schedule_visit(scene.order, scene.lu, local_at(13)))
    assert refused.value.code == "customer"


def test_a_county_says_about_and_an_unknown_place_says_so(scene: Scene) -> None:
    county = write(lambda: make_order(scene.station, precision="county"))
    prefecture = write(lambda: make_order(scene.station, precision="prefecture"))
    with force_locale("en"):
        assert ask(county).suggestions[0].travel_text == "about 15 min"
        assert ask(prefecture).suggestions[0].travel_text == "drive not known"


def test_whoever_was_there_before_is_told(scene: Scene) -> None:
    def machine() -> int:
        site = Site(
            customer_id=scene.customer.id, names={"zh": "厂"}, address="长江路 88 号", access_rules={}, environment={}
        )
        session.add(site)
        session.flush()
        asset = Asset(
            serial="GK1", serial_key="GK1", names={"zh": "减速机"}, model="GK-320", customer_id=scene.customer.id,
            site_id=site.id,
        )  # fmt: skip
        session.add(asset)
        session.flush()
        return asset.id

    asset_id = write(machine)
    before = write(lambda: make_order(scene.station, asset_id=asset_id))
    visit = write(lambda: booking.schedule_visit(before, scene.lu, local_at(11)))
    write(lambda: _complete(visit))
    chen = write(lambda: make_technician(scene.station, "陈志远", "Chen Zhiyuan"))
    again = write(lambda: make_order(scene.station, asset_id=asset_id))
    known, other = ask(again, days=2).of(scene.lu.id), ask(again, days=2).of(chen.id)
    assert "same_asset" in [reason.code for reason in known.slot.reasons]  # type: ignore[union-attr]  # suggested
    assert "same_asset" not in [reason.code for reason in other.slot.reasons]  # type: ignore[union-attr]  # suggested


def _complete(visit: Visit) -> None:
    for state in ("dispatched", "accepted", "en_route", "on_site", "in_progress", "completed"):
        move(visit, state)


def test_parts_decide(scene: Scene) -> None:
    part = write(lambda: need_part(scene.order))
    assert [one.first.rule for one in ask(scene.order).refused] == ["part", "skill"]
    write(lambda: stock(part, scene.station, 1, scene.lu))
    (best,) = ask(scene.order).suggestions
    assert "parts_van" in [reason.code for reason in best.slot.reasons]


# Other stations -----------------------------------------------------------------------------------


def test_other_stations_are_asked_only_when_they_may_be(scene: Scene) -> None:
    suzhou = write(lambda: make_station("SZYQ", FAR, "苏州园区站", "Suzhou SIP"))
    shen = write(lambda: make_technician(suzhou, "沈磊", "Shen Lei", home=FAR))
    assert ask(scene.order).of(shen.id) is None
    for stations in (None, {scene.station.id, suzhou.id}):
        answers = ask(scene.order, stations=stations)
        assert names(answers) == ["Lu Jianguo", "Shen Lei"]
        assert "borrowed" in [reason.code for reason in answers.suggestions[1].slot.reasons]
    write(lambda: policies.set_override(LENDING, "station", suzhou.id, ROSTERED, at=local_at(10)))
    answer = ask(scene.order, stations=None).of(shen.id)
    assert answer.first.rule == "station"  # type: ignore[union-attr]  # refused
    write(lambda: roster(shen, scene.station, hours=(12, 20)))
    assert "Shen Lei" in names(ask(scene.order))  # rostered here: lent, for everybody to see


def test_the_nearest_stations_are_asked_first(scene: Scene) -> None:
    for number in range(15):
        code, point = f"S{number}", Point(32 + number / 2, 121)
        station = write(lambda code=code, point=point: make_station(code, point))
        write(lambda station=station: make_technician(station, home=HOME))
    stations = {one.member.station_id for one in ask(scene.order, stations=None).suggestions}
    assert len(stations) == 12
    assert scene.station.id in stations


# Cost ---------------------------------------------------------------------------------------------


def test_the_number_of_statements_does_not_grow_with_the_team(scene: Scene) -> None:
    write(lambda: need_part(scene.order))
    counts = []
    for size in (2, 30):
        write(lambda size=size: team(scene.station, size, days=3))
        session.expire_all()
        session.get_one(WorkOrder, scene.order.id)
        with statements() as sent:
            ask(scene.order, days=3, stations=None)
        counts.append(len(sent))
    assert counts[0] == counts[1]
    assert counts[1] <= 18  # one of them is the station's place, where parts are collected


def test_no_more_than_the_limit_but_all_refused(scene: Scene) -> None:
    write(lambda: team(scene.station, 12, days=3))
    write(lambda: team(scene.station, 5, skills={}))
    answers = ask(scene.order, days=3, limit=10)
    assert len(answers.suggestions) == 10
    assert len(answers.refused) == 6
    assert answers.suggestions == sorted(answers.suggestions, key=lambda one: -one.slot.score)
    assert all(one.slot.starts_at >= local_at(10, 30) for one in answers.suggestions)
