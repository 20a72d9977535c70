"""The row of a file, and what was received but belongs to nothing yet."""

from dataclasses import dataclass
from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from fieldservice.foundation.db import Base, Id
from fieldservice.mechanisms.lifecycle import Lifecycle, Stateful, table

KINDS = frozenset({"photo", "signature", "approval", "document"})
DRAWN = frozenset({"signature", "approval"})  # by hand, on a screen
REFUSALS = {
    "type": _l("Only photos in JPEG, PNG or WebP format can be used."),
    "pixels": _l("This picture has more than 40 megapixels. Please send a smaller one."),
    "corrupt": _l("This picture is damaged and cannot be read. Please send it again."),
    "paper": _l("Only PDF, JPEG, PNG or WebP can be used. Scan the paper, or take a photo of it."),
    "torn": _l("This PDF is not whole and cannot be kept. Please save it again and send that."),
    "empty": _l("This file is empty. Please choose it again."),
}


class StoredFile(Stateful, Base):
    """A file about a subject. Its events are told on the subject's timeline."""

    __tablename__ = "stored_file"
    lifecycle = Lifecycle("file", "received", table("received → ready | rejected"))
    id: Mapped[Id]
    subject_type: Mapped[str] = mapped_column(String(40))
    subject_id: Mapped[int]
    station_id: Mapped[int | None]
    kind: Mapped[str] = mapped_column(String(12))
    key: Mapped[str] = mapped_column(String(32), unique=True)  # its name in the instance folder
    sha256: Mapped[str] = mapped_column(String(64))  # of the bytes as received
    content_type: Mapped[str] = mapped_column(String(40))
    size: Mapped[int]  # bytes; like the next two as received, then as kept
    width: Mapped[int | None]  # pixels
    height: Mapped[int | None]
    name: Mapped[str] = mapped_column(String(120))
    created_at: Mapped[datetime]
    uploaded_by: Mapped[str] = mapped_column(String(40))
    refusal: Mapped[str | None] = mapped_column(String(12))  # a code of REFUSALS, once rejected
    __table_args__ = (Index("ix_stored_file_subject", "subject_type", "subject_id", "id"),)


@dataclass(frozen=True)
class Received:
    """Bytes that were looked at and kept, but belong to nothing yet."""

    key: str
    sha256: str
    size: int
    content_type: str
    width: int | None
    height: int | None
    name: str
