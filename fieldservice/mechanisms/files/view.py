"""How files are found and shown."""

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from flask import Response, current_app, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select, tuple_

from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Conflict, NotFound
from fieldservice.mechanisms.events import Subject
from fieldservice.mechanisms.files.folder import SUFFIXES, kept_path
from fieldservice.mechanisms.files.models import REFUSALS, StoredFile


def files_of(subjects: Sequence[Subject]) -> dict[tuple[str, int], list[StoredFile]]:
    """The files of each subject, oldest first, in one query; those not ready and the rejected too."""
    names = [(subject.subject_type, int(subject.id)) for subject in subjects]
    found: dict[tuple[str, int], list[StoredFile]] = {name: [] for name in names}
    theirs = select(StoredFile).where(tuple_(StoredFile.subject_type, StoredFile.subject_id).in_(names))
    for file in session.scalars(theirs.order_by(StoredFile.id)):
        found[file.subject_type, file.subject_id].append(file)
    return found


def file_of(subjects: Subject | Sequence[Subject], file_id: int) -> StoredFile:
    """A file of one of these subjects, which the view has checked. Raises NotFound for anybody else's."""
    allowed = subjects if isinstance(subjects, Sequence) else (subjects,)
    file = session.get(StoredFile, file_id) if file_id < 2**63 else None
    if file is None or not any((s.subject_type, s.id) == (file.subject_type, file.subject_id) for s in allowed):
        raise NotFound()
    return file


def state_text(file: StoredFile) -> str:
    """What to say in place of a picture that cannot be shown (yet)."""
    if file.state == "received":
        return str(_("Being processed …"))
    return str(REFUSALS.get(file.refusal or "", REFUSALS["corrupt"])) if file.state == "rejected" else ""


def send(file: StoredFile, *, thumbnail: bool = False, download: bool = False) -> Response:
    """The bytes of a ready file. The view has checked that its reader may see the subject.

    Raises Conflict `file_in_work` while it is received and NotFound when it was rejected.
    """
    if file.state == "received":
        raise Conflict(_l("This picture is still being processed. Load it again in a moment."), code="file_in_work")
    small = thumbnail and file.kind != "document"
    path = kept_path(file.key, file.content_type, small=small)
    if file.state != "ready" or not path.exists():
        raise NotFound()
    # Read at once: pictures are small by now, and a file passed on in little pieces costs a thread switch for each.
    response = current_app.response_class(path.read_bytes(), mimetype=file.content_type)
    shown = Path(file.name).stem + SUFFIXES[file.content_type]
    response.headers["Content-Disposition"] = (
        f"{'attachment' if download else 'inline'}; filename*=UTF-8''{quote(shown)}"
    )
    response.set_etag(f"{file.key}{'-small' if small else ''}")
    response.make_conditional(request)
    response.headers["Cache-Control"] = "private, max-age=300"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
