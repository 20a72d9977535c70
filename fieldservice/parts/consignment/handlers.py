"""What refills do when their transfer is moved on, on whichever page that happens."""

from sqlalchemy import select

from fieldservice.foundation.db import session
from fieldservice.mechanisms.events import Event
from fieldservice.mechanisms.lifecycle import move
from fieldservice.parts.consignment import refills
from fieldservice.parts.consignment.models import RefillOrder


def follow_shipment(event: Event) -> None:
    """It left the store."""
    refill = _of(event)
    if refill is not None and refills.held(refill).state == "confirmed":
        move(refill, "shipped", at=event.at)


def follow_cancelled(event: Event) -> None:
    """The store does not send it: the station is asked again."""
    refill = _of(event)
    if refill is not None:
        refills.back_to_proposed(refill, event.at)


def follow_lost(event: Event) -> None:
    """It will not arrive."""
    refill = _of(event)
    if refill is not None:
        refills.lost(refill, event.at)


def _of(event: Event) -> RefillOrder | None:
    return session.scalar(select(RefillOrder).where(RefillOrder.transfer_id == event.subject_id))
