"""Steps of a visit, and whether its technician may be located on the way."""

from collections.abc import Sequence
from typing import Any

import marshmallow as ma
from flask_babel import lazy_gettext as _l

from fieldservice.foundation.places import Point
from fieldservice.foundation.words import has_word
from fieldservice.mechanisms.forms import plain_text
from fieldservice.workorders import visits
from fieldservice.workorders.onsite import arriving
from fieldservice.workorders.onsite.leaving import Departure, known
from fieldservice.workorders.tablet.kinds.base import BIGGEST, Deed, Facts, Own, Payload, text


class ReadinessSchema(ma.Schema):
    """What the tablet found before leaving: `{missing, reason?}`; with nothing missing all was ready."""

    class Meta:
        unknown = ma.EXCLUDE

    missing = ma.fields.List(text(24), load_default=list, validate=ma.validate.Length(max=20))
    reason = text(300, load_default="", allow_none=True)


class PositionSchema(ma.Schema):
    """Where the tablet was; never kept as it came (N-14)."""

    class Meta:
        unknown = ma.EXCLUDE

    latitude = ma.fields.Float(required=True, validate=ma.validate.Range(-90, 90))
    longitude = ma.fields.Float(required=True, validate=ma.validate.Range(-180, 180))
    accuracy_m = ma.fields.Float(required=True, validate=ma.validate.Range(0, 1_000_000))


class Move(Payload):
    """A step: `{visit, to, reason?, restored?, open_items?, done_items?, readiness?, conduct?, check_in?, position?}`.

    `readiness` and `conduct` belong to leaving, `check_in` (with the reason of a check-in by hand) and `position` to
    arriving.
    """

    to = text(24, required=True)
    reason = text(300, load_default=None, allow_none=True)
    restored = ma.fields.Boolean(load_default=None, allow_none=True)
    open_items = ma.fields.List(text(300), load_default=list, validate=ma.validate.Length(max=20))
    done_items = ma.fields.List(
        ma.fields.Integer(validate=ma.validate.Range(1, BIGGEST)),
        load_default=list,
        validate=ma.validate.Length(max=100),
    )
    readiness = ma.fields.Nested(ReadinessSchema, load_default=None, allow_none=True)
    conduct = ma.fields.List(text(24), load_default=list, validate=ma.validate.Length(max=20))
    check_in = text(12, load_default=None, allow_none=True)
    position = ma.fields.Nested(PositionSchema, load_default=None, allow_none=True)


def move(
    deed: Deed, to: str, readiness: Facts | None, conduct: Sequence[str], check_in: str | None,
    position: Facts | None, **facts: Any,
) -> Facts:  # fmt: skip
    flags = ["rescheduled"] if visits.catch_up(deed.visit, to, deed.at, deed.person.technician_id) else []
    if to == "en_route":
        visits.step(deed.visit, to, deed.at, departure=_departure(readiness, conduct))
    elif to == "on_site" and (check_in or position):
        arrived = _arrived(deed, facts["reason"] or "", position)
        visits.step(deed.visit, to, deed.at, check_in=arrived)
        return {"text": str(DROPPED)} if arrived.dropped else {}
    else:
        visits.step(deed.visit, to, deed.at, **facts)
    return {"flags": flags} if flags else {}


DROPPED = _l("Your position was not kept: you are off duty, or have not allowed it.")


def _departure(found: Facts | None, conduct: Sequence[str]) -> Departure:
    ticked = tuple(code for code in dict.fromkeys(conduct) if has_word("conduct", code))
    if found is None:
        return Departure(conduct=ticked)
    return Departure(known(found["missing"]), plain_text(found["reason"] or "", 300, field="reason"), ticked)


def _arrived(deed: Deed, reason: str, given: Facts | None) -> arriving.CheckIn:
    place = None
    if given is not None:
        place = arriving.Position(Point(given["latitude"], given["longitude"]), round(given["accuracy_m"]))
    return arriving.judge(deed.visit, deed.at, reason, place, deed.person.user_id)


class Consent(ma.Schema):
    """Whether the technician may be located on duty: `{given, version}`, the version of the text that was shown."""

    class Meta:
        unknown = ma.EXCLUDE

    given = ma.fields.Boolean(required=True)
    version = ma.fields.Integer(
        required=True, strict=True, validate=ma.validate.Range(1, arriving.CONSENT_VERSION)
    )  # fmt: skip


def consent(own: Own, given: bool, version: int) -> Facts:
    arriving.set_consent(own.person, given, version, own.at)
    return {}
