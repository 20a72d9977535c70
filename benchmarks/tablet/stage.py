"""A fresh installation on either database, and a server over it."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask

from config import load_settings
from fieldservice.foundation import catalogues
from fieldservice.foundation.db import db, session
from fieldservice.foundation.time import clock
from tests.conftest import NOW, Database
from tests.served import Served


@contextmanager
def fresh_app(kind: str) -> Iterator[tuple[Flask, Path]]:
    """An app over an empty, migrated database of this kind, standing at the tests' time, and a folder for it."""
    catalogues.compile_all()
    with tempfile.TemporaryDirectory(prefix="tablet-") as name:
        folder = Path(name)
        settings = load_settings(
            {
                "FIELDSERVICE_INSTANCE_PATH": str(folder / "instance"), "FIELDSERVICE_SECRET_KEY": "t" * 40,
                "FIELDSERVICE_PUBLIC_URL": "http://localhost", "FIELDSERVICE_BACKGROUND": "0",
                "FIELDSERVICE_TRAVEL_HOURS": "none",
            }
        )  # fmt: skip
        database = Database(kind, settings, folder)
        database.reset()
        clock.fix(NOW)
        with database.app.app_context():
            yield database.app, folder
            session.remove()
            db.engine.dispose()
        clock.follow_wall()


def served(app: Flask, folder: Path) -> Served:
    """The real server over that app's database."""
    return Served(app, db.engine, folder / "server.log")
