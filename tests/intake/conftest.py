"""The station of Wuxi with one customer and one machine, and forms as people fill them in."""

from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask

from fieldservice.foundation.db import write
from tests import factories as make

SERIAL = "MC3-18-20457"


@dataclass(frozen=True)
class Wuxi:
    """Ids of what is there."""

    station: int
    machine: int
    customer: int


@pytest.fixture
def wuxi(request: pytest.FixtureRequest) -> Wuxi:
    """On whatever database the test asks for: `app` or `sqlite_app`."""
    name = "sqlite_app" if "sqlite_app" in request.fixturenames else "app"
    assert isinstance(request.getfixturevalue(name), Flask)

    def build() -> Wuxi:
        station = make.station(territory=["320214"])
        machine = make.asset(make.site(make.customer()), serial=SERIAL)
        return Wuxi(station.id, machine.id, machine.customer_id)

    return write(build)


@pytest.fixture
def typed() -> dict[str, Any]:
    """A complete form."""
    return {
        "name": "李强", "phone": "139 1234 5678", "description": "主轴异响，转速上不去", "severity": "degraded",
        "address": "江苏省无锡市新吴区长江路18号",
    }  # fmt: skip
