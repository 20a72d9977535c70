"""Two echelons against brute force: every share tried, and pieces really sent about."""

from itertools import product
from math import exp

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldservice.parts.levels.demand import Floats
from fieldservice.parts.levels.metric import Network, awaited, share, still_owed


def network(rates: list[list[float]], lead: float = 1.0, transport: float = 0.3, price: float = 1.0) -> Network:
    rate = np.array(rates)
    parts, stations = rate.shape
    return Network(rate, np.full(parts, lead), np.full(stations, transport), np.full(parts, price))


def poisson(mean: float) -> list[float]:
    found = [exp(-mean)]
    for amount in range(1, 80):
        found.append(found[-1] * mean / amount)
    return found


def reckoned(given: Network, central: int, levels: tuple[int, ...]) -> float:
    """What one part owes to customers with one share."""
    chances = poisson(float(given.rate[0].sum() * given.lead[0]))
    late = [max(0, amount - central) for amount in range(80)]
    owed = np.array([sum(one * chance for one, chance in zip(late, chances))])
    square = np.array([sum(one**2 * chance for one, chance in zip(late, chances))])
    mean, variance = awaited(given.rate, given.transport, owed, square)
    return float(still_owed(mean, variance, np.array([levels])).sum())


def simulated(given: Network, central: int, levels: Floats, months: float, seed: int) -> float:
    """Pieces owed on average when every piece is really sent: one for one, first come first served."""
    dice = np.random.default_rng(seed)
    rate = given.rate[0]
    when = np.sort(dice.uniform(0, months, dice.poisson(rate.sum() * months)))
    where = dice.choice(len(rate), len(when), p=rate / rate.sum())
    resupplied = when + given.lead[0]  # the piece ordered when the n-th was asked for
    released = np.maximum(when[central:], resupplied[: len(when) - central]) if central else resupplied
    released = np.concatenate([when[:central], released]) if central else released
    waited = 0.0
    for station, level in enumerate(levels):
        asked, arrives = when[where == station], released[where == station] + given.transport[station]
        waited += float(np.maximum(arrives[: len(asked) - level] - asked[level:], 0.0).sum())
    return waited / months


@pytest.mark.parametrize(
    ("central", "levels", "tolerance"),
    [(0, (1, 1), 0.03), (0, (2, 3), 0.05), (2, (1, 1), 0.06), (4, (0, 2), 0.06), (1, (2, 1), 0.08)],
)
def test_pieces_owed_are_those_of_a_simulation(central: int, levels: tuple[int, ...], tolerance: float) -> None:
    """Exact without central stock, where what is on its way really is Poisson; close otherwise."""
    given = network([[0.8, 1.3]])
    found = simulated(given, central, np.array(levels), 60_000.0, 7)
    assert reckoned(given, central, levels) == pytest.approx(found, rel=tolerance)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0.05, 1.5), min_size=2, max_size=2), st.floats(0.3, 2.0), st.floats(0.02, 0.4))
def test_no_other_share_is_better(rates: list[float], lead: float, ask: float) -> None:
    given = network([rates], lead)
    found = share(given, ask)
    cost = found.owed[0] + ask * (found.central[0] + found.stations[0].sum())
    assert found.owed[0] == pytest.approx(reckoned(given, int(found.central[0]), tuple(found.stations[0])))
    for central, first, second in product(range(14), range(9), range(9)):
        other = reckoned(given, central, (first, second)) + ask * (central + first + second)
        assert cost <= other + 1e-9


def test_parts_do_not_disturb_each_other() -> None:
    dice = np.random.default_rng(2)
    rate, lead, price = dice.gamma(0.5, 0.5, (30, 4)), dice.uniform(0.5, 3, 30), dice.uniform(1, 50, 30)
    rate[3] = 0.0
    transport = np.array([0.1, 0.2, 0.3, 0.4])
    together = share(Network(rate, lead, transport, price), 0.002)
    for at in range(30):
        one = share(Network(rate[at : at + 1], lead[at : at + 1], transport, price[at : at + 1]), 0.002)
        assert one.central[0] == together.central[at]
        assert (one.stations[0] == together.stations[at]).all()
        assert one.owed[0] == pytest.approx(together.owed[at])
    assert together.central[3] == together.stations[3].sum() == 0


def test_cheaper_money_owes_customers_less() -> None:
    dear, cheap = (share(network([[0.5, 0.2, 0.9]]), price) for price in (0.2, 0.01))
    assert cheap.owed[0] < dear.owed[0]
    assert cheap.central[0] + cheap.stations[0].sum() > dear.central[0] + dear.stations[0].sum()


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"lead": -1.0}, "negative"),
        ({"price": 0.0}, "price"),
        ({"lead": 5_000.0}, "slow movers"),
    ],
)
def test_what_cannot_be_shared_is_refused(wrong: dict[str, float], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        network([[0.5, 0.2]], **wrong)


def test_shapes_and_the_price_of_money_are_checked() -> None:
    with pytest.raises(ValueError, match="by part"):
        Network(np.ones((2, 3)), np.ones(3), np.ones(3), np.ones(2))
    with pytest.raises(ValueError, match="price of money"):
        share(network([[0.5]]), 0.0)
