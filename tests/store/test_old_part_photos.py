"""Photos of an inspected old part: kept with it, clean of where they were taken, shown with the claim."""

import html
import re
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import select

from fieldservice.foundation import deferred
from fieldservice.foundation.db import session, write
from fieldservice.foundation.time import Clock
from fieldservice.mechanisms.files import StoredFile, folder, services
from fieldservice.parts.returns.models import SupplierClaim
from tests.foundation.test_pictures import exif
from tests.store.test_old_parts_pages import code, fitted, old_parts, send, supplier
from tests.workorders.on_tour import SEAL, make_tour
from tests.workorders.scene import make_station
from tests.workorders.test_tablet_commands import Tablet


@pytest.fixture
def tablet(app: Flask, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tablet:
    def compute(function: Callable[..., Any], *arguments: Any, timeout: float) -> Any:
        return function(*arguments)

    monkeypatch.setattr(folder, "_root", lambda: tmp_path / "files")
    monkeypatch.setattr(services, "compute", compute)
    return Tablet(app, make_tour())


@pytest.fixture
def keeper(tablet: Tablet, sign_in: Any) -> FlaskClient:
    client: FlaskClient = sign_in("storekeeper", tablet.tour.station_id)
    return client


def photo(colour: str = "red") -> tuple[BytesIO, str]:
    content = BytesIO()
    Image.new("RGB", (600, 400), colour).save(content, "JPEG", exif=exif())
    return BytesIO(content.getvalue()), f"{colour}.jpg"


def dropped(tablet: Tablet, keeper: FlaskClient) -> str:
    fitted(tablet)
    assert send(keeper, f"/parts/returns/at/{code(tablet)}/scan", code="OLD-1").status_code == 303
    return f"/parts/returns/{old_parts()[0].id}"


def prepare() -> None:
    for claimed in write(lambda: deferred.claim(20)):
        deferred.run(claimed)
    session.rollback()


def kept() -> list[StoredFile]:
    session.rollback()
    theirs = select(StoredFile).where(StoredFile.subject_type == "old_part")
    return list(session.scalars(theirs.order_by(StoredFile.id)))


def test_photos_of_an_inspection_are_shown_with_it_and_with_its_claim(tablet: Tablet, keeper: FlaskClient) -> None:
    one, maker = dropped(tablet, keeper), supplier()
    given = {"finding": "claim", "supplier": maker, "photos": [photo(), photo("blue")]}
    assert send(keeper, f"{one}/inspect", **given).status_code == 303
    first, second = kept()
    assert "添加了照片" in keeper.get(one).text
    assert keeper.get(f"{one}/photos/{first.id}").status_code == 409  # in work: nobody sees it as it was sent
    prepare()
    shown = keeper.get(f"{one}/photos/{first.id}")
    assert shown.content_type == "image/jpeg"
    assert b"Exif" not in shown.data
    assert not Image.open(BytesIO(shown.data)).getexif()
    [old] = old_parts()
    assert send(keeper, f"/parts/claims/at/{code(tablet)}/new", supplier=maker, line=old.id).status_code == 303
    claim = session.scalars(select(SupplierClaim)).one().number
    for page in (keeper.get(one).text, keeper.get(f"/parts/claims/{claim}").text):
        for file in (first, second):
            assert f"{one}/photos/{file.id}?small=1" in page


def test_a_refused_inspection_keeps_its_photos(tablet: Tablet, keeper: FlaskClient) -> None:
    one, maker = dropped(tablet, keeper), supplier()
    refused = send(keeper, f"{one}/inspect", finding="claim", photos=[photo()])  # of no supplier
    assert refused.status_code == 422
    assert kept() == []
    held = [html.unescape(text) for text in re.findall(r'name="held" value="([^"]+)"', refused.text)]
    assert len(held) == 1
    assert "已保留 1 张照片" in refused.text
    again = send(keeper, f"{one}/inspect", finding="claim", supplier=maker, held=held, photos=[photo("blue")])
    assert again.status_code == 303
    assert len(kept()) == 2


def test_sent_twice_it_is_one_photo_and_another_look_adds_to_them(tablet: Tablet, keeper: FlaskClient) -> None:
    one = dropped(tablet, keeper)
    for colour in ("red", "red", "blue"):
        assert send(keeper, f"{one}/inspect", finding="scrap", photos=[photo(colour)]).status_code == 303
    assert len(kept()) == 2


@pytest.mark.parametrize(
    ("photos", "said"),
    [([(b"<svg/>", "x.svg")], "JPEG"), ([(b"", "x.jpg")], "空"), ([(b"\xff\xd8\xff", "x.jpg")], "JPEG")],
)
def test_what_is_no_photo_is_said_and_nothing_is_found(
    tablet: Tablet, keeper: FlaskClient, photos: list[tuple[bytes, str]], said: str
) -> None:
    one = dropped(tablet, keeper)
    sent = [(BytesIO(content), name) for content, name in photos]
    answer = send(keeper, f"{one}/inspect", finding="scrap", photos=sent)
    assert answer.status_code == 422
    assert said in answer.text
    assert (old_parts()[0].state, kept()) == ("dropped_off", [])


def test_more_than_ten_photos_are_refused(tablet: Tablet, keeper: FlaskClient) -> None:
    one = dropped(tablet, keeper)
    colours = [f"#{number:02x}0000" for number in range(0, 240, 20)]
    first, last = ([photo(colour) for colour in some] for some in (colours[:8], colours[8:]))
    assert send(keeper, f"{one}/inspect", finding="scrap", photos=first).status_code == 303
    refused = send(keeper, f"{one}/inspect", finding="sound", photos=last)
    assert refused.status_code == 422
    assert (old_parts()[0].finding, len(kept())) == ("scrap", 8)


def test_another_station_sees_no_photo_and_no_other_old_part_shows_it(
    tablet: Tablet, keeper: FlaskClient, sign_in: Any
) -> None:
    one = dropped(tablet, keeper)
    assert send(keeper, f"{one}/inspect", finding="scrap", photos=[photo()]).status_code == 303
    [file] = kept()
    prepare()
    command = tablet.command("part", part=SEAL, quantity="1", serial="NEW-2", removed_serial="OLD-2")
    tablet.post(command)
    for other in old_parts():
        assert keeper.get(f"/parts/returns/{other.id}/photos/{file.id}").status_code == (
            200 if f"/parts/returns/{other.id}" == one else 404
        )
    stranger = sign_in("storekeeper", write(lambda: make_station("WYYW").id))
    assert stranger.get(f"{one}/photos/{file.id}").status_code == 404
