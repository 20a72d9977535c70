"""What a good plan is: named goals, each an amount in seconds of travel that it is worth, mixed by weights.

Hard rules are never traded: a goal can only choose among plans that keep them all.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Self

# What one unit is worth in seconds of travel, before the weights (DESIGN §6; [D], to be seen and set by a manager).
UNSERVED = 7_200  # a job of weight 1 that is left out
LATE = 0.5  # a second after a promise, times the weight of the job
MOST_LATE = 5_400  # so far at that rate (three hours), times the weight
LATER = 0.01  # a second beyond: tonight is still better than tomorrow
MOST_LATER = 1_600  # of that; together less than UNSERVED: a broken promise is no reason to leave the customer alone
CHANGED_PERSON = 1_800  # a planned job that goes to somebody else
CHANGED_DAY = 900  # a planned job that stays with its technician and goes to another day
NOT_PREFERRED = 1_800  # somebody whom the customer did not ask for
BORROWED = 1_800  # a job done by somebody of another station
OVERTIME = 0.5  # a second beyond the shift
UNEVEN = 0.5  # a second of work and travel above the fair share


def lateness(seconds: float) -> float:
    """What being so late costs a job of weight 1."""
    beyond = seconds - MOST_LATE / LATE
    return LATE * seconds if beyond <= 0 else MOST_LATE + min(LATER * beyond, MOST_LATER)


@dataclass(frozen=True, slots=True)
class Amounts:
    """A price, or the weights of one, split by goal."""

    promises: float = 0.0
    travel: float = 0.0
    changes: float = 0.0
    balance: float = 0.0
    preference: float = 0.0
    station_cost: float = 0.0

    def __add__(self, other: "Amounts") -> "Amounts":
        return Amounts(*(getattr(self, name) + getattr(other, name) for name in NAMES))

    @property
    def total(self) -> float:
        return (
            self.promises + self.travel + self.changes + self.balance + self.preference + self.station_cost
        )  # fmt: skip


NAMES: tuple[str, ...] = tuple(one.name for one in fields(Amounts))
MOST = 20.0  # of a weight


@dataclass(frozen=True, slots=True)
class Goals:
    """Weights by goal; 0 leaves a goal out. `fair_share` is the work and travel of a day that is nobody's burden."""

    weights: Amounts = Amounts(1.0, 1.0, 1.0, 0.0, 1.0, 1.0)
    fair_share: int = 0  # seconds a day; only asked for with a weight of balance

    @classmethod
    def named(cls, name: str, overrides: Mapping[str, float] | None = None, fair_share: int = 0) -> Self:
        """The mix of a named objective, with single weights set otherwise. Raises KeyError, ValueError."""
        weights = {**asdict(OBJECTIVES[name]), **(overrides or {})}
        unknown = weights.keys() - set(NAMES)
        if unknown:
            raise ValueError(f"no such goal: {', '.join(sorted(unknown))}")
        if not all(0 <= value <= MOST for value in weights.values()):
            raise ValueError(f"weights lie between 0 and {MOST:g}")
        return cls(Amounts(**weights), fair_share)


OBJECTIVES: dict[str, Amounts] = {
    "promises": Amounts(4.0, 1.0, 1.0, 0.0, 1.0, 1.0),
    "travel": Amounts(1.0, 2.0, 0.5, 0.0, 0.5, 0.5),
    "changes": Amounts(1.0, 0.5, 6.0, 0.0, 1.0, 1.0),
    "balance": Amounts(1.0, 0.5, 1.0, 2.0, 1.0, 1.0),
    "preference": Amounts(1.0, 0.5, 1.0, 0.0, 6.0, 1.0),
    "station_cost": Amounts(1.0, 1.0, 1.0, 0.0, 0.5, 6.0),
}
