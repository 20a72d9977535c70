"""Finding machines by serial and QR code, and their warranty."""

from datetime import date, timedelta

import pytest
from flask import Flask

from fieldservice.assets.models import Asset
from fieldservice.assets.queries import (
    asset_by_id,
    asset_by_link,
    assets_by_serial,
    assets_of,
    find_by_serial,
    in_warranty,
    serial_key,
)
from fieldservice.foundation.db import write
from fieldservice.foundation.errors import Conflict
from fieldservice.foundation.time import now
from fieldservice.foundation.tokens import link_token
from fieldservice.mechanisms.lifecycle import move
from tests import factories as make

SERIAL = "MC3-18-20457"


def machine(**facts: object) -> Asset:
    return make.asset(make.site(make.customer()), **{"serial": SERIAL, **facts})  # type: ignore[arg-type]


@pytest.mark.parametrize("typed", [SERIAL, "mc3 18 20457", "MC31820457", " mc3/18_20457 ", "MC3-18-20457\n"])
def test_a_serial_is_found_however_it_was_typed(sqlite_app: Flask, typed: str) -> None:
    write(machine)
    found = find_by_serial(typed)
    assert found is not None
    assert found.serial == SERIAL


@pytest.mark.parametrize("typed", ["", "-", "MC3-18-2045", "' OR 1=1 --", "\x00", "9" * 5000, "🛠️"])
def test_another_serial_is_nobodys(sqlite_app: Flask, typed: str) -> None:
    write(machine)
    assert find_by_serial(typed) is None


@pytest.mark.parametrize(
    ("serial", "key"), [("a-1", "A1"), ("Ａ１", "Ａ１"), ("0O", "0O"), ("", ""), ("x" * 99, "X" * 40)]
)
def test_serial_keys(serial: str, key: str) -> None:
    assert serial_key(serial) == key


def test_a_serial_is_known_once(app: Flask) -> None:
    write(machine)
    with pytest.raises(Conflict):
        write(lambda: machine(serial="mc3 18 20457"))


def test_the_qr_code_leads_to_the_machine_and_only_ours_does(app: Flask) -> None:
    number = write(lambda: machine().id)
    found = asset_by_link(link_token("asset", str(number)))
    assert found is not None
    assert found.id == number
    for token in (
        str(number),
        f"{number}.abc",
        link_token("track", str(number)),
        link_token("asset", "9" * 40),
        "",
        ".",
    ):
        assert asset_by_link(token) is None


def test_the_warranty_covers_its_last_day(sqlite_app: Flask) -> None:
    day = date(2027, 3, 1)
    asset = write(lambda: machine(warranty_until=day))
    assert in_warranty(asset, day)
    assert not in_warranty(asset, day + timedelta(days=1))
    assert not in_warranty(None, day)


def test_machines_of_a_customer_without_the_retired(app: Flask) -> None:
    def build() -> int:
        site = make.site(make.customer())
        make.asset(site)
        move(make.asset(site), "retired", at=now())
        return site.customer_id

    assert len(assets_of(write(build))) == 1


def test_many_serials_in_one_query(sqlite_app: Flask) -> None:
    write(machine)
    assert list(assets_by_serial([SERIAL, "mc3 18 20457", "zz", ""])) == ["MC31820457"]
    assert assets_by_serial(["", "-"]) == {}


@pytest.mark.parametrize("number", [0, -1, 2**63, 10**30])
def test_a_senseless_id_is_no_machine(sqlite_app: Flask, number: int) -> None:
    assert asset_by_id(number) is None
