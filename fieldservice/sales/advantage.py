"""What our speed is worth against the maker's own service (X-02). Pure."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Advantage:
    """Minutes that the machine stands still less with us than with its maker, and what that saves.

    `minutes` is negative where the maker would have been quicker. `saved` is in minor units of CNY; None where
    nobody knows what an hour of standstill costs.
    """

    theirs: int
    ours: int
    minutes: int
    saved: int | None


def advantage(theirs: int | None, ours: int | None, loss_per_hour: int | None) -> Advantage | None:
    """Theirs − ours, both in minutes from the report; the saving is that time × loss per hour, never below zero.

    None while one of the two times is not known.
    """
    if theirs is None or ours is None:
        return None
    minutes = theirs - ours
    saved = None if loss_per_hour is None else max(0, round(minutes * loss_per_hour / 60))
    return Advantage(theirs, ours, minutes, saved)
