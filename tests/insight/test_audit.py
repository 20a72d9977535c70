"""The audit page: filters, words, access, and the table that goes out."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from fieldservice.foundation.db import session, write
from fieldservice.intake.models import ServiceRequest
from tests import factories as make


@pytest.fixture
def trail(app: Flask) -> dict[str, Any]:
    def build() -> dict[str, Any]:
        one, two = (
            make.station(territory=("320214",)),
            make.station("SZYQ", "苏州园区站", "Suzhou", territory=("320505",)),
        )
        order = make.order(make.request(make.asset(make.site(make.customer(station=one)))))
        return {"one": one.id, "two": two.id, "order": order.number}

    return write(build)


def test_N_22_the_trail_tells_who_did_what_and_is_filtered(app: Flask, trail: dict[str, Any], sign_in: Any) -> None:
    admin = sign_in("admin", name="高宁")
    shown = admin.get("/admin/audit", query_string={"lang": "zh"})
    assert shown.status_code == 200
    assert trail["order"] in shown.text
    number = session.scalars(select(ServiceRequest.number)).one()
    about = admin.get("/admin/audit", query_string={"number": number})
    assert number in about.text
    assert "territory.active" not in about.text
    assert "territory.active" in admin.get("/admin/audit", query_string={"entity": "territory"}).text
    assert "work_order.created" not in admin.get("/admin/audit", query_string={"to": "2020-01-01"}).text
    assert "work_order.created" not in admin.get("/admin/audit", query_string={"station": "SZYQ"}).text
    for senseless in (
        {"number": "'; --"},
        {"after": "x"},
        {"from": "soon"},
        {"entity": "x"},
        {"number": "a:99999999999999999999"},
    ):
        assert admin.get("/admin/audit", query_string=senseless).status_code == 200


def test_the_table_holds_the_whole_trail(app: Flask, trail: dict[str, Any], sign_in: Any, monkeypatch: Any) -> None:
    from fieldservice.insight import audit
    from fieldservice.mechanisms.events import Event

    monkeypatch.setattr(audit, "PAGE", 3)
    text = sign_in("director").get("/admin/audit.csv").text
    count = len(session.scalars(select(Event.id)).all())
    assert len(text.strip().splitlines()) == count + 1


@pytest.mark.parametrize("role", ["dispatcher", "technician", "station_manager", "customer"])
def test_others_do_not_see_it(sqlite_app: Flask, role: str) -> None:
    from tests.conftest import make_user

    browser = sqlite_app.test_client()
    mark = make_user(role).fs_uniquifier
    session.rollback()
    with browser.session_transaction() as kept:
        kept["_user_id"] = mark
    assert browser.get("/admin/audit").status_code == 403
    assert browser.get("/admin/verify").status_code == 403


def test_verify_explains_what_it_compared(app: Flask, trail: dict[str, Any], sign_in: Any) -> None:
    shown = sign_in("admin").get("/admin/verify", query_string={"run": "1", "lang": "en"}).text
    assert "hash chain" in shown
    assert shown.count("sound") >= 5
    told = app.test_cli_runner().invoke(args=["verify"])
    assert told.exit_code == 0, told.output
