"""Supply orders as pages: begin, put parts on, approve, print for the supplier, enter his date, cancel or close."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from fieldservice.foundation.access import current, require_station, roles
from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Conflict, DomainError, Invalid, NotFound
from fieldservice.foundation.formats import FormatError
from fieldservice.foundation.time import day_span, local, now, today
from fieldservice.mechanisms.records.fields import read_day
from fieldservice.parts.catalogue import gs1
from fieldservice.parts.catalogue import queries as catalogue
from fieldservice.parts.catalogue.models import Supplier
from fieldservice.parts.queries import place_by_code, places_of
from fieldservice.parts.supply import queries, services
from fieldservice.parts.supply.models import COMING, SupplyOrder

blueprint = Blueprint("supply", __name__)
KEEPERS = ("storekeeper", "station_manager")
MANAGERS = ("station_manager",)
LARGEST_ID = 18  # digits


@blueprint.get("/parts/supply-orders")
@roles(*queries.READERS)
def list_orders() -> Any:
    """The newest orders that are not over, or all."""
    closed, before = request.args.get("closed") == "1", request.args.get("before", "0")
    if not (before.isascii() and before.isdecimal() and len(before) <= LARGEST_ID):
        raise NotFound()
    found = queries.orders_of(current(), closed=closed, before=int(before))
    return render_template(
        "parts/supply_orders.html", found=found[: queries.PAGE], closed=closed, worth=services.worth, today=today(),
        more=found[queries.PAGE - 1].id if len(found) > queries.PAGE else None, may_order=current().has(*KEEPERS),
        coming=COMING, day_of=_day_of,
    )  # fmt: skip


@blueprint.get("/parts/supply-orders/new")
@roles(*KEEPERS)
def new_order() -> Any:
    """Supplier, and where the goods go."""
    return _new()


@blueprint.post("/parts/supply-orders/new")
@roles(*KEEPERS)
def begin() -> Any:
    """Begin to order."""
    typed = request.form

    def work() -> str:
        supplier = session.scalar(select(Supplier).where(Supplier.code == typed.get("supplier", "")[:40]))
        if supplier is None:
            raise Invalid({"supplier": [_l("Choose the supplier.")]})
        place = place_by_code(typed.get("location", ""), current(), *KEEPERS)
        return services.open_order(supplier, place, at=now()).number

    try:
        number = write(work)
    except Invalid as error:
        return _new(error), error.status
    return redirect(url_for("supply.order_page", number=number), 303)


@blueprint.get("/parts/supply-orders/<number>")
@roles(*queries.READERS)
def order_page(number: str) -> Any:
    """One order with its lines."""
    return _page(queries.order_of(current(), number[:20]))


@blueprint.get("/parts/supply-orders/<number>/print")
@roles(*queries.READERS)
def print_page(number: str) -> Any:
    """The order on paper, for the supplier."""
    found = queries.order_of(current(), number[:20])
    offers = {line.part_id: services.offer_of(line.part, found.supplier_id, now()) for line in found.lines}
    return render_template("parts/supply_order_print.html", found=found, offers=offers, worth=services.worth(found))


@blueprint.post("/parts/supply-orders/<number>/lines")
@roles(*KEEPERS)
def put_line(number: str) -> Any:
    """Put a part on the order, or change how much of it."""
    typed = request.form

    def work() -> None:
        text = typed.get("part", "").strip()[:200]
        part = catalogue.scanned(gs1.read(text))
        if part is None:
            raise Invalid({"part": [_l("This part is not in the catalogue.")]})
        services.put_line(_mine(number), part, _quantity(typed.get("quantity", "")), at=now())

    return _step(number, work)


@blueprint.post("/parts/supply-orders/<number>/lines/<int:line_id>/drop")
@roles(*KEEPERS)
def drop_line(number: str, line_id: int) -> Any:
    """Take a line off again."""
    return _step(number, lambda: services.drop_line(_mine(number), line_id, at=now()))


@blueprint.post("/parts/supply-orders/<number>/approve")
@roles(*KEEPERS)
def approve(number: str) -> Any:
    """It may be sent; above the policy's value a manager says so."""

    def work() -> None:
        order = _mine(number)
        services.approve(order, at=now(), by_manager=_leads(order))

    return _step(number, work)


@blueprint.post("/parts/supply-orders/<number>/send")
@roles(*KEEPERS)
def send(number: str) -> Any:
    """The supplier has it."""
    return _step(number, lambda: services.send(_mine(number), at=now()))


@blueprint.post("/parts/supply-orders/<number>/date")
@roles(*KEEPERS)
def acknowledge(number: str) -> Any:
    """The supplier's date; goods of a day count as there at its end."""

    def work() -> None:
        try:
            day = read_day(request.form.get("due_at", "")[:40])
        except FormatError as error:
            raise Invalid({"due_at": [error.message]}) from None
        services.acknowledge(_mine(number), day_span(day)[1] - services.A_MINUTE, at=now())

    return _step(number, work)


@blueprint.post("/parts/supply-orders/<number>/cancel")
@roles(*KEEPERS)
def cancel(number: str) -> Any:
    """It is not wanted any more, or not delivered."""
    given = request.form.get("reason", "")
    return _step(number, lambda: services.cancel(_mine(number), given, at=now()))


@blueprint.post("/parts/supply-orders/<number>/close")
@roles(*KEEPERS)
def close(number: str) -> Any:
    """Nothing more comes of it."""
    return _step(number, lambda: services.close(_mine(number), at=now()))


# Inside -------------------------------------------------------------------------------------------


def _mine(number: str) -> SupplyOrder:
    """Raises NotFound where the person does not keep that store."""
    order = queries.order_of(current(), number[:20])
    require_station(order.station_id, *KEEPERS)
    return order


def _leads(order: SupplyOrder) -> bool:
    return current().has(*MANAGERS) and current().covers(order.station_id, *MANAGERS)


def _day_of(moment: datetime) -> date:
    return local(moment).date()


def _quantity(text: str) -> Decimal:
    try:
        return Decimal(text.strip().replace(",", "")[:20])
    except InvalidOperation:
        raise Invalid({"quantity": [_l("Enter a quantity greater than zero.")]}) from None


def _step(number: str, work: Callable[[], Any]) -> Any:
    """Do it and show the page; a refusal shows it as it is now, why, and what was typed."""
    try:
        write(work)
    except (Conflict, Invalid) as error:
        return _page(queries.order_of(current(), number[:20]), error), error.status
    return redirect(url_for("supply.order_page", number=number), 303)


def _page(found: SupplyOrder, error: DomainError | None = None) -> str:
    may_order = current().has(*KEEPERS) and current().covers(found.station_id, *KEEPERS)
    return render_template(
        "parts/supply_order.html", found=found, refused=error, errors=getattr(error, "errors", {}), typed=request.form,
        may_order=may_order, may_approve=_leads(found) or not services.needs_manager(found), today=today(),
        coming=COMING, tied=queries.tied_of(found), worth=services.worth(found), day_of=_day_of,
    )  # fmt: skip


def _new(error: DomainError | None = None) -> str:
    suppliers = session.scalars(select(Supplier).where(Supplier.state == "active").order_by(Supplier.code).limit(500))
    return render_template(
        "parts/supply_order_new.html", suppliers=suppliers.all(), errors=getattr(error, "errors", {}), refused=error,
        places=places_of(current(), *KEEPERS, kinds=services.INTO), typed=request.form,
    )  # fmt: skip
