"""The simulation by hand, the comparison on a small shelf, and calibration that knows the past alone."""

from pathlib import Path

import numpy as np
import pytest

from fieldservice.parts.demand_files import read
from fieldservice.parts.levels import calibration
from fieldservice.parts.levels.backtest import PIECES, Point, compare, needed
from fieldservice.parts.levels.rules import RULES
from fieldservice.parts.levels.simulation import filled, kept
from fieldservice.parts.levels.stock import Shelf, relevel

CARPARTS = Path(__file__).parents[4] / "shared" / "data" / "carparts" / "carparts_visible.csv"


def lead(*months: int) -> np.ndarray:
    return np.array(months)


def test_a_shelf_month_by_month() -> None:
    """Level 2, lead time 1: what was asked in a month is back after the next."""
    served, stock = filled(np.full((1, 5), 2.0), np.array([[1.0, 2.0, 0.0, 3.0, 1.0]]), lead(1))
    # begins with 2, leaves 1; 1 is ordered, 1 there, 2 asked: owes 1; 1 comes, owes nothing, has 0; 2 come, …
    assert served.tolist() == [[True, False, True, False, False]]
    assert stock.tolist() == [1.5, 0.5, 0.0, 1.0, 0.0]


def test_without_a_lead_time_every_month_begins_full() -> None:
    served, stock = filled(np.full((1, 3), 2.0), np.array([[2.0, 3.0, 2.0]]), lead(0))
    assert served.tolist() == [[True, False, True]]
    assert stock.tolist() == [1.0, 1.0, 1.0]


def test_parts_have_their_own_lead_times_and_prices() -> None:
    demand = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0]])
    served, stock = filled(np.ones((2, 3)), demand, lead(0, 2), np.array([10.0, 1.0]))
    assert served.tolist() == [[True, True, True], [True, False, True]]
    assert stock[0] == pytest.approx((10 + 1) / 2)


def test_stock_above_a_falling_level_stays_until_it_is_asked_for() -> None:
    served, stock = filled(np.array([[5.0, 0.0, 0.0]]), np.array([[1.0, 1.0, 1.0]]), lead(1))
    assert served.all()
    assert stock.tolist() == [4.5, 3.5, 2.5]


def test_a_month_nobody_asked_in_has_no_lines() -> None:
    found = kept(np.zeros((2, 2)), np.zeros((2, 2)), lead(1, 1))
    assert found.lines.tolist() == [0, 0]
    assert found.share() == 1.0


@pytest.mark.parametrize(
    ("points", "share", "stock"),
    [
        ([(0.90, 10.0), (0.96, 20.0)], 0.93, 15.0),
        ([(0.90, 10.0), (0.94, 20.0)], 0.95, None),  # no setting reaches it
        ([(0.97, 30.0), (0.99, 40.0)], 0.95, 30.0),  # the smallest setting is more than enough
        ([(0.96, 20.0), (0.90, 10.0), (0.99, 90.0)], 0.96, 20.0),  # whatever the order
        ([(0.90, 10.0), (0.80, 12.0), (0.96, 20.0)], 0.93, 15.0),  # more stock in the wrong places
    ],
)
def test_stock_needed_for_a_share(points: list[tuple[float, float]], share: float, stock: float | None) -> None:
    assert needed([Point(*one) for one in points], share) == (None if stock is None else pytest.approx(stock))


def parts(count: int = 150, months: int = 40) -> np.ndarray:
    dice = np.random.default_rng(21)
    chance = dice.beta(0.8, 3.0, count)[:, None]
    return np.where(dice.random((count, months)) < chance, 1.0 + dice.poisson(0.6, (count, months)), 0.0)


def test_levels_do_not_know_the_future() -> None:
    """Another future changes nothing before it."""
    history = parts()
    other = history.copy()
    other[:, 30:] = 9.0
    ours, theirs = (
        calibration.roll(Shelf(given, np.full(150, 2.0), np.ones(150)), 12, np.array([0.05, 0.005]))
        for given in (history, other)
    )
    assert (ours.levels[:, :, : 30 - 12 + 1] == theirs.levels[:, :, : 30 - 12 + 1]).all()
    for name, rule in RULES.items():
        assert (rule(history[:, :30], 3) == rule(other[:, :30], 3)).all(), name
    for month in range(13, 31):
        assert ours.at(0.9, month) == theirs.at(0.9, month)


def test_the_levels_of_the_backtest_are_those_of_the_shelf() -> None:
    history, price = parts(), np.random.default_rng(2).uniform(1, 40, 150)
    floor = np.where(price > 20, 0.9, 0.0)
    given = Shelf(history, np.full(150, 2.0), price, floor=floor)
    rolled = calibration.roll(given, 38, np.array([0.01, 0.002]))
    for at, rate in enumerate(rolled.rates):
        month = Shelf(history[:, :39], np.full(150, 2.0), price, floor=floor)
        assert (rolled.levels[at, :, 1] == relevel(month, rate).level).all()


def test_a_learned_price_keeps_the_asked_share_of_the_past() -> None:
    given = Shelf(parts(), np.full(150, 1.0), np.ones(150))
    shares = [calibration.learned(given, ask) for ask in (0.80, 0.90, 0.97)]
    for asked, found in zip((0.80, 0.90, 0.97), shares, strict=True):
        assert found.achieved == pytest.approx(asked, abs=0.02)
        assert found.months == 40 - calibration.LEARNED_BY
    assert shares[0].rate_of_money > shares[1].rate_of_money > shares[2].rate_of_money


def test_a_large_shelf_is_learned_on_every_nth_line(monkeypatch: pytest.MonkeyPatch) -> None:
    price = np.linspace(1, 9, 150)
    given = Shelf(parts(), np.full(150, 1.0), price, floor=np.full(150, 0.5))
    monkeypatch.setattr(calibration, "SAMPLE", 40)
    sampled = calibration.learned(given, 0.9)
    monkeypatch.setattr(calibration, "SAMPLE", 1_000)
    rows = np.arange(0, 150, 4)
    few = Shelf(parts()[rows], np.full(len(rows), 1.0), price[rows], floor=np.full(len(rows), 0.5))
    assert sampled == calibration.learned(few, 0.9)


def test_what_was_missed_so_far_is_made_up_for() -> None:
    given = Shelf(parts(), np.full(150, 1.0), np.ones(150))
    plain, behind, ahead = (calibration.learned(given, 0.9, so_far=so_far) for so_far in (None, 0.85, 0.95))
    assert behind.rate_of_money < plain.rate_of_money < ahead.rate_of_money
    assert behind.rate_of_money == calibration.learned(given, 0.95).rate_of_money


def test_the_asked_share_comes_about() -> None:
    rolling = calibration.roll(Shelf(parts(400), np.full(400, 1.0), np.ones(400)))
    levels = rolling.asked(0.9, 20)
    found = kept(levels, parts(400)[:, 20:], np.full(400, 1))
    assert found.share() == pytest.approx(0.9, abs=0.015)
    first, lines = rolling.at(0.9, 20), kept(levels[:, :1], parts(400)[:, 20:21], np.full(400, 1))
    assert (levels[:, 0] == rolling.levels[first, :, 20 - rolling.first]).all()
    assert (levels[:, 1] == rolling.levels[rolling.at(1.8 - lines.share(), 21), :, 21 - rolling.first]).all()


def test_prices_of_money_follow_the_prices_of_parts() -> None:
    yuan, fen = (calibration.learned(Shelf(parts(), np.full(150, 1.0), np.full(150, unit)), 0.9) for unit in (1, 100))
    assert fen.rate_of_money == pytest.approx(yuan.rate_of_money / 100)


def test_learning_needs_a_past() -> None:
    with pytest.raises(ValueError, match="has none after"):
        calibration.learned(Shelf(parts(months=12), np.ones(150), np.ones(150)), 0.9)
    with pytest.raises(ValueError, match="to learn from"):
        compare(parts(months=20), 1)


def test_a_comparison_tells_everything() -> None:
    found = compare(parts(), 1, 28)
    assert (found.parts, found.learned, found.scored, found.lead) == (150, 28, 12, 1)
    assert found.lines == int((parts()[:, 28:] > 0).sum())
    for one in found.needed:
        assert one.ours is not None
        assert [best.pieces for best in one.best] == list(PIECES)
        for best in one.best:
            assert best.nearest in RULES
            assert best.reached.share <= 1.0
            if best.stock is not None:
                assert best.rule in RULES
                assert best.reached.share >= one.share
                assert one.ratio(best.pieces) == pytest.approx(one.ours / best.stock)
            else:
                assert one.ratio(best.pieces) is None
                assert best.reached.share < one.share
    assert [one.asked for one in found.calibrated] == [0.95, 0.98]
    assert found.calibrated[0].stock < found.calibrated[1].stock


@pytest.mark.skipif(not CARPARTS.exists(), reason="the car parts are not beside this checkout")
def test_car_parts_ask_for_less_stock_than_any_rule() -> None:
    """A fifth of the visible parts and lead time 1: the whole comparison is the benchmark's."""
    found = compare(read(CARPARTS).complete[::5], 1)
    at95, at98 = found.needed
    assert at95.ratio(0) is not None
    assert at95.ratio(0) < 0.95
    assert at98.ratio(0) is None or at98.ratio(0) < 0.8
    assert 0.93 < found.calibrated[0].achieved < 0.97


def test_what_looking_back_really_kept_corrects_what_is_asked_for() -> None:
    """`rolled` is what came of 0.9; what was missed is asked for on top, at most half of the way to certainty."""
    given = Shelf(parts(), np.full(150, 2.0), np.ones(150))
    found = calibration.corrected(given, 0.9)
    assert found.rolled is not None
    assert found.asked == pytest.approx(0.9 + min(0.05, max(-0.05, 0.9 - found.rolled)))
    assert found.rate_of_money == calibration.learned(given, found.asked).rate_of_money
    few = Shelf(parts()[:, :14], np.full(150, 2.0), np.ones(150))
    assert calibration.corrected(few, 0.9).rolled is None, "too few months to look back on"
    nobody = Shelf(np.zeros((5, 30)), np.full(5, 2.0), np.ones(5))
    assert calibration.corrected(nobody, 0.9).rolled is None, "nobody asked for anything"
