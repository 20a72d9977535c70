"""Levels of a shelf: one price of money, floors, typed limits, reasons."""

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldservice.parts.levels.stock import REASONS, Shelf, floors_of, relevel
from fieldservice.parts.levels.worth import Cycle, at_level


def shelf(lines: int = 40, **given: Any) -> Shelf:
    dice = np.random.default_rng(11)
    history = dice.poisson(dice.gamma(0.6, 0.8, lines)[:, None], (lines, 24)).astype(np.float64)
    history[:3] = np.nan  # new parts
    return Shelf(history, **({"lead": dice.uniform(0.3, 4.0, lines), "price": dice.uniform(1.0, 500.0, lines)} | given))


@settings(max_examples=40, deadline=None)
@given(st.floats(1e-6, 1e-2), st.floats(1e-6, 1e-2))
def test_one_price_of_money_for_all_and_the_cheaper_it_is_the_more_lies_there(one: float, other: float) -> None:
    dear, cheap = relevel(shelf(), max(one, other)), relevel(shelf(), min(one, other))
    assert (dear.level <= cheap.level).all()


def test_a_dear_part_gets_fewer_pieces_than_a_cheap_one_with_the_same_demand() -> None:
    history = np.tile([0.0, 1.0, 0.0, 0.0, 2.0, 0.0], (3, 4))
    level = relevel(Shelf(history, np.full(3, 2.0), np.array([1.0, 30.0, 5_000.0])), 0.002).level
    assert level[0] > level[1] > level[2]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from(["A", "B", "C", "safety"]), min_size=40, max_size=40), st.floats(1e-5, 1.0))
def test_floors_hold_and_are_the_reason_where_money_would_say_less(classes: list[str], price: float) -> None:
    """A, B, C, safety (F10): every level is enough with at least the chance of its criticality."""
    floor = floors_of(classes)
    free, held = relevel(shelf(), price), relevel(shelf(floor=floor), price)
    assert (held.enough >= floor - 1e-9).all()
    assert (held.level >= free.level).all()
    assert ((held.level > free.level) == (held.reason == REASONS.index("floor"))).all()


def test_typed_limits_are_kept_and_told() -> None:
    nothing = np.full(40, np.nan)
    least, most = nothing.copy(), nothing.copy()
    least[5], most[6], least[7], most[7], least[9] = 90, 0, 4, 4, 70.5
    free = relevel(shelf(), 1e-4)
    found = relevel(shelf(floor=floors_of(["safety"] * 40), least=least, most=most), 1e-4)
    assert found.level[5] == 90
    assert found.level[6] == 0
    assert found.level[7] == 4
    assert found.level[9] == 71
    assert [REASONS[found.reason[at]] for at in (5, 6)] == ["least", "most"]
    assert (found.level[8:] >= free.level[8:]).all()


def test_known_demand_comes_on_top() -> None:
    known = np.zeros(40)
    known[4] = 2.4
    free, found = relevel(shelf(), 1e-4), relevel(shelf(known=known), 1e-4)
    assert found.level[4] == free.level[4] + 3
    assert found.enough == pytest.approx(free.enough)
    assert found.explained(4).known == 3


def test_a_part_that_is_phased_out_needs_nothing_but_what_is_planned() -> None:
    found = relevel(shelf(outlook=np.zeros(40), known=np.ones(40)), 1e-5)
    assert (found.level == 1).all()


def test_a_filled_line_that_counts_more_gets_more_stock() -> None:
    plain, worthy = relevel(shelf(), 1e-3), relevel(shelf(worth=np.full(40, 8.0)), 1e-3)
    assert (worthy.level >= plain.level).all()
    assert worthy.level.sum() > plain.level.sum()


def test_an_explanation_is_what_the_level_was_made_of() -> None:
    given = shelf(lead_doubt=np.full(40, 0.4))
    found = relevel(given, 2e-4)
    enough, gain = at_level(Cycle.of(found.demand, given.months, given.lead_doubt), found.level)
    for line in range(40):
        told = found.explained(line)
        assert told.level == found.level[line]
        assert told.rate == pytest.approx(told.chance * told.size)
        assert told.expected == pytest.approx(told.rate * (told.lead + told.review))
        assert (told.enough, told.next_lines) == pytest.approx((enough[line], gain[line]))
        assert told.next_money == pytest.approx(given.price[line] * told.enough)
        assert told.next_lines < 2e-4 * told.next_money  # one more piece is not worth its money
        assert told.reason == "price"
    assert found.money == pytest.approx(float((found.level * given.price).sum()))


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"price": np.zeros(40)}, "price"),
        ({"price": np.full(40, np.nan)}, "price"),
        ({"lead": np.full(40, -1.0)}, "lead times"),
        ({"review": 0.0}, "review"),
        ({"floor": np.full(40, 1.0)}, "floor"),
        ({"lead": np.ones(39)}, "shape"),
        ({"least": np.full(40, 3.0), "most": np.full(40, 2.0)}, "minimum"),
    ],
)
def test_what_cannot_be_levelled_is_refused(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        shelf(**wrong)


def test_a_price_of_money_is_above_zero() -> None:
    with pytest.raises(ValueError, match="price of money"):
        relevel(shelf(), 0.0)


@pytest.mark.parametrize("amount", [np.inf, -1.0])
def test_a_history_that_cannot_be_is_refused(amount: float) -> None:
    history = np.zeros((2, 12))
    history[1, 3] = amount
    with pytest.raises(ValueError, match="zero or more"):
        relevel(Shelf(history, np.ones(2), np.ones(2)), 0.1)


def test_a_doubt_that_is_no_number_is_refused_rather_than_walked_for_ever() -> None:
    with pytest.raises(ValueError, match="finite"):
        relevel(shelf(lead_doubt=np.full(40, np.nan)), 0.1)


def test_nothing_to_level() -> None:
    found = relevel(Shelf(np.zeros((0, 12)), np.zeros(0), np.zeros(0)), 1.0)
    assert found.level.shape == (0,)


def test_every_given_array_is_used() -> None:
    """Whatever a caller tells of a line changes its level."""
    plain = relevel(shelf(), 1e-3).level
    told = {
        "lead_doubt": np.full(40, 3.0), "classes": np.arange(40) % 2, "worth": np.full(40, 5.0),
        "floor": np.full(40, 0.999), "known": np.full(40, 2.0), "outlook": np.full(40, 0.2),
        "installed": np.full(40, 3.0), "least": np.full(40, 50.0), "most": np.zeros(40),
    }  # fmt: skip
    optional = {one.name for one in fields(Shelf) if one.default is None}
    assert set(told) == optional
    for name, value in told.items():
        given = shelf(60) if name == "classes" else shelf()
        value = (np.arange(60) < 30).astype(np.int64) if name == "classes" else value
        base = relevel(given, 1e-3).level if name == "classes" else plain
        assert (relevel(replace(given, **{name: value}), 1e-3).level != base).any(), name
