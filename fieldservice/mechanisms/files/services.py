"""What can be done with files: take them in, give them to a subject, make them fit to be shown."""

import secrets
from dataclasses import asdict
from datetime import datetime
from io import BytesIO
from typing import IO, Any

from flask import current_app
from flask_babel import lazy_gettext as _l
from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy import func, select

from fieldservice.foundation import pictures
from fieldservice.foundation.access import actor
from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Invalid
from fieldservice.foundation.jobs import Done, compute, defer, task
from fieldservice.foundation.time import now
from fieldservice.mechanisms.events import Subject, record
from fieldservice.mechanisms.files.folder import keep, kept_path, raw_path
from fieldservice.mechanisms.files.models import DRAWN, KINDS, REFUSALS, Received, StoredFile
from fieldservice.mechanisms.lifecycle import move
from fieldservice.mechanisms.subjects import OnBehalf

MOST_PHOTOS = 10  # of a subject, where its owner says nothing else
PDF, ENDING = b"%PDF-", 2048  # how a PDF begins, and where its end is looked for
HELD_FOR = 3600  # seconds that a form shown again keeps its pictures


def receive(stream: IO[bytes], name: str, field: str = "photos") -> Received:
    """Take a picture from outside; call it before the transaction.

    Raises TooLarge above 10 MB and Invalid (under `field`) for what is no usable picture.
    """
    key = secrets.token_hex(16)
    path = raw_path(key)
    try:
        digest, size = keep(stream, path)
        if not size:
            raise pictures.Unusable("empty")
        seen = pictures.look(path)
    except pictures.Unusable as refused:
        path.unlink(missing_ok=True)
        raise Invalid({field: [REFUSALS[refused.code]]}, code=f"picture_{refused.code}") from refused
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return Received(key, digest, size, seen.content_type, seen.width, seen.height, clean_name(name))


def receive_paper(stream: IO[bytes], name: str, field: str = "file") -> Received:
    """Take a paper from outside: a PDF, kept as it is and only ever sent as a file to keep, or a picture of it.

    Call it before the transaction. Raises TooLarge above 10 MB and Invalid (under `field`) for anything else.
    """
    head = stream.read(len(PDF))
    stream.seek(0)
    if head != PDF:
        try:
            return receive(stream, name, field)
        except Invalid as refused:
            if refused.code == "picture_type":
                raise Invalid({field: [REFUSALS["paper"]]}, code="paper_type") from refused
            raise
    key = secrets.token_hex(16)
    path = kept_path(key, "application/pdf")
    try:
        digest, size = keep(stream, path)
        if b"%%EOF" not in path.read_bytes()[-ENDING:]:
            raise Invalid({field: [REFUSALS["torn"]]}, code="paper_torn")
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return Received(key, digest, size, "application/pdf", None, None, clean_name(name))


def receive_document(content: bytes, name: str, content_type: str = "application/pdf") -> Received:
    """Keep a document that we made ourselves; call it before the transaction."""
    key = secrets.token_hex(16)
    path = kept_path(key, content_type)
    digest, size = keep(BytesIO(content), path)
    return Received(key, digest, size, content_type, None, None, clean_name(name))


def attach(
    received: Received, subject: Subject, kind: str = "photo", at: datetime | None = None, *, most: int = MOST_PHOTOS
) -> StoredFile:  # fmt: skip
    """Make received bytes a file of `subject`; inside `write`. The same bytes again are the same file.

    Raises Invalid when the subject has its `most` photos already.
    """
    if kind not in KINDS:
        raise ValueError(f"{kind!r} is no kind of file")
    theirs = select(StoredFile).where(
        StoredFile.subject_type == subject.subject_type,
        StoredFile.subject_id == subject.id,
        StoredFile.kind == kind,
        StoredFile.state != "rejected",
    )
    known = session.scalar(theirs.where(StoredFile.sha256 == received.sha256).limit(1))
    if known is not None:
        return known
    if kind == "photo" and (session.scalar(select(func.count()).select_from(theirs.subquery())) or 0) >= most:
        raise Invalid({"photos": [_l("Send at most %(most)s photos.", most=most)]}, code="too_many_photos")
    file = StoredFile(
        subject_type=subject.subject_type,
        subject_id=subject.id,
        station_id=getattr(subject, "station_id", None),
        kind=kind,
        state="ready" if kind == "document" else "received",
        created_at=at or now(),
        uploaded_by=actor(),
        **asdict(received),
    )
    session.add(file)
    session.flush()
    record("file.received", OnBehalf(file), {"file": file.id, "kind": kind, "size": file.size}, at=at)
    if kind != "document":
        defer(prepare, str(file.id), {"file_id": file.id})
    return file


def hold(received: Received) -> str:
    """A signed text for a hidden field, so that a form shown again keeps its pictures."""
    return str(_signer().dumps({**asdict(received), "until": int(now().timestamp()) + HELD_FOR}))


def held(text: str) -> Received | None:
    """What `hold` kept; None when the text is not ours, too old, or its bytes are used or gone."""
    try:
        content: dict[str, Any] = _signer().loads(text)
    except BadSignature:
        return None
    if content.pop("until") < now().timestamp():
        return None
    received = Received(**content)
    used = session.scalar(select(StoredFile.id).where(StoredFile.key == received.key))
    return received if used is None and raw_path(received.key).exists() else None


def clean_name(name: str) -> str:
    """The last part of a file name, printable and at most 120 characters; only ever shown."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1].encode("utf-8", "replace").decode("utf-8")
    return "".join(letter for letter in last if letter.isprintable())[-120:].strip() or "file"


def _reject_unreadable(file_id: int) -> None:
    _reject(file_id, "corrupt")


@task("files.prepare", attempts=4, give_up=_reject_unreadable)
def prepare(file_id: int) -> Done | None:
    """Re-encode a received picture and show it; a picture that cannot be decoded is rejected with its reason."""
    file = session.get(StoredFile, file_id)
    if file is None or file.state != "received":
        return None
    drawing = file.kind in DRAWN
    raw = raw_path(file.key)
    content_type = "image/png" if drawing else "image/jpeg"
    kept, small = kept_path(file.key, content_type), kept_path(file.key, content_type, small=True)
    session.rollback()  # no transaction stays open while the worker is busy
    try:
        made = compute(pictures.reencode, str(raw), str(kept), str(small), drawing, timeout=120)
    except pictures.Unusable as refused:
        code = refused.code
        return Done(lambda: _reject(file_id, code), after=lambda: raw.unlink(missing_ok=True))
    return Done(lambda: _show(file_id, made), after=lambda: raw.unlink(missing_ok=True))


def _show(file_id: int, made: pictures.Picture) -> None:
    file = session.get_one(StoredFile, file_id)
    file.content_type, file.size, file.width, file.height = made.content_type, made.size, made.width, made.height
    move(OnBehalf(file), "ready", file=file.id)


def _reject(file_id: int, code: str) -> None:
    file = session.get_one(StoredFile, file_id)
    if file.state == "received":
        file.refusal = code
        move(OnBehalf(file), "rejected", file=file.id, refusal=code)


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(str(current_app.secret_key), salt="held-file")
