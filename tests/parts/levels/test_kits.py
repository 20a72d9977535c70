"""Jobs rather than lines."""

import numpy as np
import pytest

from benchmarks.parts import kits as dealing
from fieldservice.parts.levels.kits import Kits, relevel_for, relevel_until
from fieldservice.parts.levels.stock import Shelf, relevel

# job 0 needs lines 0, 1 and 2 (twice a month), job 1 line 2 alone (once), line 3 is in no kit
KITS = Kits(np.array([0, 0, 0, 1]), np.array([0, 1, 2, 2]), np.array([2.0, 1.0]))
ENOUGH = np.array([0.9, 0.8, 0.5, 0.7])


def test_a_kit_is_complete_when_all_of_it_is_there() -> None:
    assert KITS.complete(ENOUGH) == pytest.approx([0.36, 0.5])
    assert KITS.share(ENOUGH) == pytest.approx((2 * 0.36 + 0.5) / 3)


def test_a_line_is_worth_the_chance_that_the_rest_is_there() -> None:
    assert KITS.worth(ENOUGH) == pytest.approx([0.8 * 0.5, 0.9 * 0.5, (2 * 0.9 * 0.8 + 1) / 3, 1.0])


def test_pieces_go_where_they_complete_jobs() -> None:
    """Two like parts, one needed alone and one with seven that are dear and mostly missing: the first gets more."""
    history = np.tile([0.0, 1.0, 0.0, 2.0], (9, 6))
    price = np.array([1.0, 1.0] + [400.0] * 7)
    shelf = Shelf(history, np.full(9, 2.0), price)
    kits = Kits(np.array([0, *[1] * 8]), np.array([0, *range(1, 9)]), np.ones(2))
    by_line, by_job = relevel(shelf, 0.004), relevel_for(shelf, kits, 0.004)
    assert by_line.level[0] == by_line.level[1]
    assert by_job.level[0] > by_job.level[1]
    assert by_job.level[0] == by_line.level[0]


def test_without_kits_levels_are_those_of_lines() -> None:
    history = np.random.default_rng(4).poisson(0.5, (20, 24)).astype(np.float64)
    shelf = Shelf(history, np.ones(20), np.ones(20))
    none = Kits(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0))
    assert (relevel_for(shelf, none, 0.01).level == relevel(shelf, 0.01).level).all()


def test_the_benchmark_deals_every_line_to_one_job_of_one_to_eight() -> None:
    demand = np.random.default_rng(6).poisson(0.4, (200, 12)).astype(np.float64)
    dealt = dealing.jobs(demand)
    assert ((dealt >= 0) == (demand > 0)).all()
    sizes = np.bincount(dealt[dealt >= 0])
    assert (sizes.min(), sizes.max()) == (1, 8)
    for month in range(1, 12):  # no job spans two months
        assert dealt[:, month][dealt[:, month] >= 0].min() > dealt[:, month - 1].max()
    assert (dealt == dealing.jobs(demand)).all()
    assert (dealt != dealing.jobs(demand, seed=1)).any()


def test_jobs_rather_than_lines_reach_the_goal() -> None:
    """A kit of six: with 90 % of lines far fewer jobs are complete; more is kept of its parts, of no other."""
    history = np.random.default_rng(8).poisson(0.8, (8, 36)).astype(np.float64)
    shelf = Shelf(history, np.full(8, 1.0), np.full(8, 10.0))
    kits = Kits(np.zeros(6, dtype=np.int64), np.arange(6), np.array([3.0]))
    plain = relevel(shelf, 0.02)
    made = relevel_until(shelf, kits, 0.02, 0.95)
    assert made.before == pytest.approx(kits.share(plain.enough))
    assert made.before < 0.95 <= made.complete == pytest.approx(kits.share(made.levels.enough))
    assert (made.levels.level[:6] >= plain.level[:6]).all()
    assert (made.levels.level[6:] == plain.level[6:]).all()
    assert (made.worth[6:] == 1.0).all()
    assert made.factor > 1.0


def test_a_goal_that_is_reached_costs_nothing_and_one_that_cannot_be_is_told() -> None:
    history = np.random.default_rng(8).poisson(0.8, (4, 36)).astype(np.float64)
    shelf = Shelf(history, np.full(4, 1.0), np.array([1.0, 1.0, 1.0, 1e9]))
    easy = Kits(np.zeros(2, dtype=np.int64), np.arange(2), np.ones(1))
    hopeless = Kits(np.zeros(2, dtype=np.int64), np.array([0, 3]), np.ones(1))
    reached = relevel_until(shelf, easy, 0.001, 0.5)
    assert (reached.factor, list(reached.worth)) == (1.0, [1.0] * 4)
    assert relevel_until(shelf, hopeless, 0.001, 0.95).complete < 0.95
