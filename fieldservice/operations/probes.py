"""`/healthz`, `/readyz` and `/metrics`, for machines: short, without words about people."""

import hmac
import ipaddress
from typing import Any

from flask import Blueprint, current_app, jsonify, request
from flask_babel import lazy_gettext as _l
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy.exc import SQLAlchemyError

from fieldservice.foundation.access import machine
from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Forbidden
from fieldservice.foundation.jobs import leader_of
from fieldservice.foundation.web import settings
from fieldservice.operations.metrics import registry
from fieldservice.operations.schema import head_of, newest_head

blueprint = Blueprint("probes", __name__)
FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-IP")  # a proxy on this machine speaks for somebody elsewhere


@blueprint.get("/healthz")
@machine
def alive() -> Any:
    """The process answers. Asks nothing of the database, so that a slow one does not restart us."""
    return jsonify(alive=True)


@blueprint.get("/readyz")
@machine
def ready() -> Any:
    """Whether people can be served: 200, or 503 with the reasons."""
    reasons = _reasons()
    return jsonify(ready=not reasons, reasons=reasons), 503 if reasons else 200


def _reasons() -> list[dict[str, str]]:
    reasons = []
    try:
        head = head_of(session.connection())
        if head != newest_head():
            reasons.append(_reason("not_migrated", f"The database stands at {head}, the program at {newest_head()}."))
    except SQLAlchemyError:
        current_app.logger.warning("readyz: the database cannot be reached", exc_info=True)
        reasons.append(_reason("no_database", "The database cannot be reached."))
    finally:
        session.rollback()
    leader = leader_of(current_app._get_current_object())  # type: ignore[attr-defined]  # the app behind the proxy
    if settings().background and (leader is None or not leader.alive()):
        reasons.append(_reason("no_background", "The background work of this process does not run."))
    return reasons


def _reason(code: str, detail: str) -> dict[str, str]:
    return {"code": code, "detail": detail}


@blueprint.get("/metrics")
@machine
def metrics() -> Any:
    """Prometheus text, for this machine or whoever has the token."""
    if not _may_read():
        raise Forbidden(
            _l("Read this on the machine itself, or send FIELDSERVICE_METRICS_TOKEN as bearer."), code="metrics_token"
        )
    return current_app.response_class(generate_latest(registry()), content_type=CONTENT_TYPE_LATEST)


def _may_read() -> bool:
    token = settings().metrics_token
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if token and hmac.compare_digest(given.encode(), token.encode()):
        return True
    if any(name in request.headers for name in FORWARDED):
        return False
    try:
        return ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False
