"""Accounts of the demo (CONTRACT §1): twelve, one random password, kept for its owner only."""

import stat
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from fieldservice.accounts.models import User
from fieldservice.demo import accounts, load, sizes
from fieldservice.foundation.db import session
from tests.accounts.test_sign_in import post_login
from tests.demo.tiny import TINY

NAMES = "admin dispatcher technician storekeeper manager director sales engineer agent quality finance customer"
EMAILS = {f"{name}@demo.test" for name in NAMES.split()}


def test_twelve_accounts_share_a_password_that_is_kept_for_its_owner(
    sqlite_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sizes.SIZES, "tiny", TINY)
    load.load("tiny", seed=360, tell=lambda _line: None)
    text = accounts.listing("http://127.0.0.1:5000")
    assert all(part in text for part in (*EMAILS, accounts.password(), "http://127.0.0.1:5000"))
    assert set(session.scalars(select(User.email).where(User.password.is_not(None)))) == EMAILS
    path = Path(sqlite_app.instance_path) / accounts.FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(accounts.password()) >= 12
    assert accounts.password() == path.read_text().strip(), "the same at the next start"
    _first_station_and_all()
    session.rollback()
    client: FlaskClient = sqlite_app.test_client()
    answer = post_login(client, email="dispatcher@demo.test", password=accounts.password())
    assert answer.status_code == 302


def _first_station_and_all() -> None:
    """Station roles cover the first station, the others all of them."""
    by_email = {user.email: user.as_person() for user in session.scalars(select(User).where(User.email.in_(EMAILS)))}
    first = by_email["manager@demo.test"].stations("station_manager")
    assert first is not None
    assert len(first) == 1
    for name, role in (("dispatcher", "dispatcher"), ("technician", "technician"), ("storekeeper", "storekeeper")):
        assert by_email[f"{name}@demo.test"].stations(role) == first
    assert by_email["director@demo.test"].stations("director") is None
    assert by_email["technician@demo.test"].technician_id is not None
    assert by_email["customer@demo.test"].customer_id is not None


def test_no_accounts_are_listed_without_a_demo(sqlite_app: Flask) -> None:
    assert accounts.listing("http://127.0.0.1:5000") == ""
