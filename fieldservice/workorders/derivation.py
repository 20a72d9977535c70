"""The state of an order, derived from its visits and open items (DOMAIN §4). Pure; never typed by anybody."""

from collections.abc import Sequence

SCHEDULED = frozenset({"proposed", "scheduled"})
DISPATCHED = frozenset({"dispatched", "accepted", "en_route"})
AT_WORK = frozenset({"on_site", "in_progress", "paused"})
UNDER_WAY = SCHEDULED | DISPATCHED | AT_WORK
ENDED = frozenset({"completed", "partially_completed", "cannot_complete"})  # fell through: declined, missed, cancelled
DERIVED = frozenset({"ready", "scheduled", "dispatched", "in_progress", "completed"})


def derive(state: str, visits: Sequence[str], open_required: bool) -> str:
    """What `state` becomes with these visit states (those that ended in the order they did) and open required items.

    The furthest visit wins. With none under way the order is completed when the last visit that ended
    was completed and nothing required is open; else it is ready for another one. What people decide
    stays: draft, cancelled, closed; on_hold and cannot_complete too, unless a visit says otherwise.
    """
    if state not in DERIVED and state not in ("on_hold", "cannot_complete"):
        return state
    known = frozenset(visits)
    if state == "on_hold" and known & AT_WORK <= {"paused"}:
        return "completed" if _done(visits, open_required) else "on_hold"  # a visit paused before may end meanwhile
    if known & AT_WORK:
        return "in_progress"
    if known & DISPATCHED:
        return "dispatched"
    if known & SCHEDULED:
        return "scheduled"
    if _done(visits, open_required):
        return "completed"
    # An impossible visit ends the order it was at work for; once somebody plans on, it is history.
    if state == "cannot_complete" or (state == "in_progress" and _last(visits) == "cannot_complete"):
        return "cannot_complete"
    return "ready"


def _done(visits: Sequence[str], open_required: bool) -> bool:
    """Completed and then partially completed is not completed, whatever else there is."""
    return _last(visits) == "completed" and not open_required and not frozenset(visits) & UNDER_WAY


def _last(visits: Sequence[str]) -> str | None:
    """How the last visit that took place ended."""
    return next((state for state in reversed(visits) if state in ENDED), None)
