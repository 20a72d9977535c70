"""Reading a report: everything is checked at once, kindly, and an unclear place is asked back, never guessed."""

from typing import Any

import pytest
from flask import Flask

from fieldservice.foundation.db import write
from fieldservice.foundation.errors import Invalid
from fieldservice.intake import report
from fieldservice.intake.report import GIVEN, UnclearPlace, read, read_place
from tests import factories as make

GOOD = {
    "name": "李强", "phone": "139 1234 5678", "description": "主轴异响", "severity": "degraded",
    "address": "江苏省无锡市新吴区长江路18号",
}  # fmt: skip


def errors(**changes: Any) -> dict[str, str]:
    with pytest.raises(Invalid) as refused:
        read({**GOOD, **changes})
    return {name: " ".join(map(str, texts)) for name, texts in refused.value.errors.items()}


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"phone": "1391234567"}, "phone", "少一位"),  # N-17
        ({"phone": "139123456789"}, "phone", "多一位"),
        ({"phone": "85880000"}, "phone", "区号"),
        ({"phone": "hello"}, "phone", "数字"),
        ({"phone": ""}, "phone", "电话"),
        ({"phone": "9" * 5000}, "phone", ""),
        ({"name": " "}, "name", "姓名"),
        ({"name": "长" * 81}, "name", "80"),
        ({"description": ""}, "description", "发生了什么"),
        ({"description": "x"}, "description", "多说一点"),
        ({"description": "长" * 4001}, "description", "4000"),
        ({"severity": "awful"}, "severity", "影响"),
        ({"severity": ""}, "severity", "影响"),
        ({"email": "not an address"}, "email", ""),
        ({"serial": "9" * 41}, "serial", "40"),
        ({"address": ""}, "address", "在哪里"),
        ({"address": "长" * 201}, "address", "200"),
        ({"division_code": "999999"}, "division_code", ""),
        ({"latitude": "91", "longitude": "10"}, "latitude", "定位"),
        ({"latitude": "NaN", "longitude": "10"}, "latitude", "定位"),
        ({"latitude": "1e999", "longitude": "10"}, "latitude", "定位"),
        ({"latitude": "31.5"}, "latitude", "定位"),
        ({"latitude": [], "longitude": {}}, "latitude", "定位"),
        ({"name": 7}, "name", ""),
        ({"description": ["a"]}, "description", ""),
    ],
)
def test_what_is_wrong_is_said_kindly(sqlite_app: Flask, changes: dict[str, Any], field: str, words: str) -> None:
    found = errors(**changes)
    assert list(found) == [field]
    assert words in found[field]


def test_all_errors_are_told_at_once(sqlite_app: Flask) -> None:
    assert set(errors(name="", phone="1", description="", severity="", address="")) == {
        "name", "phone", "description", "severity", "address",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "phone", "email"),
    [
        ({}, "13912345678", ""),
        ({"phone": "+86 139-1234-5678"}, "13912345678", ""),
        ({"phone": "１３９１２３４５６７８"}, "13912345678", ""),
        ({"phone": "0510 8588 0000 转 12"}, "0510-85880000-12", ""),
        ({"phone": "+49 151 12345678"}, "+4915112345678", ""),
        ({"phone": "", "email": "li@example.com"}, "", "li@example.com"),
    ],
)
def test_what_can_be_meant_is_taken(sqlite_app: Flask, changes: dict[str, Any], phone: str, email: str) -> None:
    found = read({**GOOD, **changes})
    assert (found.contact_phone, found.contact_email) == (phone, email)


@pytest.mark.parametrize(
    "words", ["漏油", "🛠️坏了", "'; DROP TABLE service_request; --", "<script>alert(1)</script>", "长" * 4000]
)
def test_Q_08_any_words_of_the_customer_are_kept_as_they_are(sqlite_app: Flask, words: str) -> None:
    assert read({**GOOD, "description": words}).description == words


def test_names_and_serials_are_one_line(sqlite_app: Flask) -> None:
    found = read({**GOOD, "name": " 李\n 强 ", "serial": "A\t1"})
    assert (found.contact_name, found.serial) == ("李 强", "A 1")


# Places -----------------------------------------------------------------------------------------------


def unclear(**typed: Any) -> UnclearPlace:
    with pytest.raises(UnclearPlace) as asked:
        read_place(typed, needed=True)
    return asked.value


def test_a_clear_address_is_placed_with_its_precision(sqlite_app: Flask) -> None:
    place = read_place({"address": GOOD["address"]}, needed=True)
    assert (place.division_code, place.precision, place.point is not None) == ("320214", "county", True)


def test_rivals_are_asked_back_and_the_pick_holds(sqlite_app: Flask) -> None:
    asked = unclear(address="西湖区文三路90号")
    assert asked.rivals
    assert {label for _code, label in asked.choices} == {"浙江省杭州市西湖区", "江西省南昌市西湖区"}
    assert read_place({"address": "西湖区文三路90号", "division_code": "330106"}, needed=True).division_code == "330106"


@pytest.mark.parametrize(
    ("typed", "under", "count"),
    [
        ({"address": "厂区后门"}, None, 34),
        ({"address": "厂区后门", "division_code": "320000"}, "320000", 13),
        ({"address": "厂区后门", "division_code": "320200"}, "320200", 7),
        ({"address": "无锡市某厂"}, "320200", 7),
        ({"division_code": "320000", "division_asked": GIVEN}, "320000", 13),
    ],
)
def test_the_picker_goes_one_step_further(
    sqlite_app: Flask, typed: dict[str, str], under: str | None, count: int
) -> None:
    asked = unclear(**typed)
    assert (asked.under, asked.rivals, len(asked.choices)) == (under, False, count)
    assert len(asked.facts["rivals"]) == count


@pytest.mark.parametrize(
    ("typed", "code", "precision"),
    [
        ({"division_code": "320200", "division_asked": "320200"}, "320200", "prefecture"),  # "I do not know"
        ({"division_code": "320000", "division_asked": "320000"}, "320000", "province"),
        ({"division_code": "320200", "division_asked": GIVEN}, "320200", "prefecture"),  # a program's code is meant
        ({"address": "无锡市某厂", "division_asked": GIVEN}, "320200", "prefecture"),
        ({"division_code": "441900"}, "441900", "prefecture"),  # Dongguan has no districts
    ],
)
def test_less_than_a_county_is_taken_when_no_more_is_known(
    sqlite_app: Flask, typed: dict[str, str], code: str, precision: str
) -> None:
    place = read_place(typed, needed=True)
    assert (place.division_code, place.precision) == (code, precision)


def test_an_address_that_names_another_place_than_the_pick_is_doubted(sqlite_app: Flask) -> None:
    place = read_place({"address": GOOD["address"], "division_code": "330106"}, needed=True)
    assert (place.division_code, place.doubt) == ("330106", "320214")


def test_a_position_is_exact_and_the_address_names_its_division(sqlite_app: Flask) -> None:
    alone = read_place({"latitude": "31.49", "longitude": "120.37"}, needed=True)
    assert (alone.precision, alone.division_code) == ("point", "320214")
    both = read_place({"latitude": "31.56", "longitude": "120.36", "address": "江苏省无锡市惠山区"}, needed=True)
    assert (both.precision, both.division_code) == ("point", "320206")
    assert both.point is not None
    assert both.point.latitude == 31.56


def test_a_position_out_of_any_county_is_taken(sqlite_app: Flask) -> None:
    place = read_place({"latitude": 48.14, "longitude": 11.58}, needed=True)
    assert (place.division_code, place.precision) == (None, "point")


def test_a_position_far_from_its_address_is_asked(sqlite_app: Flask) -> None:
    with pytest.raises(Invalid) as refused:
        read_place({"latitude": "39.9", "longitude": "116.4", "address": GOOD["address"]}, needed=True)
    assert "公里" in str(refused.value.errors["address"][0])


def test_a_known_machine_needs_no_address(sqlite_app: Flask) -> None:
    machine = write(lambda: make.asset(make.site(make.customer()), serial="MC3-18-1"))
    typed = {name: value for name, value in GOOD.items() if name != "address"}
    assert read({**typed, "serial": "mc3181"}).asset_id == machine.id
    assert read(typed, machine).asset_id == machine.id
    assert "address" in errors(address="", serial="ZZ-1")


def test_an_unknown_serial_is_taken_as_it_was_typed(sqlite_app: Flask) -> None:
    found = read({**GOOD, "serial": "ZZ-1"})
    assert (found.asset_id, found.serial) == (None, "ZZ-1")


def test_the_place_is_asked_together_with_what_else_is_wrong(sqlite_app: Flask) -> None:
    with pytest.raises(UnclearPlace) as asked:
        report.read({**GOOD, "address": "西湖区文三路90号", "phone": "1"})
    assert set(asked.value.errors) == {"phone", "division_code"}
