"""Forms: definitions are checked when they are loaded, answers when they are given."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldservice.foundation.errors import Invalid
from fieldservice.mechanisms.forms import (
    MOST_DECIMALS,
    MOST_NUMBER,
    Answer,
    Field,
    Form,
    check_answer,
    check_answers,
    missing_required,
    plain_text,
)

TEXTS = {"zh": "油温", "en": "Oil temperature"}
ROWS: list[dict[str, Any]] = [
    {"code": "lockout", "type": "check", "label": {"zh": "停机上锁", "en": "Lock out"}, "required": True},
    {
        "code": "oil_temperature", "type": "number", "label": TEXTS, "required": True,
        "unit": "°C", "low": 20, "high": 80.5, "nominal": 55,
    },
    {
        "code": "leak_point", "type": "choice", "label": TEXTS, "required": True,
        "options": [
            {"code": "output_seal", "zh": "输出轴油封", "en": "Output seal"},
            {"code": "other", "zh": "其他", "en": "Other"},
        ],
    },
    {"code": "remark", "type": "text", "label": TEXTS, "hint": {"zh": "可不填", "en": "Optional"}},
    {"code": "nameplate", "type": "photo", "label": TEXTS, "required": True},
    {"code": "sign_off", "type": "signature", "label": TEXTS},
    {"code": "serial", "type": "code", "label": TEXTS},
]  # fmt: skip
FORM = Form.load("gearbox_seal_change", 1, ROWS)
TEMPERATURE = FORM.field("oil_temperature")


def changed(of: str, **values: Any) -> dict[str, Any]:
    return {**next(row for row in ROWS if row["code"] == of), **values}


# Definitions ---------------------------------------------------------------------------------------


def test_a_checklist_is_read_as_it_is_written() -> None:
    assert [field.code for field in FORM.fields] == [row["code"] for row in ROWS]
    assert (TEMPERATURE.unit, TEMPERATURE.low, TEMPERATURE.high) == ("°C", 20, Decimal("80.5"))
    assert (TEMPERATURE.nominal, TEMPERATURE.required) == (55, True)
    assert [option.code for option in FORM.field("leak_point").options] == ["output_seal", "other"]
    assert FORM.field("leak_point").options[0].names == {"zh": "输出轴油封", "en": "Output seal"}
    assert FORM.field("remark").hint == {"zh": "可不填", "en": "Optional"}


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        (changed("lockout", code=None), "code"),
        (changed("lockout", code="Lock Out"), "code"),
        (changed("lockout", type="tick"), "type"),
        (changed("lockout", type=None), "type"),
        (changed("lockout", label={"zh": "停机"}), "zh and en"),
        (changed("lockout", label=None), "zh and en"),
        (changed("remark", hint={"en": "Optional"}), "zh and en"),
        (changed("lockout", low=3), "only a number"),
        (changed("oil_temperature", low=90), "low ≤ nominal ≤ high"),
        (changed("oil_temperature", nominal=99), "low ≤ nominal ≤ high"),
        (changed("oil_temperature", low="cold"), "no number"),
        (changed("oil_temperature", high=float("nan")), "no number"),
        (changed("leak_point", options=[]), "options"),
        (changed("leak_point", options=[ROWS[2]["options"][0]] * 2), "options"),
        (changed("leak_point", options=[{"code": "a", "zh": "甲"}]), "zh and en"),
        (changed("remark", options=ROWS[2]["options"]), "options"),
    ],
)
def test_a_definition_that_cannot_work_is_refused(row: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Form.load("broken", 1, [row])


def test_every_field_appears_once() -> None:
    with pytest.raises(ValueError, match="once"):
        Form.load("broken", 1, [ROWS[0], ROWS[0]])


def test_an_unknown_field_is_named() -> None:
    with pytest.raises(Invalid) as refused:
        FORM.field("colour")
    assert list(refused.value.errors) == ["colour"]


# Answers -------------------------------------------------------------------------------------------

GOOD: list[tuple[str, Any, Any]] = [
    ("lockout", True, True),
    ("lockout", "on", True),
    ("lockout", "TRUE", True),
    ("lockout", "0", False),
    ("lockout", False, False),
    ("oil_temperature", 55, Decimal(55)),
    ("oil_temperature", 55.2, Decimal("55.2")),
    ("oil_temperature", "55.20", Decimal("55.2")),
    ("oil_temperature", " +55 ", Decimal(55)),
    ("oil_temperature", "-12.5", Decimal("-12.5")),
    ("oil_temperature", "−12.5", Decimal("-12.5")),
    ("oil_temperature", "５５．２", Decimal("55.2")),  # a Chinese keyboard in full-width mode
    ("oil_temperature", "-0", Decimal(0)),
    ("oil_temperature", -0.0, Decimal(0)),
    ("oil_temperature", Decimal("1E+2"), Decimal(100)),
    ("leak_point", "output_seal", "output_seal"),
    ("remark", "  油封老化\r\n已更换 ", "油封老化\n已更换"),
    ("remark", "x" * 2000, "x" * 2000),
    ("nameplate", 17, [17]),
    ("nameplate", [17, "f3a9-11", 17], [17, "f3a9-11"]),
    ("sign_off", 18, 18),
    ("serial", "ＧＫ320-2021", "GK320-2021"),
    ("serial", " GK320/0012 ", "GK320/0012"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "value", "meant"), GOOD)
def test_answers_are_read_as_they_are_meant(code: str, value: Any, meant: Any) -> None:
    answer = check_answer(FORM.field(code), value)
    assert (answer.field, answer.value) == (code, meant)
    assert type(answer.value) is type(meant)
    assert answer.unit == FORM.field(code).unit
    assert str(answer.value) == str(meant)  # no −0, no 1E+2


BAD: list[tuple[str, Any]] = [
    ("lockout", "maybe"), ("lockout", 1), ("lockout", 2), ("lockout", []), ("lockout", {}), ("lockout", 1.0),
    ("oil_temperature", "warm"), ("oil_temperature", "55,2"), ("oil_temperature", "1e3"), ("oil_temperature", "1 000"),
    ("oil_temperature", float("nan")), ("oil_temperature", float("inf")), ("oil_temperature", Decimal("sNaN")),
    ("oil_temperature", "nan"), ("oil_temperature", "Infinity"), ("oil_temperature", True), ("oil_temperature", []),
    ("oil_temperature", {"value": 5}), ("oil_temperature", 10**9), ("oil_temperature", -(10**9)),
    ("oil_temperature", 10**5000), ("oil_temperature", "9" * 5000), ("oil_temperature", 1e300),
    ("oil_temperature", Decimal("1E+999999")), ("oil_temperature", Decimal("1E-999999")), ("oil_temperature", 5e-324),
    ("oil_temperature", 0.1 + 0.2), ("oil_temperature", "0.0000001"), ("oil_temperature", "\x0055"),
    ("oil_temperature", "٥٥x"), ("oil_temperature", "--5"), ("oil_temperature", "5."), ("oil_temperature", ".5"),
    ("leak_point", "output seal"), ("leak_point", 1), ("leak_point", ["output_seal"]), ("leak_point", "输出轴油封"),
    ("remark", 5), ("remark", ["text"]), ("remark", "x" * 2001), ("remark", "a\x00b"), ("remark", "a\x1bb"),
    ("remark", "\ud800"), ("remark", {"zh": "x"}),
    ("nameplate", list(range(1, 42))), ("nameplate", 0), ("nameplate", -1), ("nameplate", True), ("nameplate", 2**53),
    ("nameplate", "../../etc/passwd"), ("nameplate", [["a"]]), ("nameplate", 1.5), ("nameplate", "x" * 65),
    ("sign_off", [18]), ("sign_off", "data:image/png;base64,AAAA"), ("sign_off", "a\n"),
    ("serial", "序列号"), ("serial", "<b>"), ("serial", "x" * 81), ("serial", "a\nb"), ("serial", 5), ("serial", "-5"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "value"), BAD, ids=[f"{code}-{n}" for n, (code, _) in enumerate(BAD)])
def test_what_is_no_answer_is_refused_with_the_fields_code(code: str, value: Any) -> None:
    with pytest.raises(Invalid) as refused:
        check_answer(FORM.field(code), value)
    assert list(refused.value.errors) == [code]


@pytest.mark.parametrize("code", [row["code"] for row in ROWS])
@pytest.mark.parametrize("value", [None, "", "   "])
def test_nothing_takes_an_answer_back(code: str, value: Any) -> None:
    assert check_answer(FORM.field(code), value).value is None


@pytest.mark.parametrize(
    ("value", "out"),
    [(20, False), (19.999999, True), (80.5, False), ("80.500001", True), (55, False), (-5, True)],
)
def test_readings_out_of_tolerance_are_flagged_not_refused(value: Any, *, out: bool) -> None:
    assert check_answer(TEMPERATURE, value).out_of_tolerance is out


def test_a_tolerance_may_have_one_end_or_none() -> None:
    low_only = Field.load({"code": "x", "type": "number", "label": TEXTS, "unit": "µm", "low": 80})
    assert check_answer(low_only, 79).out_of_tolerance
    assert not check_answer(low_only, 1e8).out_of_tolerance
    free = Field.load({"code": "x", "type": "number", "label": TEXTS, "unit": "l"})
    assert not check_answer(free, -1e8).out_of_tolerance


def test_all_errors_are_told_together() -> None:
    with pytest.raises(Invalid) as refused:
        check_answers(FORM, {"oil_temperature": "warm", "leak_point": "x", "colour": "red", "remark": "fine"})
    assert sorted(refused.value.errors) == ["colour", "leak_point", "oil_temperature"]
    answers = check_answers(FORM, {"oil_temperature": 90, "remark": "fine"})
    assert {code: answer.value for code, answer in answers.items()} == {"oil_temperature": 90, "remark": "fine"}


def test_what_is_required_and_missing() -> None:
    assert missing_required(FORM, {}) == ["lockout", "oil_temperature", "leak_point", "nameplate"]
    answers = check_answers(
        FORM, {"lockout": False, "oil_temperature": 0, "leak_point": None, "nameplate": [], "remark": "x"}
    )
    assert missing_required(FORM, answers) == ["lockout", "leak_point", "nameplate"]
    answers = check_answers(FORM, {"lockout": True, "oil_temperature": 0, "leak_point": "other", "nameplate": "f1"})
    assert missing_required(FORM, answers) == []
    assert missing_required(FORM, {**answers, "lockout": None}) == ["lockout"]


@pytest.mark.parametrize(("code", "value", "meant"), GOOD)
def test_answers_survive_being_stored(code: str, value: Any, meant: Any) -> None:
    answer = check_answer(FORM.field(code), value)
    assert Answer.from_stored(json.loads(json.dumps(answer.stored()))) == answer


# Properties ----------------------------------------------------------------------------------------

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.decimals() | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(FORM.fields), ANYTHING)
def test_anything_at_all_is_an_answer_or_refused(field: Field, value: Any) -> None:
    errors: dict[str, Any] = {field.code: []}
    try:
        answer = check_answer(field, value)
    except Invalid as error:
        errors = error.errors
        answer = Answer(field.code, None)
    assert list(errors) == [field.code]
    stored = json.dumps(answer.stored(), allow_nan=False).encode()
    assert b"\\u0000" not in stored
    assert Answer.from_stored(json.loads(stored)) == answer


@given(st.decimals(-999_999_999, 999_999_999, places=MOST_DECIMALS))
def test_every_number_within_bounds_is_kept_exactly(number: Decimal) -> None:
    for way in (number, f"{number:f}", float(number)):
        answer = check_answer(TEMPERATURE, way)
        assert answer.value == number
        assert float(answer.value) == float(number)
        assert answer.out_of_tolerance is not (20 <= number <= Decimal("80.5"))
        assert abs(answer.value) < MOST_NUMBER


@given(st.text(max_size=300))
def test_plain_text_is_what_every_database_can_store(text: str) -> None:
    try:
        kept = plain_text(text, 200)
    except Invalid:
        return
    assert kept == kept.strip()
    assert len(kept) <= 200
    kept.encode("utf-8")
    assert "\x00" not in kept
