"""What every kind of command is made of."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import marshmallow as ma

from fieldservice.foundation.access import Person
from fieldservice.parts import services as ledger
from fieldservice.workorders.models import Visit
from fieldservice.workorders.tablet import uploads

BIGGEST = 2**63 - 1
Facts = dict[str, Any]


@dataclass(frozen=True)
class Deed:
    """The circumstances of a command: its visit, when it happened, who did it."""

    visit: Visit
    at: datetime
    person: Person
    command_id: str


@dataclass(frozen=True)
class Own:
    """The circumstances of a command about the technician alone: when it happened, who did it."""

    at: datetime
    person: Person
    command_id: str


@dataclass(frozen=True)
class Kind:
    """A kind of command: the shape of its payload, and what it does; with a Deed of its visit, else with an Own."""

    schema: ma.Schema
    do: Callable[..., Facts]
    of_visit: bool = True


class Payload(ma.Schema):
    """Every payload names its visit."""

    class Meta:
        unknown = ma.EXCLUDE

    visit = ma.fields.Integer(required=True, strict=True, validate=ma.validate.Range(1, BIGGEST))


def text(most: int, **facts: Any) -> ma.fields.String:
    """Words of at most so many characters."""
    return ma.fields.String(validate=ma.validate.Length(max=most), **facts)


def amount(**facts: Any) -> ma.fields.Decimal:
    """How many of a part; the ledger says what nobody can mean."""
    return ma.fields.Decimal(allow_nan=False, metadata={"most": int(ledger.MOST)}, **facts)


def upload_id(**facts: Any) -> ma.fields.String:
    """The tablet's name for a picture it sends."""
    return ma.fields.String(validate=ma.validate.Regexp(rf"^{uploads.UPLOAD_ID}\Z"), **facts)


def picture_of(expected: uploads.Expected) -> Facts:
    """The picture of a command, and whether the tablet has to send it again."""
    file = expected.file
    return {"file": file.id if file is not None else None, "flags": ["upload_again"] if expected.lost else []}
