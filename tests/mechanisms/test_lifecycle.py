"""Lifecycles: a state changes by `move` alone, along its table, with a reason where one is due."""

import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select, text
from sqlalchemy.orm import DeclarativeBase, Mapped, configure_mappers, mapped_column

import fieldservice.models
from config import ROOT
from fieldservice.foundation.db import is_sqlite, session, write
from fieldservice.foundation.errors import Conflict, Invalid
from fieldservice.foundation.time import now
from fieldservice.mechanisms import lifecycle, tasks
from fieldservice.mechanisms.events import Event, EventNote, history
from fieldservice.mechanisms.lifecycle import Lifecycle, Stateful, move, stateful_models, table
from fieldservice.mechanisms.subjects import OnBehalf, Ref
from tests.mechanisms.people_and_things import PUMP, statements, threads

assert fieldservice.models.MODULES  # every model of the system is walked below


class Shelf(DeclarativeBase):
    """Tables of these tests alone; they never reach a database."""


class Parcel(Stateful, Shelf):
    """A thing with every kind of move: alternatives, back and forth, an end with a reason, a late start."""

    __tablename__ = "parcel"
    subject_type = "parcel"
    lifecycle = Lifecycle(
        "parcel",
        "draft",
        table("""
        draft → sent | cancelled
        sent → held | delivered
        held → sent
        draft | sent | held → lost
        """),
        reason_for=frozenset({"lost"}),
    )
    id: Mapped[int] = mapped_column(primary_key=True)


configure_mappers()


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """What moves record, without a database."""
    facts: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr(lifecycle, "record", lambda kind, _subject, about, **_rest: facts.append((kind, about)))
    return facts


def test_a_table_reads_like_the_domain_guide() -> None:
    moves = Parcel.lifecycle.moves
    assert moves["draft"] == {"sent", "cancelled", "lost"}
    assert moves["sent"] == {"held", "delivered", "lost"}
    assert moves["held"] == {"sent", "lost"}
    assert Parcel.lifecycle.states == {"draft", "sent", "held", "delivered", "cancelled", "lost"}


def test_a_new_thing_begins_in_its_initial_state() -> None:
    assert Parcel().state == "draft"
    assert Parcel(state="sent").state == "sent"
    with pytest.raises(ValueError, match="no state 'gone'"):
        Parcel(state="gone")


def test_a_move_is_recorded_with_where_it_came_from(told: list[tuple[str, dict[str, Any]]]) -> None:
    parcel = Parcel()
    move(parcel, "sent", carrier=7)
    assert parcel.state == "sent"
    assert told == [("parcel.sent", {"from": "draft", "carrier": 7})]


def test_a_forbidden_move_tells_what_is_allowed(told: list[tuple[str, dict[str, Any]]]) -> None:
    parcel = Parcel()
    with pytest.raises(Conflict) as refused:
        move(parcel, "delivered")
    assert refused.value.code == "move_forbidden"
    assert refused.value.facts == {"state": "draft", "to": "delivered", "allowed": ["cancelled", "lost", "sent"]}
    assert parcel.state == "draft"
    assert told == []


@pytest.mark.parametrize("reason", [None, "", "   "])
def test_a_reason_is_given_where_the_table_asks(told: list[tuple[str, dict[str, Any]]], reason: str | None) -> None:
    parcel = Parcel()
    with pytest.raises(Invalid) as refused:
        move(parcel, "lost", reason=reason)
    assert refused.value.code == "reason_needed"
    assert parcel.state == "draft"
    move(parcel, "lost", reason="fell into the canal")
    assert parcel.state == "lost"


def test_assigning_a_state_raises() -> None:
    parcel = Parcel()
    with pytest.raises(AttributeError, match=r"lifecycle\.move"):
        parcel.state = "delivered"
    with pytest.raises(AttributeError, match=r"lifecycle\.move"):
        setattr(parcel, "state", "draft")  # noqa: B010 - the other way to write it
    assert parcel.state == "draft"


def test_no_model_of_the_system_lets_its_state_be_assigned() -> None:
    models = [model for model in stateful_models() if model.__module__.startswith("fieldservice.")]
    assert len(models) > 5
    for model in models:
        thing = model()
        for state in model.lifecycle.states:
            with pytest.raises(AttributeError, match=r"lifecycle\.move"):
                thing.state = state


def test_no_update_of_rows_passes_the_table_by() -> None:
    """`update(…).values(state=…)` would leave neither check nor event."""
    # deferred jobs are machinery, not things of the business: they have a status and no lifecycle
    # `move` itself may say it in one statement: the table is asked before, the event written after
    for path in sorted((ROOT / "fieldservice").rglob("*.py")):
        if path == Path(str(lifecycle.__file__)):
            continue
        found = re.search(r"\.values\([^)]*\bstate\s*=", path.read_text(encoding="utf-8"))
        assert not found, f"{path} updates a state in bulk: use lifecycle.move"


STATES = sorted(Parcel.lifecycle.states)


@given(st.lists(st.tuples(st.sampled_from([*STATES, "", "gone", "Draft"]), st.booleans()), max_size=30))
def test_no_walk_leaves_the_table(steps: list[tuple[str, bool]]) -> None:
    told: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lifecycle, "record", lambda kind, *_rest, **_more: told.append(kind))
        parcel, path = Parcel(), ["draft"]
        for to, with_reason in steps:
            before = parcel.state
            possible = to in Parcel.lifecycle.moves.get(before, frozenset()) and (with_reason or to != "lost")
            try:
                move(parcel, to, reason="because" if with_reason else None)
            except (Conflict, Invalid):
                assert not possible
                assert parcel.state == before
            else:
                assert possible
                path.append(to)
        assert parcel.state == path[-1]
        assert told == [f"parcel.{state}" for state in path[1:]]


@pytest.mark.parametrize("cycle", [model.lifecycle for model in stateful_models()], ids=lambda cycle: cycle.entity)
def test_every_table_is_sound(cycle: Lifecycle) -> None:
    assert cycle.initial in cycle.states
    assert cycle.reason_for <= cycle.states
    for state, targets in cycle.moves.items():
        assert state not in targets, f"{cycle.entity}: {state} → itself"


# On a database -------------------------------------------------------------------------------------


def an_open_task() -> int:
    """The id of a committed task about the pump."""
    return write(
        lambda: tasks.open_task("clock_breached", PUMP, owner_role="agent", due_at=now(), at=now(), facts={})
    ).id


def test_a_reason_is_kept_apart_so_that_it_can_be_erased(app: Flask) -> None:
    task = session.get_one(tasks.Task, an_open_task())
    write(lambda: tasks.cancel(session.get_one(tasks.Task, task.id), at=now(), reason="Mr Lu asked us to"))
    event = history(PUMP)[-1]
    assert event.kind == "task.cancelled"
    assert event.facts["from"] == "open"
    assert "Lu" not in str(event.facts)
    assert session.get_one(EventNote, event.id).words == "Mr Lu asked us to"


def test_on_behalf_moves_the_row_and_tells_of_its_subject(app: Flask) -> None:
    task_id = an_open_task()

    def finish() -> None:
        move(OnBehalf(session.get_one(tasks.Task, task_id)), "done", at=now())

    write(finish)
    assert session.get_one(tasks.Task, task_id).state == "done"
    assert (history(PUMP)[-1].kind, history(PUMP)[-1].station_id) == ("task.done", PUMP.station_id)


def test_two_people_cannot_make_the_same_move(app: Flask) -> None:
    task_id = an_open_task()

    def finish(_number: int) -> str:
        def work() -> str:
            task = session.get_one(tasks.Task, task_id)
            assert task.state in ("open", "done")  # read before the other one may have moved it
            try:
                tasks.finish(task, at=now())
            except Conflict:
                return "refused"
            return "moved"

        return write(work)

    assert sorted(threads(app, finish, 6)) == ["moved"] + ["refused"] * 5
    assert [event.kind for event in history(PUMP)].count("task.done") == 1
    assert session.scalar(select(func.count(Event.id))) == 2
    assert session.get_one(tasks.Task, task_id).finished_at == now()


def test_a_subject_is_named_by_type_and_id() -> None:
    assert Ref("pump", 7) == Ref("pump", 7, None)


def test_a_move_looks_holds_and_changes_in_one_statement(app: Flask) -> None:
    task_id = an_open_task()

    def work() -> list[str]:
        task = session.get_one(tasks.Task, task_id)
        with statements() as sent:
            move(task, "done", at=now())
        assert task.state == "done"
        return sent

    assert len(write(work)) == (3 if is_sqlite() else 2)  # the move, and its event with its place in the queue
    assert session.get_one(tasks.Task, task_id).state == "done"


def test_who_saw_an_old_state_is_judged_by_the_new_one(app: Flask) -> None:
    task_id = an_open_task()

    def work() -> None:
        task = session.get_one(tasks.Task, task_id)
        session.execute(text("UPDATE task SET state = 'cancelled' WHERE id = :id"), {"id": task_id})
        if is_sqlite():  # one writer at a time: nobody else can have moved it, so we look like somebody else
            session.refresh(task)
        move(task, "done", at=now())

    with pytest.raises(Conflict) as refused:
        write(work)
    assert (refused.value.code, refused.value.facts["state"]) == ("move_forbidden", "cancelled")


def test_what_else_was_changed_is_kept_beside_the_move(app: Flask) -> None:
    task_id = an_open_task()

    def work() -> None:
        task = session.get_one(tasks.Task, task_id)
        task.owner_role = "dispatcher"
        move(task, "done", at=now())
        task.result = "seen"

    write(work)
    task = session.get_one(tasks.Task, task_id)
    assert (task.state, task.owner_role, task.result) == ("done", "dispatcher", "seen")


def test_a_move_undone_with_its_savepoint_is_undone_in_memory_too(app: Flask) -> None:
    task_id = an_open_task()

    def work() -> str:
        task = session.get_one(tasks.Task, task_id)
        inner = session.begin_nested()
        move(task, "done", at=now())
        inner.rollback()
        return task.state

    assert write(work) == "open"
