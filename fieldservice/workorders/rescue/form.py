"""Reading the form by which a manager decides about a rescue."""

from collections.abc import Mapping

from flask_babel import lazy_gettext as _l

from fieldservice.foundation.errors import Invalid
from fieldservice.foundation.formats import FormatError
from fieldservice.mechanisms.records.fields import Amount
from fieldservice.workorders.rescue.services import MOST_REASON, MOST_WAIVER, Decision


def read(typed: Mapping[str, str]) -> Decision:
    """Raises Invalid for a decision or an amount that cannot be meant; `decide` says what else is missing."""
    if typed.get("decision") not in ("approved", "refused"):
        raise Invalid({"decision": [_l("Choose one of the options.")]})
    return Decision(
        approved=typed["decision"] == "approved", coverage=typed.get("coverage", "")[:12],
        estimate=money(typed.get("estimate", ""), "estimate"), waiver=typed.get("waiver", "")[: MOST_WAIVER + 1],
        reason=typed.get("reason", "")[: MOST_REASON + 1],
    )  # fmt: skip


def money(text: str, field: str) -> int | None:
    """Minor units of an amount as typed: 12000 or 12,000.50; None for nothing. Raises Invalid naming the field."""
    if not text.strip():
        return None
    try:
        amount: int = Amount(name=field, label=field).read_text(text[:24], lambda _warning: None)
    except FormatError as error:
        raise Invalid({field: [error.message]}) from error
    return amount
