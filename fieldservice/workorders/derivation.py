"""The state of an order, derived from its visits and open items (DOMAIN §4). Pure; never typed by anybody."""

from collections.abc import Iterable

SCHEDULED = frozenset({"proposed", "scheduled"})
DISPATCHED = frozenset({"dispatched", "accepted", "en_route"})
AT_WORK = frozenset({"on_site", "in_progress", "paused"})
DERIVED = frozenset({"ready", "scheduled", "dispatched", "in_progress", "completed", "cannot_complete"})


def derive(state: str, visits: Iterable[str], open_required: bool) -> str:
    """What `state` becomes with these visit states, oldest first, and open required items or not.

    The furthest visit wins; with none under way the last one that ended decides: completed with nothing
    left completes the order, an impossible one ends it, everything else leaves it ready. States
    people decide (draft, on_hold, cancelled, closed) stay, but on_hold gives way to work on site.
    """
    states = tuple(visits)
    under_way = set(states)
    if state == "on_hold":
        return "in_progress" if under_way & AT_WORK else "on_hold"
    if state not in DERIVED:
        return state
    if under_way & AT_WORK:
        return "in_progress"
    if under_way & DISPATCHED:
        return "dispatched"
    if under_way & SCHEDULED:
        return "scheduled"
    ended = [one for one in states if one in ("completed", "partially_completed", "cannot_complete")]
    if ended and ended[-1] == "completed" and not open_required:
        return "completed"
    if ended and ended[-1] == "cannot_complete":
        return "cannot_complete"
    return "ready"
