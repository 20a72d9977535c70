"""Fixtures of every test: both databases, migrated once and copied for each test; a standing clock."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade
from hypothesis import settings as hypothesis_settings
from sqlalchemy import func, select

from config import ROOT, Settings, load_settings
from fieldservice import create_app
from fieldservice.accounts.models import User
from fieldservice.accounts.services import create_user
from fieldservice.foundation import catalogues
from fieldservice.foundation.company import ONLY, Installation
from fieldservice.foundation.db import db, session, write
from fieldservice.foundation.places import daytime, travel
from fieldservice.foundation.time import Clock
from fieldservice.foundation.time import clock as the_clock
from fieldservice.foundation.web import limiter
from tests import postgres

NOW = datetime.fromisoformat("2026-11-25T10:30:00+08:00")  # a Wednesday, in business hours
PASSWORD = "correct horse battery"
DATABASES = ("sqlite", "postgresql")
BROWSER_PATIENCE = 20_000  # ms: a page that is right but slow, on a machine that does much else, is no failure
hypothesis_settings.register_profile("ours", deadline=None)  # nothing is judged by how fast this machine is
hypothesis_settings.load_profile("ours")


class Client(FlaskClient):
    """A browser or partner: each request in an app context of its own, as on a server."""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        with self.application.app_context():
            response = super().open(*args, **kwargs)
        session.rollback()  # the test sees what the request committed
        return response


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes a database is marked, so that `make test-fast` stays under a minute."""
    for item in items:
        if "databases" in getattr(item, "fixturenames", ()):
            item.add_marker("database")
    if any(item.get_closest_marker("browser") for item in items):
        from playwright.sync_api import expect  # half a second that other tests need not pay

        expect.set_options(timeout=BROWSER_PATIENCE)


@pytest.fixture(scope="session", autouse=True)
def _texts() -> None:
    """Chinese texts are compiled before the first page is shown."""
    catalogues.compile_all()


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    instance = tmp_path_factory.mktemp("instance")
    return load_settings(
        {
            "FIELDSERVICE_INSTANCE_PATH": str(instance),
            "FIELDSERVICE_SECRET_KEY": "t" * 40,
            "FIELDSERVICE_PUBLIC_URL": "http://localhost",
            "FIELDSERVICE_BACKGROUND": "0",
            "FIELDSERVICE_TRAVEL_HOURS": "none",  # minutes that a reader can reckon; `rush_hours` turns them on
        }
    )


@pytest.fixture
def rush_hours() -> Iterator[None]:
    """Drives take longer in the rush hours, as in an installation that nobody has told otherwise."""
    before = travel.DEFAULT.hours
    travel.DEFAULT.hours = daytime.default()
    yield
    travel.DEFAULT.hours = before


class Database:
    """One app over one database that can be put back to its freshly migrated state."""

    def __init__(self, kind: str, settings: Settings, folder: Path) -> None:
        self.kind, self.folder = kind, folder
        self.template, self.name = f"template_{os.getpid()}", f"test_{os.getpid()}"
        if kind == "sqlite":
            first, url = (f"sqlite:///{folder / name}.db" for name in ("template", "test"))
        else:
            first, url = postgres.make_database(self.template), postgres.database_url(self.name)
            self._copy = postgres.Copy(self.name, self.template)
        migrating = create_app(replace(settings, database_url=first))
        with migrating.app_context():
            upgrade()
            write(_set_up)
            session.remove()
            db.engine.dispose()
        self.app = create_app(replace(settings, database_url=url))
        self.app.testing = True
        self.app.test_client_class = Client

    def reset(self) -> None:
        # numbers begin anew with each test, and parts of pictures are named by them
        shutil.rmtree(Path(self.app.instance_path) / "files" / "parts", ignore_errors=True)
        self.app.extensions.pop("fieldservice.kept", None)
        with self.app.app_context():
            db.engine.dispose()
        if self.kind == "sqlite":
            for leftover in self.folder.glob("test.db*"):
                leftover.unlink()
            shutil.copy(self.folder / "template.db", self.folder / "test.db")
        else:
            self._copy.reset()

    def close(self) -> None:
        """Nothing is kept open."""
        if self.kind == "postgresql":
            self._copy.close()


def _set_up() -> None:
    """Tests begin after the set-up, with a company nobody has named."""
    session.add(
        Installation(
            id=ONLY, created_at=NOW, finished_at=NOW, names={}, short_names={}, hotline="", default_language="",
            timezone="", steps=[], results={}, code_tries=0,
        )
    )  # fmt: skip


@pytest.fixture(scope="session")
def databases(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Database]]:
    made: dict[str, Database] = {}

    class Lazily(dict[str, Database]):
        def __missing__(self, kind: str) -> Database:
            made[kind] = self[kind] = Database(kind, settings, tmp_path_factory.mktemp(kind))
            return made[kind]

    yield Lazily()
    for database in made.values():
        with database.app.app_context():
            db.engine.dispose()
        database.close()
    if "postgresql" in made:
        postgres.drop_database(made["postgresql"].name)
        postgres.drop_database(made["postgresql"].template)


@pytest.fixture(params=DATABASES)
def app(request: pytest.FixtureRequest, databases: dict[str, Database], clock: Clock) -> Iterator[Flask]:
    """The app in an app context over a fresh database; runs once on each engine."""
    database = databases[request.param]
    database.reset()
    with database.app.app_context():
        limiter.reset()
        yield database.app
        session.rollback()
        session.remove()


@pytest.fixture
def sqlite_app(databases: dict[str, Database], clock: Clock) -> Iterator[Flask]:
    """For tests of pages and texts that no database can tell apart."""
    database = databases["sqlite"]
    database.reset()
    with database.app.app_context():
        limiter.reset()
        yield database.app
        session.rollback()
        session.remove()


@pytest.fixture(scope="session")
def shots() -> Path:
    """Where browser tests leave pictures of screens to be looked at."""
    folder = ROOT / "build" / "shots"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A real Chromium (playwright's Browser), for the tests of one file."""
    from playwright.sync_api import sync_playwright  # half a second that other tests need not pay

    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield made
        made.close()


@pytest.fixture
def clock() -> Iterator[Clock]:
    """The system's clock, standing at NOW; move it with clock.advance(hours=2)."""
    the_clock.fix(NOW)
    yield the_clock
    the_clock.follow_wall()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Somebody who is not signed in."""
    return app.test_client()


@pytest.fixture
def sign_in(app: Flask) -> Any:
    """sign_in('dispatcher', station_id) → a client signed in as a new person holding that role."""

    def signed(role: str, station_id: int | None = None, **facts: Any) -> FlaskClient:
        client = app.test_client()
        with app.app_context():
            user = make_user(role, station_id, **facts)
            mark = user.fs_uniquifier
        session.rollback()
        with client.session_transaction() as browser:
            browser["_user_id"], browser["fresh_at"] = mark, int(the_clock.now().timestamp())
        return client

    return signed


def make_user(role: str, station_id: int | None = None, **facts: Any) -> User:
    """A person with one role; committed."""
    count = session.scalar(select(func.count(User.id)))
    facts = {"email": f"{role}{count}@demo.test", "name": role.title(), "password": None, **facts}
    return write(lambda: create_user(grants=[(role, station_id)], **facts))
