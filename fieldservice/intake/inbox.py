"""The inbox: requests under filters, the most urgent first, a page at a time and in a fixed number of queries."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Self

from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, case, func, or_, select, tuple_
from sqlalchemy.orm import joinedload

from fieldservice.customers.models import Customer
from fieldservice.customers.queries import named_like
from fieldservice.foundation.access import READS_ALL_WORK, Person, scoped
from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Invalid
from fieldservice.foundation.places import divisions
from fieldservice.foundation.time import now
from fieldservice.foundation.words import has_word, language
from fieldservice.intake.models import ServiceRequest
from fieldservice.intake.queries import OPEN, TO_TRIAGE, Similar, similar_of
from fieldservice.mechanisms import clocks
from fieldservice.mechanisms.clocks import Clock, ClockView
from fieldservice.stations.models import Station

PAGE = 40
NEVER = datetime(9999, 12, 31, tzinfo=UTC)  # requests without a running promise come last
GROUPS = {"triage": TO_TRIAGE, "open": OPEN}


@dataclass(frozen=True)
class Filters:
    """What the inbox is narrowed to."""

    status: str = "triage"  # triage, open, all, or a state
    station: str = ""
    priority: str = ""
    q: str = ""
    after: str = ""

    @classmethod
    def read(cls, args: Mapping[str, str]) -> Self:
        """From a query string; raises Invalid for what cannot be meant."""
        given = {name: _plain(args.get(name) or default) for name, default in asdict(cls()).items()}
        if given["status"] not in (*GROUPS, "all") and given["status"] not in ServiceRequest.lifecycle.states:
            raise Invalid({"status": [_l("Choose one of the states offered.")]})
        if given["priority"] and not has_word("priority", given["priority"]):
            raise Invalid({"priority": [_l("Choose P1, P2, P3 or P4.")]})
        return cls(**given)

    def address(self, **changes: str | None) -> dict[str, str]:
        """Arguments of the same list with some changed, for links; a changed filter begins on the first page."""
        wanted = {**asdict(self), "after": "", **changes}
        return {name: value for name, value in wanted.items() if value}


def _plain(text: str) -> str:
    """Bounded, and without control characters, which no database takes."""
    return re.sub(r"[\x00-\x1f\x7f\ud800-\udfff]", " ", text[:80]).strip()


@dataclass(frozen=True)
class Row:
    """A line of the inbox: the request, its next promise, and what was reported alike."""

    request: ServiceRequest
    clock: ClockView | None
    similar: Similar


@dataclass(frozen=True)
class Listed:
    """A page of the inbox. `counts` are those of the tabs, under the same station and priority."""

    rows: list[Row]
    more: str | None
    counts: dict[str, int]


def list_requests(person: Person, filters: Filters) -> Listed:
    """Most urgent first: by priority, then by what falls due."""
    order = (ServiceRequest.priority, _due(), ServiceRequest.id)
    statement = narrowed(person, filters).options(
        joinedload(ServiceRequest.customer), joinedload(ServiceRequest.asset), joinedload(ServiceRequest.station)
    )
    last = _key(filters.after, order)
    if last is not None:
        statement = statement.where(tuple_(*order) > tuple_(*last))
    found = list(session.scalars(statement.order_by(*order).limit(PAGE + 1)))
    more = str(found[PAGE - 1].id) if len(found) > PAGE else None
    found = found[:PAGE]
    urgent, alike = next_promises([one.id for one in found]), similar_of(found) if found else {}
    rows = [Row(one, urgent.get(one.id), alike[one.id]) for one in found]
    return Listed(rows, more, _counts(person, filters))


def place_text(request: ServiceRequest) -> str:
    """Where it is, for a line: the address as it was told, else the division."""
    code = request.division_code
    return request.address or (divisions.label(code, language()) if divisions.by_code(code) and code else "")


def next_promises(ids: list[int]) -> dict[int, ClockView]:
    """The promise of each request that falls due first, in one query."""
    found = clocks.of_many(ServiceRequest.subject_type, ids)
    first = {key: clocks.most_urgent(rows) for key, rows in found.items()}
    return {key: clocks.view(clock, now()) for key, clock in first.items() if clock is not None}


def narrowed(person: Person, filters: Filters) -> Select[Any]:
    """Requests the person may see, under the filters."""
    statement = scoped(select(ServiceRequest), ServiceRequest, person, *READS_ALL_WORK)
    if filters.status in GROUPS:
        statement = statement.where(ServiceRequest.state.in_(GROUPS[filters.status]))
    elif filters.status != "all":
        statement = statement.where(ServiceRequest.state == filters.status)
    if filters.station:
        mine = select(Station.id).where(Station.code == filters.station)
        statement = statement.where(ServiceRequest.station_id.in_(mine))
    if filters.priority:
        statement = statement.where(ServiceRequest.priority == filters.priority)
    return statement.where(_holds(filters.q)) if filters.q else statement


def _holds(words: str) -> Any:
    """Number, the customer's words, name, phone however it is written, serial, or the company's name."""
    digits = re.sub(r"[\s\-+()]", "", words)
    companies = select(Customer.id).where(named_like(words))
    texts = (
        ServiceRequest.number, ServiceRequest.description, ServiceRequest.contact_name, ServiceRequest.serial_given,
    )  # fmt: skip
    told = [column.icontains(words, autoescape=True) for column in texts]
    if digits.isdecimal() and len(digits) >= 4:
        told.append(ServiceRequest.contact_phone.contains(digits))
    return or_(*told, ServiceRequest.customer_id.in_(companies))


def _due() -> Any:
    """When the next open promise of a request falls due."""
    first = select(func.min(Clock.due_at)).where(
        Clock.subject_type == ServiceRequest.subject_type,
        Clock.subject_id == ServiceRequest.id,
        Clock.stopped_at.is_(None),
    )
    return func.coalesce(first.scalar_subquery(), NEVER)


def _key(after: str, order: tuple[Any, ...]) -> Any:
    """Where the last page ended: the sorting values its last row has now."""
    if not (after.isascii() and after.isdecimal() and len(after) < 19):
        return None
    return session.execute(select(*order).where(ServiceRequest.id == int(after))).first()


def _counts(person: Person, filters: Filters) -> dict[str, int]:
    base = narrowed(person, Filters("open", filters.station, filters.priority)).with_only_columns(
        func.sum(case((ServiceRequest.state.in_(TO_TRIAGE), 1), else_=0)), func.count()
    )
    waiting, open_ = session.execute(base).one()
    return {"triage": int(waiting or 0), "open": int(open_)}
