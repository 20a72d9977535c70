"""The rows behind a tablet's snapshot: everything of one technician's next days, in a fixed number of statements."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from sqlalchemy import func, or_, select
from sqlalchemy.orm import joinedload, selectinload

from fieldservice.assets.models import Asset
from fieldservice.foundation.db import session
from fieldservice.foundation.time import day_span, now, today
from fieldservice.intake.models import ServiceRequest, ThreadMessage
from fieldservice.mechanisms import clocks, files
from fieldservice.mechanisms.events import Event, Subject, notes_of
from fieldservice.mechanisms.files.models import StoredFile
from fieldservice.parts.models import Part, StockBalance, StockLocation, StockMove
from fieldservice.stations.models import Technician
from fieldservice.workorders.models import (
    Answer,
    ExtraWork,
    LineChoice,
    PartUse,
    TabletUpload,
    Visit,
    WorkItem,
    WorkOrder,
)
from fieldservice.workorders.onsite import arriving, follow_ups, raised, times
from fieldservice.workorders.onsite.callers import callers_of
from fieldservice.workorders.onsite.models import Arrival, Finding, FollowUp, TimeCorrection
from fieldservice.workorders.pickups import Pickup, by_visit, pickups_for
from fieldservice.workorders.rescue.queries import waivers_of
from fieldservice.workorders.tablet.returning import ToReturn, to_return

T = TypeVar("T")
DAYS = 3
OPEN = ("dispatched", "accepted", "en_route", "on_site", "in_progress", "paused")
SHOWN = (*OPEN, "scheduled", "completed", "partially_completed", "cannot_complete")
DONE_ORDERS = ("completed", "closed", "cannot_complete")
MOST_VISITS, MOST_PAST, MOST_MESSAGES, MOST_STOCK = 60, 5, 3, 2000
MOST_MACHINES, MOST_DEPTH = 400, 6


@dataclass(frozen=True)
class PastOrder:
    """An earlier job on the same machine, with who did it."""

    order: WorkOrder
    technician: Technician | None


@dataclass(frozen=True)
class Machines:
    """Machines by id, and of each the ids of what it consists of."""

    by_id: dict[int, Asset]
    parts_of: dict[int, list[int]]

    def tree_of(self, asset_id: int) -> list[tuple[int, Asset]]:
        """The whole machine that this one belongs to, from its top: (depth, machine)."""
        top = self.by_id[asset_id]
        while top.parent_id in self.by_id:
            top = self.by_id[top.parent_id]
        return list(self._below(top, 0))

    def _below(self, asset: Asset, depth: int) -> Iterator[tuple[int, Asset]]:
        yield depth, asset
        for part in self.parts_of.get(asset.id, ()) if depth < MOST_DEPTH else ():
            yield from self._below(self.by_id[part], depth + 1)


@dataclass(frozen=True)
class Rows:
    """All rows of a snapshot, by what they belong to."""

    technician: Technician
    visits: Sequence[Visit]
    items: dict[int, list[WorkItem]]  # by order
    answers: dict[int, list[Answer]]  # by order
    uses: dict[int, list[tuple[PartUse, int | None]]]  # by order, with the place it was taken from
    machines: "Machines"  # the jobs' machines with all they belong to and consist of
    choices: dict[int, list[LineChoice]]  # by order
    extras: dict[int, list[ExtraWork]]  # by order
    past: dict[int, list[PastOrder]]  # by asset
    clocks: dict[int, list[clocks.Clock]]  # by request
    messages: dict[int, list[ThreadMessage]]  # by request
    files: dict[tuple[str, int], list[StoredFile]]
    uploads: dict[int, list[TabletUpload]]  # by visit
    signed: dict[int, tuple[datetime, str]]  # by visit
    approvers: dict[int, str]  # by extra work: who decided about it
    locations: Sequence[StockLocation]
    stock: dict[int, dict[int, Decimal]]  # location → part → on hand
    parts: dict[int, Part]
    findings: dict[int, list[Finding]]  # by order
    follow_ups: dict[int, list[FollowUp]]  # by visit
    corrections: dict[int, list[TimeCorrection]]  # by visit
    callers: dict[int, ServiceRequest]  # by order: whose contact speaks for it
    arrivals: Mapping[int, Arrival]  # by visit
    pickups: Mapping[int, Pickup]  # by visit, the first of those whose parts are collected then
    waivers: dict[int, str]  # by order: what the customer signs before we touch another maker's machine
    to_return: ToReturn


def rows_of(technician: Technician) -> Rows:
    """Everything of the technician's today and the two days after, and what is still open from before."""
    visits = _visits(technician.id)
    ids = [visit.id for visit in visits]
    orders = {visit.work_order_id: visit.work_order for visit in visits}
    all_ids = {visit.id for order in orders.values() for visit in order.visits}  # earlier ones of the same job, too
    requests = {order.request_id for order in orders.values() if order.request_id is not None}
    items, uses = _items(orders), _uses(orders)
    stations = {technician.station_id, *(visit.station_id for visit in visits)}
    locations = _locations(technician.id, stations)
    stock, parts = _stock(locations)
    wanted = {item.part_id for some in items.values() for item in some if item.part_id is not None}
    wanted |= {use.part_id for some in uses.values() for use, _place in some}
    owed = to_return(technician, locations)
    parts |= owed.parts()
    parts |= {part.id: part for part in session.scalars(select(Part).where(Part.id.in_(wanted - parts.keys())))}
    machines = _machines({order.asset_id for order in orders.values() if order.asset_id is not None})
    signed, approvers = _said_by_customers(visits)
    return Rows(
        technician=technician,
        machines=machines,
        visits=visits,
        items=items,
        answers=_by_order(Answer, orders, Answer.at, Answer.id),
        uses=uses,
        past=_past(machines.by_id),
        choices=_by_order(LineChoice, orders, LineChoice.id),
        extras=_by_order(ExtraWork, orders, ExtraWork.id),
        clocks=clocks.of_many("service_request", requests),
        messages=_messages(requests),
        files=_files(visits, orders.values()),
        uploads=_grouped(session.scalars(
            select(TabletUpload).where(TabletUpload.visit_id.in_(ids))
        ), "visit_id"),
        signed=signed,
        approvers=approvers,
        findings=_grouped(raised.of_orders(orders), "work_order_id"),
        follow_ups=_grouped(follow_ups.of_visits(ids), "visit_id"),
        callers=callers_of(list(orders.values())),
        corrections=_grouped(times.corrections_of(all_ids), "visit_id"),
        arrivals=arriving.arrivals_of(ids),
        pickups=by_visit(pickups_for(visits, now())),
        waivers=waivers_of(orders.values()),
        locations=locations,
        stock=stock,
        parts=parts,
        to_return=owed,
    )  # fmt: skip


def _by_order(model: Any, orders: Iterable[int], *in_turn: Any) -> dict[int, Any]:
    """Rows of a kind that belong to these orders."""
    wanted = select(model).where(model.work_order_id.in_(orders)).order_by(*in_turn)
    return _grouped(session.scalars(wanted), "work_order_id")


def _visits(technician_id: int) -> Sequence[Visit]:
    start, end = day_span(today(), DAYS)
    near = (Visit.starts_at >= start) & (Visit.starts_at < end) & Visit.state.in_(SHOWN)
    overdue = (Visit.starts_at < start) & Visit.state.in_(OPEN)
    finished = Visit.finished_at >= start
    order = joinedload(Visit.work_order)
    request = order.joinedload(WorkOrder.request)
    return (
        session.scalars(
            select(Visit)
            .where(Visit.technician_id == technician_id, or_(near, overdue, finished))
            .order_by(Visit.starts_at, Visit.id)
            .limit(MOST_VISITS)
            .options(
                request.joinedload(ServiceRequest.customer),
                order.joinedload(WorkOrder.customer),
                order.joinedload(WorkOrder.site),
                order.joinedload(WorkOrder.asset),
                order.joinedload(WorkOrder.station),
                order.selectinload(WorkOrder.visits).joinedload(Visit.technician),
            )
        )
        .unique()
        .all()
    )


def _items(orders: Iterable[int]) -> dict[int, list[WorkItem]]:
    rows = select(WorkItem).where(WorkItem.work_order_id.in_(orders)).order_by(WorkItem.id)
    return _grouped(session.scalars(rows), "work_order_id")


def _uses(orders: Iterable[int]) -> dict[int, list[tuple[PartUse, int | None]]]:
    grouped: dict[int, list[tuple[PartUse, int | None]]] = defaultdict(list)
    rows = select(PartUse, StockMove.from_id).join(StockMove, StockMove.id == PartUse.move_id)
    for use, place in session.execute(rows.where(PartUse.work_order_id.in_(orders)).order_by(PartUse.id)):
        grouped[use.work_order_id].append((use, place))
    return grouped


def _machines(assets: Iterable[int]) -> Machines:
    """These machines, what they belong to, and everything that belongs to the same."""
    up = select(Asset.id, Asset.parent_id).where(Asset.id.in_(assets)).cte("up", recursive=True)
    up = up.union(select(Asset.id, Asset.parent_id).join(up, up.c.parent_id == Asset.id))
    down = select(up.c.id).where(up.c.parent_id.is_(None)).cte("down", recursive=True)
    down = down.union(select(Asset.id).join(down, Asset.parent_id == down.c.id))
    wanted = select(Asset).where(Asset.id.in_(select(down.c.id))).order_by(Asset.id).limit(MOST_MACHINES)
    found = {asset.id: asset for asset in session.scalars(wanted)}
    parts_of: dict[int, list[int]] = defaultdict(list)
    for asset in found.values():
        if asset.parent_id in found:
            parts_of[asset.parent_id].append(asset.id)
    return Machines(found, parts_of)


def _past(assets: Iterable[int]) -> dict[int, list[PastOrder]]:
    """The last jobs on each machine, newest first."""
    ranked = (
        select(
            WorkOrder.id,
            func.row_number()
            .over(partition_by=WorkOrder.asset_id, order_by=WorkOrder.completed_at.desc())
            .label("rank"),
        )
        .where(WorkOrder.asset_id.in_(assets), WorkOrder.state.in_(DONE_ORDERS), WorkOrder.completed_at.is_not(None))
        .subquery()
    )
    latest = select(WorkOrder).join(ranked, ranked.c.id == WorkOrder.id).where(ranked.c.rank <= MOST_PAST)
    options = selectinload(WorkOrder.visits).joinedload(Visit.technician)
    grouped: dict[int, list[PastOrder]] = defaultdict(list)
    for order in session.scalars(latest.order_by(WorkOrder.completed_at.desc()).options(options)):
        ended = [visit for visit in order.visits if visit.finished_at is not None]
        assert order.asset_id is not None
        grouped[order.asset_id].append(PastOrder(order, ended[-1].technician if ended else None))
    return grouped


def _messages(requests: Iterable[int]) -> dict[int, list[ThreadMessage]]:
    ranked = (
        select(
            ThreadMessage.id,
            func.row_number()
            .over(partition_by=ThreadMessage.request_id, order_by=ThreadMessage.id.desc())
            .label("rank"),
        )
        .where(ThreadMessage.request_id.in_(requests))
        .subquery()
    )
    newest = select(ThreadMessage).join(ranked, ranked.c.id == ThreadMessage.id)
    rows = session.scalars(newest.where(ranked.c.rank <= MOST_MESSAGES).order_by(ThreadMessage.id))
    return _grouped(rows, "request_id")


def _files(visits: Sequence[Visit], orders: Iterable[WorkOrder]) -> dict[tuple[str, int], list[StoredFile]]:
    subjects: list[Subject] = [*visits, *(order.request for order in orders if order.request is not None)]
    return files.files_of(subjects) if subjects else {}


def _said_by_customers(visits: Sequence[Visit]) -> tuple[dict[int, tuple[datetime, str]], dict[int, str]]:
    """When the customer signed each visit, and who; who decided about extra work."""
    events = session.scalars(
        select(Event)
        .where(Event.subject_type == "visit", Event.subject_id.in_([visit.id for visit in visits]))
        .where(Event.kind.in_(("visit.signed", "visit.extra_approved", "visit.extra_declined")))
        .order_by(Event.id)
    ).all()
    names = notes_of(events)
    signed = [event for event in events if event.kind == "visit.signed"]
    return (
        {event.subject_id: (event.at, names.get(event.id, "")) for event in signed},
        {event.facts["extra"]: names.get(event.id, "") for event in events if "extra" in event.facts},
    )


def _locations(technician_id: int, stations: Iterable[int]) -> Sequence[StockLocation]:
    """The van first, then the stations' warehouses."""
    warehouse = (StockLocation.kind == "warehouse") & StockLocation.station_id.in_(stations)
    places = session.scalars(
        select(StockLocation)
        .where(or_(StockLocation.technician_id == technician_id, warehouse), StockLocation.state != "closed")
        .order_by(StockLocation.id)
    )
    return sorted(places, key=lambda place: (place.kind != "van", place.id))


def _stock(locations: Sequence[StockLocation]) -> tuple[dict[int, dict[int, Decimal]], dict[int, Part]]:
    stock: dict[int, dict[int, Decimal]] = defaultdict(dict)
    parts: dict[int, Part] = {}
    lying = (
        select(StockBalance.location_id, StockBalance.part_id, func.sum(StockBalance.on_hand).label("on_hand"))
        .where(StockBalance.location_id.in_([place.id for place in locations]))
        .where(StockBalance.condition == "good", StockBalance.on_hand > 0)
        .group_by(StockBalance.location_id, StockBalance.part_id)
        .subquery()
    )
    rows = session.execute(
        select(lying.c.location_id, lying.c.on_hand, Part)
        .join(lying, lying.c.part_id == Part.id)
        .order_by(Part.number)
        .limit(MOST_STOCK)
    )
    for place, on_hand, part in rows:
        stock[place][part.id] = on_hand
        parts[part.id] = part
    return stock, parts


def _grouped(rows: Iterable[T], name: str) -> dict[int, list[T]]:
    grouped: dict[int, list[T]] = defaultdict(list)
    for row in rows:
        grouped[getattr(row, name)].append(row)
    return grouped
