"""A closed gate for everything: who is not allowed is refused, on every route."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from werkzeug.routing import AnyConverter, Rule
from werkzeug.routing.converters import NumberConverter

from fieldservice.foundation.access import STAFF, Access, declared
from tests.conftest import make_user

ROLES = (*STAFF, "customer")


def gates(app: Flask) -> Iterator[tuple[str, str, Access]]:
    """(method, address, access) of every route of ours that is not public."""
    adapter = app.url_map.bind("localhost")
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            access = declared(rule.endpoint, method)
            assert access is not None
            if not access.public:
                yield method, adapter.build(rule.endpoint, arguments(rule), method), access


def arguments(rule: Rule, text: str = "x", number: int = 1) -> dict[str, Any]:
    """A value for every argument of a route: a choice takes its first, a number `number`, anything else `text`."""
    given: dict[str, Any] = {}
    for name, converter in rule._converters.items():
        if isinstance(converter, AnyConverter):
            given[name] = min(converter.items)
        else:
            given[name] = number if isinstance(converter, NumberConverter) else text
    return given


def test_nobody_passes_without_signing_in(sqlite_app: Flask) -> None:
    client = sqlite_app.test_client()
    for method, address, _access in gates(sqlite_app):
        answer = client.open(address, method=method)
        asked_to_sign_in = answer.status_code == 401 or (
            answer.status_code == 302 and "/login" in answer.headers["Location"]
        )
        assert asked_to_sign_in or (method not in ("GET",) and answer.status_code in (401, 403)), (
            f"{method} {address}: {answer.status_code}"
        )


@pytest.mark.parametrize("role", ROLES)
def test_each_role_is_kept_from_what_is_not_its(sqlite_app: Flask, role: str) -> None:
    client, token = signed_in(sqlite_app, role)
    for method, address, access in gates(sqlite_app):
        if not access.roles or role in access.roles:
            continue
        for headers in ({"X-CSRFToken": token}, {"X-CSRFToken": token, "Accept": "application/json"}):
            answer = client.open(address, method=method, headers=headers)
            assert answer.status_code == 403, f"{role} {method} {address}: {answer.status_code}"


def test_a_bearer_token_opens_no_more_than_its_person(sqlite_app: Flask) -> None:
    from fieldservice.accounts.services import create_token
    from fieldservice.foundation.db import write

    user = make_user("customer")
    email = user.email
    text = write(lambda: create_token(email=email, name="probe"))
    client = sqlite_app.test_client()
    for method, address, access in gates(sqlite_app):
        if access.roles and "customer" not in access.roles:
            answer = client.open(address, method=method, headers={"Authorization": f"Bearer {text}"})
            assert answer.status_code == 403, f"{method} {address}: {answer.status_code}"


def signed_in(app: Flask, *roles: str) -> tuple[Any, str]:
    """A client of somebody holding these roles everywhere, with a cross-site token."""
    from fieldservice.accounts.services import grant_role
    from fieldservice.foundation.db import write

    client = app.test_client()
    user = make_user(roles[0])
    for role in roles[1:]:
        write(lambda role=role: grant_role(user, role, None))  # type: ignore[misc]
    mark = user.fs_uniquifier
    with client.session_transaction() as browser:
        browser["_user_id"], browser["_fresh"] = mark, True
        browser["csrf_token"] = "a" * 40
    with app.test_request_context():
        from flask import session as stored
        from flask_wtf.csrf import generate_csrf

        stored["csrf_token"] = "a" * 40
        return client, generate_csrf()
