"""An empty installation, as the first start finds it."""

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import delete

from fieldservice.foundation.company import SPOKEN, Installation
from fieldservice.foundation.db import session, write
from fieldservice.foundation.time import clock as the_clock
from fieldservice.setup import safety
from fieldservice.setup.gate import OPEN


@pytest.fixture
def empty(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """Nobody works here yet; the folder is its owner's alone."""
    zone = the_clock.zone
    write(lambda: session.execute(delete(Installation)))
    app.extensions.pop(OPEN, None)
    monkeypatch.setattr(safety, "WELL_KNOWN", safety.re.compile("change.?me"))
    monkeypatch.setattr(safety, "FEWEST_SIGNS", 1)  # the key of tests is one letter
    monkeypatch.setattr(safety, "FLEETING", frozenset())
    yield app
    app.extensions.pop(OPEN, None)
    app.extensions.pop(SPOKEN, None)
    the_clock.zone = zone
