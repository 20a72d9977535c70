"""The negative binomial against closed forms, and what one more piece buys against brute force."""

from math import comb, exp, lgamma, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldservice.parts.levels.demand import Demand
from fieldservice.parts.levels.spread import Spread, lumps
from fieldservice.parts.levels.worth import Cycle, at_level, enough_for, worthwhile


def binomial(amount: int, mean: float, variance: float) -> float:
    """The negative binomial's chance, from the gamma function."""
    variance = max(variance, 1.001 * mean)
    r, q = mean**2 / (variance - mean), 1 - mean / variance
    return exp(lgamma(amount + r) - lgamma(r) - lgamma(amount + 1) + r * log(1 - q) + amount * log(q))


def demand(chance: float, size: float = 2.0, weight: float = 8.0) -> Demand:
    one = np.ones(1)
    spread = size**2 * 1.4 + 0.2 * size
    return Demand(chance * one, chance * (chance * weight + 1) / (weight + 1) * one, size * one, size**2 * 1.05 * one,
                  spread * one)  # fmt: skip


def cycle(chance: float, size: float = 2.0, months: float = 2.0) -> Cycle:
    return Cycle.of(demand(chance, size), np.array([months]))


def test_an_integer_r_gives_pascals_distribution() -> None:
    """r = 3, q = 0.4: C(k + 2, k) 0.6³ 0.4ᵏ."""
    mean = 3 * 0.4 / 0.6
    spread = Spread.of(np.array([mean]), np.array([mean / 0.6]), np.ones(1))
    chance = spread.chance_of(spread.begins)
    for amount in range(12):
        assert chance[0] == pytest.approx(comb(amount + 2, amount) * 0.6**3 * 0.4**amount)
        chance = spread.next(chance, np.array([float(amount)]))


def test_a_variance_of_the_mean_is_poisson() -> None:
    """DOMAIN F10: λ 0.8 → 1, 2, 2, 3 pieces for class C, B, A and safety."""
    one = np.ones(4)
    spread = Spread.of(0.8 * one, 0.8 * one, one)
    found = enough_for(Cycle(spread, spread, 0 * one, one, 0.8 * one, 0.8 * one), np.array([0.80, 0.90, 0.95, 0.99]))
    assert found.tolist() == [1, 2, 2, 3]


@pytest.mark.parametrize(("mean", "variance"), [(3_000.0, 4_000.0), (900.0, 900.0), (40_000.0, 1e8), (0.01, 2.0)])
def test_large_and_wide_amounts(mean: float, variance: float) -> None:
    """Where the chance of nothing cannot be written as a number, and where pieces are counted in lumps."""
    spread, one = Spread.of(np.array([mean]), np.array([variance]), lumps(np.array([mean]), np.array([variance]))), 1.0
    lump = lumps(np.array([mean]), np.array([variance]))
    found = enough_for(
        Cycle(spread, spread, np.zeros(1), lump, np.array([mean]), np.array([variance])), np.array([0.9])
    )
    below, above, total = 0.0, 0.0, 0
    while above < 0.9:
        below, above, total = above, above + binomial(total, mean, variance), total + 1
    grain = one if lump[0] == 1 else 0.05 * variance**0.5
    assert abs(int(found[0]) - (total - 1)) <= grain, (below, above)


cycles = st.builds(cycle, st.floats(0.001, 0.9), st.floats(1.0, 8.0), st.floats(0.2, 8.0))


@settings(max_examples=60)
@given(cycles, st.integers(0, 60))
def test_what_a_level_does_equals_its_recomputation(some: Cycle, level: int) -> None:
    enough, gain = at_level(some, np.array([level]))
    before = some.before.mean[0], some.before.mean[0] / (1 - some.before.q[0])
    assert enough[0] == pytest.approx(
        sum(binomial(k, some.mean[0], some.variance[0]) for k in range(level + 1)), rel=1e-6
    )
    whole = binomial(level + 1, some.mean[0], some.variance[0])
    again = whole - some.quiet[0] * binomial(level + 1, *before)
    assert gain[0] == pytest.approx(max(again, 0.0), rel=1e-6, abs=1e-12)


@settings(max_examples=60)
@given(cycles, st.floats(0.001, 0.9))
def test_the_level_is_the_last_piece_worth_its_money(some: Cycle, ask: float) -> None:
    level = int(worthwhile(some, np.array([ask]))[0])
    worth = []
    for one in range(level + 30):
        enough, gain = at_level(some, np.array([one]))
        worth.append(gain[0] >= ask * enough[0])
    assert not any(worth[level:])
    assert level == 0 or worth[level - 1]


def test_several_prices_in_one_pass_are_the_same_as_one_after_the_other() -> None:
    dice = np.random.default_rng(3)
    chance = dice.uniform(0.01, 0.9, 300)
    rows = Demand(chance, chance**2 * 1.1, 1 + chance * 3, (1 + chance * 3) ** 2, (1 + chance * 3) ** 2 * 1.5)
    some, asks = Cycle.of(rows, dice.uniform(0.5, 6, 300)), dice.uniform(0.001, 0.3, (300, 4))
    together = worthwhile(some, asks)
    for at in range(4):
        assert (together[:, at] == worthwhile(some, asks[:, at])).all()


@settings(max_examples=60)
@given(cycles, st.floats(0.0001, 0.5), st.floats(1.0, 20.0))
def test_dearer_money_never_means_more_stock(some: Cycle, ask: float, dearer: float) -> None:
    assert worthwhile(some, np.array([ask * dearer]))[0] <= worthwhile(some, np.array([ask]))[0]


@settings(max_examples=60)
@given(st.floats(0.001, 0.45), st.floats(1.0, 8.0), st.floats(0.2, 8.0), st.floats(0.5, 0.9), st.floats(1.0, 2.0))
def test_a_surer_level_is_larger_and_so_is_one_for_more_demand_or_a_longer_time(
    chance: float, size: float, months: float, sure: float, times: float
) -> None:
    base = int(enough_for(cycle(chance, size, months), np.array([sure]))[0])
    surer = sure + (0.999 - sure) * (times - 1.0)
    assert enough_for(cycle(chance, size, months), np.array([surer]))[0] >= base
    assert enough_for(cycle(chance * times, size, months), np.array([sure]))[0] >= base
    assert enough_for(cycle(chance, size * times, months), np.array([sure]))[0] >= base
    assert enough_for(cycle(chance, size, months * times), np.array([sure]))[0] >= base
