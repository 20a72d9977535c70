"""What can be asked about opportunities: look-ups within a person's stations, the list, and what a page shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload

from fieldservice.foundation.access import Person, scoped
from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Invalid, NotFound
from fieldservice.foundation.words import pick
from fieldservice.mechanisms import clocks
from fieldservice.sales.advantage import Advantage, advantage
from fieldservice.sales.models import Opportunity
from fieldservice.stations.models import Station
from fieldservice.workorders.history import Line, history_of, register_sentences
from fieldservice.workorders.models import WorkOrder
from fieldservice.workorders.queries import READERS as READ_ORDERS
from fieldservice.workorders.rescue.models import Rescue
from fieldservice.workorders.rescue.queries import rescue_of

READERS = ("sales", "station_manager", "director", "engineer")
FOLLOWERS = ("sales", "station_manager")  # who may change one
OPEN = ("new", "qualified", "quoted")
STATES = (*OPEN, "won", "lost")
PAGE = 50
register_sentences({
    "opportunity.opened": ("hard-hat", "info", _l("Opened by the rescue %(work_order)s")),
    "opportunity.qualified": ("list-checks", "info", _l("There is a need")),
    "opportunity.quoted": ("file-text", "info", _l("Offered: %(value)s")),
    "opportunity.won": ("star", "ok", _l("Won: %(value)s")),
    "opportunity.lost": ("x", "mute", _l("Lost")),
    "opportunity.noted": ("pencil", "info", _l("Somebody wrote a note")),
    "opportunity.valued": ("tag", "mute", _l("Worth estimated: %(value)s")),
})  # fmt: skip
LARGEST_ID = 2**62


@dataclass(frozen=True)
class Filters:
    """What the list is narrowed to; every value was checked."""

    status: str = "open"  # open, all, or a state
    station: str = ""
    after: int | None = None

    @classmethod
    def read(cls, args: Mapping[str, Any]) -> Self:
        """From a query string. Raises Invalid naming every value that cannot be meant."""
        errors: dict[str, list[Any]] = {}
        given = {name: str(args.get(name) or "").strip()[:24] for name in cls.__dataclass_fields__}
        if given["status"] and given["status"] not in ("open", "all", *STATES):
            errors["status"] = [_l("Choose one of the states offered.")]
        after = given["after"]
        if after and not (after.isascii() and after.isdigit() and int(after) < LARGEST_ID):
            errors["after"] = [_l("Choose one of the options.")]
        if errors:
            raise Invalid(errors)
        return cls(given["status"] or "open", given["station"], int(after) if after else None)


@dataclass(frozen=True)
class Listed:
    """A page of the list: opportunities with their rescue, and the key of the next page."""

    rows: list[tuple[Opportunity, Rescue | None]]
    more: int | None


@dataclass(frozen=True)
class OpportunitySheet:
    """All that the page shows of one opportunity."""

    found: Opportunity
    order: WorkOrder
    rescue: Rescue | None
    our_minutes: int | None
    advantage: Advantage | None
    ours_is_promise: bool  # the machine does not run yet: our time is what we promised
    history: list[Line]
    may_follow: bool
    may_read_order: bool

    @property
    def moves(self) -> list[str]:
        """States that somebody may choose now, in the order in which they are passed."""
        allowed = self.found.lifecycle.moves.get(self.found.state, frozenset()) if self.may_follow else frozenset()
        return [state for state in STATES if state in allowed]


def opportunity_by_number(number: str, person: Person) -> Opportunity:
    """One the person may see, with what its page shows. Raises NotFound."""
    wanted = select(Opportunity).where(Opportunity.number == number[:20]).options(*related())
    found: Opportunity | None = session.scalar(scoped(wanted, Opportunity, person, *READERS))
    if found is None:
        raise NotFound()
    return found


def opportunity_of(order: WorkOrder) -> Opportunity | None:
    """The one that an order opened."""
    return session.scalar(select(Opportunity).where(Opportunity.work_order_id == order.id))


def narrowed(person: Person, filters: Filters) -> Select[Any]:
    """Opportunities the person may see, under the filters; `after` is left to the pager."""
    statement = scoped(select(Opportunity), Opportunity, person, *READERS)
    if filters.status == "open":
        statement = statement.where(Opportunity.state.in_(OPEN))
    elif filters.status != "all":
        statement = statement.where(Opportunity.state == filters.status)
    if filters.station:
        named = select(Station.id).where(Station.code == filters.station)
        statement = statement.where(Opportunity.station_id.in_(named))
    return statement


def listed(person: Person, filters: Filters) -> Listed:
    """Newest first, a page by key; a fixed number of queries."""
    statement = narrowed(person, filters).options(*related())
    if filters.after is not None:
        statement = statement.where(Opportunity.id < filters.after)
    found = session.scalars(statement.order_by(Opportunity.id.desc()).limit(PAGE + 1)).unique().all()
    shown = found[:PAGE]
    rescues = rescues_of(shown)
    rows = [(one, rescues.get(one.work_order_id)) for one in shown]
    return Listed(rows, shown[-1].id if len(found) > PAGE else None)


def rescues_of(shown: Sequence[Opportunity]) -> dict[int, Rescue]:
    """order id → its rescue, in one query."""
    ids = [one.work_order_id for one in shown]
    rows = session.scalars(select(Rescue).where(Rescue.work_order_id.in_(ids))) if ids else ()
    return {rescue.work_order_id: rescue for rescue in rows}


def sheet_of(found: Opportunity, person: Person) -> OpportunitySheet:
    """Gather what the page shows; a fixed number of queries."""
    order = found.work_order
    rescue = rescue_of(order)
    ours, promised = our_minutes(order)
    loss = order.asset.loss_per_hour if order.asset is not None else None
    return OpportunitySheet(
        found=found,
        order=order,
        rescue=rescue,
        our_minutes=ours,
        advantage=advantage(rescue.their_minutes if rescue is not None else None, ours, loss),
        ours_is_promise=promised,
        history=history_of([found]),
        may_follow=person.has(*FOLLOWERS) and person.covers(found.station_id, *FOLLOWERS),
        may_read_order=person.has(*READ_ORDERS) and person.covers(found.station_id, *READ_ORDERS),
    )


def our_minutes(order: WorkOrder) -> tuple[int | None, bool]:
    """How long the machine stood still with us, from report to running again; else what we promised, and True."""
    request = order.request
    if request is None:
        return None, False
    restored = request.restored_at or order.restored_at
    if restored is not None:
        return round((restored - request.received_at).total_seconds() / 60), False
    if order.state in ("cancelled", "cannot_complete"):
        return None, False
    promise = next((one for one in clocks.of(request) if one.kind == "restore" and one.state != "void"), None)
    return (promise.limit_minutes if promise is not None else None), True


def stations_for(person: Person) -> Sequence[Station]:
    """Stations whose opportunities the person reads."""
    covered = person.stations(*READERS)
    rows = select(Station).where(Station.state.in_(("open", "limited"))).order_by(Station.code)
    return session.scalars(rows if covered is None else rows.where(Station.id.in_(sorted(covered)))).all()


def who(found: Opportunity) -> str:
    """The customer, or the contact of the report where the customer is not known yet."""
    if found.customer is not None:
        return pick(found.customer.names)
    request = found.work_order.request
    return request.contact_name if request is not None else ""


def related() -> tuple[Any, ...]:
    return (
        joinedload(Opportunity.station), joinedload(Opportunity.customer),
        joinedload(Opportunity.work_order).joinedload(WorkOrder.request),
        joinedload(Opportunity.work_order).joinedload(WorkOrder.asset),
        joinedload(Opportunity.work_order).joinedload(WorkOrder.site),
    )  # fmt: skip
