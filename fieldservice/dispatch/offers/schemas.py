"""What comes in and goes out of the JSON calls about offered times (CONTRACT §3)."""

import marshmallow as ma

from fieldservice.dispatch.schemas import Moment, Strict, TechnicianSchema


class OfferWishSchema(Strict):
    """From which day on times are wanted."""

    day = ma.fields.Date(load_default=None, metadata={"description": "Left out: today. At most 60 days ahead."})


class ChoiceSchema(Strict):
    """The customer takes an offered time."""

    customer_agrees = ma.fields.Boolean(
        load_default=False, metadata={"description": "To a time that is later than promised; else 422 beyond_limit."}
    )


# Answers ------------------------------------------------------------------------------------------


class OfferedSchema(ma.Schema):
    """A time that is held for the customer; `cost` is what it costs the plan in weighted seconds of travel."""

    id = ma.fields.Integer()
    technician = ma.fields.Nested(TechnicianSchema)
    starts_at = Moment(attribute="span.starts_at")
    ends_at = Moment(attribute="span.ends_at")
    window_starts_at = Moment(attribute="told.starts_at")
    window_ends_at = Moment(attribute="told.ends_at")
    held_until = Moment(attribute="expires_at")
    cost = ma.fields.Float()
    travel_min = ma.fields.Integer(metadata={"description": "Minutes of driving more for the technician's day."})
    after_promise = ma.fields.Boolean()
    best = ma.fields.Boolean(metadata={"description": "Costs the plan least of those offered."})


class OffersSchema(ma.Schema):
    """What is held for the customer of an order now, by time; none where nobody is free."""

    offers = ma.fields.List(ma.fields.Nested(OfferedSchema))
