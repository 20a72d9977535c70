"""Templates: files give versions, rows add or hide them, answers keep finding theirs."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Conflict, Invalid, NotFound
from fieldservice.foundation.time import now
from fieldservice.mechanisms import templates
from fieldservice.mechanisms.templates import Template, find, get, latest, load_all, save, withdraw
from tests.mechanisms.people_and_things import statements, threads

SEALS = """
- {code: seal_change, version: 1, minutes: 120}
- {code: seal_change, version: 2, minutes: 150}
- {code: oil_change, minutes: 60}
"""


def positive(content: Mapping[str, Any]) -> None:
    if content["minutes"] <= 0:
        raise ValueError("minutes: more than nothing")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of definitions of the kind 'test_work'."""
    monkeypatch.setattr(templates, "_sources", {})
    templates._from_files.cache_clear()
    (tmp_path / "seals.yaml").write_text(SEALS, encoding="utf-8")
    (tmp_path / "zinc.yaml").write_text("- {code: zinc_coat, version: 1, minutes: 30}", encoding="utf-8")
    load_all("test_work", tmp_path, positive)
    yield tmp_path
    templates._from_files.cache_clear()


def minutes() -> dict[str, int]:
    return {definition.code: definition.content["minutes"] for definition in latest("test_work")}


def test_the_latest_version_of_every_code(app: Flask, folder: Path) -> None:
    assert minutes() == {"seal_change": 150, "oil_change": 60, "zinc_coat": 30}
    assert get("test_work", "seal_change").version == 2
    assert get("test_work", "seal_change", 1).content["minutes"] == 120
    assert get("test_work", "oil_change").version == 1


def test_what_is_unknown(app: Flask, folder: Path) -> None:
    for code, version in (("gone", None), ("seal_change", 9), ("x" * 5000, None), ("\x00", 1)):
        assert find("test_work", code, version) is None
        with pytest.raises(NotFound):
            get("test_work", code, version)
    assert latest("no_such_kind") == []


def test_an_administrator_saves_the_next_version(app: Flask, folder: Path) -> None:
    saved = write(lambda: save("test_work", "seal_change", {"minutes": 90, "version": 77}, at=now()))
    assert (saved.version, saved.content["version"]) == (3, 3)
    assert get("test_work", "seal_change").content["minutes"] == 90
    assert get("test_work", "seal_change", 2).content["minutes"] == 150  # what points at it still finds it
    fresh = write(lambda: save("test_work", "grease", {"minutes": 5}, at=now()))
    assert fresh.version == 1
    assert list(minutes()) == ["seal_change", "oil_change", "zinc_coat", "grease"]


def test_a_content_that_cannot_work_is_refused(app: Flask, folder: Path) -> None:
    with pytest.raises(Invalid) as refused:
        write(lambda: save("test_work", "seal_change", {"minutes": 0}, at=now()))
    assert refused.value.errors == {"content": ["minutes: more than nothing"]}
    assert get("test_work", "seal_change").version == 2


def test_a_withdrawn_code_is_offered_no_more_but_still_found(app: Flask, folder: Path) -> None:
    write(lambda: save("test_work", "seal_change", {"minutes": 90}, at=now()))
    write(lambda: withdraw("test_work", "seal_change", at=now()))
    assert "seal_change" not in minutes()
    assert find("test_work", "seal_change") is None
    assert [get("test_work", "seal_change", version).content["minutes"] for version in (1, 2, 3)] == [120, 150, 90]
    with pytest.raises(NotFound):
        write(lambda: withdraw("test_work", "seal_change", at=now()))
    assert write(lambda: save("test_work", "seal_change", {"minutes": 80}, at=now())).version == 4
    assert minutes()["seal_change"] == 80


def test_a_row_of_the_same_version_wins_over_the_file(app: Flask, folder: Path) -> None:
    row = Template(
        kind="test_work", code="oil_change", version=1, content={"minutes": 45}, active=True, changed_at=now()
    )
    write(lambda: session.add(row))
    assert get("test_work", "oil_change", 1).content == {"minutes": 45}
    assert minutes()["oil_change"] == 45


def test_lists_of_templates_cost_one_query_a_transaction(app: Flask, folder: Path) -> None:
    session.rollback()
    with statements() as sent:
        for _ in range(20):
            minutes()
            get("test_work", "seal_change", 1)
    assert len(sent) == 1


def test_the_next_transaction_sees_what_others_saved(app: Flask, folder: Path) -> None:
    assert minutes()["oil_change"] == 60
    threads(app, lambda _number: write(lambda: save("test_work", "oil_change", {"minutes": 7}, at=now())) and None, 1)
    assert minutes()["oil_change"] == 7


def test_what_was_rolled_back_is_not_remembered(app: Flask, folder: Path) -> None:
    def lose() -> None:
        save("test_work", "oil_change", {"minutes": 7}, at=now())
        assert minutes()["oil_change"] == 7
        raise RuntimeError("after saving")

    with pytest.raises(RuntimeError):
        write(lose)
    assert minutes()["oil_change"] == 60

    def lose_a_part() -> None:
        try:
            with session.begin_nested():
                save("test_work", "oil_change", {"minutes": 7}, at=now())
                assert minutes()["oil_change"] == 7
                raise KeyError("inside a savepoint")
        except KeyError:
            assert minutes()["oil_change"] == 60

    write(lose_a_part)


def test_two_savers_at_once_get_two_versions_or_one_is_told(app: Flask, folder: Path) -> None:
    def work(number: int) -> str:
        try:
            return str(write(lambda: save("test_work", "oil_change", {"minutes": number + 1}, at=now())).version)
        except Conflict:
            return "told"

    outcomes = threads(app, work, 4)
    versions = session.scalars(select(Template.version)).all()
    assert sorted(outcome for outcome in outcomes if outcome.isdigit()) == sorted(map(str, versions))
    assert set(outcomes) - set(map(str, versions)) <= {"told"}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("- {version: 1, minutes: 5}", "code"),
        ("- {code: bad, version: one, minutes: 5}", "one"),
        ("- {code: bad, minutes: 0}", "more than nothing"),
        ("- {code: seal_change, version: 2, minutes: 5}", "there twice"),
        ("- just a word", "string"),
    ],
)
def test_a_broken_file_is_named(app: Flask, folder: Path, text: str, complaint: str) -> None:
    (folder / "broken.yaml").write_text(text, encoding="utf-8")
    templates._from_files.cache_clear()
    with pytest.raises(ValueError, match=complaint) as refused:
        latest("test_work")
    assert "yaml" in str(refused.value)


def test_an_empty_file_is_no_mistake(app: Flask, folder: Path) -> None:
    (folder / "empty.yaml").write_text("# nothing yet\n", encoding="utf-8")
    load_all("test_work", folder, positive)  # known already
    templates._from_files.cache_clear()
    assert len(latest("test_work")) == 3


def test_rows_that_are_active_count_only(app: Flask, folder: Path) -> None:
    write(lambda: save("test_work", "oil_change", {"minutes": 7}, at=now()))
    write(lambda: session.execute(update(Template).values(active=False)))
    assert minutes()["oil_change"] == 60
