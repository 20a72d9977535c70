"""Asking for a transfer as people and scripts do: places by their labels, and who may speak for which."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from flask_babel import lazy_gettext as _l

from fieldservice.foundation.access import Person
from fieldservice.foundation.errors import Invalid
from fieldservice.parts.models import Part, StockLocation
from fieldservice.parts.transfers import neighbours, services
from fieldservice.parts.transfers.models import Transfer
from fieldservice.parts.transfers.queries import KEEPERS, place_named

TO_ANSWER = timedelta(hours=24)  # a draft holds nothing, so it is less urgent than an order's part


def ask_for(
    source: str, target: str, lines: Sequence[tuple[Part, Decimal]], person: Person, *, expected_at: datetime,
    at: datetime, told: Mapping[str, str], approve: bool = False,
) -> Transfer:  # fmt: skip
    """Open a transfer. The person keeps one of the two ends; with `approve`, the one it leaves.

    `told`: carrier and tracking, where known. Raises Invalid `unknown_place`, and as `open_transfer`, `approve`.
    """
    ends = {"from": _place(source, "from"), "to": _place(target, "to")}
    keeps = {name: person.covers(place.station_id, *KEEPERS) for name, place in ends.items()}
    if not any(keeps.values()) or (approve and not keeps["from"]):
        raise Invalid(
            {"from": [_l("Somebody of that station has to approve what leaves it. Ask for it without approving.")]}
            if any(keeps.values())
            else {"to": [_l("One of the two places must be of your own station.")]},
            code="unknown_place",
        )  # fmt: skip
    opened = services.open_transfer(
        ends["from"], ends["to"], lines, expected_at=expected_at, at=at, carrier=told.get("carrier", ""),
        tracking=told.get("tracking", ""),
    )  # fmt: skip
    if approve:
        services.approve(opened, at=at)
    elif neighbours.must_be_asked(ends["from"], ends["to"], person):
        neighbours.tell_keepers(opened, min(expected_at, at + TO_ANSWER), at=at)
    return opened


def _place(code: str, field: str) -> StockLocation:
    found = place_named(code)
    if found is None:
        raise Invalid({field: [_l("There is no such store or van. Look at its label.")]}, code="unknown_place")
    return found
