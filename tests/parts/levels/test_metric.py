"""Two echelons against brute force: every share tried, and pieces really sent about."""

from itertools import product
from math import exp

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldservice.parts.levels.demand import Floats
from fieldservice.parts.levels.metric import Network, awaited, late, share, still_owed, waits


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


@pytest.mark.parametrize(("mean", "ratio"), [(0.4, 1.0), (3.0, 1.8), (40.0, 6.0), (900.0, 1.2), (60_000.0, 30.0)])
def test_what_a_store_owes_is_what_its_spread_says(mean: float, ratio: float) -> None:
    """Summed chance by chance; and, of a store that has nothing, exactly all that is asked for."""
    variance = max(mean * ratio, mean * 1.001)
    deviation = variance**0.5
    dice = np.random.default_rng(11)
    drawn = dice.negative_binomial(mean**2 / (variance - mean), mean / variance, 400_000).astype(float)
    levels = np.array([0, int(mean), int(mean + deviation)])
    owed, square = late(np.full(3, mean), np.full(3, variance), levels)
    assert (owed[0], square[0]) == (pytest.approx(mean), pytest.approx(variance + mean**2))
    for at, level in enumerate(levels):
        missing = np.maximum(drawn - level, 0.0)
        assert owed[at] == pytest.approx(missing.mean(), rel=0.05, abs=0.01)
        assert square[at] == pytest.approx((missing**2).mean(), rel=0.08, abs=0.02)


def test_the_more_lies_at_the_centre_the_shorter_others_wait() -> None:
    mean, variance, rate = np.full(6, 5.0), np.full(6, 9.0), np.full(6, 2.5)
    wait, doubt = waits(mean, variance, np.array([0, 2, 4, 6, 8, 40]), rate)
    assert wait[0] == pytest.approx(2.0), "without stock everybody waits as long as delivery takes"
    assert (np.diff(wait) < 0).all()
    assert wait[-1] == pytest.approx(0.0, abs=1e-6)
    assert (doubt >= 0).all()
    assert np.isfinite(waits(np.zeros(1), np.zeros(1), np.zeros(1, dtype=np.int64), np.zeros(1))[0]).all()


def test_a_wait_is_that_of_a_simulation() -> None:
    """One store fed at once by a supplier of one month, one for one: pieces wait owed ÷ rate on average."""
    given, central = network([[1.5, 1.0]]), 2
    mean = np.array([2.5])
    wait = waits(mean, mean, np.array([central]), mean)[0][0]
    dice = np.random.default_rng(5)
    when = np.sort(dice.uniform(0, 40_000.0, dice.poisson(2.5 * 40_000.0)))
    arrives = when[: len(when) - central] + float(given.lead[0])
    assert wait == pytest.approx(float(np.maximum(arrives - when[central:], 0.0).mean()), rel=0.03)
