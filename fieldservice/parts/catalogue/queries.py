"""What can be asked about the catalogue: finding a part, what comes after it, what may replace it, kits and offers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import or_, select
from sqlalchemy.orm import aliased

from fieldservice.foundation.db import session
from fieldservice.parts.catalogue import gs1
from fieldservice.parts.catalogue.models import Kit, KitLine, Substitute, Supplier, SupplierOffer
from fieldservice.parts.models import Part

MOST_STEPS = 20  # of a chain of successors
NO_LONGER = ("superseded", "obsolete")


@dataclass(frozen=True)
class Replacement:
    """Another part for `ratio` of it in place of one, under a condition."""

    part: Part
    ratio: Decimal
    conditions: dict[str, str]
    models: Sequence[str]


@dataclass(frozen=True)
class InKit:
    """So much of a part in a kit."""

    kit: Kit
    quantity: Decimal


def search(words: str, limit: int = 50, after: str = "") -> Sequence[Part]:
    """Parts by number, name in either language, GTIN or a scanned label; drafts are left out, parts that are no longer
    made are not, since people ask for them. In the order of numbers, after one."""
    label = gs1.read(words[:200])
    pattern = words.strip()[:60]
    found = or_(
        Part.number.icontains(pattern, autoescape=True),
        Part.names["zh"].as_string().icontains(pattern, autoescape=True),
        Part.names["en"].as_string().icontains(pattern, autoescape=True),
        Part.number == label.number if label.number else Part.id < 0,
        Part.gtin == label.gtin if label.gtin else Part.id < 0,
    )
    wanted = select(Part).where(Part.state != "draft", Part.number > after)
    if pattern:
        wanted = wanted.where(found)
    return session.scalars(wanted.order_by(Part.number).limit(limit)).all()


def scanned(label: gs1.Label) -> Part | None:
    """The part a label names: by the maker's or our own number, then by GTIN."""
    for condition in (Part.number == label.number, Part.gtin == label.gtin):
        if condition.right.value:
            found = session.scalar(select(Part).where(condition, Part.state != "draft").order_by(Part.id).limit(1))
            if found is not None:
                return found
    return None


def chain_of(part: Part) -> list[Part]:
    """What came before a part and what comes after it, oldest first, the part among them. Of several that a part
    replaces, the oldest record leads."""
    before: list[Part] = []
    first = part
    while len(before) < MOST_STEPS:
        earlier = session.scalar(select(Part).where(Part.superseded_by_id == first.id).order_by(Part.id).limit(1))
        if earlier is None:
            break
        before.insert(0, earlier)
        first = earlier
    chain = [*before, part]
    while chain[-1].superseded_by_id is not None and len(chain) < 2 * MOST_STEPS:
        chain.append(session.get_one(Part, chain[-1].superseded_by_id))
    return chain


def usable(part: Part) -> Part:
    """What to take when somebody asks for a part: itself while it is made, else the first successor that is."""
    found = part
    for _step in range(MOST_STEPS):
        if found.state not in NO_LONGER or found.superseded_by_id is None:
            break
        found = session.get_one(Part, found.superseded_by_id)
    return found


def substitutes_of(part: Part, model: str = "") -> list[Replacement]:
    """Parts that may be taken instead, in machines of a model where one is named; usable ones, by number."""
    other = aliased(Part)
    direct = select(Substitute, other).join(other, other.id == Substitute.other_id)
    turned = select(Substitute, other).join(other, other.id == Substitute.part_id)
    found = []
    for row, instead in session.execute(direct.where(Substitute.part_id == part.id)):
        found.append(Replacement(instead, row.ratio, row.conditions, row.models))
    for row, instead in session.execute(turned.where(Substitute.other_id == part.id, Substitute.both_ways)):
        found.append(
            Replacement(instead, round(Decimal(1) / row.ratio, 3), row.conditions, row.models)
        )  # fmt: skip
    fitting = (one for one in found if not model or not one.models or model in one.models)
    return sorted((one for one in fitting if one.part.state not in NO_LONGER), key=lambda one: one.part.number)


def kits_with(part: Part, limit: int = 50) -> list[InKit]:
    """Kits that hold a part."""
    rows = session.execute(
        select(Kit, KitLine.quantity)
        .join(KitLine, KitLine.kit_id == Kit.id)
        .where(KitLine.part_id == part.id, Kit.state == "active")
        .order_by(Kit.code)
        .limit(limit)
    )
    return [InKit(kit, quantity) for kit, quantity in rows]


def kit_for(work_type: str, model: str) -> list[tuple[Part, Decimal]]:
    """Parts of all kits for a kind of work on a model of machine, the larger quantity where two name one part."""
    rows = session.execute(
        select(Kit.models, Part, KitLine.quantity)
        .join(KitLine, KitLine.kit_id == Kit.id)
        .join(Part, Part.id == KitLine.part_id)
        .where(Kit.state == "active", Kit.work_type.in_(("", work_type)))
        .order_by(Part.number)
    )
    needed: dict[Part, Decimal] = {}
    for models, part, quantity in rows:
        if not models or model in models:
            needed[part] = max(quantity, needed.get(part, Decimal(0)))
    return list(needed.items())


def offers_of(part: Part, on: date, limit: int = 50) -> Sequence[tuple[SupplierOffer, Supplier]]:
    """Offers that hold on a day, by delivery on time, then lead time, then price (S-16: price comes last)."""
    rows = session.execute(
        select(SupplierOffer, Supplier)
        .join(Supplier, Supplier.id == SupplierOffer.supplier_id)
        .where(SupplierOffer.part_id == part.id, SupplierOffer.valid_from <= on, Supplier.state == "active")
        .where(or_(SupplierOffer.valid_until.is_(None), SupplierOffer.valid_until >= on))
        .order_by(
            SupplierOffer.on_time_percent.is_(None), SupplierOffer.on_time_percent.desc(), SupplierOffer.lead_days,
            SupplierOffer.price, SupplierOffer.id,
        )
        .limit(limit)
    )  # fmt: skip
    return [(offer, supplier) for offer, supplier in rows]
