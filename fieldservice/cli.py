"""Every command, one line each. Commands run the same services in the same `write` as views do."""

from flask import Flask
from flask_migrate import Migrate

from config import ROOT
from fieldservice.foundation.db import db

migrations = Migrate(directory=str(ROOT / "migrations"), compare_type=True, render_as_batch=True)


def install(app: Flask) -> None:
    """Fit `flask --app wsgi …` with our commands."""
    migrations.init_app(app, db)
