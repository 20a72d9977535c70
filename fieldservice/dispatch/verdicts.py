"""Whether what a dispatcher holds in the hand fits each lane within the days shown, and why not."""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _

from fieldservice.foundation import display
from fieldservice.mechanisms import clocks
from fieldservice.workorders import refusals
from fieldservice.workorders.models import Visit, WorkOrder
from fieldservice.workorders.placement import Span
from fieldservice.workorders.suggestions import Refused, Suggestion, suggest


@dataclass(frozen=True)
class Verdict:
    """For a lane: yes, warn (a promise would be late) or no; in five words, and in full."""

    fits: str
    text: str
    why: str = ""


def verdicts(
    order: WorkOrder, moving: Visit | None, within: Span, stations: Collection[int] | None, at: datetime
) -> dict[str, dict[str, Any]]:
    """By technician, everybody who may be asked; nothing where all of the days shown are over."""
    if within.ends_at <= max(within.starts_at, at):
        return {}
    start = max(within.starts_at, at)
    answers = suggest(order, start=start, end=within.ends_at, stations=stations, moving=moving, at=at)
    found = {str(one.member.id): _no(one) for one in answers.refused}
    for one in reversed(answers.suggestions):  # the best of each technician is the last to be set
        found[str(one.member.id)] = _yes(one, at)
    return {technician: asdict(verdict) for technician, verdict in found.items()}


def _yes(one: Suggestion, at: datetime) -> Verdict:
    time = clocks.moment_text(one.slot.starts_at, at)
    late = one.slot.late_min or one.slot.restore_late_min
    if late:
        return Verdict("warn", str(_("%(time)s, %(late)s late", time=time, late=_briefly(late))), one.warning)
    return Verdict("yes", str(_("from %(time)s", time=time)), one.outlook)


def _briefly(minutes: int) -> str:
    """'20 min', '6 h': there is room for no more beside a name."""
    return display.minutes(minutes if minutes < 60 else 60 * round(minutes / 60))


def _no(one: Refused) -> Verdict:
    return Verdict("no", refusals.short(one.first), "; ".join(refusals.sentence(refusal) for refusal in one.refusals))
