"""One company entered twice: proposed, never merged by itself, and a merge can be undone (I-05)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select, update

from fieldservice.accounts.models import User
from fieldservice.customers.models import Contact, Customer
from fieldservice.foundation.db import Base, session
from fieldservice.foundation.errors import Conflict, Invalid, NotFound
from fieldservice.mechanisms.events import Event, record

MOST = 50
MERGED = "customer.merged"
KEPT_APART = "customer.kept_apart"


@dataclass(frozen=True)
class Proposal:
    """Customers that may be one, and why: 'name', 'phone' or 'email' they share."""

    reason: str
    shared: str
    customers: Sequence[Customer]

    @property
    def ids(self) -> list[int]:
        return sorted(customer.id for customer in self.customers)


def proposals(stations: Sequence[int] | None, limit: int = MOST) -> list[Proposal]:
    """Groups that share a name (but for its legal form), or a contact's phone or e-mail. Seven queries."""
    found = [*_by_name(stations, limit), *_by_contact(stations, Contact.phone, "phone", limit),
             *_by_contact(stations, Contact.email, "email", limit)]  # fmt: skip
    apart = {tuple(sorted(event.facts["ids"])) for event in session.scalars(
        select(Event).where(Event.kind == KEPT_APART).order_by(Event.id.desc()).limit(1000))}  # fmt: skip
    seen: set[tuple[int, ...]] = set()
    kept = []
    for proposal in found:
        ids = tuple(proposal.ids)
        if ids not in seen and ids not in apart:
            seen.add(ids)
            kept.append(proposal)
    return kept[:limit]


def _mine(statement: Any, stations: Sequence[int] | None) -> Any:
    statement = statement.where(Customer.merged_into_id.is_(None), Customer.state != "closed")
    return statement if stations is None else statement.where(Customer.station_id.in_(stations))


def _by_name(stations: Sequence[int] | None, limit: int) -> list[Proposal]:
    twice = _mine(select(Customer.name_core).where(Customer.name_core != ""), stations)
    cores = session.scalars(
        twice.group_by(Customer.name_core).having(func.count() > 1).order_by(Customer.name_core).limit(limit)
    ).all()
    rows = session.scalars(
        _mine(select(Customer).where(Customer.name_core.in_(cores)), stations).order_by(Customer.id)
    ).all()
    return [Proposal("name", core, [row for row in rows if row.name_core == core]) for core in cores]


def _by_contact(stations: Sequence[int] | None, column: Any, reason: str, limit: int) -> list[Proposal]:
    shared = _mine(
        select(column).join(Customer, Customer.id == Contact.customer_id)
        .where(column != "", Contact.state == "active"),
        stations,
    )  # fmt: skip
    values = session.scalars(
        shared.group_by(column).having(func.count(Contact.customer_id.distinct()) > 1).order_by(column).limit(limit)
    ).all()
    pairs = session.execute(
        _mine(
            select(column, Customer).join(Contact, Contact.customer_id == Customer.id).where(column.in_(values)),
            stations,
        )
        .order_by(Customer.id)
    ).all()  # fmt: skip
    groups: dict[str, dict[int, Customer]] = {}
    for value, customer in pairs:
        groups.setdefault(value, {})[customer.id] = customer
    return [Proposal(reason, value, list(members.values())) for value, members in groups.items() if len(members) > 1]


def merge(winner: Customer, loser: Customer, *, at: datetime) -> None:
    """Everything of `loser` becomes `winner`'s; the loser is shown no more and leads to the winner.

    Raises Invalid for one and the same, Conflict for one that was merged already.
    """
    if winner.id == loser.id:
        raise Invalid({"loser": [_l("Choose two different customers.")]})
    for one in session.scalars(select(Customer).where(Customer.id.in_((winner.id, loser.id))).order_by(Customer.id)
                               .with_for_update().execution_options(populate_existing=True)):  # fmt: skip
        if one.merged_into_id is not None:
            raise Conflict(_l("This customer was merged already."), code="merged_already")
    moved: dict[str, list[int]] = {}
    for table, column in _holders():
        ids = session.scalars(select(table.c.id).where(column == loser.id)).all()
        if ids:
            session.execute(update(table).where(column == loser.id).values({column.name: winner.id}))
            moved[f"{table.name}.{column.name}"] = list(ids)
    facts: dict[str, Any] = {"into": winner.id, "moved": moved}
    if not winner.credit_code and loser.credit_code:
        facts["credit_code"] = loser.credit_code
        code, loser.credit_code = loser.credit_code, None
        session.flush()
        winner.credit_code = code
    loser.merged_into_id = winner.id
    session.flush()
    session.expire_all()
    record(MERGED, loser, facts, at=at)


def _holders() -> list[tuple[Any, Any]]:
    """Every column that names a customer: foreign keys, and the account's, which stands below customers."""
    found = [
        (table, column)
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if any(key.column is Customer.__table__.c.id for key in column.foreign_keys) and table is not Customer.__table__
    ]
    return [*found, (User.__table__, User.__table__.c.customer_id)]


def undo_merge(loser: Customer, *, at: datetime) -> None:
    """Give back what a merge moved, where it is still the winner's. Raises NotFound where there was none."""
    last = session.scalar(
        select(Event).where(Event.kind == MERGED, Event.subject_type == "customer", Event.subject_id == loser.id)
        .order_by(Event.id.desc()).limit(1)
    )  # fmt: skip
    if last is None or loser.merged_into_id is None:
        raise NotFound()
    winner = session.get_one(Customer, loser.merged_into_id)
    for table, column in _holders():
        ids = last.facts["moved"].get(f"{table.name}.{column.name}")
        if ids:
            mine = update(table).where(table.c.id.in_(ids), column == winner.id)
            session.execute(mine.values({column.name: loser.id}))
    if code := last.facts.get("credit_code"):
        winner.credit_code = None
        session.flush()
        loser.credit_code = code
    loser.merged_into_id = None
    session.flush()
    session.expire_all()
    record("customer.unmerged", loser, {"from": winner.id}, at=at)


def keep_apart(customers: Sequence[Customer], *, at: datetime) -> None:
    """These are different companies: not proposed again."""
    record(KEPT_APART, customers[0], {"ids": sorted(customer.id for customer in customers)}, at=at)
