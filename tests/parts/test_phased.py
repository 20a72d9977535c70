"""What can be promised of a part by date: tables of cases, and random histories against a replay and a matching."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldservice.parts.availability.phased import Demand, Lot, Pool, earliest, fits, free_at

NOW = datetime(2026, 11, 25, 2, 30, tzinfo=UTC)
ONE = Decimal(1)


def day(number: float) -> datetime:
    return NOW + timedelta(days=number)


def lot(quantity: int, since: float = 0, until: float | None = None) -> Lot:
    return Lot(Decimal(quantity), day(since), None if until is None else day(until))


def demand(quantity: int, at: float) -> Demand:
    return Demand(Decimal(quantity), day(at))


@pytest.mark.parametrize(
    ("lots", "promised", "at", "free"),
    [
        ([], [], 0, 0),
        ([lot(3)], [], 0, 3),
        ([lot(3)], [demand(2, 5)], 0, 1),  # what lies here is somebody's next week
        ([lot(1), lot(1, 3)], [demand(1, 5)], 0, 1),  # but more arrives before next week
        ([lot(1), lot(1, 6)], [demand(1, 5)], 0, 0),  # after it, too late
        ([lot(1), lot(1, 6)], [demand(1, 5)], 6, 1),
        ([lot(1), lot(1, 3)], [demand(1, 5), demand(1, 5)], 0, 0),
        ([lot(2)], [demand(3, 1)], 0, 2),  # nothing known can serve it: it holds nothing back
        ([lot(1), lot(1, 3)], [demand(2, 1)], 0, 0),  # late, but served at 3: that takes both
        ([lot(1), lot(5, 3)], [demand(2, 1)], 0, 1),  # served at 3 from what comes
        ([lot(2, 0, 2)], [], 3, 0),  # expired by then
        ([lot(1, 0, 2), lot(1)], [demand(1, 1)], 4, 1),  # the demand takes what expires
        ([lot(1, 0, 2), lot(1)], [demand(1, 3)], 0, 1),  # and the expiring one is free until then
        ([lot(1, 0, 2), lot(1)], [demand(1, 3)], 3, 0),
        ([lot(5)], [demand(1, -2)], 0, 4),  # wanted since the day before yesterday
    ],
)
def test_free_at_a_time(lots: list[Lot], promised: list[Demand], at: float, free: int) -> None:
    pool = Pool(lots, promised)
    assert free_at(pool, day(at)) == free
    assert not free or fits(pool, Decimal(free), day(at))
    assert not fits(pool, Decimal(free + 1), day(at))


@pytest.mark.parametrize(
    ("lots", "promised", "quantity", "moment"),
    [
        ([lot(1)], [], 1, 0),
        ([], [], 1, None),
        ([lot(1)], [], 2, None),
        ([lot(1), lot(1, 3)], [], 2, 3),
        ([lot(1), lot(1, 3)], [demand(1, 1)], 1, 3),
        ([lot(1), lot(2, 3), lot(1, 9)], [demand(1, 1), demand(2, 7)], 1, 9),
        ([lot(1, 0, 1)], [demand(1, 0.5)], 1, None),
    ],
)
def test_the_earliest_time(lots: list[Lot], promised: list[Demand], quantity: int, moment: float | None) -> None:
    found = earliest(Pool(lots, promised), Decimal(quantity), NOW)
    assert found == (None if moment is None else day(moment))


# Against other ways to say the same -------------------------------------------------------------------------

moments = st.integers(0, 8)
lots_kept = st.lists(st.builds(lot, st.integers(1, 3), moments), max_size=5)
lots_mixed = st.lists(
    st.integers(0, 6).flatmap(
        lambda since: st.builds(lot, st.integers(1, 3), st.just(since), st.none() | st.integers(since, 9))
    ),
    max_size=5,
)
HISTORIES = int(os.environ.get("HISTORIES", "100"))  # `make bench` runs ten thousand
at_length = settings(max_examples=HISTORIES)
demands = st.lists(st.builds(demand, st.integers(1, 3), moments), max_size=5)


def replayed(lots: Sequence[Lot], wanted: Sequence[Demand]) -> bool:
    """Day by day: whether the shelf never goes below nothing. For lots that keep."""
    for number in range(10):
        until = day(number)
        came = sum(one.quantity for one in lots if one.since <= until)
        went = sum(one.quantity for one in wanted if one.at <= until)
        if went > came:
            return False
    return True


def matched(lots: Sequence[Lot], wanted: Sequence[Demand]) -> bool:
    """Whether each wanted unit can have a unit of its own that is there and not expired (augmenting paths)."""
    units = [one for one in lots for _ in range(int(one.quantity))]
    needs = [one for one in wanted for _ in range(int(one.quantity))]
    taken: dict[int, int] = {}

    def find(need: int, tried: set[int]) -> bool:
        for index, unit in enumerate(units):
            there = unit.since <= needs[need].at and (unit.until is None or needs[need].at <= unit.until)
            if there and index not in tried:
                tried.add(index)
                if index not in taken or find(taken[index], tried):
                    taken[index] = need
                    return True
        return False

    return all(find(need, set()) for need in range(len(needs)))


def asked_one_by_one(lots: Sequence[Lot], wanted: Sequence[Demand]) -> list[Demand]:
    """First ordered, first served: those that can be kept beside the ones before them."""
    granted: list[Demand] = []
    for one in wanted:
        if fits(Pool(lots, granted), one.quantity, one.at):
            granted.append(one)
    return granted


@at_length
@given(lots_kept, demands)
def test_the_same_as_a_replay_of_the_history(lots: list[Lot], wanted: list[Demand]) -> None:
    granted: list[Demand] = []
    for one in wanted:
        fitted = fits(Pool(lots, granted), one.quantity, one.at)
        assert fitted == replayed(lots, [*granted, one])
        if fitted:
            granted.append(one)


@at_length
@given(lots_mixed, demands)
def test_the_same_as_a_matching_of_units(lots: list[Lot], wanted: list[Demand]) -> None:
    granted: list[Demand] = []
    for one in wanted:
        fitted = fits(Pool(lots, granted), one.quantity, one.at)
        assert fitted == matched(lots, [*granted, one])
        if fitted:
            granted.append(one)


@given(lots_mixed, demands, moments)
def test_free_is_the_most_that_fits(lots: list[Lot], wanted: list[Demand], at: int) -> None:
    pool = Pool(lots, asked_one_by_one(lots, wanted))
    free = free_at(pool, day(at))
    assert free == 0 or fits(pool, free, day(at))
    assert not fits(pool, free + Decimal("0.001"), day(at))


@given(lots_mixed, demands, st.integers(1, 4), moments)
def test_the_earliest_time_fits_and_none_before_it(
    lots: list[Lot], wanted: list[Demand], quantity: int, after: int
) -> None:
    pool = Pool(lots, asked_one_by_one(lots, wanted))
    found = earliest(pool, Decimal(quantity), day(after))
    if found is not None:
        assert found >= day(after)
        assert fits(pool, Decimal(quantity), found)
    for half in range(2 * after, 2 * 9):
        moment = day(half / 2)
        if found is None or moment < found:
            assert not fits(pool, Decimal(quantity), moment)


@given(lots_mixed, demands)
def test_a_late_promise_holds_back_no_more_than_itself(lots: list[Lot], promised: list[Demand]) -> None:
    pool = Pool(lots, promised)
    assert matched(lots, pool.kept)
    assert sum(one.quantity for one in pool.kept) <= sum(one.quantity for one in promised)
    assert all(free_at(pool, day(at)) >= 0 for at in range(9))
