"""What can be asked about rescues."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from fieldservice.accounts.models import User
from fieldservice.foundation import display
from fieldservice.foundation.access import Person
from fieldservice.foundation.db import among, session
from fieldservice.foundation.time import now
from fieldservice.foundation.words import word
from fieldservice.mechanisms import clocks
from fieldservice.mechanisms.clocks import ClockView
from fieldservice.workorders.models import WorkOrder
from fieldservice.workorders.rescue.models import KIND, Rescue

DECIDERS = ("station_manager", "director")


@dataclass(frozen=True)
class RescueCard:
    """What the page of an order shows of its approval."""

    rescue: Rescue
    clock: ClockView | None  # how long the manager still has
    asked_by: str
    decided_by: str
    may_decide: bool

    @property
    def awaits(self) -> bool:
        return self.rescue.state == "awaiting"


def rescue_of(order: WorkOrder) -> Rescue | None:
    """The rescue of an order; other kinds of work have none, and are not asked about."""
    if order.kind != KIND:
        return None
    return session.scalar(select(Rescue).where(Rescue.work_order_id == order.id))


def card_of(order: WorkOrder, person: Person) -> RescueCard | None:
    """The approval of an order; three queries, none for other kinds of work."""
    rescue = rescue_of(order)
    if rescue is None:
        return None
    names = names_of_actors([rescue.asked_by, rescue.decided_by])
    return RescueCard(
        rescue=rescue,
        clock=approval_clock(order),
        asked_by=names.get(rescue.asked_by, ""),
        decided_by=names.get(rescue.decided_by or "", ""),
        may_decide=person.has(*DECIDERS) and person.covers(order.station_id, *DECIDERS),
    )


def approval_clock(order: WorkOrder) -> ClockView | None:
    """The clock of the decision."""
    return next((clocks.view(one, now()) for one in clocks.of(order) if one.kind == "approval"), None)


def awaiting(orders: Iterable[WorkOrder]) -> set[int]:
    """Ids of those among these orders that wait for approval; one query, none where no rescue is among them."""
    return awaiting_of(order.id for order in orders if order.kind == KIND)


def awaiting_of(order_ids: Iterable[int]) -> set[int]:
    """The same by ids."""
    ids: Collection[int] = list(order_ids)
    if not ids:
        return set()
    rows = select(Rescue.work_order_id).where(among(Rescue.work_order_id, ids), Rescue.state == "awaiting")
    return set(session.scalars(rows))


def waivers_of(orders: Iterable[WorkOrder]) -> dict[int, str]:
    """order id → what the customer signs before the work; one query, none where no rescue is among the orders."""
    ids = [order.id for order in orders if order.kind == KIND]
    if not ids:
        return {}
    rows = session.execute(select(Rescue.work_order_id, Rescue.waiver).where(Rescue.work_order_id.in_(ids)))
    return {row.work_order_id: row.waiver for row in rows}


def decided_text(rescue: Rescue) -> Any:
    """What happened to it meanwhile, in a sentence."""
    names = names_of_actors([rescue.decided_by])
    who, when = names.get(rescue.decided_by or "", ""), display.datetime_short(rescue.decided_at)
    said = {"who": who or _("somebody else"), "when": when}
    if rescue.state == "approved":
        return _l("%(who)s approved this rescue at %(when)s. Nothing is left to decide.", **said)
    if rescue.state == "refused":
        return _l("%(who)s refused this rescue at %(when)s, and the order is cancelled.", **said)
    return _l("The order was cancelled, so there is nothing to decide any more.")


def coverage_text(rescue: Rescue) -> str:
    """Who pays for a rescue, and how much."""
    if rescue.state != "approved":
        return str(_("Not decided: the station manager says so with the approval"))
    if rescue.estimate is not None:
        money = display.money(rescue.estimate)
        return str(
            _("Billable: another maker's machine (%(brand)s), estimate %(money)s", brand=rescue.brand, money=money)
        )
    return f"{word('coverage', 'goodwill')} · {rescue.brand}"


def names_of_actors(actors: Iterable[str | None]) -> dict[str, str]:
    """actor → the person's name, in one query."""
    ids = {int(one[5:]) for one in actors if one and one.startswith("user:") and one[5:].isdigit()}
    rows = session.execute(select(User.id, User.name).where(User.id.in_(ids))).all() if ids else ()
    return {f"user:{user_id}": name for user_id, name in rows}
