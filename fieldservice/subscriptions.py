"""Wiring: when this happens, these functions run, in the same transaction, and only write rows."""

from fieldservice.mechanisms.events import Handler, subscribe

ANSWERS: dict[str, tuple[Handler, ...]] = {}


def install() -> None:
    """Connect the capabilities; called by the app factory."""
    subscribe(ANSWERS)
