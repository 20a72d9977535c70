"""Sources of a part in words: why each stands where it stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from flask_babel import gettext as _

from fieldservice.foundation import display
from fieldservice.foundation.words import pick
from fieldservice.parts.availability.asking import Answer
from fieldservice.parts.availability.ranking import Ranked, Reason
from fieldservice.parts.models import StockLocation


@dataclass(frozen=True)
class Told:
    """A source as its card shows it."""

    ranked: Ranked
    name: str
    place: StockLocation | None
    in_time: str  # how early or late
    late: bool
    reasons: Sequence[str]  # the others


@dataclass(frozen=True)
class Totals:
    """The four quantities at the station itself, and what of them is free in time."""

    on_hand: Decimal
    reserved: Decimal
    coming: Decimal  # in transfers and on order
    free: Decimal


def told(one: Ranked, answer: Answer) -> Told:
    """The card of a source."""
    source = one.source
    place = answer.locations.get(source.place_id or 0)
    if place is not None:
        name = pick(place.names) or str(place.code)
    else:
        name = pick(answer.suppliers[source.supplier_id].names) if source.supplier_id is not None else ""
    first, *others = one.reasons
    late = first.code == "late" and first.facts["minutes"] > 0
    length = display.minutes(first.facts["minutes"])
    early = _("%(length)s early", length=length) if first.facts["minutes"] else _("just in time")
    return Told(
        one, name, place, _("%(length)s late", length=length) if late else early, late,
        [reason_text(reason) for reason in others],
    )  # fmt: skip


def reason_text(reason: Reason) -> str:
    """One reason as people say it."""
    facts = reason.facts
    match reason.code:
        case "not_all":
            some, of = display.quantity(facts["quantity"]), display.quantity(facts["of"])
            said = _("only %(quantity)s of %(of)s", quantity=some, of=of)
        case "substitute":
            condition = pick(facts["condition"] or {})
            said = _("instead of it: %(part)s. %(condition)s", part=facts["part"], condition=condition)
        case "on_time":
            said = _("%(n)s %% on time", n=facts["percent"])
        case "way":
            said = _("%(length)s away", length=display.minutes(facts["minutes"]))
        case _:
            said = _("%(price)s each", price=display.money(facts["price"]))
    return str(said).strip()


def totals(answer: Answer) -> Totals:
    """Of the station's own store and vans."""
    own = [one for one in answer.places if one.way.kind in ("station", "own_van", "colleague_van")]
    none = Decimal(0)
    return Totals(
        sum((one.shelf.on_hand for one in own), none), sum((one.shelf.reserved for one in own), none),
        sum((one.shelf.in_transit + one.shelf.on_order for one in own), none), sum((one.free for one in own), none),
    )  # fmt: skip
