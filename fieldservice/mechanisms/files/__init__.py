"""Files: photos, signatures and documents about any subject.

What comes from outside passes three stages. `receive` looks at it and keeps the raw bytes, before the
transaction; `attach` makes the row and asks for a job, inside it; the job re-encodes the picture in a
worker process. Only then is it shown, by `send`, in a view that has checked the subject. A process
killed anywhere between loses nothing: the row names the raw bytes until they are replaced. Short videos
are not taken yet.
"""

from fieldservice.mechanisms.files.folder import sweep
from fieldservice.mechanisms.files.forms import read_photos
from fieldservice.mechanisms.files.models import Received, StoredFile
from fieldservice.mechanisms.files.services import (
    MOST_PHOTOS,
    attach,
    held,
    hold,
    prepare,
    receive,
    receive_document,
    receive_paper,
)
from fieldservice.mechanisms.files.view import file_of, files_of, send, state_text

__all__ = [
    "MOST_PHOTOS", "Received", "StoredFile", "attach", "file_of", "files_of", "held", "hold", "prepare",
    "read_photos", "receive", "receive_document", "receive_paper", "send", "state_text", "sweep",
]  # fmt: skip
