"""Guards of shape: what every later change must keep (EXAMPLES, Habits)."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask

from config import LANGUAGES, ROOT
from fieldservice.foundation import catalogues
from fieldservice.foundation.access import declared
from fieldservice.foundation.db import Base, session
from fieldservice.foundation.words import all_words
from fieldservice.mechanisms.lifecycle import stateful_models

PACKAGE = ROOT / "fieldservice"
SOURCES = sorted(PACKAGE.rglob("*.py"))
STATEFUL = [model for model in stateful_models() if model.__module__.startswith("fieldservice.")]  # tests make some too


def test_imports_go_one_way() -> None:
    """import-linter's layers, imports inside functions included."""
    run = subprocess.run([str(Path(sys.executable).parent / "lint-imports")], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr


def test_views_are_imported_by_the_factory_only() -> None:
    for path in SOURCES:
        for name in re.findall(
            r"from fieldservice\.(\w+)(?:\.| import )(?:views|api)\b", path.read_text(encoding="utf-8")
        ):
            assert path.parent == PACKAGE or path.parent.name == name or name == "foundation", (
                f"{path} imports views of {name}"
            )


def test_every_route_declares_its_access(sqlite_app: Flask) -> None:
    for rule in sqlite_app.url_map.iter_rules():
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            assert declared(rule.endpoint, method) is not None, f"{method} {rule} declares no access"


def test_services_never_commit() -> None:
    for path in SOURCES:
        if path.name in ("db.py",) or "sessions.py" in path.name:
            continue
        assert ".commit()" not in path.read_text(encoding="utf-8"), f"{path} commits; only foundation.db.write does"


def test_only_foundation_reads_the_wall_clock() -> None:
    for path in SOURCES:
        if path.name == "time.py":
            continue
        found = re.search(r"datetime\.(now|utcnow)\(|date\.today\(", path.read_text(encoding="utf-8"))
        assert not found, f"{path} reads the wall clock: use foundation.time.now"


def test_only_one_module_imports_flask_sqlalchemy() -> None:
    users = [path for path in SOURCES if "flask_sqlalchemy" in path.read_text(encoding="utf-8")]
    assert users == [PACKAGE / "foundation" / "db.py"]


def test_texts_are_complete_in_both_languages() -> None:
    assert catalogues.problems() == []


def test_no_word_is_given_twice() -> None:
    """YAML takes the last of two without a word."""
    found: list[str] = []
    for line in (PACKAGE / "foundation" / "data" / "words.yaml").read_text(encoding="utf-8").splitlines():
        if (start := re.match(r"(\w+):", line)) is not None:
            namespace = start[1]
        elif (entry := re.match(r"  ([\w.]+):", line)) is not None:
            found.append(f"{namespace}.{entry[1]}")
    assert len(found) == len(set(found)), sorted(one for one in set(found) if found.count(one) > 1)


def test_words_are_complete_in_both_languages() -> None:
    for namespace, entries in all_words().items():
        for code, texts in entries.items():
            complete = set(texts) == set(LANGUAGES) and all(texts.values())
            assert complete, f"words.yaml {namespace}.{code}"


def test_every_state_has_a_word() -> None:
    states = {state for model in STATEFUL for state in model.lifecycle.states}
    assert states <= set(all_words()["state"]), states - set(all_words()["state"])


def test_every_state_can_be_left_or_is_an_end_and_can_be_reached() -> None:
    for model in STATEFUL:
        cycle = model.lifecycle
        reached, todo = {cycle.initial}, [cycle.initial]
        while todo:
            for target in cycle.moves.get(todo.pop(), frozenset()) - reached:
                reached.add(target)
                todo.append(target)
        unreached = cycle.states - reached
        assert unreached <= {"proposed"}, f"{cycle.entity}: {unreached} cannot be reached"


def test_migrations_are_numbered_with_one_head() -> None:
    script = ScriptDirectory.from_config(_alembic())
    assert len(script.get_heads()) == 1
    numbers = sorted(path.name[:4] for path in (ROOT / "migrations" / "versions").glob("*.py"))
    assert numbers == [f"{number:04d}" for number in range(1, len(numbers) + 1)]


def test_migrations_import_no_code_of_ours() -> None:
    for path in (ROOT / "migrations" / "versions").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not any(name.startswith("fieldservice") for name in names), path


def test_migrations_equal_the_models(app: Flask) -> None:
    context = MigrationContext.configure(session.connection(), opts={"compare_type": False})
    ours_alone = ("booking_no_overlap", "ix_work_order_words")  # of PostgreSQL, and no model can say them
    differences = [d for d in compare_metadata(context, Base.metadata) if not any(one in str(d) for one in ours_alone)]
    assert differences == []


def _alembic() -> Config:
    config = Config(str(ROOT / "migrations" / "alembic.ini"))
    config.set_main_option("script_location", str(ROOT / "migrations"))
    return config


@pytest.mark.parametrize("name", ["style", "onclick", "onsubmit", "onchange", "onload"])
def test_pages_hold_nothing_the_content_policy_forbids(name: str) -> None:
    for path in (ROOT / "templates").rglob("*.html"):
        html = re.sub(r"\{[%{#].*?[%}#]\}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        assert not re.search(rf"<[^>]*\s{name}\s*=", html), f"{path} uses {name}="


def test_no_registry_is_named_in_the_repository() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    hosts = re.compile(r"https?://[^\s\"']*(pypi|npmjs|pythonhosted|debian)\.(org|com)", re.IGNORECASE)
    for name in listed:
        path = ROOT / name
        if path.suffix in {".png", ".ico", ".ttf"} or not path.is_file() or path == Path(__file__):
            continue
        assert not hosts.search(path.read_text(encoding="utf-8", errors="replace")), name
