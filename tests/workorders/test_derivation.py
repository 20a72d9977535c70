"""The derived state of an order, over every combination of visits, open items and present state."""

from itertools import combinations_with_replacement, permutations, product

import pytest

from fieldservice.workorders.derivation import AT_WORK, DERIVED, DISPATCHED, SCHEDULED, derive
from fieldservice.workorders.models import Visit, WorkOrder

VISITS = sorted(Visit.lifecycle.states)
TYPED = sorted(WorkOrder.lifecycle.states - DERIVED - {"on_hold"})
EVERY = [visits for count in range(4) for visits in combinations_with_replacement(VISITS, count)]


def test_the_combinations_are_all_there() -> None:
    assert len(VISITS) == 14
    assert len(EVERY) == 1 + 14 + 105 + 560


@pytest.mark.parametrize("open_required", [False, True])
@pytest.mark.parametrize("state", sorted(DERIVED))
def test_the_furthest_wins_in_every_combination(state: str, open_required: bool) -> None:
    for visits in EVERY:
        derived = derive(state, visits, open_required)
        if AT_WORK & set(visits):
            assert derived == "in_progress"
        elif DISPATCHED & set(visits):
            assert derived == "dispatched"
        elif SCHEDULED & set(visits):
            assert derived == "scheduled"
        else:
            assert derived in {"ready", "completed", "cannot_complete"}


@pytest.mark.parametrize("state", sorted(DERIVED))
def test_completed_needs_a_completed_last_visit_and_nothing_open(state: str) -> None:
    for visits, open_required in product(EVERY, (False, True)):
        for order in set(permutations(visits)):
            ended = [one for one in order if one in ("completed", "partially_completed", "cannot_complete")]
            under_way = set(order) & (AT_WORK | DISPATCHED | SCHEDULED)
            completed = derive(state, order, open_required) == "completed"
            assert completed == (not under_way and ended[-1:] == ["completed"] and not open_required)


def test_completed_and_partially_completed_is_not_completed() -> None:
    assert derive("in_progress", ("completed", "partially_completed"), False) == "ready"


@pytest.mark.parametrize("state", TYPED)
def test_typed_states_stay(state: str) -> None:
    for visits, open_required in product(EVERY, (False, True)):
        assert derive(state, visits, open_required) == state


def test_on_hold_gives_way_to_work_only() -> None:
    for visits, open_required in product(EVERY, (False, True)):
        expected = "in_progress" if AT_WORK & set(visits) else "on_hold"
        assert derive("on_hold", visits, open_required) == expected


@pytest.mark.parametrize("state", sorted(DERIVED))
def test_deriving_twice_changes_nothing(state: str) -> None:
    for visits, open_required in product(EVERY, (False, True)):
        once = derive(state, visits, open_required)
        assert derive(once, visits, open_required) == once
