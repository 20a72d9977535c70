"""Pictures as browsers send them with a form, and with the same form again when it was refused."""

from typing import Any

from flask import request
from flask_babel import lazy_gettext as _l

from fieldservice.foundation.errors import Invalid, TooLarge
from fieldservice.mechanisms.files.models import Received
from fieldservice.mechanisms.files.services import MOST_PHOTOS, held, receive


def read_photos() -> tuple[list[Received], dict[str, list[Any]]]:
    """Pictures sent now and those that an earlier, refused form already brought; and what is wrong with some.

    Call it before the transaction.
    """
    errors: dict[str, list[Any]] = {}
    texts = request.form.getlist("held")[:MOST_PHOTOS]
    photos = [known for text in texts if (known := held(text[:2000])) is not None]
    for upload in request.files.getlist("photos"):
        if not upload.filename:
            continue
        if len(photos) >= MOST_PHOTOS:
            errors["photos"] = [_l("Send at most %(most)s photos.", most=MOST_PHOTOS)]
            break
        try:
            photos.append(receive(upload.stream, upload.filename))
        except Invalid as refused:
            errors.update(refused.errors)
        except TooLarge as refused:
            errors["photos"] = [refused.message]
    return photos, errors
