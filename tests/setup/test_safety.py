"""What is unsafe, and the sentence that mends it."""

from dataclasses import replace

import pytest

from fieldservice.setup.safety import Facts, look, unsafe

SAFE = Facts(secret_key="9f2c4e7ab1d05836" * 4, public_url="https://service.example.com")
CASES = [
    ({}, []),
    ({"public_url": "http://127.0.0.1:5000"}, []),
    ({"public_url": "http://[::1]:5000"}, []),
    ({"public_url": "http://localhost"}, []),
    ({"public_url": "http://192.168.1.20:5000"}, ["public_url_open"]),
    ({"public_url": "http://service.example.com"}, ["public_url_open"]),
    ({"public_url": "http://localhost.example.com"}, ["public_url_open"]),
    ({"secret_key": "9f2c4e7ab1d05836"}, ["secret_key_short"]),
    ({"secret_key": "change-me-please-change-me-please-now"}, ["secret_key_known"]),
    ({"secret_key": "a" * 64}, ["secret_key_known"]),
    ({"secret_key": "abababab" * 8}, ["secret_key_known"]),
    ({"clock_set": True}, ["clock_set"]),
    ({"demo": True}, ["demo_data"]),
    ({"migrated": False}, ["not_migrated"]),
    ({"instance_mode": 0o755}, ["instance_open"]),
    ({"instance_mode": 0o701}, ["instance_open"]),
    ({"instance_mode": 0o750}, []),
    ({"file_system": "ext4"}, []),
    ({"file_system": "nfs4"}, ["sqlite_network"]),
    ({"file_system": "tmpfs"}, ["sqlite_fleeting"]),
    ({"secret_key": "x", "demo": True, "clock_set": True}, ["secret_key_short", "clock_set", "demo_data"]),
]


@pytest.mark.parametrize(("facts", "codes"), CASES)
def test_what_is_unsafe(facts: dict[str, object], codes: list[str]) -> None:
    found = unsafe(replace(SAFE, **facts))  # type: ignore[arg-type]
    assert [one.code for one in found] == codes


def test_a_fresh_installation_is_looked_at(app, settings) -> None:  # type: ignore[no-untyped-def]
    facts = look(replace(settings, database_url=app.config["SQLALCHEMY_DATABASE_URI"]))
    assert facts.migrated
    assert not facts.demo
    assert not facts.clock_set
