"""Customers' stock: the fixtures of the requirements and formulas, and properties of smoothing."""

from math import inf, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldservice.parts.consignment.runout import (
    Use,
    days_left,
    released_capital,
    reorder_point,
    run_out,
    smoothed,
)

STEADY = Use(10.0, 0.0)


def test_Q13_a_hundred_litres_at_ten_a_day_last_ten_days() -> None:
    assert days_left(100.0, STEADY) == 10.0


@pytest.mark.parametrize(("stock", "contact_in"), [(100.0, 8.0), (30.0, 1.0), (20.0, 0.0), (5.0, 0.0)])
def test_Q13_contact_is_due_while_lead_and_safety_are_left(stock: float, contact_in: float) -> None:
    """One day for the way, one for safety."""
    assert run_out(stock, STEADY, 7.0, z=2.0).contact_in == pytest.approx(contact_in)


def test_T07_thirty_days_become_seven() -> None:
    """30 → 7 days, 20 L/day, ¥40/L → ¥18,400, in fen."""
    assert released_capital(30, 7, 20, 4_000) == 1_840_000
    assert released_capital(7, 9, 20, 4_000) == -160_000


def test_F8_reorder_point() -> None:
    assert reorder_point(Use(10.0, 4.0), 2.0, lead=1.0) == pytest.approx(18.0)
    assert reorder_point(Use(10.0, 4.0), 2.0, lead=4.0) == pytest.approx(40.0 + 2 * 4 * sqrt(4))


@pytest.mark.parametrize(
    ("stock", "coming", "refill"),
    [
        (40.0, 0.0, 0.0),  # above d·L + z·σ·√L = 18
        (18.0, 0.0, 52.0),  # to 7 days of 10
        (0.0, 0.0, 70.0),
        (5.0, 40.0, 0.0),  # on its way already
    ],
)
def test_a_refill_is_ordered_at_the_reorder_point_up_to_the_target(stock: float, coming: float, refill: float) -> None:
    assert run_out(stock, Use(10.0, 4.0), 7.0, z=2.0, coming=coming).refill == pytest.approx(refill)


def test_a_stock_nobody_uses_never_runs_out() -> None:
    found = run_out(50.0, Use(0.0, 0.0), 7.0, z=2.0)
    assert (found.days_left, found.refill, found.contact_in) == (inf, 0.0, inf)
    assert run_out(0.0, Use(0.0, 0.0), 7.0, z=2.0).refill == 0.0


def test_smoothing_begins_with_an_average_and_leaves_out_days_nobody_read() -> None:
    assert smoothed([4.0, None, 8.0]) == Use(6.0, 2.0)
    assert smoothed([None]) == Use(0.0, 0.0)
    later = smoothed([10.0] * 30 + [20.0])
    assert later.daily == pytest.approx(11.0)


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=60))
def test_smoothed_use_lies_among_the_days(days: list[float]) -> None:
    found = smoothed(days)
    assert min(days) - 1e-6 <= found.daily <= max(days) + 1e-6
    assert 0 <= found.deviation <= max(days) - min(days) + 1e-3
