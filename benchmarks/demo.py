"""The small demo company behind a real server, for what is looked at in a browser."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask_migrate import upgrade
from sqlalchemy import select

from benchmarks import company
from benchmarks.server import Server
from config import ROOT
from fieldservice import create_app
from fieldservice.demo import load
from fieldservice.demo.accounts import password
from fieldservice.foundation.db import db, session
from fieldservice.intake.models import ServiceRequest

FOLDER = ROOT / "build" / "audit"


@contextmanager
def small_demo() -> Iterator[tuple[str, str, str]]:
    """(address, number of a request, password) of a server over the small demo company."""
    url = f"sqlite:///{FOLDER / 'demo.db'}"
    FOLDER.mkdir(parents=True, exist_ok=True)
    app = create_app(company.settings(url, FOLDER))
    with app.app_context():
        upgrade(directory=str(ROOT / "migrations"))
        load.load_once("small", seed=360, tell=print)
        number = session.scalars(select(ServiceRequest.number).order_by(ServiceRequest.id.desc()).limit(1)).one()
        secret = password()
        session.remove()
        db.engine.dispose()
        with Server(url, FOLDER) as server:
            server.settle()
            yield f"http://127.0.0.1:{server.port}", number, secret
