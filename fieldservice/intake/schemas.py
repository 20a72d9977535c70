"""What comes in and goes out of the JSON calls about service requests (CONTRACT §3)."""

from typing import Any

import marshmallow as ma

from config import LANGUAGES
from fieldservice.foundation.api import ListQuery
from fieldservice.foundation.tokens import link_token
from fieldservice.foundation.web import settings
from fieldservice.foundation.words import all_words
from fieldservice.intake.models import ServiceRequest
from fieldservice.mechanisms import clocks

CHANNELS = tuple(all_words()["channel"])
SEVERITIES = tuple(all_words()["severity"])
STATES = tuple(sorted(ServiceRequest.lifecycle.states))


class ReportContact(ma.Schema):
    """Who reports."""

    name = ma.fields.String(required=True, validate=ma.validate.Length(1, 80))
    phone = ma.fields.String(load_default="", validate=ma.validate.Length(max=40))
    email = ma.fields.String(load_default="", validate=ma.validate.Length(max=254))


class ReportSite(ma.Schema):
    """Where the machine is; any one of address, division or position (WGS-84)."""

    address = ma.fields.String(load_default="", validate=ma.validate.Length(max=200))
    division_code = ma.fields.String(load_default="", validate=ma.validate.Length(max=6))
    latitude = ma.fields.Float(load_default=None, allow_none=True, validate=ma.validate.Range(-90, 90))
    longitude = ma.fields.Float(load_default=None, allow_none=True, validate=ma.validate.Range(-180, 180))


class ReportSchema(ma.Schema):
    """A report."""

    channel = ma.fields.String(load_default="portal", validate=ma.validate.OneOf(CHANNELS))
    contact = ma.fields.Nested(ReportContact, required=True)
    customer_id = ma.fields.Integer(
        load_default=None, allow_none=True, strict=True, validate=ma.validate.Range(1, 2**63 - 1)
    )
    site = ma.fields.Nested(ReportSite, load_default=lambda: dict(ReportSite().load({})))
    asset_serial = ma.fields.String(load_default="", validate=ma.validate.Length(max=40))
    description = ma.fields.String(required=True, validate=ma.validate.Length(1, 4000))
    severity = ma.fields.String(required=True, validate=ma.validate.OneOf(SEVERITIES))
    language = ma.fields.String(load_default="zh", validate=ma.validate.OneOf(LANGUAGES))


class PromiseSchema(ma.Schema):
    """A promise with its due and quoted moments."""

    kind = ma.fields.String()
    due_at = ma.fields.AwareDateTime()
    quoted_at = ma.fields.Function(lambda clock: (clock.quoted_at or clock.due_at).isoformat())
    state = ma.fields.String()


class ReceivedSchema(ma.Schema):
    """The answer to a report. The private link is derived, never stored."""

    number = ma.fields.String()
    tracking_url = ma.fields.Function(lambda request: tracking_url(request.number))
    station = ma.fields.Function(lambda request: request.station.code)
    promises = ma.fields.Function(lambda request: PromiseSchema(many=True).dump(clocks.of(request)))


class RequestSchema(ma.Schema):
    """A request in lists and by itself."""

    number = ma.fields.String()
    state = ma.fields.String()
    station = ma.fields.Function(lambda request: request.station.code)
    channel = ma.fields.String()
    priority = ma.fields.String()
    severity = ma.fields.String()
    description = ma.fields.String()
    customer_id = ma.fields.Integer(allow_none=True)
    asset_serial = ma.fields.Function(lambda request: request.asset.serial if request.asset else request.serial_given)
    contact_name = ma.fields.String()
    address = ma.fields.String()
    division_code = ma.fields.String(allow_none=True)
    precision = ma.fields.String()
    language = ma.fields.String()
    received_at = ma.fields.AwareDateTime()
    triaged_at = ma.fields.AwareDateTime(allow_none=True)
    restored_at = ma.fields.AwareDateTime(allow_none=True)
    resolved_at = ma.fields.AwareDateTime(allow_none=True)
    closed_at = ma.fields.AwareDateTime(allow_none=True)
    promises = ma.fields.Method("promises_of")

    def promises_of(self, request: ServiceRequest) -> Any:
        return PromiseSchema(many=True).dump(clocks.of(request))


class RequestPageSchema(ma.Schema):
    """A page of the list."""

    items = ma.fields.List(ma.fields.Nested(RequestSchema))
    next_cursor = ma.fields.String(allow_none=True)
    total = ma.fields.Integer()


class RequestQuery(ListQuery):
    """Filters of the list."""

    status = ma.fields.String(load_default="all", validate=ma.validate.OneOf(("triage", "open", "all", *STATES)))
    station = ma.fields.String(load_default="", validate=ma.validate.Length(max=12))
    priority = ma.fields.String(load_default="", validate=ma.validate.OneOf(("", *all_words()["priority"])))
    q = ma.fields.String(load_default="", validate=ma.validate.Length(max=80))


class MoveSchema(ma.Schema):
    """A wished move of state. A duplicate names the request it repeats."""

    to = ma.fields.String(required=True, validate=ma.validate.OneOf(STATES))
    reason = ma.fields.String(load_default="", validate=ma.validate.Length(max=300))
    duplicate_of = ma.fields.String(load_default="", validate=ma.validate.Length(max=20))


def tracking_url(number: str) -> str:
    """The private page of a request."""
    return f"{settings().public_url}/t/{link_token('track', number)}"
