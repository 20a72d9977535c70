"""The usual rules, against what their papers reckon by hand."""

from math import exp, factorial

import numpy as np
import pytest

from fieldservice.parts.levels.rules import NINES, RULES, SAFETY, forecasts

HISTORY = np.array([[0.0, 2.0, 0.0, 0.0, 4.0, 0.0]])


def test_croston_smooths_sizes_and_intervals_where_there_is_demand() -> None:
    """α = 0.1: size 2, interval 2, then 2.2 and 2 + 0.1 (3 − 2) = 2.1."""
    found = forecasts(HISTORY, "croston")[0]
    assert found == pytest.approx([0, 0, 2 / 2, 1, 1, 2.2 / 2.1, 2.2 / 2.1])


def test_sba_is_croston_without_its_bias() -> None:
    assert forecasts(HISTORY, "sba") == pytest.approx(0.95 * forecasts(HISTORY, "croston"))


def test_tsb_forgets_a_part_that_nobody_asks_for() -> None:
    """The chance: ½ at the first demand (of two months), then × 0.9 a month without, + 0.1 with."""
    found = forecasts(HISTORY, "tsb")[0]
    often = [0.5, 0.45, 0.405, 0.405 + 0.1 * (1 - 0.405)]
    assert found[2:6] == pytest.approx([2 * often[0], 2 * often[1], 2 * often[2], 2.2 * often[3]])
    assert found[6] == pytest.approx(0.9 * found[5])


def test_mean_and_deviations_of_the_last_year() -> None:
    past = np.array([[9.0] * 20 + [0.0, 2.0] * 6])
    levels = RULES["normal"](past, 4)[:, 0]
    deviation = float(np.std([0, 2] * 6, ddof=1))
    assert levels[0] == 4
    for z in (1, 2, 3):
        assert levels[np.flatnonzero(np.isclose(SAFETY, z))[0]] == np.ceil(4 + z * deviation * 2)


def test_poisson_of_the_mean() -> None:
    """λ 0.8 (DOMAIN F10): 1 piece is enough with 81 %, 2 with 95 %, 3 with 99 %; every knob gets the first that is."""
    enough = np.cumsum([exp(-0.8) * 0.8**k / factorial(k) for k in range(25)])
    levels = RULES["poisson"](np.array([[0.4, 0.4] * 12]), 2)[:, 0]
    sure = NINES < 1 - 1e-12  # beyond, sums of chances are not exact enough to tell
    assert levels[sure].tolist() == [int(np.argmax(enough >= chance)) for chance in NINES[sure]]


@pytest.mark.parametrize("name", RULES)
def test_every_rule_has_one_knob_that_only_adds_and_a_part_without_demand_stays_at_nothing(name: str) -> None:
    past = np.random.default_rng(8).poisson(0.5, (30, 27)).astype(np.float64)
    past[0] = 0.0
    for horizon in (1, 2, 4):
        levels = RULES[name](past, horizon)
        assert (np.diff(levels, axis=0) >= 0).all()
        assert (levels[:, 0] == 0).all()
        assert (levels == np.rint(levels)).all()
        assert levels[-1].sum() > 2 * levels[len(levels) // 4].sum()


def test_the_largest_and_the_quantiles_look_at_sums_of_months_on_end() -> None:
    past = np.array([[0.0] * 11 + [1.0, 3.0, 0.0] + [0.0] * 10])
    assert 4 in RULES["empirical"](past, 2)[:, 0]
    assert RULES["empirical"](past, 2)[0, 0] == 0
    assert set(np.rint(RULES["largest"](past, 2)[8:10, 0])) == {3, 4}  # 0.9 … 1.0 of what the last year saw
