"""Pictures of tablets: parts in any order and twice, bytes before or after the command, damage told."""

import hashlib
import os
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy import func, select

from fieldservice.foundation.db import session, write
from fieldservice.foundation.time import Clock
from fieldservice.mechanisms import files
from fieldservice.mechanisms.files import parts, prepare
from fieldservice.mechanisms.files.models import StoredFile
from fieldservice.workorders.models import TabletUpload
from fieldservice.workorders.tablet import uploads
from tests.conftest import make_user
from tests.workorders.on_tour import another_technician, make_tour
from tests.workorders.test_tablet_commands import Tablet

PART = 256 * 1024


@pytest.fixture
def tablet(app: Flask) -> Tablet:
    made = Tablet(app, make_tour())
    made.tour.at_work()
    return made


@pytest.fixture
def lite(sqlite_app: Flask) -> Tablet:
    made = Tablet(sqlite_app, make_tour())
    made.tour.at_work()
    return made


def picture(size: int = 900, kind: str = "JPEG") -> bytes:
    """Noise, so that it fills several parts."""
    out = BytesIO()
    Image.effect_noise((size, size), 90).convert("RGB").save(out, kind, quality=95)
    return out.getvalue()


def put(tablet: Tablet, name: str, index: Any, content: bytes, status: int = 200) -> None:
    answer = tablet.http.put(f"/api/v1/tablet/uploads/{name}/{index}", data=content, headers=tablet.headers)
    assert answer.status_code == status, answer.text


def complete(tablet: Tablet, name: str, content: bytes, sha256: str | None = None) -> Any:
    given = sha256 or hashlib.sha256(content).hexdigest()
    return tablet.http.post(f"/api/v1/tablet/uploads/{name}/complete", json={"sha256": given}, headers=tablet.headers)


def send(tablet: Tablet, name: str, content: bytes) -> Any:
    chunks = [content[at : at + PART] for at in range(0, len(content), PART)]
    for index in reversed(range(len(chunks))):
        put(tablet, name, index, chunks[index])
    return complete(tablet, name, content)


def photos(tablet: Tablet) -> list[StoredFile]:
    mine = select(StoredFile).where(StoredFile.subject_type == "visit", StoredFile.subject_id == tablet.tour.visit_id)
    return list(session.scalars(mine.order_by(StoredFile.id)))


def test_bytes_first_then_the_command(tablet: Tablet) -> None:
    content = picture()
    assert len(content) > 2 * PART
    answer = send(tablet, "up-1", content)
    assert (answer.status_code, answer.json["file"]) == (200, None)
    assert tablet.send("photo", upload="up-1", field="seal_photo")["status"] == "accepted"
    [file] = photos(tablet)
    assert (file.kind, file.state, file.sha256) == ("photo", "received", hashlib.sha256(content).hexdigest())
    assert not parts.part_folder(parts.name_of(tablet.tour.user_id, "up-1")).exists()


def test_the_command_first_then_the_bytes(tablet: Tablet) -> None:
    assert tablet.send("photo", upload="up-1", field="seal_photo")["status"] == "accepted"
    assert photos(tablet) == []
    answer = send(tablet, "up-1", picture(300))
    assert answer.json["visit"] == tablet.tour.visit_id
    assert [file.id for file in photos(tablet)] == [answer.json["file"]]


def test_parts_and_completion_may_come_twice(tablet: Tablet) -> None:
    content = picture()
    put(tablet, "up-1", 0, b"an earlier try")
    put(tablet, "up-1", 0, content[:PART])
    first = send(tablet, "up-1", content)
    tablet.send("photo", upload="up-1")
    again = complete(tablet, "up-1", content)
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.json["file"] == photos(tablet)[0].id
    assert len(photos(tablet)) == 1


def test_a_missing_part_is_named(tablet: Tablet) -> None:
    content = picture()
    put(tablet, "up-1", 2, content[2 * PART : 3 * PART])
    answer = complete(tablet, "up-1", content)
    assert (answer.status_code, answer.json["code"], answer.json["missing"]) == (409, "parts_missing", [0, 1])
    assert complete(tablet, "up-2", content).json["missing"] == [0]
    assert send(tablet, "up-1", content).status_code == 200


def test_damage_on_the_way_is_told_and_mended_by_sending_again(tablet: Tablet) -> None:
    content = picture(300)
    put(tablet, "up-1", 0, content[:-1] + b"x")
    answer = complete(tablet, "up-1", content)
    assert (answer.status_code, answer.json["code"]) == (409, "sha256_mismatch")
    assert send(tablet, "up-1", content).status_code == 200


@pytest.mark.parametrize("content", [b"", b"no picture at all", b"GIF89a" + b"\0" * 40, b"%PDF-1.7 ..."])
def test_what_is_no_picture_is_refused_and_stays_so(lite: Tablet, content: bytes) -> None:
    put(lite, "up-1", 0, content)
    answer = complete(lite, "up-1", content)
    assert answer.status_code == 422
    assert lite.send("photo", upload="up-1")["status"] == "rejected"
    assert photos(lite) == []


@pytest.mark.parametrize("sha256", ["", "x", "z" * 64, "a" * 63, None])
def test_senseless_digests_are_422(lite: Tablet, sha256: Any) -> None:
    answer = lite.http.post("/api/v1/tablet/uploads/up-1/complete", json={"sha256": sha256}, headers=lite.headers)
    assert answer.status_code == 422


@pytest.mark.parametrize(("index", "status"), [(40, 422), (2**63, 422), (10**30, 422), (-1, 404), ("x", 404)])
def test_senseless_indexes_are_refused(lite: Tablet, index: Any, status: int) -> None:
    put(lite, "up-1", index, b"x", status)


def test_too_large_a_part_is_refused(lite: Tablet) -> None:
    put(lite, "up-1", 0, b"x" * (PART + 1), 413)


@pytest.mark.parametrize("name", ["a" * 65, "..", "a.b", "é", "a b"])
def test_senseless_names_are_not_found(lite: Tablet, name: str) -> None:
    put(lite, name, 0, b"x", 404)


def test_an_upload_serves_one_visit(tablet: Tablet) -> None:
    tablet.send("photo", upload="up-1")

    def elsewhere() -> None:
        session.scalars(select(TabletUpload)).one().visit_id = None

    write(elsewhere)
    assert tablet.send("photo", upload="up-1")["status"] == "accepted"


def test_the_same_name_of_another_person_is_another_upload(tablet: Tablet, app: Flask) -> None:
    tablet.send("photo", upload="up-1")
    xu = another_technician(tablet.tour).id
    make_user("technician", tablet.tour.station_id, email="xu@demo.test", technician_id=xu)
    other = Tablet(app, tablet.tour, "xu@demo.test")
    assert send(other, "up-1", picture(100)).json["file"] is None
    assert photos(tablet) == []


def test_a_visit_of_forty_pictures_and_more_up_to_what_the_tablet_was_told(lite: Tablet) -> None:
    """Forty for one field of the checklist, others beside it; the snapshot says how many it may be."""
    told = lite.get("/tablet/snapshot").json
    most, field = told["limits"]["photos"], next(one for one in _form(told) if one["code"] == "seal_photo")
    assert (most, field["most"]) == (60, 40)
    for number in range(most + 1):
        send(lite, f"up-{number}", picture(40 + number))
        asked = {"field": "seal_photo"} if number < field["most"] else {}
        result = lite.send("photo", upload=f"up-{number}", **asked)
        assert result["status"] == ("accepted" if number < most else "rejected"), number
    assert session.scalar(select(func.count(StoredFile.id))) == most


def _form(told: dict[str, Any]) -> list[dict[str, Any]]:
    form: list[dict[str, Any]] = told["forms"][told["visits"][0]["form"]]
    return form


def test_a_signature_is_kept_as_a_drawing(tablet: Tablet) -> None:
    send(tablet, "sign", picture(200, "PNG"))
    assert tablet.send("signature", upload="sign", name="何建平")["status"] == "accepted"
    assert [file.kind for file in photos(tablet)] == ["signature"]


def test_bytes_that_waited_too_long_are_asked_for_again(tablet: Tablet) -> None:
    content = picture(100)
    send(tablet, "up-1", content)
    row = session.scalars(select(TabletUpload)).one()
    parts.raw_path(row.received["key"]).unlink()
    result = tablet.send("photo", upload="up-1")
    assert (result["status"], result["code"]) == ("accepted_with_flag", "upload_again")
    assert send(tablet, "up-1", content).json["file"] is not None


@pytest.mark.parametrize("days", [2, 40], ids=["refused two days ago", "given up by everybody"])
def test_bytes_wait_a_month_for_an_entry_that_was_refused(lite: Tablet, clock: Clock, days: int) -> None:
    send(lite, "up-1", picture(100))
    path = parts.raw_path(session.scalars(select(TabletUpload)).one().received["key"])
    old = path.stat().st_mtime - timedelta(days=2).total_seconds()
    os.utime(path, (old, old))
    clock.advance(days=days)
    uploads.keep_waiting()
    files.sweep()
    assert path.exists() == (days == 2)


def test_pictures_are_shown_to_their_technician_alone(tablet: Tablet, app: Flask, sign_in: Any) -> None:
    send(tablet, "up-1", picture(200))
    tablet.send("photo", upload="up-1")
    file_id = photos(tablet)[0].id
    write(prepare.work(file_id).effect)
    assert tablet.get(f"/tablet/files/{file_id}").mimetype == "image/jpeg"
    stranger = sign_in("technician", tablet.tour.station_id)
    assert stranger.get(f"/tablet/files/{file_id}").status_code == 404
    assert tablet.get("/tablet/files/987654").status_code == 404
    assert tablet.get(f"/tablet/files/{2**64}").status_code == 404
    assert sign_in("customer").get(f"/tablet/files/{file_id}").status_code == 403
