"""The derived state of an order, over every combination of visits, open items and present state."""

from collections.abc import Iterator
from itertools import combinations_with_replacement, pairwise, permutations, product

import pytest

from fieldservice.workorders.derivation import AT_WORK, DERIVED, DISPATCHED, ENDED, SCHEDULED, UNDER_WAY, derive
from fieldservice.workorders.models import Visit, WorkOrder
from fieldservice.workorders.orders import way

VISITS = sorted(Visit.lifecycle.states)
TYPED = ("draft", "cancelled", "closed")  # decided by people, whatever the visits say
EVERY = [visits for count in range(4) for visits in combinations_with_replacement(VISITS, count)]
IN_ANY_ORDER = [order for visits in EVERY for order in sorted(set(permutations(visits)))]


def cases(visits: list[tuple[str, ...]]) -> Iterator[tuple[tuple[str, ...], bool]]:
    return product(visits, (False, True))


def ended(visits: tuple[str, ...]) -> list[str]:
    return [one for one in visits if one in ENDED]


def test_the_combinations_are_all_there() -> None:
    assert len(VISITS) == 14
    assert len(EVERY) == 1 + 14 + 105 + 560  # multisets of up to three visits
    assert len(IN_ANY_ORDER) == 1 + 14 + 14**2 + 14**3
    assert WorkOrder.lifecycle.states == DERIVED | {"on_hold", "cannot_complete", *TYPED}
    assert set(VISITS) == UNDER_WAY | ENDED | {"declined", "missed", "cancelled"}


@pytest.mark.parametrize("state", sorted(DERIVED | {"cannot_complete"}))
def test_the_furthest_visit_under_way_wins(state: str) -> None:
    for visits, open_required in cases(IN_ANY_ORDER):
        derived = derive(state, visits, open_required)
        if AT_WORK & set(visits):
            assert derived == "in_progress"
        elif DISPATCHED & set(visits):
            assert derived == "dispatched"
        elif SCHEDULED & set(visits):
            assert derived == "scheduled"
        else:
            assert derived in {"ready", "completed", "cannot_complete"}


@pytest.mark.parametrize("state", sorted(DERIVED | {"cannot_complete"}))
def test_completed_needs_a_completed_last_visit_and_nothing_open(state: str) -> None:
    for visits, open_required in cases(IN_ANY_ORDER):
        complete = not set(visits) & UNDER_WAY and ended(visits)[-1:] == ["completed"] and not open_required
        assert (derive(state, visits, open_required) == "completed") == complete


@pytest.mark.parametrize("state", sorted(DERIVED))
def test_with_none_left_and_work_open_the_order_is_ready(state: str) -> None:
    for visits, open_required in cases(IN_ANY_ORDER):
        if set(visits) & UNDER_WAY:
            continue
        if ended(visits)[-1:] == ["completed"] and not open_required:
            continue
        if state == "in_progress" and ended(visits)[-1:] == ["cannot_complete"]:
            assert derive(state, visits, open_required) == "cannot_complete"
        else:
            assert derive(state, visits, open_required) == "ready"


def test_completed_and_partially_completed_is_not_completed() -> None:
    assert derive("in_progress", ("completed", "partially_completed"), False) == "ready"
    assert derive("in_progress", ("partially_completed", "completed"), True) == "ready"
    assert derive("in_progress", ("partially_completed", "completed"), False) == "completed"  # the second finished it


def test_an_impossible_visit_ends_the_order_until_somebody_plans_on() -> None:
    assert derive("in_progress", ("cannot_complete",), False) == "cannot_complete"
    assert derive("cannot_complete", ("cannot_complete", "cancelled"), True) == "cannot_complete"
    assert derive("scheduled", ("cannot_complete", "cancelled"), False) == "ready"
    assert derive("scheduled", ("cannot_complete", "scheduled"), False) == "scheduled"


@pytest.mark.parametrize("state", TYPED)
def test_what_people_decided_stays(state: str) -> None:
    for visits, open_required in cases(EVERY):
        assert derive(state, visits, open_required) == state


def test_on_hold_gives_way_to_work_on_site_only() -> None:
    for visits, open_required in cases(IN_ANY_ORDER):
        derived = derive("on_hold", visits, open_required)
        if {"on_site", "in_progress"} & set(visits):
            assert derived == "in_progress"
        elif not set(visits) & UNDER_WAY and ended(visits)[-1:] == ["completed"] and not open_required:
            assert derived == "completed"
        else:
            assert derived == "on_hold"


@pytest.mark.parametrize("state", sorted(WorkOrder.lifecycle.states))
def test_deriving_twice_changes_nothing(state: str) -> None:
    for visits, open_required in cases(IN_ANY_ORDER):
        once = derive(state, visits, open_required)
        assert derive(once, visits, open_required) == once


@pytest.mark.parametrize("state", sorted(WorkOrder.lifecycle.states))
def test_the_table_has_a_way_to_every_derived_state(state: str) -> None:
    allows = WorkOrder.lifecycle.allows
    for wanted in {derive(state, visits, open_required) for visits, open_required in cases(EVERY)} - {state}:
        steps = [state, *way(state, wanted)]
        assert steps[-1] == wanted
        assert all(allows(here, to) for here, to in pairwise(steps)), steps
        assert not {"on_hold", "cancelled", "closed", "draft"} & set(steps[1:]), steps
