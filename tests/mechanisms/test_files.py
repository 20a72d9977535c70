"""Files of a subject: taken in before the transaction, made fit after it, shown only then."""

import os
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy import event, select

from fieldservice.foundation import deferred
from fieldservice.foundation.db import db, session, write
from fieldservice.foundation.errors import Conflict, Invalid, NotFound, TooLarge
from fieldservice.foundation.time import Clock
from fieldservice.mechanisms import files
from fieldservice.mechanisms.events import Event
from fieldservice.mechanisms.files import StoredFile, folder, services
from fieldservice.mechanisms.subjects import Ref

REQUEST, OTHER = Ref("service_request", 1, 3), Ref("service_request", 2, 3)


def photo(colour: str = "red", kind: str = "JPEG", size: tuple[int, int] = (600, 400)) -> BytesIO:
    content = BytesIO()
    Image.new("RGB", size, colour).save(content, kind)
    content.seek(0)
    return content


@pytest.fixture(autouse=True)
def _own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each test has an empty instance folder."""
    monkeypatch.setattr(folder, "_root", lambda: tmp_path / "files")


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Re-encodes in this process; workers have tests of their own."""

    def compute(function: Callable[..., Any], *arguments: Any, timeout: float) -> Any:
        return function(*arguments)

    monkeypatch.setattr(services, "compute", compute)


def bytes_kept() -> list[str]:
    root = folder._root()
    return sorted(path.relative_to(root).parts[0] for path in root.rglob("*") if path.is_file())


def stored(
    stream: BytesIO | None = None, subject: Ref = REQUEST, kind: str = "photo", name: str = "IMG_1.jpeg"
) -> StoredFile:
    received = files.receive(stream or photo(), name)
    return write(lambda: files.attach(received, subject, kind))


def process() -> None:
    for claimed in write(lambda: deferred.claim(20)):
        deferred.run(claimed)
    session.rollback()


def state_of(file: StoredFile) -> str:
    session.rollback()
    return session.get_one(StoredFile, file.id).state


# Taking in ----------------------------------------------------------------------------------------


def test_a_photo_is_received_processed_and_ready(app: Flask, here: None) -> None:
    file = stored(photo(size=(4000, 3000)))
    assert (file.state, file.content_type, file.width, file.station_id, file.uploaded_by) == (
        "received", "image/jpeg", 4000, 3, "system",
    )  # fmt: skip
    assert files.state_text(file) == "处理中…"
    assert bytes_kept() == ["raw"]
    process()
    assert (file.state, file.width, file.height) == ("ready", 2560, 1920)
    assert files.state_text(file) == ""
    assert bytes_kept() == ["kept", "kept"]
    kinds = session.scalars(select(Event.kind).where(Event.subject_id == 1).order_by(Event.id)).all()
    assert kinds == ["file.received", "file.ready"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "picture_empty"),
        (b"<html>", "picture_type"),
        (b"GIF89a" + b"\0" * 60, "picture_type"),
        (b"\xff\xd8\xff", "picture_type"),
    ],
)
def test_what_is_no_picture_is_refused_at_once_and_leaves_nothing(sqlite_app: Flask, content: bytes, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        files.receive(BytesIO(content), "x.jpg", field="pictures")
    assert refused.value.code == code
    assert refused.value.errors["pictures"]
    assert bytes_kept() == []


def test_ten_megabytes_are_taken_and_not_one_more(sqlite_app: Flask) -> None:
    start = photo().getvalue()
    fits = start + b"\0" * (10 * 1024 * 1024 - len(start))
    assert files.receive(BytesIO(fits), "x.jpg").size == 10 * 1024 * 1024
    with pytest.raises(TooLarge):
        files.receive(BytesIO(fits + b"\0"), "x.jpg")
    assert bytes_kept() == ["raw"]


def test_too_many_pixels_are_refused_in_words(sqlite_app: Flask) -> None:
    from tests.foundation.test_pictures import png

    with pytest.raises(Invalid) as refused:
        files.receive(BytesIO(png(30_000, 30_000)), "x.png")
    assert "4000 万" in str(refused.value.errors["photos"][0])


def test_a_subject_has_at_most_ten_photos(app: Flask) -> None:
    for number in range(10):
        stored(photo(f"#{number * 20:02x}0000"))
    with pytest.raises(Invalid) as refused:
        stored(photo("white"))
    assert refused.value.code == "too_many_photos"
    assert stored(photo("white"), OTHER)
    assert stored(photo("white", "PNG"), kind="signature")


def test_the_same_bytes_are_the_same_file(app: Flask) -> None:
    first = stored()
    assert stored().id == first.id
    assert stored(subject=OTHER).id != first.id


def test_a_rolled_back_transaction_leaves_no_file_and_no_job(app: Flask) -> None:
    received = files.receive(photo(), "x.jpg")

    def fails() -> None:
        files.attach(received, REQUEST)
        raise LookupError

    with pytest.raises(LookupError):
        write(fails)
    assert session.scalar(select(StoredFile)) is None
    assert not deferred.due(1)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("C:\\fakepath\\泵 漏油.JPG", "泵 漏油.JPG"),
        ("../../etc/passwd", "passwd"),
        ("a\x00b\x1b[31m\u202egpj.exe", "ab[31mgpj.exe"),
        ("\ud800", "?"),
        ("", "file"),
        ("///", "file"),
        ("x" * 500 + ".jpg", "x" * 116 + ".jpg"),
    ],
)
def test_names_are_only_ever_shown(sqlite_app: Flask, name: str, shown: str) -> None:
    file = stored(name=name)
    assert file.name == shown
    assert Path(file.key).name == file.key


def test_a_signature_stays_a_drawing(app: Flask, here: None) -> None:
    content = BytesIO()
    Image.new("RGBA", (300, 100), (0, 0, 0, 0)).save(content, "PNG")
    content.seek(0)
    file = stored(content, kind="signature")
    process()
    assert (file.state, file.content_type) == ("ready", "image/png")


def test_our_own_documents_are_ready_at_once(app: Flask) -> None:
    received = files.receive_document(b"%PDF-1.7 report", "WO-2026-000001.pdf")
    file = write(lambda: files.attach(received, REQUEST, "document"))
    assert file.state == "ready"
    with app.test_request_context():
        answer = files.send(file, download=True)
        assert answer.get_data() == b"%PDF-1.7 report"
        assert answer.headers["Content-Disposition"] == "attachment; filename*=UTF-8''WO-2026-000001.pdf"


# Forms shown again --------------------------------------------------------------------------------


def test_a_form_shown_again_keeps_its_pictures(app: Flask, clock: Clock) -> None:
    received = files.receive(photo(), "x.jpg")
    text = files.hold(received)
    assert files.held(text) == received
    assert files.held(text[:-2]) is None
    assert files.held("") is None
    write(lambda: files.attach(received, REQUEST))
    assert files.held(text) is None  # used


def test_held_pictures_are_given_up_after_an_hour_or_when_swept(sqlite_app: Flask, clock: Clock) -> None:
    received = files.receive(photo(), "x.jpg")
    text = files.hold(received)
    clock.advance(seconds=3601)
    assert files.held(text) is None
    text = files.hold(received)
    folder.raw_path(received.key).unlink()
    assert files.held(text) is None


# Processing ---------------------------------------------------------------------------------------


def test_a_picture_that_cannot_be_decoded_is_rejected_visibly(app: Flask, here: None) -> None:
    noise = BytesIO()
    Image.effect_noise((400, 400), 90).save(noise, "JPEG")
    file = stored(BytesIO(noise.getvalue()[: len(noise.getvalue()) // 2]))
    process()
    assert (file.state, file.refusal) == ("rejected", "corrupt")
    assert "已损坏" in files.state_text(file)
    assert bytes_kept() == []
    last = session.scalars(select(Event).order_by(Event.id.desc())).first()
    assert last is not None
    assert (last.kind, last.facts["refusal"]) == ("file.rejected", "corrupt")


def test_a_rejected_picture_may_be_sent_again(app: Flask) -> None:
    file = stored()
    write(lambda: services._reject(file.id, "corrupt"))
    again = stored()
    assert (again.id != file.id, again.state) == (True, "received")


def test_a_worker_that_keeps_dying_ends_in_a_rejection(
    app: Flask, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: Any, **__: Any) -> None:
        raise RuntimeError("the worker died")

    monkeypatch.setattr(services, "compute", dies)
    file = stored()
    for _ in range(files.prepare.attempts):
        process()
        clock.advance(hours=1)
    assert state_of(file) == "rejected"
    assert [job.task for job in deferred.failed_jobs()] == ["files.prepare"]


def test_a_kill_after_encoding_and_before_the_commit_loses_nothing(app: Flask, here: None) -> None:
    file = stored()
    write(lambda: deferred.claim(1))
    files.prepare.work(file.id)  # the pictures are written, then the process is killed
    assert state_of(file) == "received"
    assert bytes_kept() == ["kept", "kept", "raw"]
    write(deferred.resume)
    process()
    assert state_of(file) == "ready"
    assert bytes_kept() == ["kept", "kept"]


def test_a_processed_file_is_not_processed_twice(app: Flask, here: None) -> None:
    file = stored()
    process()
    assert files.prepare.work(file.id) is None


def test_a_real_worker_makes_it_ready(sqlite_app: Flask) -> None:
    file = stored()
    process()
    assert file.state == "ready"


# Showing ------------------------------------------------------------------------------------------


def shown(app: Flask, file: StoredFile, headers: dict[str, str] | None = None, **wish: bool) -> Any:
    with app.test_request_context(headers=headers):
        return files.send(file, **wish)


def test_a_ready_picture_is_sent_with_careful_headers(app: Flask, here: None) -> None:
    file = stored(name='a"; <b>泵.html')
    process()
    answer = shown(app, file)
    assert answer.mimetype == "image/jpeg"
    assert answer.headers["Cache-Control"] == "private, max-age=300"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    name = "a%22%3B%20%3Cb%3E%E6%B3%B5.jpg"
    assert answer.headers["Content-Disposition"] == f"inline; filename*=UTF-8''{name}"
    small = shown(app, file, thumbnail=True)
    with Image.open(BytesIO(small.get_data())) as image:
        assert image.size == (480, 320)
    again = shown(app, file, {"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304
    assert small.headers["ETag"] != answer.headers["ETag"]


def test_nothing_is_sent_before_it_is_ready(app: Flask) -> None:
    file = stored()
    with app.test_request_context(), pytest.raises(Conflict) as early:
        files.send(file)
    assert early.value.code == "file_in_work"
    write(lambda: services._reject(file.id, "corrupt"))
    with app.test_request_context(), pytest.raises(NotFound):
        files.send(file)


def test_a_file_is_found_through_its_own_subject_only(app: Flask) -> None:
    file = stored()
    assert files.file_of(REQUEST, file.id).id == file.id
    assert files.file_of([OTHER, REQUEST], file.id).id == file.id
    for subject, number in (
        (OTHER, file.id),
        (REQUEST, 999),
        (REQUEST, 10**30),
        ([], file.id),
        (Ref("visit", 1), file.id),
    ):
        with pytest.raises(NotFound):
            files.file_of(subject, number)


def test_the_files_of_many_subjects_come_in_one_query(app: Flask) -> None:
    one, two, three = stored(), stored(photo("blue")), stored(subject=OTHER)
    statements: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *facts: statements.append(facts[2]))
    found = files.files_of([REQUEST, OTHER, Ref("visit", 9)])
    assert [file.id for file in found["service_request", 1]] == [one.id, two.id]
    assert [file.id for file in found["service_request", 2]] == [three.id]
    assert found["visit", 9] == []
    assert len([text for text in statements if text.startswith("SELECT")]) == 1


# The folder ---------------------------------------------------------------------------------------


def test_nobody_else_on_the_machine_reads_the_folder(sqlite_app: Flask) -> None:
    file = stored()
    assert folder._root().stat().st_mode & 0o777 == 0o700
    assert folder.raw_path(file.key).stat().st_mode & 0o777 == 0o600


def test_the_sweep_deletes_what_no_row_needs_and_nothing_else(app: Flask, here: None) -> None:
    ready = stored(photo("blue"))
    process()
    waiting = stored()
    orphan = files.receive(photo("green"), "x.jpg")
    document = files.receive_document(b"%PDF", "x.pdf")
    left = folder.raw_path(ready.key)
    left.write_bytes(b"raw that a killed process did not delete")
    fresh = files.receive(photo("white"), "x.jpg")
    old = [path for path in folder._root().rglob("*") if path.is_file() and path.name != fresh.key]
    for path in old:
        os.utime(path, (path.stat().st_atime, path.stat().st_mtime - 2 * 86400))
    assert files.sweep() == 3
    assert not folder.raw_path(orphan.key).exists()
    assert not folder.kept_path(document.key, "application/pdf").exists()
    assert not left.exists()
    assert folder.raw_path(waiting.key).exists()
    assert folder.raw_path(fresh.key).exists()
    assert folder.kept_path(ready.key, "image/jpeg").exists()
    assert folder.kept_path(ready.key, "image/jpeg", small=True).exists()
