"""Schemathesis over the whole OpenAPI: no 5xx, and what is answered is what the description says, on both databases.

Somebody who holds every role calls with generated input, good and bad; half of the calls name things that exist.
"""

import os
import re
from collections.abc import Callable, Iterable
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)
from sqlalchemy import select

from fieldservice.accounts.models import RoleGrant
from fieldservice.accounts.services import create_token
from fieldservice.foundation.access import STAFF
from fieldservice.foundation.db import session, write
from fieldservice.mechanisms.metrics import all_metrics
from fieldservice.stations.models import Technician
from tests import factories as make
from tests.conftest import make_user

EXAMPLES = int(os.environ.get("OPENAPI_EXAMPLES", "30"))  # of each operation, for good and for bad input
OPERATIONS = 51
IGNORED = re.compile("query: violates `additionalProperties`|header: violates .*Authorization")
CHECKS = (
    not_a_server_error, status_code_conformance, content_type_conformance, response_headers_conformance,
    response_schema_conformance, negative_data_rejection, ignored_auth, unsupported_method,
)  # fmt: skip
# Not asked: positive_data_acceptance, since rules of the field (a slot that is taken, a state that forbids a move)
# refuse what no schema can; use_after_free and ensure_resource_availability, since the API deletes nothing.


@pytest.mark.slow
def test_every_call_answers_as_described(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "API_RATE", 10**9)
    known, token = _things(), _token()
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", _apart(app))
    found: list[str] = []
    operations = [one.ok() for one in schema.get_all_operations()]
    assert len(operations) == OPERATIONS, "a new call: see that it is named here and described"
    for operation in operations:
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            found += _broken(operation, mode, known, token)
    assert not found, "\n\n".join(found)


def _broken(operation: Any, mode: GenerationMode, known: dict[str, list[Any]], token: str) -> list[str]:
    """What generated calls of one operation found, the smallest example of each."""
    seen: dict[str, str] = {}

    @settings(
        max_examples=EXAMPLES, derandomize=True, deadline=None, database=None, phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=mode), real=st.booleans(), which=st.integers(0, 9))
    def call(case: Case, real: bool, which: int) -> None:
        for name, things in known.items():
            if real and mode is GenerationMode.POSITIVE and name in case.path_parameters:
                case.path_parameters[name] = things[which % len(things)]
        try:
            # called without a server between, nobody unpacks what is packed for a thin link
            plain = {"Authorization": f"Bearer {token}", "Accept-Encoding": "identity"}
            case.call_and_validate(headers=plain, checks=list(CHECKS))
        except (FailureGroup, AssertionError) as broken:
            for failure in getattr(broken, "exceptions", (broken,)):
                if _is_meant(str(failure)):
                    continue
                title = f"{operation.label} {mode.value} {type(failure).__name__}"
                seen.setdefault(title, f"{title}: {str(failure)[:700]} | {case.as_curl_command()[:500]}")

    call()
    session.rollback()
    return list(seen.values())


def _is_meant(failure: str) -> bool:
    """An unknown query argument is ignored (?lang= is one), and the token is put back where it was taken away."""
    violations = re.findall(r"^\s*- (.+)$|Invalid component: (parameters? .+)$", failure, re.MULTILINE)
    said = [one or other for one, other in violations]
    return bool(said) and all(IGNORED.search(line) for line in said)


def _apart(app: Flask) -> Callable[..., Iterable[bytes]]:
    """The app as a server runs it: each request in an app context of its own, not in the test's."""

    def serve(environ: Any, start_response: Any) -> Iterable[bytes]:
        with app.app_context():
            return list(app(environ, start_response))

    return serve


def _things() -> dict[str, list[Any]]:
    """What half of the calls name: an order with a visit, one that waits, requests, and figures."""

    def build() -> tuple[str, str, str, int]:
        technician = make.technician(make.station(territory=("320214",)))
        with_visit, waiting = make.order(), make.order()
        visit = make.visit(with_visit, technician)
        session.flush()
        return with_visit.number, waiting.number, make.request().number, visit.id

    *numbers, visit_id = write(build)
    return {
        "number": numbers, "visit_id": [visit_id],
        "name": [one.code for one in all_metrics()][:10], "upload_id": ["upload-0001"], "index": [0, 1],
    }  # fmt: skip


def _token() -> str:
    """Of somebody who holds every role, a technician's too."""
    user = make_user("admin", technician_id=session.scalar(select(Technician.id).order_by(Technician.id).limit(1)))
    user_id, email = user.id, user.email

    def grant() -> str:
        for role in STAFF:
            if role != "admin":
                session.add(RoleGrant(user_id=user_id, role=role, station_id=None))
        return create_token(email=email, name="openapi")

    return write(grant)
