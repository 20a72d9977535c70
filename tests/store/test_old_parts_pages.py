"""The loop of an old part through the tablet and the pages: opened once, scanned in, claimed, settled."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from fieldservice.foundation.db import session, write
from fieldservice.foundation.time import Clock, now
from fieldservice.insight.verify import verify
from fieldservice.mechanisms.tasks import Task
from fieldservice.parts.catalogue.models import Supplier
from fieldservice.parts.queries import unbalanced
from fieldservice.parts.returns import reminding, services
from fieldservice.parts.returns.models import OldPart, SupplierClaim
from fieldservice.stations.models import Station
from tests.store.scene import statements
from tests.workorders.desk import token
from tests.workorders.on_tour import SEAL, make_tour
from tests.workorders.scene import make_station
from tests.workorders.test_tablet_commands import Tablet


@pytest.fixture
def tablet(app: Flask, clock: Clock) -> Tablet:
    return Tablet(app, make_tour())


@pytest.fixture
def keeper(tablet: Tablet, sign_in: Any) -> FlaskClient:
    client: FlaskClient = sign_in("storekeeper", tablet.tour.station_id)
    return client


def old_parts() -> list[OldPart]:
    session.rollback()
    return list(session.scalars(select(OldPart).order_by(OldPart.id)))


def code(tablet: Tablet) -> str:
    return str(session.get_one(Station, tablet.tour.station_id).code)


def send(client: FlaskClient, path: str, **fields: Any) -> Any:
    return client.post(path, data={"csrf_token": token(client, "/parts/catalogue"), **fields})


def fitted(tablet: Tablet, removed: str = "OLD-1") -> dict[str, Any]:
    tablet.tour.at_work()
    command = tablet.command("part", part=SEAL, quantity="1", serial="NEW-1", removed_serial=removed)
    assert tablet.post(command)[0]["status"] == "accepted"
    return command


def supplier() -> str:
    return write(lambda: session.add(Supplier(code="S-9", names={"zh": "轴封厂", "en": "Seal works"})) or "S-9")


def sound() -> bool:
    return all(check.sound for check in verify() if check.code in ("ledger", "old_parts"))


def test_a_replayed_use_wants_its_old_part_once_and_taking_it_back_cancels_it(tablet: Tablet) -> None:
    command = fitted(tablet)
    tablet.post(command, command)
    [old] = old_parts()
    assert (old.state, old.removed_serial, old.fitted_serial) == ("expected", "OLD-1", "NEW-1")
    assert (old.asset_id, old.work_order_id) == (tablet.tour.order.asset_id, tablet.tour.order_id)
    assert (old.technician_id, old.station_id) == (tablet.tour.technician_id, tablet.tour.station_id)
    assert "numbered" in old.reasons
    assert sound()
    back = tablet.command("part", returns=command["id"])
    tablet.post(back)
    tablet.post(back)
    [old] = old_parts()
    assert (old.state, old.use_id) == ("cancelled", None)
    assert sound()


def test_what_was_dropped_off_goes_its_way_though_the_use_is_undone(tablet: Tablet, keeper: FlaskClient) -> None:
    command = fitted(tablet)
    assert send(keeper, f"/parts/returns/at/{code(tablet)}/scan", code="OLD-1").status_code == 303
    tablet.send("part", returns=command["id"])
    [old] = old_parts()
    assert (old.state, old.use_id) == ("dropped_off", None)
    assert sound()


def test_verify_finds_a_use_whose_old_part_was_forgotten(tablet: Tablet) -> None:
    fitted(tablet)
    write(lambda: session.delete(session.scalars(select(OldPart)).one()))
    assert not sound()


def test_the_whole_loop_on_the_pages(tablet: Tablet, keeper: FlaskClient) -> None:
    fitted(tablet)
    at, maker = code(tablet), supplier()
    page = keeper.get("/parts/returns").text
    assert "OLD-1" in page
    assert tablet.tour.order.number in page
    assert "待交回旧件" in keeper.get("/parts").text
    assert send(keeper, f"/parts/returns/at/{at}/scan", code="SN OLD-1").status_code == 303
    again = send(keeper, f"/parts/returns/at/{at}/scan", code="OLD-1")
    assert again.status_code == 409
    assert "已经交回" in again.text
    [old] = old_parts()
    number, one = old.id, f"/parts/returns/{old.id}"
    assert send(keeper, f"{one}/inspect", finding="claim").status_code == 422
    assert send(keeper, f"{one}/inspect", finding="claim", supplier=maker, words="唇口龟裂").status_code == 303
    assert "唇口龟裂" in keeper.get(one).text
    assert "轴封厂" in keeper.get("/parts/claims").text
    begun = send(keeper, f"/parts/claims/at/{at}/new", supplier=maker, line=number)
    assert begun.status_code == 303
    assert send(keeper, f"/parts/claims/at/{at}/new", supplier=maker, line=number).status_code == 409
    claim = session.scalars(select(SupplierClaim)).one().number
    to, due = f"/parts/claims/{claim}", (now() + timedelta(days=9)).date().isoformat()
    assert send(keeper, f"{to}/lines", **{f"claimed-{number}": "280.50"}).status_code == 303
    assert send(keeper, f"{to}/send", answer_due="gestern").status_code == 422
    assert send(keeper, f"{to}/send", answer_due=due, carrier="顺丰", tracking="SF-7").status_code == 303
    assert send(keeper, f"{to}/send", answer_due=due).status_code == 409
    too_much = {f"result-{number}": "credit", f"credited-{number}": "999"}
    assert send(keeper, f"{to}/answer", **too_much).status_code == 422
    given = {f"result-{number}": "credit", f"credited-{number}": "200", "their_number": "TH-5"}
    assert send(keeper, f"{to}/answer", **given).status_code == 303
    assert send(keeper, f"{to}/settle", credit_note="CN-8").status_code == 303
    [old] = old_parts()
    assert (old.state, old.result, old.claimed, old.credited) == ("settled", "credit", 280_50, 200_00)
    assert "CN-8" in keeper.get(to).text
    figures = keeper.get("/parts/claims/figures").text
    assert "轴封厂" in figures
    table = keeper.get("/parts/claims/figures.csv").text.splitlines()
    assert table[1].split(",")[1:8] == ["轴封厂", "1", "280.50", "200.00", "0.00", "0.00", "0.00"]
    assert unbalanced() == []
    assert sound()


@pytest.mark.parametrize("path", ["", "/drop-off", "/inspect", "/scrap", "/restock", "/repair", "/repaired", "/lost"])
def test_another_station_sees_and_does_nothing(tablet: Tablet, sign_in: Any, path: str) -> None:
    fitted(tablet)
    [old] = old_parts()
    elsewhere = write(lambda: _another())
    stranger = sign_in("station_manager", elsewhere)
    url = f"/parts/returns/{old.id}{path}"
    answer = send(stranger, url, serial="OLD-1", reason="x", finding="scrap", cost="1") if path else stranger.get(url)
    assert answer.status_code == 404
    assert send(stranger, f"/parts/returns/at/{code(tablet)}/scan", code="OLD-1").status_code == 404
    assert old_parts()[0].state == "expected"


def _another() -> int:
    return make_station("WYYW").id


@pytest.mark.parametrize(
    ("typed", "status"),
    [
        ("", 422),
        ("NIX", 422),
        (SEAL, 303),
        (f"{SEAL};OTHER", 409),
        ("a\0b", 422),
        ("x" * 500, 422),
        (f"{SEAL};OLD-1", 303),
    ],
)
def test_scans_that_fit_and_that_do_not(tablet: Tablet, keeper: FlaskClient, typed: str, status: int) -> None:
    fitted(tablet)
    answer = send(keeper, f"/parts/returns/at/{code(tablet)}/scan", code=typed)
    assert answer.status_code == status, answer.text
    assert old_parts()[0].state == ("dropped_off" if typed.endswith("OLD-1") else "expected")


def test_a_list_costs_the_same_however_long_it_is(tablet: Tablet, keeper: FlaskClient) -> None:
    tablet.tour.at_work()

    def fit(number: int) -> None:
        command = tablet.command("part", part=SEAL, quantity="1", removed_serial=f"R-{number}")
        assert tablet.post(command)[0]["status"] == "accepted"

    fit(1)
    keeper.get("/parts/returns")
    with statements() as few:
        keeper.get("/parts/returns")
    fit(2)
    with statements() as more:
        assert "R-2" in keeper.get("/parts/returns").text
    assert len(more) == len(few)


def test_whoever_owes_is_asked_before_it_is_due_and_the_store_once_it_is_overdue(tablet: Tablet, clock: Clock) -> None:
    fitted(tablet)
    [old] = old_parts()
    due = old.due_at

    def asked(at: Any) -> list[tuple[str, str, Any]]:
        for _again in range(2):
            if reminding.is_due(at):
                write(lambda: reminding.remind(at))
        rows = session.scalars(select(Task).where(Task.subject_type == "old_part").order_by(Task.id)).all()
        return [(one.title, one.state, one.owner_user_id) for one in rows]

    lu = tablet.tour.user_id
    assert asked(due - timedelta(days=2)) == []
    assert asked(due - timedelta(hours=20)) == [("old_part_due", "open", lu)]
    assert asked(due + timedelta(hours=1)) == [("old_part_due", "open", lu), ("old_part_overdue", "open", None)]
    write(lambda: services.drop_off(session.get_one(OldPart, old.id), at=now(), serial="OLD-1"))
    assert [state for _title, state, _who in asked(due + timedelta(days=3))] == ["cancelled", "cancelled"]
