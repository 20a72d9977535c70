"""Certificates as files: handed in for a delivery, seen where the batch lies, and the way out of quarantine (O-04)."""

from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from fieldservice.foundation.db import session, write
from fieldservice.foundation.time import now
from fieldservice.mechanisms.files.models import StoredFile
from fieldservice.parts import services
from fieldservice.parts.models import StockBatch
from fieldservice.parts.queries import unbalanced
from fieldservice.parts.receipts.models import GoodsReceipt, GoodsReceiptLine
from tests.mechanisms.test_files import photo
from tests.parts.scene import Scene, make_scene
from tests.parts.test_part_pages import other_station, text_of
from tests.parts.test_receipts import LATER, begin, lying, post, row, scan
from tests.workorders.desk import token as form_token

PDF = b"%PDF-1.7\n1 0 obj <<>> endobj\ntrailer <<>>\nstartxref\n0\n%%EOF\n"


@pytest.fixture
def scene(app: Flask) -> Scene:
    return make_scene()


def delivered(scene: Scene, number: str = "PAINT", **more: Any) -> tuple[str, int]:
    """A posted delivery without a certificate; (receipt, line)."""
    receipt = begin(scene)
    batch = {"batch": "B-7", "expires_on": LATER} if number == "PAINT" else {}
    line = scan(scene, receipt, number, 5, **batch, **more)
    post(receipt)
    return str(row(receipt).number), line


def hand_in(client: FlaskClient, receipt: str, line: int, content: bytes, name: str = "材质证明.pdf") -> int:
    given = {"csrf_token": form_token(client, "/parts/catalogue"), "file": (BytesIO(content), name)}
    return client.post(f"/parts/receipts/{receipt}/lines/{line}/certificate", data=given).status_code


def line_of(number: int) -> GoodsReceiptLine:
    session.rollback()
    return session.get_one(GoodsReceiptLine, number)


@pytest.mark.parametrize("number", ["PAINT", "BOLT"])
def test_O_04_quality_releases_by_the_file(scene: Scene, sign_in: Any, number: str) -> None:
    receipt, line = delivered(scene, number)
    assert lying(number, scene) == {"quarantine": 5}
    judge = sign_in("quality", scene.station)
    assert hand_in(judge, receipt, line, PDF) == 303
    assert (line_of(line).state, line_of(line).certificate) == ("released", "材质证明")
    assert lying(number, scene) == {"warehouse": 5}
    if number == "PAINT":
        assert session.scalars(select(StockBatch.certificate)).one() == "材质证明"
    assert hand_in(judge, receipt, line, PDF) == 303  # pressed twice: the same file, and nothing more
    assert session.scalar(select(func.count(StoredFile.id))) == 1
    assert lying(number, scene) == {"warehouse": 5}
    assert unbalanced() == []


def test_a_storekeeper_hands_in_and_quality_decides(scene: Scene, sign_in: Any) -> None:
    receipt, line = delivered(scene)
    assert hand_in(sign_in("storekeeper", scene.station), receipt, line, photo().read(), "a.jpg") == 303
    assert line_of(line).state == "quarantined"
    assert "a.jpg" in sign_in("quality", scene.station).get(f"/parts/receipts/{receipt}").text


def test_handed_in_before_it_is_posted_it_needs_no_quarantine(scene: Scene, sign_in: Any) -> None:
    receipt = begin(scene)
    line = scan(scene, receipt, "BOLT", 5)
    number = str(row(receipt).number)
    assert hand_in(sign_in("storekeeper", scene.station), number, line, PDF) == 303
    post(receipt)
    assert lying("BOLT", scene) == {"warehouse": 5}


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (b"", "a.pdf", "文件为空|空"), (b"MZ\x90", "a.pdf", "只能使用 PDF"), (PDF[:-7], "a.pdf", "PDF 不完整"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "a.png", "只能使用 PDF"), (b"", "", "请选择证书文件"),
    ],
)  # fmt: skip
def test_what_is_no_paper_is_refused(scene: Scene, sign_in: Any, content: bytes, name: str, said: str) -> None:
    receipt, line = delivered(scene)
    judge = sign_in("quality", scene.station)
    given = {"csrf_token": form_token(judge, "/parts/catalogue"), "file": (BytesIO(content), name)}
    answer = judge.post(f"/parts/receipts/{receipt}/lines/{line}/certificate", data=given)
    assert answer.status_code == 422
    assert any(one in answer.text for one in said.split("|")), answer.text[:3000]
    assert line_of(line).state == "quarantined"
    assert session.scalar(select(func.count(StoredFile.id))) == 0


def test_who_may_see_it(scene: Scene, sign_in: Any) -> None:
    receipt, line = delivered(scene)
    far = other_station()
    assert hand_in(sign_in("quality", scene.station), receipt, line, PDF) == 303
    file = session.scalars(select(StoredFile.id)).one()
    session.rollback()
    keeper, other = sign_in("storekeeper", scene.station), sign_in("storekeeper", far)
    for address in (f"/parts/receipts/{receipt}/certificates/{file}", f"/parts/PAINT/certificates/{file}"):
        answer = keeper.get(address)
        assert (answer.status_code, answer.mimetype, answer.data) == (200, "application/pdf", PDF)
        assert answer.headers["Content-Disposition"].startswith("attachment")
        assert other.get(address).status_code == 404
    assert keeper.get(f"/parts/BOLT/certificates/{file}").status_code == 404
    assert keeper.get("/parts/PAINT/certificates/99999999999999999999").status_code == 404
    assert "材质证明.pdf" in text_of(keeper, "/parts/PAINT")
    assert "材质证明.pdf" not in text_of(other, "/parts/PAINT")
    assert hand_in(other, receipt, line, PDF) == 404
    assert hand_in(sign_in("technician", scene.station), receipt, line, PDF) == 403

    def send_on() -> None:  # the batch goes to the other station: so does its certificate
        there = services.open_location(kind="warehouse", station_id=far, names={})
        services.post_move(
            part=scene.part("PAINT"), quantity=Decimal(2), cause="transfer", at=now(), source=scene.place("store"),
            target=there,
        )  # fmt: skip

    write(send_on)
    assert other.get(f"/parts/PAINT/certificates/{file}").status_code == 200


def test_rejected_goods_take_no_certificate(scene: Scene, sign_in: Any) -> None:
    receipt, line = delivered(scene)
    judge = sign_in("quality", scene.station)
    form = {"csrf_token": form_token(judge, "/parts/catalogue"), "reason": "锈蚀"}
    assert judge.post(f"/parts/receipts/{receipt}/lines/{line}/reject", data=form).status_code == 303
    assert hand_in(judge, receipt, line, PDF) == 422
    assert session.scalar(select(func.count(GoodsReceipt.id))) == 1
