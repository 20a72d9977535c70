"""What comes in and goes out of the JSON calls about availability."""

from typing import Any

import marshmallow as ma

from fieldservice.foundation.formats import decimal_text
from fieldservice.foundation.words import pick
from fieldservice.parts.availability.asking import Answer, Place
from fieldservice.parts.availability.ranking import Ranked

Length = ma.validate.Length
# as the description says it: bounds of a decimal would be told as texts, which no schema may have
QUANTITY = {"type": ["number", "string"], "minimum": 0, "maximum": 100_000}


def quantity_field(**more: Any) -> ma.fields.Decimal:
    """So much of a part, at most three decimals."""
    return ma.fields.Decimal(
        places=3, allow_nan=False, validate=ma.validate.Range(min=0, min_inclusive=False, max=100_000),
        metadata=QUANTITY, **more,
    )  # fmt: skip


class AvailabilityQuery(ma.Schema):
    """Whose work it is for, how much, and when."""

    class Meta:
        unknown = ma.RAISE

    station = ma.fields.String(required=True, validate=Length(min=1, max=12))
    quantity = quantity_field(load_default="1")
    needed_at = ma.fields.AwareDateTime(load_default=None)
    technician = ma.fields.Integer(load_default=None, validate=ma.validate.Range(min=1, max=2**62))
    model = ma.fields.String(load_default="", validate=Length(max=60))


class PlaceSchema(ma.Schema):
    """The four quantities in one place, and what is free in time."""

    place = ma.fields.String(metadata={"description": "code of the place"})
    name = ma.fields.String()
    kind = ma.fields.String()
    part = ma.fields.String()
    on_hand = ma.fields.String(metadata={"description": "decimal"})
    reserved = ma.fields.String(metadata={"description": "decimal"})
    in_transit = ma.fields.String(metadata={"description": "decimal"})
    on_order = ma.fields.String(metadata={"description": "decimal"})
    free = ma.fields.String(metadata={"description": "decimal, for the time asked for"})


class ReasonSchema(ma.Schema):
    """Why a source stands where it stands: in_time, late, not_all, substitute, on_time, way, price."""

    code = ma.fields.String()
    facts = ma.fields.Dict(keys=ma.fields.String())


class SourceSchema(ma.Schema):
    """A source in its place."""

    kind = ma.fields.String()
    part = ma.fields.String()
    place = ma.fields.String(allow_none=True)
    supplier = ma.fields.String(allow_none=True)
    quantity = ma.fields.String(metadata={"description": "decimal, in units of the part asked for"})
    taken = ma.fields.String(metadata={"description": "decimal: how much of it the promise rests on"})
    ready_at = ma.fields.AwareDateTime()
    price = ma.fields.Integer()
    reasons = ma.fields.List(ma.fields.Nested(ReasonSchema))


class AvailabilitySchema(ma.Schema):
    """What there is of a part and what can be promised."""

    part = ma.fields.String()
    quantity = ma.fields.String()
    needed_at = ma.fields.AwareDateTime()
    ready_at = ma.fields.AwareDateTime(allow_none=True)
    places = ma.fields.List(ma.fields.Nested(PlaceSchema))
    sources = ma.fields.List(ma.fields.Nested(SourceSchema))


def told(answer: Answer) -> dict[str, Any]:
    """An answer as its schema describes it."""
    return {
        "part": answer.part.number, "quantity": decimal_text(answer.quantity), "needed_at": answer.needed_at,
        "ready_at": answer.ready_at, "places": [_place(place) for place in answer.places],
        "sources": [_source(one, answer) for one in answer.sources],
    }  # fmt: skip


def _place(place: Place) -> dict[str, Any]:
    shelf, location = place.shelf, place.way.location
    return {
        "place": location.code, "name": pick(location.names), "kind": place.way.kind, "part": place.part.number,
        "on_hand": decimal_text(shelf.on_hand), "reserved": decimal_text(shelf.reserved),
        "in_transit": decimal_text(shelf.in_transit), "on_order": decimal_text(shelf.on_order),
        "free": decimal_text(place.free),
    }  # fmt: skip


def _source(one: Ranked, answer: Answer) -> dict[str, Any]:
    source = one.source
    return {
        "kind": source.kind, "part": source.part, "quantity": decimal_text(source.quantity),
        "taken": decimal_text(one.taken),
        "place": None if source.place_id is None else answer.locations[source.place_id].code,
        "supplier": None if source.supplier_id is None else answer.suppliers[source.supplier_id].code,
        "ready_at": source.ready_at, "price": source.price,
        "reasons": [
            {"code": reason.code, "facts": {name: _plain(fact) for name, fact in reason.facts.items()}}
            for reason in one.reasons
        ],
    }  # fmt: skip


def _plain(fact: Any) -> Any:
    return decimal_text(fact) if hasattr(fact, "normalize") else fact
