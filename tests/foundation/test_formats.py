"""What people type: forgiven, or explained in their language."""

import pytest
from flask import Flask
from flask_babel import force_locale
from hypothesis import given
from hypothesis import strategies as st

from fieldservice.foundation.formats import (
    FormatError,
    check_email,
    check_phone,
    check_plate,
    check_postcode,
    clean_credit_code,
    credit_code_warning,
    phone_text,
)

PHONES = [
    # typed, stored, shown
    ("13912340608", "13912340608", "139 1234 0608"),
    (" 139 1234-0608 ", "13912340608", "139 1234 0608"),
    ("+86 139-1234-0608", "13912340608", "139 1234 0608"),
    ("0086 13912340608", "13912340608", "139 1234 0608"),
    ("8613912340608", "13912340608", "139 1234 0608"),
    ("１３９１２３４０６０８", "13912340608", "139 1234 0608"),
    ("139\u200b12340608", "13912340608", "139 1234 0608"),
    ("\x0013912340608", "13912340608", "139 1234 0608"),
    ("1391234-0608", "13912340608", "139 1234 0608"),
    ("0510-85880000", "0510-85880000", "0510-8588 0000"),
    ("051085880000", "0510-85880000", "0510-8588 0000"),
    ("(0510) 8588 0000 转 12", "0510-85880000-12", "0510-8588 0000-12"),
    ("0510-85880000-12", "0510-85880000-12", "0510-8588 0000-12"),
    ("0510-85880000 ext. 12", "0510-85880000-12", "0510-8588 0000-12"),
    ("+86 510 8588 0000", "0510-85880000", "0510-8588 0000"),
    ("010-12345678-123456", "010-12345678-123456", "010-1234 5678-123456"),
    ("02588888888", "025-88888888", "025-8888 8888"),
    ("0512-1234567", "0512-1234567", "0512-123 4567"),
    ("400-800-1234", "4008001234", "400-800-1234"),
    ("8008101234", "8008101234", "800-810-1234"),
    ("+49 151 12345678", "+4915112345678", "+4915112345678"),
    ("0049 151 12345678", "+4915112345678", "+4915112345678"),
    ("+852 2345 6789", "+85223456789", "+85223456789"),
]

ONE_MISSING = ("One digit is missing: a mobile number has 11.", "手机号少一位，应为 11 位。")
BAD_SIGNS = (
    "A phone number has digits only. Leave out letters and other signs.",
    "电话号码只能有数字，请去掉字母和其他符号。",
)
LANDLINE = (
    "A landline has an area code and 7 or 8 digits, such as 0510-85880000.",
    "固定电话为区号加 7 或 8 位号码，例如 0510-85880000。",
)
NEITHER = (
    "A mobile number starts with 1 and has 11 digits; a landline starts with its area code.",
    "手机号以 1 开头，共 11 位；固定电话请以区号开头。",
)
PREFIX = ("No mobile number starts with 12. Check the first digits.", "没有以 12 开头的手机号，请核对前几位。")
WRONG_PHONES = [
    # typed, said in English, said in Chinese
    ("1391234567", *ONE_MISSING),
    ("+86 139 1234 567", *ONE_MISSING),
    ("139123456", "2 digits are missing: a mobile number has 11.", "手机号少 2 位，应为 11 位。"),
    ("139123406089", "One digit too many: a mobile number has 11.", "手机号多一位，应为 11 位。"),
    ("1391234060899", "2 digits too many: a mobile number has 11.", "手机号多 2 位，应为 11 位。"),
    ("12012345678", *PREFIX),
    ("", "Enter a phone number.", "请填写电话号码。"),
    ("  \u200b", "Enter a phone number.", "请填写电话号码。"),
    ("call 13912340608", *BAD_SIGNS),
    ("139123406O8", *BAD_SIGNS),
    ("١٣٩١٢٣٤٠٦٠٨", *BAD_SIGNS),
    ("1391234060٨", *BAD_SIGNS),
    ("85880000", "Add the area code, such as 0510-85880000.", "请加上区号，例如 0510-85880000。"),
    ("0510-858800", *LANDLINE),
    ("0", *LANDLINE),
    ("4008001", "A hotline has 10 digits, such as 400-800-1234.", "热线电话应为 10 位，例如 400-800-1234。"),
    ("+49 15", "A foreign number has a country code and 7 to 15 digits, such as +49 151 12345678.",
     "境外号码要有国家代码，共 7 至 15 位，例如 +49 151 12345678。"),
    ("9" * 5000, *NEITHER),
    ("86", *NEITHER),
]  # fmt: skip


@pytest.mark.parametrize(("typed", "stored", "shown"), PHONES)
def test_N_17_phone_numbers_are_forgiven_their_dress(typed: str, stored: str, shown: str) -> None:
    assert check_phone(typed) == stored
    assert check_phone(stored) == stored
    assert phone_text(stored) == shown
    assert check_phone(shown) == stored


@pytest.mark.parametrize(("typed", "english", "chinese"), WRONG_PHONES)
def test_N_17_a_wrong_phone_number_is_explained(sqlite_app: Flask, typed: str, english: str, chinese: str) -> None:
    with pytest.raises(FormatError) as caught:
        check_phone(typed)
    with force_locale("en"):
        assert str(caught.value.message) == english
    with force_locale("zh"):
        assert str(caught.value.message) == chinese


@given(st.text(max_size=40) | st.text("0123456789+-() 转x", max_size=24))
def test_any_text_is_a_number_or_explained(text: str) -> None:
    try:
        number = check_phone(text)
    except FormatError:
        return
    assert number.isascii()
    assert check_phone(number) == number
    assert check_phone(phone_text(number)) == number


def test_nothing_is_shown_for_no_number() -> None:
    assert phone_text(None) == ""
    assert phone_text("an old note") == "an old note"


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("li@demo.test", "li@demo.test"),
        (" Li.Q@Example.COM ", "Li.Q@example.com"),
        ("李@公司.中国", "李@公司.中国"),
        ("ａ@b.com", "a@b.com"),
    ],
)
def test_email_addresses_get_their_usual_form(typed: str, stored: str) -> None:
    assert check_email(typed) == stored


@pytest.mark.parametrize(
    "typed", ["a@b", "a b@c.com", "@c.com", "a@@c.com", "x" * 300 + "@c.com", "a@c.com\nBcc: d@e.com", "<a@c.com>"]
)
def test_what_is_no_email_address_is_explained(sqlite_app: Flask, typed: str) -> None:
    with pytest.raises(FormatError) as caught:
        check_email(typed)
    with force_locale("zh"):
        assert str(caught.value.message) == "邮箱地址不对，应像 name@company.com 这样。"


@pytest.mark.parametrize(
    ("typed", "stored"), [("214028", "214028"), (" 214 028 ", "214028"), ("２１４０２８", "214028")]
)
def test_N_17_postcodes(typed: str, stored: str) -> None:
    assert check_postcode(typed) == stored


@pytest.mark.parametrize("typed", ["", "21402", "2140281", "21402A", "٢١٤٠٢٨"])
def test_N_17_a_postcode_has_six_digits(typed: str) -> None:
    with pytest.raises(FormatError):
        check_postcode(typed)


@pytest.mark.parametrize(
    ("typed", "stored"),
    [("苏B12345", "苏B12345"), ("苏b·d12345", "苏BD12345"), ("粤Z1234港", "粤Z1234港"), ("京A1234学", "京A1234学")],
)
def test_N_17_plates_ordinary_and_new_energy(typed: str, stored: str) -> None:
    assert check_plate(typed) == stored


@pytest.mark.parametrize("typed", ["", "B12345", "苏B1234", "苏BD123456", "苏I12345", "苏BO1234", "某B12345"])
def test_N_17_wrong_plates(typed: str) -> None:
    with pytest.raises(FormatError):
        check_plate(typed)


CHECK_DIGIT = (
    "The check digit of this credit code does not fit. Please compare it with the licence.",
    "统一社会信用代码的校验位不符，请对照营业执照核对。",
)
SHAPE = (
    "A credit code has 18 digits and capitals, without I, O, S, V and Z. Please check it.",
    "统一社会信用代码为 18 位数字和大写字母，不含 I、O、S、V、Z，请核对。",
)


@pytest.mark.parametrize(
    ("code", "warning"),
    [
        ("91350100M000100Y43", None),
        (" 91350100m000 100y43", None),
        ("91350100M000100Y4Z", SHAPE),
        ("91350100M000100Y44", CHECK_DIGIT),
        ("91350100M000100Y34", CHECK_DIGIT),
        ("", SHAPE),
        ("91350100M000100Y4", SHAPE),
        ("9" * 3000, SHAPE),
    ],
)
def test_N_16_a_credit_code_is_warned_about_not_refused(
    sqlite_app: Flask, code: str, warning: tuple[str, str] | None
) -> None:
    found = credit_code_warning(code)
    for language, place in (("en", 0), ("zh", 1)):
        with force_locale(language):
            assert (found and str(found)) == (warning and warning[place])


def test_N_16_credit_codes_are_stored_plain() -> None:
    assert clean_credit_code(" 91350100m000-100y43 ") == "91350100M000100Y43"
