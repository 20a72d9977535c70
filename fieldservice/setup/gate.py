"""An empty installation shows nothing but its set-up."""

from typing import Any

from flask import Flask, current_app, redirect, request, url_for
from flask_babel import lazy_gettext as _l

from config import Settings
from fieldservice.foundation.errors import DomainError
from fieldservice.setup.first_run import state
from fieldservice.setup.safety import is_migrated

OPEN = "fieldservice.open"  # set once this process has seen that the set-up is over; it never begins again
SHOWN = ("setup", "accounts", "health")  # pages whose blueprints stay reachable
PATHS = ("/healthz", "/readyz", "/metrics")


class NotReady(DomainError):
    """Nobody has set this installation up."""

    status, code = 503, "set_up_needed"
    default_message = _l("This installation is not set up yet. Open /setup in a browser.")


def install(app: Flask) -> None:
    """Fitted before access is asked, since nobody can sign in yet."""
    app.before_request(show_set_up)


def show_set_up() -> Any:
    """Lead every page to the set-up until it is over."""
    settings: Settings = current_app.extensions["fieldservice.settings"]
    if settings.demo or current_app.extensions.get(OPEN):
        return None
    if request.endpoint == "static" or request.blueprint in SHOWN or request.path in PATHS:
        return None
    if not is_migrated():
        raise NotReady(_l("The database is not prepared. Run: flask --app wsgi db upgrade"), code="not_migrated")
    if not state().needed:
        current_app.extensions[OPEN] = True
        return None
    if request.path.startswith("/api/") or request.method not in ("GET", "HEAD"):
        raise NotReady()
    return redirect(url_for("setup.begin"))
