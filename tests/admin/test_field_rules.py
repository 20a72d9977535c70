"""The station's rules of work in the field: seen and set by its manager, and remembered (S-09, P-09, L-04)."""

from typing import Any

import pytest
from flask import Flask

from fieldservice.foundation.db import session, write
from fieldservice.stations.models import Station
from fieldservice.workorders import field_rules
from fieldservice.workorders.onsite.leaving import CONDUCT, conduct_required
from fieldservice.workorders.rates import GOODWILL, LABOUR, TRAVEL, rates_of
from tests.admin.test_pages import token_of
from tests.workorders.scene import make_station

TYPED = {CONDUCT: "yes", LABOUR: "300", TRAVEL: "160.00", GOODWILL: "1,000.50"}


@pytest.fixture
def wuxi(app: Flask) -> int:
    return write(lambda: make_station().id)


def send(client: Any, station_id: int, **typed: str) -> Any:
    code = session.get_one(Station, station_id).code
    token = token_of(client.get("/account"))
    form = {"csrf_token": token, **TYPED, "seen": field_rules.seen_of(station_id), **typed}
    return client.post(f"/admin/field-rules/{code}", data=form)


def test_a_manager_sets_what_holds_and_sees_who_did(wuxi: int, sign_in: Any) -> None:
    client = sign_in("station_manager", wuxi)
    page = client.get("/admin/field-rules")
    assert page.status_code == 200
    assert "尚无改动" in page.text
    assert send(client, wuxi).status_code == 303
    rates = rates_of(wuxi)
    assert (rates.labour, rates.travel, rates.goodwill, conduct_required(wuxi)) == (300_00, 160_00, 1000_50, True)
    changes = [(one.label, one.value) for one in field_rules.changes_of(wuxi)]
    assert len(changes) == 3  # the price of the road is what holds everywhere: nothing was changed
    shown = client.get("/admin/field-rules").text
    assert "300.00" in shown
    assert "1,000.50" in shown
    assert shown.count("<tr>") == 4


def test_what_is_emptied_holds_as_elsewhere_again(wuxi: int, sign_in: Any) -> None:
    client = sign_in("admin")
    send(client, wuxi)
    back = {CONDUCT: "no", LABOUR: "", TRAVEL: "", GOODWILL: "500"}
    assert send(client, wuxi, **back).status_code == 303
    assert not any(rule.own for rule in field_rules.rules_of(wuxi))
    assert [one.value for one in field_rules.changes_of(wuxi)][:3] == ["", "", ""]


@pytest.mark.parametrize("amount", ["-1", "100000.01", "1.234", "NaN", "1e9", "Infinity", "x", "٣x", "9" * 30])
def test_an_amount_that_cannot_be_meant_is_told_beside_its_field(wuxi: int, sign_in: Any, amount: str) -> None:
    answer = send(sign_in("station_manager", wuxi), wuxi, **{LABOUR: amount, GOODWILL: "7"})
    assert answer.status_code == 422
    assert f'id="{LABOUR}-error"' in answer.text
    assert 'value="7"' in answer.text  # nothing typed is lost
    assert rates_of(wuxi).goodwill == 500_00  # all or nothing


def test_nobody_overwrites_what_he_has_not_seen(wuxi: int, sign_in: Any) -> None:
    client, seen = sign_in("station_manager", wuxi), field_rules.seen_of(wuxi)
    send(client, wuxi)
    answer = send(client, wuxi, **{GOODWILL: "1", "seen": seen})
    assert answer.status_code == 412
    assert rates_of(wuxi).goodwill == 1000_50


def test_who_may_look_and_who_may_set(wuxi: int, sign_in: Any) -> None:
    other = write(lambda: make_station("WXHS").id)
    code = session.get_one(Station, wuxi).code
    director = sign_in("director")
    assert director.get(f"/admin/field-rules?station={code}").status_code == 200
    assert send(director, wuxi).status_code == 403
    stranger = sign_in("station_manager", other)
    assert stranger.get(f"/admin/field-rules?station={code}").status_code == 404
    assert send(stranger, wuxi).status_code == 404
    for role in ("technician", "dispatcher", "customer"):
        assert sign_in(role, wuxi).get("/admin/field-rules").status_code == 403
    assert sign_in("admin").get("/admin/field-rules?station=NOPE").status_code == 404
