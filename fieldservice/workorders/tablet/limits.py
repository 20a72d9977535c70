"""What the server takes at most, told to the tablet with its snapshot, so that nothing typed offline is refused later.

Read from the very shapes that commands are checked by (kinds/): no number stands twice.
"""

from collections.abc import Iterator
from functools import cache

import marshmallow as ma

from fieldservice.mechanisms import forms
from fieldservice.workorders.tablet import uploads
from fieldservice.workorders.tablet.kinds import KINDS
from fieldservice.workorders.tablet.kinds.base import BIGGEST


@cache
def limits() -> dict[str, int]:
    """By place: characters of a text, entries of a list (each of them: `.each`), the largest number.

    A place is `<kind>.<name>`, `<kind>.<name>.<name inside>`; and `photos` of a visit, `number.whole` and
    `number.decimals` for the digits of a reading before and after its point.
    """
    whole = len(str(forms.MOST_NUMBER)) - 1
    found = {"photos": uploads.MOST_PHOTOS, "number.whole": whole, "number.decimals": forms.MOST_DECIMALS}
    for name, kind in KINDS.items():
        found |= dict(_of_schema(kind.schema, name))
    return found


def _of_schema(schema: ma.Schema, place: str) -> Iterator[tuple[str, int]]:
    for name, field in schema.fields.items():
        yield from _of_field(field, f"{place}.{name}")


def _of_field(field: ma.fields.Field[object], place: str) -> Iterator[tuple[str, int]]:
    most = _most(field)
    if most is not None:
        yield place, most
    if isinstance(field, ma.fields.Nested):
        yield from _of_schema(field.schema, place)
    elif isinstance(field, ma.fields.List):
        inner = field.inner
        yield from _of_field(inner, place if isinstance(inner, ma.fields.Nested) else f"{place}.each")


def _most(field: ma.fields.Field[object]) -> int | None:
    """What the field's validators allow; ids are no amounts."""
    for rule in field.validators:
        if isinstance(rule, ma.validate.Length | ma.validate.Range) and rule.max not in (None, BIGGEST):
            return int(rule.max)
    known = field.metadata.get("most")
    return int(known) if known is not None else None
