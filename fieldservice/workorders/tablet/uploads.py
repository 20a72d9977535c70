"""Pictures of tablets: their bytes come in parts, what they are for comes as a command, in either order."""

from dataclasses import asdict, dataclass
from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from fieldservice.foundation.access import Person
from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Conflict, Invalid, NotFound
from fieldservice.foundation.time import now
from fieldservice.mechanisms import files
from fieldservice.mechanisms.files import parts
from fieldservice.mechanisms.files.models import StoredFile
from fieldservice.workorders.models import TabletUpload, Visit, WorkOrder

MOST_WAITING = 10_000
MOST_PHOTOS = 60  # of a visit: before and after of every step
UPLOAD_ID = r"[0-9A-Za-z_-]{1,64}"


def keep_part(user_id: int, upload_id: str, index: int, content: bytes) -> None:
    """One part of at most 256 KB; sent again it does no harm."""
    parts.keep_part(parts.name_of(user_id, upload_id), index, content)


def complete(user_id: int, upload_id: str, sha256: str, name: str) -> TabletUpload:
    """All parts are sent: check them against their SHA-256 and take the picture in. Repeating it changes nothing.

    Runs outside `write` and makes its own. Raises Conflict `parts_missing` or `sha256_mismatch` (send again),
    Invalid when it is no picture that can be used.
    """
    known = find(user_id, upload_id)
    if known is not None and (known.file_id is not None or known.received):
        return known
    folder = parts.name_of(user_id, upload_id)
    try:
        received = parts.join_parts(folder, sha256, name=name)
    except Invalid as error:
        code = error.code
        write(lambda: _refuse(user_id, upload_id, code))
        parts.drop_parts(folder)
        raise
    upload_row_id = write(lambda: _take_in(user_id, upload_id, received))
    parts.drop_parts(folder)
    return session.get_one(TabletUpload, upload_row_id)


@dataclass(frozen=True)
class Expected:
    """An upload whose purpose is known: its file, if the bytes are here; `lost` when they have to be sent again."""

    row: TabletUpload
    file: StoredFile | None
    lost: bool


def expect(
    visit: Visit, user_id: int, upload_id: str, kind: str, at: datetime, field: str | None = None,
    moment: str | None = None,
) -> Expected:  # fmt: skip
    """A command says what an upload is for: also whether it is of before or after the work. Inside `write`.

    Raises Conflict when the upload serves another visit, Invalid when its bytes cannot be used.
    """
    row = find(user_id, upload_id) or _new(user_id, upload_id)
    if row.refusal is not None:
        raise Invalid({"upload": [_l("This picture cannot be used. Take it again.")]}, code=row.refusal)
    if row.visit_id not in (None, visit.id):
        raise Conflict(_l("This picture belongs to another visit. Take it again."), code="upload_used")
    row.visit_id, row.kind, row.field, row.moment, row.taken_at = visit.id, kind, field, moment, at
    session.flush()
    came = bool(row.received)
    file = _attach(row)
    return Expected(row, file, lost=came and not row.received)


def keep_waiting() -> int:
    """Keep the bytes of pictures that wait for their purpose, a month like their parts: others are swept daily."""
    since = now() - parts.KEPT
    waiting = select(TabletUpload.received).where(TabletUpload.file_id.is_(None), TabletUpload.at > since)
    kept = 0
    for received in session.scalars(waiting.where(TabletUpload.refusal.is_(None)).limit(MOST_WAITING)):
        if received and parts.touch(files.Received(**received)):
            kept += 1
    return kept


def find(user_id: int, upload_id: str) -> TabletUpload | None:
    """The upload of that name by this person."""
    return session.scalar(
        select(TabletUpload).where(TabletUpload.user_id == user_id, TabletUpload.upload_id == upload_id)
    )


def file_of_tour(file_id: int, person: Person) -> StoredFile:
    """A file of one of the technician's own visits, or of the request behind one. Raises NotFound."""
    file = session.get(StoredFile, file_id) if file_id < 2**63 else None
    if file is None or person.technician_id is None:
        raise NotFound()
    mine = select(Visit.id).where(Visit.technician_id == person.technician_id).limit(1)
    if file.subject_type == "visit":
        mine = mine.where(Visit.id == file.subject_id)
    elif file.subject_type == "service_request":
        mine = mine.join(WorkOrder).where(WorkOrder.request_id == file.subject_id)
    else:
        raise NotFound()
    if session.scalar(mine) is None:
        raise NotFound()
    return file


def _new(user_id: int, upload_id: str) -> TabletUpload:
    row = TabletUpload(user_id=user_id, upload_id=upload_id, received={}, at=now())
    session.add(row)
    return row


def _take_in(user_id: int, upload_id: str, received: files.Received) -> int:
    row = find(user_id, upload_id) or _new(user_id, upload_id)
    if not row.received and row.file_id is None:
        row.received, row.refusal = asdict(received), None
    session.flush()
    _attach(row)
    return row.id


def _refuse(user_id: int, upload_id: str, code: str) -> None:
    row = find(user_id, upload_id) or _new(user_id, upload_id)
    row.refusal = code[:24]


def _attach(row: TabletUpload) -> StoredFile | None:
    """Once bytes and purpose are both known the picture becomes a file of the visit."""
    if row.file_id is not None:
        return session.get(StoredFile, row.file_id)
    if row.visit_id is None or not row.received:
        return None
    received = files.Received(**row.received)
    if not parts.is_there(received):  # waited too long for its purpose: the tablet sends it again
        row.received = {}
        return None
    file = files.attach(received, session.get_one(Visit, row.visit_id), row.kind, at=row.taken_at, most=MOST_PHOTOS)
    row.file_id = file.id
    return file
