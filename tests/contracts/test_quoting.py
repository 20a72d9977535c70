"""Quoted wait: what is told comes true in 95 of 100 cases, without telling more than is useful."""

from random import Random
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldservice.contracts.quoting import ABOVE_MEDIAN, FEWEST, quote

WAITS = st.lists(st.floats(0, 20_000), min_size=FEWEST, max_size=300)
LIMITS = st.floats(1, 20_000)


@given(LIMITS, st.lists(st.floats(0, 20_000), max_size=FEWEST - 1))
def test_E_03_under_thirty_cases_the_limit_itself_is_quoted(limit: float, history: list[float]) -> None:
    found = quote(limit, history)
    assert (found.minutes, found.surplus, found.flagged) == (limit, None, False)


@given(LIMITS, WAITS)
def test_E_03_never_above_the_limit(limit: float, history: list[float]) -> None:
    assert quote(limit, history).minutes <= limit


@given(LIMITS, WAITS)
def test_E_03_keeps_95_of_100_unless_the_limit_is_earlier(limit: float, history: list[float]) -> None:
    found = quote(limit, history)
    kept = sum(waited <= found.minutes for waited in history) / len(history)
    assert found.kept == kept
    assert kept >= 0.95 or found.minutes == limit


@given(LIMITS, WAITS)
def test_E_03_at_least_ten_minutes_above_the_median(limit: float, history: list[float]) -> None:
    found = quote(limit, history)
    assert found.minutes >= min(limit, median(history) + ABOVE_MEDIAN)


@given(LIMITS, WAITS, st.randoms())
def test_the_order_of_the_cases_does_not_matter(limit: float, history: list[float], dice: Random) -> None:
    mixed = list(history)
    dice.shuffle(mixed)
    assert quote(limit, mixed).minutes == quote(limit, history).minutes


@given(WAITS, st.floats(1, 100), st.floats(1, 100))
def test_slower_queues_are_never_quoted_less(history: list[float], more: float, limit: float) -> None:
    assert quote(limit, [waited + more for waited in history]).minutes >= quote(limit, history).minutes


@pytest.mark.parametrize(
    ("history", "minutes"),
    [
        ([20.0] * 30, 30.0),  # no scatter: ten minutes above the median
        ([float(n) for n in range(1, 31)], 30.0),  # thirty cases: the slowest of them
        ([float(n) for n in range(1, 101)], 96.0),  # the 96th of a hundred
        ([float(n) for n in range(1, 40)], 38.0),  # 38 of 39: exactly 95 % of forty
        ([500.0] * 100, 240.0),  # slower than the limit: the limit, never more
    ],
)
def test_quoted_minutes(history: list[float], minutes: float) -> None:
    assert quote(240, history).minutes == minutes


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("spread", [0.2, 0.5, 1.0])
def test_E_03_the_next_cases_are_kept_too(seed: int, spread: float) -> None:
    """Learned from 200 cases, 95 of the next 100 come true: what was seen tells what will be."""
    dice = Random(seed)
    kept = cases = 0
    for _queue in range(60):
        waits = [dice.lognormvariate(3.5, spread) for _ in range(250)]
        quoted = quote(100_000, waits[:200]).minutes
        kept += sum(waited <= quoted for waited in waits[200:])
        cases += 50
    assert kept / cases >= 0.94


def test_E_03_a_steady_queue_is_told_ten_minutes_more_than_it_takes() -> None:
    dice = Random(7)
    found = quote(240, [dice.gauss(90, 3) for _ in range(300)])
    assert found.surplus is not None
    assert 5 <= found.surplus <= 15
    assert not found.flagged


@pytest.mark.parametrize(("waits", "flagged"), [([100.0] * 40, False), ([10.0] * 37 + [200.0] * 3, True)])
def test_a_surplus_above_30_percent_is_flagged(waits: list[float], flagged: bool) -> None:
    assert quote(240, waits).flagged is flagged
