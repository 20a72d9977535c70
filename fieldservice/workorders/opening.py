"""A new work order: what every kind of work brings with it, whoever asked for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from flask_babel import lazy_gettext as _l

from config import LANGUAGES
from fieldservice.assets.models import Asset
from fieldservice.assets.queries import in_warranty
from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Invalid
from fieldservice.foundation.numbers import next_number
from fieldservice.foundation.words import pick
from fieldservice.mechanisms.events import record
from fieldservice.mechanisms.lifecycle import move
from fieldservice.parts.queries import parts_by_number
from fieldservice.workorders.catalogue import WorkType
from fieldservice.workorders.models import WorkItem, WorkOrder
from fieldservice.workorders.rescue import services as rescues
from fieldservice.workorders.rescue.models import KIND as RESCUE
from fieldservice.workorders.skills import skill_codes

MOST_SKILLS, MOST_PARTS, MOST_QUANTITY = 8, 40, Decimal(10_000)
LEVELS = (1, 2, 3)


class NeededPart(NamedTuple):
    """A part to take along. A `required` one must be at hand before a visit is booked, and fitted before the end."""

    number: str
    quantity: Decimal
    required: bool = False


@dataclass(frozen=True)
class Place:
    """Where the work is: a site of a customer, or only what a report told."""

    customer_id: int | None
    site_id: int | None
    latitude: float | None
    longitude: float | None
    precision: str


def open_order(
    kind: WorkType,
    *,
    station_id: int,
    priority: str,
    place: Place,
    asset: Asset | None,
    machine: str,
    covered_on: date,
    at: datetime,
    request_id: int | None = None,
    priority_reason: str = "",
    skills: Mapping[str, int] | None = None,
    parts: Sequence[NeededPart | tuple[str, Decimal]] | None = None,
    told: rescues.Told | None = None,
    **facts: Any,
) -> WorkOrder:
    """An order that is ready to be placed.

    The work type brings duration, skills, certificates, checklist (of its present version) and usual parts;
    `skills` and `parts` replace them. `covered_on` is the day that decides about warranty. Work on another maker's
    machine begins as a rescue that waits for approval; `told` is what is known of its maker. Raises Invalid.
    """
    needed = _needed(kind, parts)
    check_skills(skills or {})
    told = told or rescues.Told()
    if kind.kind == RESCUE and (errors := rescues.check(asset, told)):
        raise Invalid(errors)
    order = WorkOrder(
        number=next_number("WO", at), station_id=station_id, request_id=request_id, customer_id=place.customer_id,
        site_id=place.site_id, asset_id=asset.id if asset is not None else None, titles=titles_of(asset, machine, kind),
        work_type=kind.code, work_type_version=kind.version, kind=kind.kind, priority=priority,
        priority_reason=priority_reason, duration_min=kind.duration_min,
        skills=dict(kind.skills if skills is None else skills), certificates=list(kind.certificates),
        latitude=place.latitude, longitude=place.longitude, precision=place.precision,
        coverage="warranty" if kind.kind != RESCUE and in_warranty(asset, covered_on) else "billable", created_at=at,
    )  # fmt: skip
    order.items = [
        WorkItem(
            kind="part", part_id=part_id, words=words, quantity=need.quantity, required=need.required, opened_at=at
        )
        for part_id, words, need in needed
    ]
    session.add(order)
    session.flush()
    record("work_order.created", order, {"work_type": kind.code, "priority": priority, **facts}, at=at)
    if kind.kind == RESCUE:
        rescues.ask(order, told, at)
    move(order, "ready", at=at)
    return order


def titles_of(asset: Asset | None, machine: str, kind: WorkType) -> dict[str, str]:
    """Machine and work in both languages; `machine` is what was said of one that is not known."""

    def title(spoken: str) -> str:
        named = pick(asset.names, spoken) if asset is not None else machine
        return " · ".join(filter(None, (named, pick(kind.names, spoken))))

    return {spoken: title(spoken) for spoken in LANGUAGES}


def check_skills(skills: Mapping[str, int]) -> None:
    """Raises Invalid for a skill or level that does not exist."""
    if len(skills) > MOST_SKILLS or any(
        code not in skill_codes() or level not in LEVELS for code, level in skills.items()
    ):
        raise Invalid({"required_skills": [_l("Choose skills from the list, each with level 1, 2 or 3.")]})


def _needed(
    kind: WorkType, given: Sequence[NeededPart | tuple[str, Decimal]] | None
) -> list[tuple[int, str, NeededPart]]:  # fmt: skip
    """(part id, its name, the need). Raises Invalid naming every part that is unknown or senseless.

    A usual part that this installation does not stock is left out: the catalogue is wider than any stock.
    """
    needs = [NeededPart(*part) for part in (kind.parts if given is None else given)]
    if len(needs) > MOST_PARTS:
        raise Invalid({"parts": [_l("Use at most %(most)s parts.", most=MOST_PARTS)]})
    known = parts_by_number(need.number for need in needs)
    if given is None:
        needs = [need for need in needs if need.number in known]
    wrong = [need.number for need in needs if need.number not in known or not _sensible(need.quantity)]
    if wrong:
        raise Invalid({"parts": [_l("Unknown part or quantity: %(parts)s.", parts=", ".join(wrong)[:200])]})
    return [(known[need.number].id, f"{need.number} {pick(known[need.number].names)}"[:300], need) for need in needs]


def _sensible(quantity: Decimal) -> bool:
    return quantity.is_finite() and 0 < quantity <= MOST_QUANTITY and quantity == round(quantity, 3)
