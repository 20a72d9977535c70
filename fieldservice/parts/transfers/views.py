"""Transfers as pages: ask, approve, ship, receive what is scanned, give up what is lost."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import lazy_gettext as _l

from fieldservice.foundation.access import current, roles
from fieldservice.foundation.db import write
from fieldservice.foundation.errors import Conflict, DomainError, Invalid, NotFound
from fieldservice.foundation.time import clock, local, now
from fieldservice.mechanisms.records.fields import SEVERAL
from fieldservice.parts.catalogue import gs1
from fieldservice.parts.catalogue import queries as catalogue
from fieldservice.parts.models import Part
from fieldservice.parts.transfers import asking, neighbours, queries, services
from fieldservice.parts.transfers.models import Transfer, TransferLine
from fieldservice.parts.transfers.queries import KEEPERS, READERS
from fieldservice.parts.transfers.services import Arrived

blueprint = Blueprint("transfers", __name__)
EMPTY_LINES = 4  # on the form of a new one
ARRIVES = timedelta(hours=24)  # proposed on the form
MOST_TEXT = 64_000


@blueprint.get("/parts/transfers")
@roles(*READERS)
def list_transfers() -> Any:
    """The newest transfers from and to the person's stations."""
    shown = request.args.get("show", "")
    return render_template(
        "parts/transfers.html", found=queries.transfers_of(current(), open_only=shown != "all"), shown=shown,
        may_ask=current().has(*KEEPERS),
    )  # fmt: skip


@blueprint.get("/parts/transfers/new")
@roles(*KEEPERS)
def new_transfer() -> Any:
    """From where, to where, what, and when it arrives."""
    return _new()


@blueprint.post("/parts/transfers/new")
@roles(*KEEPERS)
def begin() -> Any:
    """Ask for it; whoever keeps the place it leaves approves at once."""
    typed = request.form

    def work() -> str:
        source, target = typed.get("from", ""), typed.get("to", "")
        leaves = queries.place_named(source)
        opened = asking.ask_for(
            source, target, _wanted(), current(), expected_at=_moment(typed.get("expected_at", "")), at=now(),
            told=typed, approve=leaves is not None and current().covers(leaves.station_id, *KEEPERS),
        )  # fmt: skip
        return opened.number

    try:
        number = write(work)
    except (Conflict, Invalid) as error:
        return _new(error), error.status
    return redirect(url_for("transfers.transfer_page", number=number), 303)


@blueprint.get("/parts/transfers/<number>")
@roles(*READERS)
def transfer_page(number: str) -> Any:
    """One transfer with its lines and what can be done."""
    return _page(_found(number), chosen=request.args.get("line", 0, int))


@blueprint.post("/parts/transfers/<number>/approve")
@roles(*KEEPERS)
def approve(number: str) -> Any:
    """The place it leaves keeps it for this."""
    return _step(number, lambda: services.approve(_sent_by(number), at=now()))


@blueprint.post("/parts/transfers/<number>/refuse")
@roles(*KEEPERS)
def refuse(number: str) -> Any:
    """The place it would leave cannot spare it."""
    reason = request.form.get("reason", "")[:300]
    return _step(number, lambda: neighbours.refuse(_sent_by(number), reason, at=now()))


@blueprint.post("/parts/transfers/<number>/cancel")
@roles(*KEEPERS)
def cancel(number: str) -> Any:
    """It is not sent."""
    return _step(number, lambda: services.cancel(_concerned(number), at=now()))


@blueprint.post("/parts/transfers/<number>/ship")
@roles(*KEEPERS)
def ship(number: str) -> Any:
    """It leaves; numbered pieces by their numbers."""

    def work() -> None:
        transfer = _sent_by(number)
        services.ship(transfer, at=now(), serials={line.id: _serials(line) for line in transfer.lines})

    return _step(number, work)


@blueprint.post("/parts/transfers/<number>/receive")
@roles(*KEEPERS)
def receive(number: str) -> Any:
    """Everything that is still on its way, or what is written on the lines."""

    def work() -> None:
        transfer = _received_by(number)
        everything = request.form.get("all") == "1"
        services.receive(transfer, None if everything else _arrived(transfer), at=now())

    return _step(number, work)


@blueprint.post("/parts/transfers/<number>/scan")
@roles(*KEEPERS)
def scan(number: str) -> Any:
    """A label chooses its line; one with a serial number on its way is received at once."""
    label = gs1.read(request.form.get("code", "")[:200])

    def work() -> int:
        transfer, part = _received_by(number), catalogue.scanned(label)
        line = next((one for one in transfer.lines if part is not None and one.part_id == part.id), None)
        if line is None:
            raise Invalid({"code": [_l("This part is not on the transfer. Look at the label again.")]})
        if not (label.serial and line.part.serial_tracked):
            return line.id
        services.receive(transfer, {line.id: Arrived(Decimal(1), (label.serial,))}, at=now())
        return 0

    try:
        line_id = write(work)
    except (Conflict, Invalid) as error:
        return _page(_found(number), error), error.status
    return redirect(url_for("transfers.transfer_page", number=number, line=line_id or None) + "#entry", 303)


@blueprint.post("/parts/transfers/<number>/lost")
@roles(*KEEPERS)
def lost(number: str) -> Any:
    """What is still on its way will not arrive."""
    reason = request.form.get("reason", "")[:300]
    return _step(number, lambda: services.give_up(_received_by(number), reason, at=now()))


# Inside -------------------------------------------------------------------------------------------


def _found(number: str) -> Transfer:
    return queries.transfer_of(current(), number[:20])


def _sent_by(number: str) -> Transfer:
    """Raises NotFound where the person does not keep the place it leaves."""
    return _kept(number, source=True, target=False)


def _received_by(number: str) -> Transfer:
    return _kept(number, source=False, target=True)


def _concerned(number: str) -> Transfer:
    return _kept(number, source=True, target=True)


def _kept(number: str, *, source: bool, target: bool) -> Transfer:
    transfer, mine = _found(number), current()
    if (source and mine.covers(transfer.station_id, *KEEPERS)) or (
        target and mine.covers(transfer.to_station_id, *KEEPERS)
    ):
        return transfer
    raise NotFound()


def _wanted() -> list[tuple[Part, Decimal]]:
    """Lines as they were typed; empty ones are left out. A label fills in the part."""
    parts, quantities = request.form.getlist("part"), request.form.getlist("quantity")
    wanted = []
    for code, quantity in zip(parts[: services.MOST_LINES], quantities, strict=False):
        if not code.strip():
            continue
        part = catalogue.scanned(gs1.read(code[:200]))
        if part is None:
            raise Invalid({"lines": [_l("“%(text)s” is not in the catalogue.", text=code.strip()[:40])]})
        wanted.append((part, _quantity(quantity or "1", "lines")))
    return wanted


def _quantity(text: str, field: str) -> Decimal:
    try:
        given = Decimal(text.strip().replace(",", "")[:20])
    except InvalidOperation:
        given = Decimal(0)
    if not given.is_finite() or given <= 0:
        raise Invalid({field: [_l("Enter a quantity greater than zero.")]})
    return given


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text.strip()[:40]).replace(tzinfo=clock.zone).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Invalid({"expected_at": [_l("Say when it arrives: from now on, at most 90 days ahead.")]}) from None


def _serials(line: TransferLine) -> tuple[str, ...]:
    given = request.form.get(f"serials-{line.id}", "")[:MOST_TEXT]
    return tuple(one.strip() for one in SEVERAL.split(given) if one.strip())


def _arrived(transfer: Transfer) -> dict[int, Arrived]:
    """By line what is written there; nothing written means nothing arrived of it."""
    arrived = {}
    for line in transfer.lines:
        given = request.form.get(f"quantity-{line.id}", "").strip()
        serials = _serials(line)
        if given or serials:
            arrived[line.id] = Arrived(_quantity(given or str(len(serials)), f"quantity-{line.id}"), serials)
    return arrived


def _step(number: str, work: Callable[[], Any]) -> Any:
    """Do it and show the page; a refusal shows it as it is now, and why."""
    try:
        write(work)
    except (Conflict, Invalid) as error:
        return _page(_found(number), error), error.status
    return redirect(url_for("transfers.transfer_page", number=number), 303)


def _page(found: Transfer, error: DomainError | None = None, chosen: int = 0) -> str:
    mine = current()
    return render_template(
        "parts/transfer.html", found=found, refused=error, errors=getattr(error, "errors", {}), typed=request.form,
        sends=mine.covers(found.station_id, *KEEPERS) and mine.has(*KEEPERS), chosen=chosen,
        receives=mine.covers(found.to_station_id, *KEEPERS) and mine.has(*KEEPERS),
        on_the_way=found.state in ("shipped", "part_received"),
        why=queries.why(found) if found.state == "refused" else "",
        unwanted=found.state == "cancelled" and queries.unwanted(found),
    )  # fmt: skip


def _new(error: DomainError | None = None) -> str:
    typed = request.form
    lines = list(zip(typed.getlist("part"), typed.getlist("quantity"), strict=False))
    if not lines:
        lines = [(request.args.get("part", "")[:40], "")]
    return render_template(
        "parts/transfer_new.html", places=queries.ends_of(current()), typed=typed, refused=error,
        errors=getattr(error, "errors", {}), lines=lines + [("", "")] * max(0, EMPTY_LINES - len(lines)),
        proposed=local(now() + ARRIVES).strftime("%Y-%m-%dT%H:%M"),
    )  # fmt: skip
