"""Bad input never breaks anything: hostile values in every path, query, form and JSON body give an answer below 500."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from werkzeug.routing import Rule

from fieldservice.foundation.access import STAFF
from tests.test_closed_gate import arguments, signed_in

HOSTILE = (
    "",
    " ",
    "\x00",
    "a\x00b",
    "0",
    "-1",
    "9" * 30,
    "1e999",
    "NaN",
    "Infinity",
    "null",
    "None",
    "true",
    "[]",
    "{}",
    "'; DROP TABLE station; --",
    "<script>alert(1)</script>",
    "{{ 7*7 }}",
    "%s%n%(x)s",
    "../../etc/passwd",
    "\ud800".encode("utf-8", "replace").decode(),
    "🛠️" * 40,
    "ก็็็็็็็็็็",
    "‮txt.exe",
    "=cmd|' /C calc'!A0",
    "2026-02-30",
    "2026-11-25T10:30:00",
    "9999-12-31T23:59:59+14:00",
    "0001-01-01T00:00:00+00:00",
    "长" * 5000,
)
NAMES = (
    "q",
    "cursor",
    "limit",
    "count",
    "days",
    "station",
    "status",
    "priority",
    "date",
    "from",
    "to",
    "by",
    "after",
    "lang",
    "next",
    "times",
    "since",
    "number",
    "tail",
    "words",
    "reason",
    "slot",
    "scores",
    "reliability",
    "starts_at",
    "technician_id",
    "technician",
    "duration_min",
    "version",
    "serial",
    "name",
    "phone",
    "email",
    "description",
    "severity",
    "address",
    "division_code",
    "latitude",
    "longitude",
    "work_type",
    "skills",
    "parts",
    "photos",
    "device_id",
    "commands",
    "password",
    "work_order",
    "window",
)
JSON_BODIES: tuple[Any, ...] = (
    None,
    1,
    "x",
    [],
    [[]],
    {},
    {"a": {"b": {"c": [1] * 50}}},
    *(
        dict.fromkeys(NAMES, value)
        for value in (
            None,
            True,
            -1,
            10**30,
            1e308,
            "",
            "\x00",
            "x" * 5000,
            [],
            [None],
            {},
            {"x": 1},
            [{"kind": "move", "id": None}],
        )
    ),
)


@pytest.fixture
def everybody(app: Flask) -> tuple[Any, str]:
    """Somebody who may do everything, so that the input reaches the code behind the gate."""
    app.config["RATELIMIT_ENABLED"] = False
    from fieldservice.foundation.web import limiter

    limiter.enabled = False
    yield signed_in(app, *STAFF)
    limiter.enabled = True


def addresses(app: Flask) -> Iterator[tuple[Rule, str]]:
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            if rule.endpoint not in ("static", "live.events"):
                yield rule, method


def build(app: Flask, rule: Rule, value: str) -> str | None:
    """The route with the hostile value in every text argument and a huge number in every numeric one."""
    given = arguments(rule, value or "x", 2**63)
    try:
        return str(app.url_map.bind("localhost").build(rule.endpoint, given))
    except Exception:  # noqa: BLE001 - a value the route itself cannot carry reaches nothing
        return None


def test_hostile_paths_and_queries(app: Flask, everybody: tuple[Any, str]) -> None:
    client, _token = everybody
    for rule, method in addresses(app):
        if method != "GET":
            continue
        for value in HOSTILE:
            address = build(app, rule, value[:200])
            if address is None:
                continue
            answer = client.get(address, query_string=dict.fromkeys(NAMES, value))
            assert answer.status_code < 500, f"GET {rule} {value[:40]!r}: {answer.status_code}"


def test_hostile_forms(app: Flask, everybody: tuple[Any, str]) -> None:
    client, token = everybody
    for rule, method in addresses(app):
        if method == "GET" or rule.endpoint == "accounts.sign_out":
            continue
        for value in HOSTILE:
            address = build(app, rule, "x")
            answer = client.open(
                address,
                method=method,
                data=dict.fromkeys(NAMES, value),
                headers={"X-CSRFToken": token, "If-Match": value[:20].replace("\x00", "")},
            )
            assert answer.status_code < 500, f"{method} {rule} {value[:40]!r}: {answer.status_code}"


def test_hostile_json(app: Flask, everybody: tuple[Any, str]) -> None:
    client, token = everybody
    for rule, method in addresses(app):
        if method == "GET" or not (rule.rule.startswith("/api/") or "tablet" in rule.rule):
            continue
        for body in JSON_BODIES:
            address = build(app, rule, "x")
            headers = {"X-CSRFToken": token, "If-Match": '"1"', "Accept": "application/json"}
            answer = client.open(
                address, method=method, data=json.dumps(body), content_type="application/json", headers=headers
            )
            assert answer.status_code < 500, f"{method} {rule} {str(body)[:60]}: {answer.status_code}"
        answer = client.open(
            address, method=method, data=b"\xff\xfe{", content_type="application/json", headers=headers
        )
        assert 400 <= answer.status_code < 500, f"{method} {rule} broken JSON: {answer.status_code}"
