"""Certificates as files: a scan or a photo handed in for a line of a delivery; quality releases goods by it."""

from collections.abc import Iterable, Sequence
from pathlib import PurePath

from flask_babel import lazy_gettext as _l
from sqlalchemy import or_, select

from fieldservice.foundation.access import Person, in_scope
from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Invalid, NotFound
from fieldservice.foundation.time import now
from fieldservice.mechanisms import files
from fieldservice.mechanisms.files import Received, StoredFile
from fieldservice.mechanisms.forms import plain_text
from fieldservice.parts import services as ledger
from fieldservice.parts.models import Part
from fieldservice.parts.receipts import services
from fieldservice.parts.receipts.models import GoodsReceiptLine

MOST = 10  # of a line
LISTED = 50  # lines of a part whose certificates are shown
ENDED = ("rejected",)


def hand_in(line: GoodsReceiptLine, received: Received, number: str, *, release: bool) -> None:
    """Keep the file with the line; with `release`, what waits in quarantine for it comes into stock.

    Without a number the file's name stands for it. The same file again is the same. Raises Invalid for too many, and
    for goods that were rejected.
    """
    mine = select(GoodsReceiptLine).where(GoodsReceiptLine.id == line.id).with_for_update()
    line = session.scalars(mine.execution_options(populate_existing=True)).one()
    if line.state in ENDED:
        raise Invalid({"file": [_l("These goods were rejected. A certificate changes nothing any more.")]})
    known = files.files_of([line])[line.subject_type, line.id]
    if len(known) >= MOST and all(one.sha256 != received.sha256 for one in known):
        raise Invalid({"file": [_l("Keep at most %(most)s files with a line.", most=MOST)]}, code="too_many_files")
    kind = "document" if received.content_type == "application/pdf" else "photo"
    files.attach(received, line, kind, at=now(), most=MOST)
    named = plain_text(number, 80, field="certificate") or line.certificate
    line.certificate = named or PurePath(received.name).stem[:80]
    batch = ledger.known_batch(line.part, line.batch) if line.batch else None
    if batch is not None and not batch.certificate:
        batch.certificate = line.certificate
    session.flush()
    if release and line.state == "quarantined":
        services.release(line, line.certificate, at=now())


def files_on(lines: Iterable[GoodsReceiptLine]) -> dict[int, list[StoredFile]]:
    """line id → its files, rejected ones left out; one query."""
    found = files.files_of(list(lines))
    return {number: [one for one in some if one.state != "rejected"] for (_type, number), some in found.items() if some}


def of_part(part: Part, person: Person, batches: Sequence[str], *readers: str) -> list[GoodsReceiptLine]:
    """The newest deliveries of a part whose certificates the person may see: those of his stations, and those of
    batches that lie in his places, whichever station received them."""
    mine = in_scope(GoodsReceiptLine, person, *readers)
    seen = or_(mine, GoodsReceiptLine.batch.in_([one for one in batches if one]))
    wanted = select(GoodsReceiptLine).where(GoodsReceiptLine.part_id == part.id, seen)
    with_file = select(StoredFile.id).where(
        StoredFile.subject_type == GoodsReceiptLine.subject_type, StoredFile.subject_id == GoodsReceiptLine.id
    )
    return list(session.scalars(wanted.where(with_file.exists()).order_by(GoodsReceiptLine.id.desc()).limit(LISTED)))


def file_among(lines: Sequence[GoodsReceiptLine], file_id: int) -> StoredFile:
    """Raises NotFound for the file of any other line."""
    if not lines:
        raise NotFound()
    return files.file_of(lines, file_id)
