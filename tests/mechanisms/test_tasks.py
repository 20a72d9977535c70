"""Tasks: asked once of the right people, found by them alone, finished or cancelled once."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask_babel import force_locale
from sqlalchemy import func, select

from fieldservice.foundation.access import Person
from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Conflict
from fieldservice.foundation.time import Clock, now
from fieldservice.foundation.words import all_words
from fieldservice.mechanisms import tasks
from fieldservice.mechanisms.events import history
from fieldservice.mechanisms.subjects import Ref
from fieldservice.mechanisms.tasks import Task, cancel_keyed, finish, may_finish, open_task, tasks_for, title_text
from tests.mechanisms.people_and_things import OTHER_PUMP, PUMP, person, statements, threads


def ask(subject: Ref = PUMP, due_in: float = 1, **facts: Any) -> Task:
    """A committed task due in so many hours, of the agents unless told otherwise."""
    values = {"owner_role": "agent", "at": now(), **facts}
    return write(lambda: open_task("clock_breached", subject, due_at=now() + timedelta(hours=due_in), **values))


def seen(by: Person, **facts: Any) -> list[int]:
    return [task.id for task in tasks_for(by, **facts)]


def test_the_same_cause_asks_once(app: Flask) -> None:
    one, two = ask(key="clock:1"), ask(key="clock:1")
    assert one.id == two.id
    assert [event.kind for event in history(PUMP)] == ["task.opened"]
    assert ask(key="clock:2").id != one.id
    assert ask().id != ask().id


def test_the_same_cause_asks_once_even_at_the_same_moment(app: Flask) -> None:
    ids = threads(app, lambda _number: ask(key="race").id, 6)
    assert len(set(ids)) == 1
    assert session.scalar(select(func.count(Task.id))) == 1


def test_the_losing_asker_keeps_the_rest_of_its_work(app: Flask) -> None:
    def work(number: int) -> None:
        def both() -> None:
            open_task("clock_breached", PUMP, owner_role="agent", due_at=now(), at=now(), key="race")
            open_task("clock_breached", PUMP, owner_role="agent", due_at=now(), at=now(), key=f"own:{number}")

        write(both)

    threads(app, work, 4)
    assert session.scalar(select(func.count(Task.id))) == 5


def test_a_task_is_owned(app: Flask) -> None:
    with pytest.raises(Conflict):
        ask(owner_role=None)


def test_people_find_their_own_and_their_roles_tasks(app: Flask) -> None:
    here, there, anywhere = ask(), ask(OTHER_PUMP), ask(Ref("calendar_year", 2027))
    mine = ask(owner_role=None, owner_user_id=5)
    assert seen(person(agent=None)) == [here.id, there.id, anywhere.id]
    assert seen(person(agent=frozenset({3}))) == [here.id, anywhere.id]
    assert seen(person(agent=frozenset())) == [anywhere.id]
    assert seen(person(dispatcher=None)) == []
    assert seen(person(5)) == [mine.id]


def test_a_role_counts_at_its_own_stations_only(app: Flask) -> None:
    """Agent at 3 and dispatcher at 4 is no agent at 4."""
    ask(OTHER_PUMP)
    assert seen(person(agent=frozenset({3}), dispatcher=frozenset({4}))) == []


def test_overdue_tasks_reach_the_supervisor(app: Flask, clock: Clock) -> None:
    task = ask(supervisor_role="station_manager")
    manager, other = person(station_manager=frozenset({3})), person(station_manager=frozenset({4}))
    assert seen(manager) == []
    clock.advance(hours=1, minutes=1)
    assert seen(manager) == [task.id]
    assert seen(other) == []
    assert seen(manager, at=task.due_at) == []


def test_lists_page_by_due_time_and_id(app: Flask) -> None:
    same = [ask(due_in=1) for _ in range(3)]
    later, sooner = ask(due_in=2), ask(due_in=0.5)
    everyone = person(agent=None)
    expected = [sooner.id, *(task.id for task in same), later.id]
    found: list[int] = []
    after = None
    while page := tasks_for(everyone, after, limit=2):
        found += [task.id for task in page]
        after = (page[-1].due_at, page[-1].id)
    assert found == expected
    with statements() as sent:
        assert len([title_text(task) for task in tasks_for(everyone)]) == 5
    assert len(sent) == 1


def test_a_task_is_finished_once(app: Flask, clock: Clock) -> None:
    task = ask()
    clock.advance(minutes=5)
    write(lambda: finish(task, at=now(), result="called", note="Mrs Wang will wait"))
    assert (task.state, task.result, task.finished_at) == ("done", "called", now())
    assert history(PUMP)[-1].facts["result"] == "called"
    with pytest.raises(Conflict):
        write(lambda: finish(task, at=now()))
    with pytest.raises(Conflict):
        write(lambda: tasks.cancel(task, at=now()))
    assert seen(person(agent=None)) == []


def test_a_task_goes_with_its_cause(app: Flask) -> None:
    task = ask(key="clock:1")
    assert write(lambda: cancel_keyed("clock:2", at=now())) is None
    assert write(lambda: cancel_keyed("clock:1", at=now())) is not None
    assert task.state == "cancelled"
    assert write(lambda: cancel_keyed("clock:1", at=now())) is None


@pytest.mark.parametrize(
    ("who", "may"),
    [
        (person(9), True),
        (person(1, agent=frozenset({3})), True),
        (person(1, agent=None), True),
        (person(1, station_manager=frozenset({3})), True),
        (person(1, agent=frozenset({4})), False),
        (person(1, technician=frozenset({3})), False),
        (person(1), False),
    ],
)
def test_who_may_finish(who: Person, *, may: bool) -> None:
    task = Task(owner_role="agent", owner_user_id=9, supervisor_role="station_manager", station_id=3)
    assert may_finish(who, task) is may


def test_titles_speak_both_languages(app: Flask) -> None:
    task = ask(facts={"kind": "arrival", "priority": "P1", "odd": "{priority.__class__}"})
    with force_locale("en"):
        assert title_text(task) == "Promise broken: Arrival (P1). Please step in"
    with force_locale("zh"):
        assert title_text(task) == "承诺已超时：到场（P1），请接手处理"
    task = ask(facts={})  # a fact that is missing must not break a list
    with force_locale("en"):
        assert title_text(task) == "Promise broken:  (). Please step in"


def test_capabilities_bring_their_own_titles(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "_title_files", list(tasks._title_files))
    file = tmp_path / "tasks.yaml"
    file.write_text("oil_low: {zh: 油位低, en: Oil is low}", encoding="utf-8")
    try:
        tasks.register_titles(file)
        tasks.register_titles(file)
        with force_locale("zh"):
            assert title_text(Task(title="oil_low", facts={})) == "油位低"
        file.write_text("clock_breached: {zh: 又一个, en: another}", encoding="utf-8")
        tasks._titles.cache_clear()
        with pytest.raises(ValueError, match="there twice"):
            title_text(Task(title="oil_low", facts={}))
    finally:
        tasks._titles.cache_clear()


def test_every_word_list_of_a_title_exists(app: Flask) -> None:
    for code, entry in tasks._titles().items():
        assert set(entry.get("words", {}).values()) <= set(all_words()), code
