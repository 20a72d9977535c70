"""The pages of the store and the call for scripts: who may see and do what, scanned labels, refusals, no 500."""

import re
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask, current_app
from flask.testing import FlaskClient
from sqlalchemy import func, select

from fieldservice.accounts.services import create_token
from fieldservice.foundation.db import session, write
from fieldservice.foundation.time import now
from fieldservice.mechanisms.lifecycle import move
from fieldservice.parts import queries, services
from fieldservice.parts.models import StockBatch, StockLocation, StockMove
from fieldservice.parts.receipts.models import GoodsReceipt
from tests import factories as make
from tests.conftest import make_user
from tests.parts.scene import Scene, make_scene
from tests.parts.test_pieces import LATER
from tests.workorders.desk import post


@pytest.fixture
def scene(app: Flask) -> Scene:
    return make_scene()


def other_station() -> int:
    def build() -> int:
        far = make.station("SZSIP", "苏州园区站", "Suzhou SIP", division_code="320506", territory=("320506",))
        return far.id

    return write(build)


def text_of(client: FlaskClient, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status, answer.text[:500]
    return re.sub(r"<[^>]+>", " ", answer.text)


def test_another_stations_stock_is_a_sum_alone(app: Flask, sign_in: Any, scene: Scene) -> None:
    far = other_station()

    def fill() -> None:
        place = services.open_location(kind="warehouse", station_id=far, names={"zh": "远处仓库", "en": "Far store"})
        services.receive(scene.part("SEAL"), place, Decimal(7), at=now())

    write(fill)
    scene.fill("SEAL", 3)
    page = text_of(sign_in("storekeeper", scene.station), "/parts/SEAL")
    assert "其他各站合计" in page
    assert "远处仓库" not in page
    assert re.search(r"其他各站合计\s+良品\s+7", page)
    assert "远处仓库" in text_of(sign_in("director"), "/parts/SEAL")


def test_a_piece_shows_its_moves(app: Flask, sign_in: Any, scene: Scene) -> None:
    scene.fill("PUMP", 2, serials=["P-1", "P-2"])
    scene.move("PUMP", 1, "scrap", source="store", serials=["P-1"])
    keeper = sign_in("storekeeper", scene.station)
    page = text_of(keeper, "/parts/PUMP?serial=P-1")
    assert "已报废" in page
    assert "报废" in page
    assert "P-2" not in page
    assert "没有这个序列号" in text_of(sign_in("storekeeper", other_station()), "/parts/PUMP?serial=P-1")


def test_former_numbers_lead_to_the_present_part(app: Flask, sign_in: Any, scene: Scene) -> None:
    def follow() -> None:
        following = scene.part("SEAL")
        for number in ("SEAL-B", "SEAL-A"):
            part = services.list_part(
                number=number, names={"zh": number}, unit="pcs", price=1, superseded_by_id=following.id
            )
            move(part, "superseded")
            following = part

    write(follow)
    page = text_of(sign_in("technician"), "/parts/SEAL-A")
    assert re.search(r"已停产，请改用：\s+SEAL\s", page)
    assert "替代链" in page


@pytest.mark.parametrize(
    ("words", "found"),
    [("seal", "SEAL"), ("油封", "TC-1"), ("06912345000017", "TC-1"), ("(01)06912345000017(10)B-7", "TC-1"), ("%", "")],
)
def test_parts_are_found(app: Flask, sign_in: Any, scene: Scene, words: str, found: str) -> None:
    write(
        lambda: services.list_part(
            number="TC-1", names={"zh": "骨架油封", "en": "Ring"}, unit="pcs", price=1, gtin="06912345000017"
        )
    )
    page = text_of(sign_in("technician"), f"/parts/catalogue?q={words}".replace("%", "%25"))
    assert (found or "没有符合的备件") in page


def test_a_delivery_is_scanned_line_by_line(app: Flask, sign_in: Any, scene: Scene) -> None:
    write(lambda: setattr(scene.part("OIL"), "gtin", "06912345000017"))
    keeper, store = sign_in("storekeeper", scene.station), scene.place("store").code
    form = {"supplier": "S-1", "delivery_note": "LS-9", "location": store}
    begun = post(keeper, "/parts/receipts/new", **form)
    assert begun.status_code == 303
    address = begun.headers["Location"]
    asked = post(keeper, f"{address}/lines", part="(01)06912345000017(10)B-7(17)270601")
    assert asked.status_code == 422
    assert 'name="batch" type="text" value="B-7"' in asked.text
    assert re.search(r'name="quantity"[^>]*autofocus', asked.text), "the field that is missing comes next"
    line = {"part": "OIL", "quantity": "20", "batch": "B-7", "expires_on": "2027-06-01"}
    assert post(keeper, f"{address}/lines", **line).status_code == 303
    assert post(keeper, f"{address}/post").status_code == 303
    assert post(keeper, "/parts/receipts/new", **form).headers["Location"] == address
    session.rollback()
    assert session.scalar(select(StockBatch.expires_on)) == LATER
    assert "JH" not in text_of(keeper, address)
    assert sign_in("storekeeper", other_station()).get(address).status_code == 404


def test_quality_releases(app: Flask, sign_in: Any, scene: Scene) -> None:
    keeper, judge = sign_in("storekeeper", scene.station), sign_in("quality")
    form = {"supplier": "S-1", "delivery_note": "LS-9", "location": scene.place("store").code}
    address = post(keeper, "/parts/receipts/new", **form).headers["Location"]
    post(keeper, f"{address}/lines", part="BOLT", quantity="5")
    post(keeper, f"{address}/post")
    session.rollback()
    line = session.scalars(select(GoodsReceipt)).one().lines[0].id
    assert "隔离待检" in text_of(judge, "/parts/receipts")
    assert post(keeper, f"{address}/lines/{line}/release", certificate="Z").status_code == 403
    assert post(judge, f"{address}/lines/{line}/release", certificate="").status_code == 422
    assert post(judge, f"{address}/lines/{line}/release", certificate="ZS-1").status_code == 303
    session.rollback()
    assert queries.stock_of([scene.part("BOLT").id], [scene.store]).popitem()[1] == 5


def test_a_count_is_blind_until_it_is_over(app: Flask, sign_in: Any, scene: Scene) -> None:
    scene.fill("SEAL", 87)
    keeper, manager = sign_in("storekeeper", scene.station), sign_in("station_manager", scene.station)
    begun = post(keeper, "/parts/counts", location=scene.place("store").code)
    address = begun.headers["Location"]
    assert not re.search(r"\b87\b", text_of(keeper, address))
    line = re.search(rf"{address}/lines/(\d+)", keeper.get(address).text)
    assert line is not None
    assert post(keeper, line[0], counted="-1").status_code == 422
    assert post(keeper, line[0], counted="40").status_code == 303
    assert post(keeper, f"{address}/finish").status_code == 303
    assert re.search(r"\b87\b", text_of(manager, address))
    assert post(keeper, f"{address}/decide", decision="approve").status_code == 403
    assert post(manager, f"{address}/decide", decision="whatever").status_code == 422
    assert post(manager, f"{address}/decide", decision="approve").status_code == 303
    session.rollback()
    assert queries.stock_of([scene.part("SEAL").id], [scene.store]).popitem()[1] == 40


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/parts/NONE", 404), ("/parts/SEAL?before=x", 404), ("/parts/SEAL?before=99999999999999999999", 404),
        ("/parts/catalogue?q=" + "x" * 900, 200), ("/parts?q=seal", 302),
        ("/parts/receipts/GR-1", 404), ("/parts/counts/SC-1", 404),
        ("/parts/similar?model=" + "x" * 900, 200), ("/parts/SEAL?serial=%00", 422), ("/parts/SEAL/pictures/1", 404),
    ],
)  # fmt: skip
def test_strange_addresses(app: Flask, sign_in: Any, scene: Scene, address: str, status: int) -> None:
    assert sign_in("storekeeper", scene.station).get(address).status_code == status


# Scripts --------------------------------------------------------------------------------------------


def token(role: str, station: int | None = None) -> str:
    user = make_user(role, station)
    email = user.email
    return write(lambda: create_token(email=email, name="script"))


def call(key: str, address: str, content: dict[str, Any], **headers: str) -> Any:
    client = current_app.test_client()
    given = {"Authorization": f"Bearer {key}", **headers}
    return client.post(f"/api/v1{address}", json=content, headers=given)


def wish(scene: Scene, **more: Any) -> dict[str, Any]:
    codes = {"from": scene.place("store").code, "to": scene.place("van").code}
    return {"part": "SEAL", "quantity": "2", "cause": "transfer", **codes, **more}


def test_a_script_posts_a_move_once(app: Flask, scene: Scene) -> None:
    scene.fill("SEAL", 5)
    key = token("storekeeper", scene.station)
    sent = wish(scene)
    answers = [call(key, "/stock-moves", sent, **{"Idempotency-Key": "move-1"}) for _turn in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json == answers[1].json
    session.rollback()
    assert queries.stock_of([scene.part("SEAL").id], [scene.van]).popitem()[1] == 2
    other = call(key, "/stock-moves", wish(scene, quantity="1"), **{"Idempotency-Key": "move-1"})
    assert other.status_code == 422


@pytest.mark.parametrize(
    ("more", "status", "code"),
    [
        ({"quantity": "6"}, 409, "part_short"),
        ({"quantity": "0"}, 422, "invalid"),
        ({"quantity": "1.5"}, 422, "invalid"),
        ({"part": "NONE"}, 422, "unknown_part"),
        ({"to": "W999"}, 422, "unknown_place"),
        ({"cause": "scrap"}, 422, "invalid"),
        ({"cause": "use"}, 422, "invalid"),
        ({"batch": "B"}, 422, "unknown_batch"),
        ({"serials": ["X"]}, 422, "invalid"),
        ({"part": "PUMP", "quantity": "1"}, 409, "serial_needed"),
        ({"part": "PUMP", "quantity": "2", "serials": ["P-1", "P-1"]}, 422, "serial_twice"),
        ({"part": "OIL", "quantity": "1"}, 409, "batch_expired"),
        ({"part": "BOLT", "cause": "receipt", "from": ""}, 409, "certificate_needed"),
    ],
)
def test_bad_moves_are_refused_with_a_code(
    app: Flask, scene: Scene, more: dict[str, Any], status: int, code: str
) -> None:
    scene.fill("SEAL", 5)
    scene.fill("PUMP", 2, serials=["P-1", "P-2"])
    scene.fill("OIL", 2, batch="B-over", expires_on=now().date().replace(year=2025))
    moves = session.scalar(select(func.count(StockMove.id)))
    session.rollback()
    answer = call(token("storekeeper", scene.station), "/stock-moves", wish(scene, **more))
    assert (answer.status_code, answer.json["code"]) == (status, code)
    session.rollback()
    assert session.scalar(select(func.count(StockMove.id))) == moves
    assert queries.unbalanced() == []


def test_another_stations_place_is_not_known(app: Flask, scene: Scene) -> None:
    scene.fill("SEAL", 5)
    far = token("storekeeper", other_station())
    assert call(far, "/stock-moves", wish(scene)).json["code"] == "unknown_place"
    assert call(token("technician"), "/stock-moves", wish(scene)).status_code == 403


def test_nothing_leaves_quarantine_past_quality(app: Flask, scene: Scene) -> None:
    def set_aside() -> str:
        place = services.place_of(scene.station, "quarantine")
        services.receive(scene.part("SEAL"), place, Decimal(5), at=now())
        return str(place.code)

    code = write(set_aside)
    key = token("storekeeper", scene.station)
    assert call(key, "/stock-moves", wish(scene, **{"from": code})).json["code"] == "in_quarantine"
    assert call(key, "/stock-moves", wish(scene, **{"from": code, "to": "", "cause": "scrap"})).status_code == 201
    session.rollback()
    assert session.scalar(select(func.count(StockLocation.id)).where(StockLocation.kind == "quarantine")) == 1


@pytest.mark.parametrize("words", ["SEA", "密封", "mechanical", "06912345000017", "]C10106912345000017"])
def test_a_part_is_found_by_number_words_and_barcode(app: Flask, scene: Scene, sign_in: Any, words: str) -> None:
    def name() -> None:
        part = scene.part("SEAL")
        part.names, part.gtin = {"zh": "机械密封", "en": "Mechanical seal"}, "06912345000017"

    write(name)
    page = sign_in("storekeeper", scene.station).get("/parts/catalogue", query_string={"q": words}).text
    assert "/parts/SEAL" in page
    assert "/parts/OIL" not in page
