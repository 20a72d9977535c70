"""Goods receipts as pages: begin, scan line after line, post; quality releases or rejects."""

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from fieldservice.foundation.access import current, require_station, roles
from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Conflict, DomainError, Invalid
from fieldservice.foundation.formats import FormatError
from fieldservice.foundation.time import now
from fieldservice.mechanisms import files
from fieldservice.mechanisms.records.fields import SEVERAL, read_day
from fieldservice.parts.catalogue import gs1
from fieldservice.parts.catalogue import queries as catalogue
from fieldservice.parts.catalogue.models import Supplier
from fieldservice.parts.queries import place_by_code, places_of
from fieldservice.parts.receipts import certificates, queries, services
from fieldservice.parts.receipts.models import GoodsReceipt

blueprint = Blueprint("receipts", __name__)
KEEPERS = ("storekeeper", "station_manager")
JUDGES = ("quality",)
PAPERS = (*KEEPERS, *JUDGES)  # who may hand a certificate in
FIELDS = ("part", "quantity", "batch", "expires_on", "certificate", "serials")


@blueprint.get("/parts/receipts")
@roles(*queries.READERS)
def list_receipts() -> Any:
    """The newest deliveries, and what waits for quality."""
    return render_template(
        "parts/receipts.html", found=queries.receipts_of(current()), waiting=queries.waiting_in_quarantine(current()),
        may_receive=current().has(*KEEPERS),
    )  # fmt: skip


@blueprint.get("/parts/receipts/new")
@roles(*KEEPERS)
def new_receipt() -> Any:
    """Supplier, delivery note and where the goods go."""
    return _new()


@blueprint.post("/parts/receipts/new")
@roles(*KEEPERS)
def begin() -> Any:
    """Begin to receive; a note that was begun already goes on where it stood, one that was posted is shown."""
    typed = request.form

    def work() -> str:
        supplier = session.scalar(
            select(Supplier).where(Supplier.code == typed.get("supplier", "")[:40], Supplier.state == "active")
        )
        if supplier is None:
            raise Invalid({"supplier": [_l("Choose the supplier.")]})
        place = place_by_code(typed.get("location", ""), current(), *KEEPERS)
        return services.open_receipt(supplier, typed.get("delivery_note", ""), place, at=now()).number

    try:
        number = write(work)
    except Conflict as error:
        if error.code != "already_received":
            return _new(error), error.status
        number = str(error.facts["receipt"])
    except Invalid as error:
        return _new(error), error.status
    return redirect(url_for("receipts.receipt_page", number=number), 303)


@blueprint.get("/parts/receipts/<number>")
@roles(*queries.READERS)
def receipt_page(number: str) -> Any:
    """One delivery with its lines."""
    return _page(queries.receipt_of(current(), number[:20]))


@blueprint.post("/parts/receipts/<number>/lines")
@roles(*KEEPERS)
def add_line(number: str) -> Any:
    """Scan or type a line. A label fills what it tells; what is still missing is asked for next."""
    typed = {name: request.form.get(name, "").strip()[:8_000] for name in FIELDS}
    _fill_from_label(typed)

    def work() -> None:
        part = catalogue.scanned(gs1.Label(typed["part"], number=typed["part"]))
        if part is None:
            raise Invalid({"part": [_l("This part is not in the catalogue.")]})
        serials = tuple(one.strip() for one in SEVERAL.split(typed["serials"]) if one.strip())
        typed["quantity"] = typed["quantity"] or (str(len(serials)) if serials else "")
        arrived = services.Arrived(
            part, _quantity(typed["quantity"]), typed["batch"], _day(typed["expires_on"]), typed["certificate"], serials
        )
        services.add_line(_mine(number), arrived, at=now())

    return _step(number, work, typed)


@blueprint.post("/parts/receipts/<number>/lines/<int:line_id>/drop")
@roles(*KEEPERS)
def drop_line(number: str, line_id: int) -> Any:
    """Take a line off again."""
    return _step(number, lambda: services.drop_line(_mine(number), line_id))


@blueprint.post("/parts/receipts/<number>/post")
@roles(*KEEPERS)
def post(number: str) -> Any:
    """Everything comes into stock."""
    return _step(number, lambda: services.post_receipt(_mine(number), at=now()))


@blueprint.post("/parts/receipts/<number>/cancel")
@roles(*KEEPERS)
def cancel(number: str) -> Any:
    """Begun by mistake."""
    return _step(number, lambda: services.cancel_receipt(_mine(number), at=now()))


@blueprint.post("/parts/receipts/<number>/lines/<int:line_id>/release")
@roles(*JUDGES)
def release(number: str, line_id: int) -> Any:
    """Quality has the certificate."""
    given = request.form.get("certificate", "")
    return _step(number, lambda: services.release(_judged(number, line_id), given, at=now()))


@blueprint.post("/parts/receipts/<number>/lines/<int:line_id>/certificate")
@roles(*PAPERS)
def hand_in(number: str, line_id: int) -> Any:
    """The certificate itself; whoever judges releases goods in quarantine by it."""
    person, given = current(), request.files.get("file")
    receipt = queries.receipt_of(person, number[:20])
    require_station(receipt.station_id, *PAPERS)
    line, judges = queries.line_of(receipt, line_id).id, person.covers(receipt.station_id, *JUDGES)
    try:
        if given is None or not given.filename:
            raise Invalid({"file": [_l("Choose the file of the certificate.")]})
        received = files.receive_paper(given.stream, given.filename)
    except Invalid as error:
        return _page(receipt, error), error.status
    text = request.form.get("certificate", "")

    def work() -> None:
        mine = queries.line_of(queries.receipt_of(current(), number[:20]), line)
        certificates.hand_in(mine, received, text, release=judges)

    return _step(number, work)


@blueprint.get("/parts/receipts/<number>/certificates/<int:file_id>")
@roles(*queries.READERS)
def certificate(number: str, file_id: int) -> Any:
    """A file of one of its lines, to keep."""
    found = queries.receipt_of(current(), number[:20])
    return files.send(certificates.file_among(found.lines, file_id), download=True)


@blueprint.post("/parts/receipts/<number>/lines/<int:line_id>/reject")
@roles(*JUDGES)
def reject(number: str, line_id: int) -> Any:
    """Quality refuses the goods."""
    given = request.form.get("reason", "")
    return _step(number, lambda: services.reject(_judged(number, line_id), given, at=now()))


# Inside -------------------------------------------------------------------------------------------


def _mine(number: str) -> GoodsReceipt:
    """Raises NotFound where the person does not keep that store."""
    receipt = queries.receipt_of(current(), number[:20])
    require_station(receipt.station_id, *KEEPERS)
    return receipt


def _judged(number: str, line_id: int) -> Any:
    receipt = queries.receipt_of(current(), number[:20])
    require_station(receipt.station_id, *JUDGES)
    return queries.line_of(receipt, line_id)


def _fill_from_label(typed: dict[str, str]) -> None:
    """What a scanned label tells goes into the fields that are still empty."""
    label = gs1.read(typed["part"])
    part = catalogue.scanned(label)
    if part is None:
        return
    typed["part"] = part.number
    told = {"batch": label.batch, "serials": label.serial, "expires_on": str(label.expires_on or "")}
    for name, text in told.items():
        typed[name] = typed[name] or text


def _quantity(text: str) -> Decimal:
    try:
        return Decimal(text.replace(",", "")[:20])
    except InvalidOperation:
        raise Invalid({"quantity": [_l("Enter a quantity greater than zero.")]}) from None


def _day(text: str) -> Any:
    try:
        return read_day(text) if text else None
    except FormatError as error:
        raise Invalid({"expires_on": [error.message]}) from None


def _step(number: str, work: Callable[[], Any], typed: dict[str, str] | None = None) -> Any:
    """Do it and show the page; a refusal shows it as it is now, why, and what was typed."""
    try:
        write(work)
    except (Conflict, Invalid) as error:
        return _page(queries.receipt_of(current(), number[:20]), error, typed), error.status
    return redirect(url_for("receipts.receipt_page", number=number), 303)


def _page(found: GoodsReceipt, error: DomainError | None = None, typed: dict[str, str] | None = None) -> str:
    return render_template(
        "parts/receipt.html", found=found, refused=error, errors=getattr(error, "errors", {}), typed=typed or {},
        may_receive=current().covers(found.station_id, *KEEPERS) and current().has(*KEEPERS),
        papers=certificates.files_on(found.lines),
        may_hand_in=current().covers(found.station_id, *PAPERS) and current().has(*PAPERS),
        may_judge=current().covers(found.station_id, *JUDGES) and current().has(*JUDGES),
    )  # fmt: skip


def _new(error: DomainError | None = None) -> str:
    suppliers = session.scalars(select(Supplier).where(Supplier.state == "active").order_by(Supplier.code).limit(500))
    return render_template(
        "parts/receipt_new.html", suppliers=suppliers.all(), errors=getattr(error, "errors", {}), refused=error,
        places=places_of(current(), *KEEPERS, kinds=services.INTO), typed=request.form,
    )  # fmt: skip
