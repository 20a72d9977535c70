"""Every command, one line each. Commands run the same services in the same `write` as views do."""

from flask import Flask
from flask_migrate import Migrate

from config import ROOT
from fieldservice.accounts import commands as accounts
from fieldservice.admin import commands as admin
from fieldservice.contracts import commands as contracts
from fieldservice.demo import commands as demo
from fieldservice.dispatch.plans import commands as plans
from fieldservice.foundation.db import db
from fieldservice.insight import commands as insight
from fieldservice.operations import commands as operations
from fieldservice.parts import commands as parts
from fieldservice.setup import commands as setup
from fieldservice.workorders import commands as workorders

COMMANDS = (
    accounts.users,
    accounts.tokens,
    contracts.quotes,
    plans.plan,
    parts.levels,
    insight.kpi,
    insight.verify,
    admin.import_command,
    admin.export_command,
    workorders.hints,
    workorders.conduct,
    setup.setup,
    operations.backup,
    operations.restore,
    demo.demo,
)

migrations = Migrate(directory=str(ROOT / "migrations"), compare_type=True, render_as_batch=True)


def install(app: Flask) -> None:
    """Fit `flask --app wsgi …` with our commands."""
    migrations.init_app(app, db)
    for command in COMMANDS:
        app.cli.add_command(command)
