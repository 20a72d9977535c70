"""The two-part estimate: what one can reckon by hand, and how it shrinks."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldservice.parts.levels import demand as demands
from fieldservice.parts.levels.demand import Demand, Prior, Seen, estimate, prior, seen

SHARED = Prior(np.array([0.2, 0.5]), np.array([5.0, 2.0]), np.array([3.0, 1.0]), np.array([1.5, 1.0]))


def test_older_months_count_less() -> None:
    found = seen(np.array([[2.0, 0.0, 3.0]]))
    chance, size = demands.CHANCE_FADES, demands.SIZE_FADES
    assert found.months == pytest.approx([1 + chance + chance**2])
    assert found.hits == pytest.approx([1 + chance**2])
    assert found.hits_of_size == pytest.approx([1 + size**2])
    assert found.pieces == pytest.approx([3 + 2 * size**2])
    assert found.pairs == pytest.approx([6 + 2 * size**2])


def test_an_unknown_month_is_not_a_month_without_demand() -> None:
    known = seen(np.array([[np.nan, 1.0, 0.0, np.nan], [0.0, 1.0, 0.0, 0.0]]))
    assert known.months[0] == pytest.approx(demands.CHANCE_FADES + demands.CHANCE_FADES**2)
    assert known.hits[0] == pytest.approx(known.hits[1])
    guess = estimate(known, prior(known))
    assert guess.chance[0] > guess.chance[1]


def test_columns_of_days_fade_as_slowly_as_months() -> None:
    months, days = seen(np.ones((1, 6))), seen(np.ones((1, 180)), a_month=30.0)
    assert days.months[0] / 30.0 == pytest.approx(months.months[0], rel=0.08)


def test_a_part_nobody_knows_has_the_demand_of_its_class() -> None:
    nothing = seen(np.full((2, 8), np.nan))
    found = estimate(nothing, SHARED, np.array([0, 1]))
    assert found.chance == pytest.approx(SHARED.chance)
    assert found.size == pytest.approx(SHARED.size)


def test_the_installed_base_speaks_for_a_new_part() -> None:
    found = estimate(seen(np.full((2, 8), np.nan)), SHARED, np.array([0, 0]), np.array([1.2, np.nan]))
    assert found.rate == pytest.approx([1.2, 0.6])


@pytest.mark.parametrize(("share", "rate"), [(0.0, 0.0), (0.5, 0.3), (1.5, 0.9), (100.0, 0.999 * 3.0)])
def test_an_outlook_scales_the_chance(share: float, rate: float) -> None:
    found = estimate(seen(np.full((1, 3), np.nan)), SHARED).times(np.array([share]))
    assert found.rate == pytest.approx([rate])
    if share == 0.0:
        assert found.over(np.array([4.0])) == (0.0, 0.0)


@given(st.lists(st.sampled_from([0.0, 0.0, 1.0, 2.0, 7.0]), min_size=1, max_size=60), st.floats(0.1, 50))
def test_the_more_a_part_shows_the_less_its_class_counts(months: list[float], weight: float) -> None:
    """Shrinkage: between what the class has and what the part did, nearer to the class the more it weighs."""
    own = seen(np.array([months]))
    light, heavy = (
        estimate(own, Prior(np.array([0.2]), np.array([w]), np.array([3.0]), np.array([1.5]))) for w in (weight, 1e6)
    )
    did = own.hits[0] / own.months[0]
    assert min(0.2, did) - 1e-9 <= light.chance[0] <= max(0.2, did) + 1e-9
    assert heavy.chance == pytest.approx([0.2], rel=1e-3)
    assert light.pieces2[0] >= light.size[0] ** 2
    assert light.chance2[0] >= light.chance[0] ** 2 - 1e-12


def test_the_weight_is_found_by_likelihood() -> None:
    """Parts drawn from a beta distribution give its mean and weight back, about."""
    dice = np.random.default_rng(5)
    chance = dice.beta(1.2, 4.8, 2_000)
    months = np.full(2_000, 40.0)
    hits = dice.binomial(40, chance).astype(np.float64)
    found = prior(Seen(months, hits, hits, hits, np.zeros(2_000)))
    assert found.chance == pytest.approx([0.2], abs=0.01)
    assert 4.5 < found.weight[0] < 8.0


def test_small_classes_use_what_all_share() -> None:
    history = np.zeros((100, 10))
    history[:40] = 1.0
    found = prior(seen(history), np.array([0] * 40 + [1] * 50 + [2] * 10))
    assert found.chance[0] > 0.9
    assert found.chance[1] < 0.1
    assert 0.3 < found.chance[2] < 0.5


def test_moments_over_months_equal_an_enumeration() -> None:
    """Two possible chances, sizes 1 or 4, three months: every outcome counted."""
    chances, sizes = {0.2: 0.5, 0.6: 0.5}, {1: 0.75, 4: 0.25}
    outcomes: dict[int, float] = {}
    for (chance, weight), hits in product(chances.items(), product((0, *sizes), repeat=3)):
        share = weight
        for amount in hits:
            share *= chance * sizes[amount] if amount else 1 - chance
        outcomes[sum(hits)] = outcomes.get(sum(hits), 0.0) + share
    mean = sum(amount * share for amount, share in outcomes.items())
    variance = sum(amount**2 * share for amount, share in outcomes.items()) - mean**2
    one = np.ones(1)
    found = Demand(0.4 * one, 0.2 * one, 1.75 * one, 1.75**2 * one, (0.75 + 4) * one).over(np.array([3.0]))
    assert [part[0] for part in found] == pytest.approx([mean, variance])


def test_doubt_about_the_lead_time_adds_its_share_of_the_variance() -> None:
    one = np.ones(1)
    demand = Demand(0.4 * one, 0.2 * one, 1.75 * one, 1.75**2 * one, 4.75 * one)
    sure, doubted = demand.over(np.array([3.0]))[1], demand.over(np.array([3.0]), 0.5)[1]
    assert doubted - sure == pytest.approx([0.25 * 0.7**2])


def test_many_lines_are_summed_in_blocks_as_if_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    history = np.random.default_rng(1).poisson(0.4, (50, 12)).astype(np.float64)
    history[3, :4] = np.nan
    whole = seen(history)
    monkeypatch.setattr(demands, "BLOCK", 7)
    parts = seen(history)
    for name in ("months", "hits", "hits_of_size", "pieces", "pairs"):
        assert getattr(parts, name) == pytest.approx(getattr(whole, name))
    assert len(seen(np.zeros((0, 12))).months) == 0
