"""Old parts as pages: what is awaited, scan it in, look at it, and what becomes of it."""

from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from fieldservice.foundation.access import current, require_station, roles
from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Conflict, DomainError, Invalid, NotFound
from fieldservice.foundation.time import now
from fieldservice.foundation.words import pick
from fieldservice.mechanisms import files
from fieldservice.mechanisms.events import history, notes_of
from fieldservice.parts.catalogue import gs1
from fieldservice.parts.catalogue import queries as catalogue
from fieldservice.parts.catalogue.models import Supplier
from fieldservice.parts.models import Part
from fieldservice.parts.queries import place_by_code, places_of
from fieldservice.parts.returns import services
from fieldservice.parts.returns.models import FINDINGS, OldPart
from fieldservice.stations.models import Station
from fieldservice.stations.queries import station_by_code
from fieldservice.store import desk, returning
from fieldservice.store.returning import INSPECTORS, KEEPERS, MANAGERS, READERS, TABS
from fieldservice.workorders.queries import READERS as ORDER_READERS

blueprint = Blueprint("old_parts", __name__)
SOURCES = ("van", "warehouse", "central")  # kinds of places a faulty piece is taken from


@blueprint.get("/parts/returns")
@roles(*READERS)
def page() -> Any:
    """The old parts of a station, by how far they are."""
    return _list(chosen(request.args.get("station", "")))


@blueprint.post("/parts/returns/at/<code>/scan")
@roles(*KEEPERS)
def scan(code: str) -> Any:
    """A label drops its old part off."""
    station = mine(code)

    def work() -> OldPart | Part:
        return returning.scan(gs1.read(request.form.get("code", "")[:200]), station.id, now())

    try:
        found = write(work)
    except (Conflict, Invalid) as error:
        session.rollback()
        return _list(mine(code), error), error.status
    if isinstance(found, Part):
        flash(_("Several are awaited, or its number must be read: choose the one it is."))
        return redirect(url_for("old_parts.page", station=code, tab="expected", part=found.number), 303)
    flash(_("%(part)s %(name)s is dropped off. Look at it next.", part=found.part.number, name=pick(found.part.names)))
    return redirect(url_for("old_parts.page", station=code), 303)


@blueprint.post("/parts/returns/at/<code>/faulty")
@roles(*KEEPERS)
def faulty(code: str) -> Any:
    """Bad out of its box: from a van or the store to the defective ones."""
    station, typed = mine(code), request.form

    def work() -> int:
        label = gs1.read(typed.get("part", "")[:200])
        part = catalogue.scanned(label)
        if part is None:
            raise Invalid({"part": [_l("This part is not in the catalogue.")]}, code="unknown_part")
        try:
            source = place_by_code(typed.get("from", ""), current(), *KEEPERS)
        except NotFound:
            raise Invalid({"from": [_l("Choose where it was taken from.")]}) from None
        if source.kind not in SOURCES or source.station_id != station.id:
            raise Invalid({"from": [_l("Choose where it was taken from.")]})
        serial = typed.get("serial", "") or label.serial
        return services.drop_off_faulty(part, source, at=now(), words=typed.get("words", ""), serial=serial).id

    try:
        number = write(work)
    except (Conflict, Invalid) as error:
        session.rollback()
        return _list(mine(code), error, opened="faulty"), error.status
    return redirect(url_for("old_parts.one", number=number), 303)


@blueprint.get("/parts/returns/<int:number>")
@roles(*READERS)
def one(number: int) -> Any:
    """One old part with its whole way."""
    return _page(number)


@blueprint.post("/parts/returns/<int:number>/drop-off")
@roles(*KEEPERS)
def drop_off(number: int) -> Any:
    """It is here."""
    typed = request.form
    read = gs1.read(typed.get("serial", "")[:200])

    def work() -> None:
        old, part = _mine(number, *KEEPERS), catalogue.scanned(read)
        if part is not None and part.id != old.part_id:
            raise Conflict(_l("This is the label of another part. Look for the right piece."), code="wrong_unit")
        serial = read.serial or ("" if part is not None else read.text)
        services.drop_off(old, at=now(), serial=serial, remark=typed.get("remark", ""))

    return _step(number, work)


@blueprint.post("/parts/returns/<int:number>/inspect")
@roles(*INSPECTORS)
def inspect(number: int) -> Any:
    """What was found, with photos, and what is to become of it. A refused form keeps its photos."""
    typed = request.form
    _mine(number, *INSPECTORS)
    photos, errors = files.read_photos()

    def work() -> None:
        supplier = session.scalar(select(Supplier).where(Supplier.code == typed.get("supplier", "")[:40]))
        old = _mine(number, *INSPECTORS)
        if errors:
            raise Invalid(errors)
        services.inspect(
            old, typed.get("finding", ""), at=now(), words=typed.get("words", ""), supplier=supplier, photos=photos
        )

    return _step(number, work, photos)


@blueprint.get("/parts/returns/<int:number>/photos/<int:file_id>")
@roles(*READERS)
def photo(number: int, file_id: int) -> Any:
    """A photo of what was seen."""
    found = files.file_of(returning.old_part_of(current(), _known(number)).old, file_id)
    return files.send(found, thumbnail="small" in request.args)


@blueprint.post("/parts/returns/<int:number>/scrap")
@roles(*KEEPERS)
def scrap(number: int) -> Any:
    """It is thrown away."""
    return _step(number, lambda: services.scrap(_mine(number, *KEEPERS), at=now()))


@blueprint.post("/parts/returns/<int:number>/restock")
@roles(*KEEPERS)
def restock(number: int) -> Any:
    """Nothing is wrong with it."""
    return _step(number, lambda: services.restock(_mine(number, *KEEPERS), at=now()))


@blueprint.post("/parts/returns/<int:number>/repair")
@roles(*KEEPERS)
def repair(number: int) -> Any:
    """It leaves for its repairer."""
    return _step(number, lambda: services.send_to_repair(_mine(number, *KEEPERS), at=now()))


@blueprint.post("/parts/returns/<int:number>/repaired")
@roles(*KEEPERS)
def repaired(number: int) -> Any:
    """It is back and good."""
    cost = request.form.get("cost", "")
    return _step(
        number, lambda: services.come_repaired(_mine(number, *KEEPERS), money_of(cost, "cost"), at=now())
    )  # fmt: skip


@blueprint.post("/parts/returns/<int:number>/lost")
@roles(*MANAGERS)
def lost(number: int) -> Any:
    """It will not come back, and why."""
    reason = request.form.get("reason", "")[:300]
    return _step(number, lambda: services.lose(_mine(number, *MANAGERS), reason, at=now()))


# Shared with claims ---------------------------------------------------------------------------------


def stations() -> list[Station]:
    """Stations whose old parts the person sees."""
    covered = current().stations(*READERS)
    return [one for one in desk.open_stations() if covered is None or one.id in covered]


def chosen(code: str) -> Station:
    """The station asked for, else the person's first. Raises NotFound for another's."""
    known = stations()
    found = next((one for one in known if one.code == code), None) if code else next(iter(known), None)
    if found is None:
        raise NotFound()
    return found


def mine(code: str, *wanted: str) -> Station:
    """Raises NotFound where the person does not keep that store."""
    station = station_by_code(code)
    require_station(station.id, *(wanted or KEEPERS))
    return station


def number_of(name: str) -> int:
    """An id in the address; 0 where there is none. Raises NotFound for what no row has."""
    text = request.args.get(name, "")
    if text and not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise NotFound()
    return int(text or 0)


def money_of(text: str, field: str) -> int:
    """Minor units of an amount as people type it. Raises Invalid."""
    try:
        given = Decimal(text.strip().replace(",", "")[:20])
        minor = given * 100
        if not given.is_finite() or minor != minor.to_integral_value():
            raise InvalidOperation
    except InvalidOperation:
        raise Invalid({field: [_l("Enter an amount, such as 120 or 120.50.")]}) from None
    services.check_money(int(minor), field)
    return int(minor)


# Inside -------------------------------------------------------------------------------------------


def _mine(number: int, *wanted: str) -> OldPart:
    """Raises NotFound where the person may not do this at its station."""
    found = returning.old_part_of(current(), _known(number)).old
    require_station(found.station_id, *wanted)
    return found


def _known(number: int) -> int:
    if not 0 < number < 2**62:
        raise NotFound()
    return number


def _step(number: int, work: Callable[[], None], photos: Sequence[files.Received] = ()) -> Any:
    """Do it and show the page; a refusal shows it as it is now, why, and keeps the `photos` that were sent."""
    try:
        write(work)
    except (Conflict, Invalid) as error:
        session.rollback()
        return _page(number, error, photos), error.status
    return redirect(url_for("old_parts.one", number=number), 303)


def _list(station: Station, error: DomainError | None = None, opened: str = "") -> str:
    at, person = now(), current()
    tab, part = request.args.get("tab", ""), request.args.get("part", "")[:40]
    counts = returning.counts_of(person, station.id, at)
    if tab not in TABS:
        tab = next((name for name in ("expected", "inspect", "decide") if counts[name]), "expected")
    rows, more = returning.page_of(person, station.id, tab, part=part, after=number_of("after"))
    keeps = person.has(*KEEPERS) and person.covers(station.id, *KEEPERS)
    return render_template(
        "store/old_parts.html", station=station, stations=stations(), counts=counts, tab=tab, tabs_of=TABS, rows=rows,
        more=more, part=part, at=at, keeps=keeps, refused=error, errors=getattr(error, "errors", {}),
        typed=request.form, opened=opened, reads_orders=person.has(*ORDER_READERS),
        places=[one for one in places_of(person, *KEEPERS, kinds=SOURCES) if one.station_id == station.id]
        if keeps else (),
    )  # fmt: skip


def _page(number: int, error: DomainError | None = None, photos: Sequence[files.Received] = ()) -> str:
    person = current()
    found = returning.old_part_of(person, _known(number))
    old = found.old
    events = history(old)
    return render_template(
        "store/old_part.html", found=found, old=old, events=events, notes=notes_of(events), refused=error,
        errors=getattr(error, "errors", {}), typed=request.form, findings=FINDINGS,
        suppliers=returning.suppliers_for(old.part) if old.state in ("dropped_off", "inspected") else (),
        keeps=person.covers(old.station_id, *KEEPERS), inspects=person.covers(old.station_id, *INSPECTORS),
        leads=person.covers(old.station_id, *MANAGERS), reads_orders=person.has(*ORDER_READERS), at=now(),
        claim=returning.claim_by_id(old.claim_id), fitted=old.use_id is not None,
        held=[files.hold(one) for one in photos], pictures=returning.photos_of([old])[old.id],
        state_text=files.state_text,
    )  # fmt: skip
