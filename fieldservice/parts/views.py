"""Parts as pages: the list with its search, and one part."""

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import lazy_gettext as _l

from fieldservice.foundation.access import current, roles
from fieldservice.foundation.db import write
from fieldservice.foundation.errors import Invalid, NotFound
from fieldservice.foundation.time import now, today
from fieldservice.mechanisms.files import services as files
from fieldservice.mechanisms.files.view import file_of, files_of, send
from fieldservice.parts import queries, records, sheet
from fieldservice.parts.availability.asking import ASKING
from fieldservice.parts.catalogue import queries as catalogue
from fieldservice.parts.counts.views import READERS as COUNTERS
from fieldservice.parts.receipts import certificates
from fieldservice.parts.receipts.queries import READERS as RECEIVERS
from fieldservice.parts.returns.queries import loop_of

blueprint = Blueprint("parts", __name__)
LISTED = 50


@blueprint.get("/parts/catalogue")
@roles(*sheet.READERS)
def list_parts() -> Any:
    """The catalogue: by number, words, or a scanned label."""
    words, after = request.args.get("q", "")[:200], request.args.get("after", "")[:40]
    found = catalogue.search(words, LISTED + 1, after)
    scope = queries.stock_in(current().stations(*sheet.READERS), [part.id for part in found])
    return render_template(
        "parts/list.html", found=found[:LISTED], words=words, here=scope,
        more=found[LISTED - 1].number if len(found) > LISTED else None,
        criticality=records.CRITICALITY, may_receive=current().has(*RECEIVERS), may_count=current().has(*COUNTERS),
    )  # fmt: skip


@blueprint.get("/parts/<number>")
@roles(*sheet.READERS)
def part_page(number: str) -> Any:
    """One part: both languages, where it lies, what it carries with it and what happened to it."""
    return _page(number)


@blueprint.get("/parts/<number>/pictures/<int:file_id>")
@roles(*sheet.READERS)
def picture(number: str, file_id: int) -> Any:
    """A picture of a part; `small` for its thumbnail."""
    return send(file_of(queries.part_by_number(number[:40]), file_id), thumbnail="small" in request.args)


@blueprint.post("/parts/<number>/pictures")
@roles(*records.EDITORS)
def add_picture(number: str) -> Any:
    """Put a picture with a part."""
    given = request.files.get("picture")
    try:
        if given is None or not given.filename:
            raise Invalid({"picture": [_l("Choose a picture.")]})
        received = files.receive(given.stream, given.filename, field="picture")
        write(lambda: files.attach(received, queries.part_by_number(number[:40]), at=now()))
    except Invalid as error:
        return _page(number, error), error.status
    return redirect(url_for("parts.part_page", number=number), 303)


@blueprint.get("/parts/<number>/certificates/<int:file_id>")
@roles(*sheet.READERS)
def certificate(number: str, file_id: int) -> Any:
    """A certificate of a delivery to the person's stations, or of a batch that lies in their places."""
    part = queries.part_by_number(number[:40])
    batches = sheet.batches_of(part, current(), now())
    lines = certificates.of_part(part, current(), [one.batch.number for one in batches], *sheet.READERS)
    return send(certificates.file_among(lines, file_id), download=True)


def _page(number: str, error: Invalid | None = None) -> str:
    part = queries.part_by_number(number[:40])
    serial = request.args.get("serial", "")[:60]
    found = sheet.sheet_of(part, current(), at=now(), on=today(), serial=serial, before=_before())
    batches = [one.batch.number for one in found.batches]
    proven = certificates.of_part(part, current(), batches, *sheet.READERS)
    return render_template(
        "parts/part.html", proven=proven, papers=certificates.files_on(proven) if proven else {},
        sheet=found, serial=serial, criticality=records.CRITICALITY, hazards=records.hazards(),
        pictures=files_of([part]).get((part.subject_type, part.id), []), may_edit=current().has(*records.EDITORS),
        may_ask=current().has(*ASKING), loop=loop_of(part, serial.strip(), current()) if serial.strip() else (),
        refused=error, errors=error.errors if error is not None else {},
    )  # fmt: skip


def _before() -> int:
    """The id that earlier moves come before; nobody has one of twenty digits."""
    text = request.args.get("before", "")
    if text and not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise NotFound()
    return int(text or 0)
