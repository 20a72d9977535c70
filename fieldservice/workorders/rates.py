"""What an hour of work and on the road cost the customer, and the goodwill of the front line: a station's policies."""

from dataclasses import dataclass

from fieldservice.mechanisms import policies
from fieldservice.mechanisms.policies import Worth

LABOUR, TRAVEL = "labour_rate", "travel_rate"  # minor units for an hour
GOODWILL = "goodwill_limit"  # minor units for an order, without asking the manager (P-09)
MOST = 100_000_00


def _amount(stored: object) -> int:
    """A stored amount. Raises ValueError for what is none."""
    if isinstance(stored, bool) or not isinstance(stored, int) or not 0 <= stored <= MOST:
        raise ValueError(f"{stored!r} is no amount: write a whole number of minor units, at least 0")
    return stored


AMOUNTS = Worth(read=_amount, store=int, fits=lambda _value, _floor: True)
policies.register_defaults(LABOUR, 280_00, worth=AMOUNTS)  # [D]
policies.register_defaults(TRAVEL, 160_00, worth=AMOUNTS)  # [D]
policies.register_defaults(GOODWILL, 500_00, worth=AMOUNTS)  # [D]


@dataclass(frozen=True)
class Rates:
    """Minor units for an hour; of goodwill, for an order."""

    labour: int
    travel: int
    goodwill: int


def rates_of(station_id: int) -> Rates:
    """What holds at this station."""
    found = policies.effective_many([LABOUR, TRAVEL, GOODWILL], station_id=station_id)
    return Rates(found[LABOUR].value, found[TRAVEL].value, found[GOODWILL].value)
