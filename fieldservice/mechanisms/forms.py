"""Forms: typed fields answered on tablet or web. Pure: plain values in, plain values out.

A form is loaded from plain data (the checklist of a work type, a survey, an inspection). Readings
outside their tolerance are flagged, never refused: the world is as it is. What is no reading at all
is refused with the field's code.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, Self, cast, get_args

from flask_babel import lazy_gettext as _l

from fieldservice.foundation.errors import Invalid

FieldType = Literal["check", "number", "choice", "text", "photo", "signature", "code"]
MOMENTS = ("before", "after")  # the work: pictures that belong side by side
MOST_NUMBER = Decimal(10) ** 9  # below it, six decimals survive every JSON reader (15 digits)
MOST_DECIMALS = 6
MOST_TEXT, MOST_CODE, MOST_FILES = 2000, 80, 40
MOST_ID = 2**53  # the largest whole number every JSON reader keeps
YES, NO = ("on", "true", "1", "yes"), ("off", "false", "0", "no")
_NUMBER = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{1,30})?")
CODE_PATTERN = r"[0-9A-Za-z][0-9A-Za-z ._/#:+*-]*"  # as every language of regular expressions reads it
_CODE = re.compile(CODE_PATTERN)
_FILE = re.compile(r"[0-9A-Za-z_-]{1,64}")
_NAME = re.compile(r"[a-z0-9][a-z0-9_]{0,59}")

# Definitions ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Option:
    """One answer of a choice."""

    code: str
    names: Mapping[str, str]


@dataclass(frozen=True)
class Field:
    """One question. `low` and `high` bound the tolerance of a number, in `unit`; `most` counts characters or photos,
    `moment` says whether a photo is of before or after the work."""

    code: str
    type: FieldType
    label: Mapping[str, str]
    hint: Mapping[str, str] | None = None
    required: bool = False
    unit: str = ""
    low: Decimal | None = None
    high: Decimal | None = None
    nominal: Decimal | None = None
    options: tuple[Option, ...] = ()
    most: int = MOST_TEXT
    moment: str | None = None

    @classmethod
    def load(cls, row: Mapping[str, Any]) -> Self:
        """Read a field from plain data. Raises ValueError that names what is wrong."""
        code, kind = _name(row.get("code")), _type(row.get("type"))
        options = tuple(Option(_name(one.get("code")), _both(one, code)) for one in row.get("options", ()))
        low, high, nominal = (_bound(row, name) for name in ("low", "high", "nominal"))
        _check_definition(code, kind, options, low, high, nominal)
        moment = row.get("moment")
        if moment is not None and (kind != "photo" or moment not in MOMENTS):
            raise ValueError(f"field {code}: only a photo is of before or after the work")
        most = {"code": MOST_CODE, "photo": MOST_FILES}.get(kind, MOST_TEXT)
        return cls(
            code=code,
            type=kind,
            label=_both(row.get("label") or {}, code),
            hint=_both(row["hint"], code) if row.get("hint") else None,
            required=bool(row.get("required", False)),
            unit=str(row.get("unit", "")),
            low=low,
            high=high,
            nominal=nominal,
            options=options,
            most=min(int(row.get("most", most)), most),
            moment=moment,
        )


def _name(code: Any) -> str:
    if isinstance(code, str) and _NAME.fullmatch(code):
        return code
    raise ValueError(f"field code {code!r}: write a lower-case name")


def _type(given: Any) -> FieldType:
    for known in get_args(FieldType):
        if given == known:
            return cast(FieldType, known)
    raise ValueError(f"field type {given!r} is not one of {', '.join(get_args(FieldType))}")


def _both(names: Mapping[str, Any], code: str) -> dict[str, str]:
    if not (names.get("zh") and names.get("en")):
        raise ValueError(f"field {code}: texts need zh and en")
    return {"zh": str(names["zh"]), "en": str(names["en"])}


def _bound(row: Mapping[str, Any], name: str) -> Decimal | None:
    if row.get(name) is None:
        return None
    bound = _decimal(row[name])
    if bound is None or not bound.is_finite():
        raise ValueError(f"field {row.get('code')}: {name} {row[name]!r} is no number")
    return bound


def _check_definition(
    code: str,
    kind: str,
    options: tuple[Option, ...],
    low: Decimal | None,
    high: Decimal | None,
    nominal: Decimal | None,
) -> None:
    bounds = [bound for bound in (low, nominal, high) if bound is not None]
    if kind != "number" and bounds:
        raise ValueError(f"field {code}: only a number has low, high and nominal")
    if bounds != sorted(bounds):
        raise ValueError(f"field {code}: low ≤ nominal ≤ high does not hold")
    codes = [option.code for option in options]
    if (kind == "choice") != bool(codes) or len(codes) != len(set(codes)):
        raise ValueError(f"field {code}: a choice, and only a choice, has options, each once")


@dataclass(frozen=True)
class Form:
    """A version of a list of fields. Answers stay with the version they were given to."""

    code: str
    version: int
    fields: tuple[Field, ...]

    @classmethod
    def load(cls, code: str, version: int, rows: Iterable[Mapping[str, Any]]) -> Self:
        """Read a form from plain data. Raises ValueError that names what is wrong."""
        fields = tuple(map(Field.load, rows))
        codes = [field.code for field in fields]
        if len(codes) != len(set(codes)):
            raise ValueError(f"form {code}: every field code appears once")
        return cls(code, version, fields)

    def field(self, code: str) -> Field:
        """The field of that code. Raises Invalid when this form has none."""
        for field in self.fields:
            if field.code == code:
                return field
        raise Invalid({str(code)[:60]: [_l("This form has no such field. Load it again.")]}, code="unknown_field")


# Answers -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Answer:
    """What was answered; `value` None means that an answer was taken back."""

    field: str
    value: Any
    unit: str = ""
    out_of_tolerance: bool = False

    def stored(self) -> dict[str, Any]:
        """As JSON. Numbers are kept as text, exactly as they were given."""
        value = str(self.value) if isinstance(self.value, Decimal) else self.value
        kind = "number" if isinstance(self.value, Decimal) else "plain"
        return {"field": self.field, "kind": kind, "value": value, "unit": self.unit, "out": self.out_of_tolerance}

    @classmethod
    def from_stored(cls, row: Mapping[str, Any]) -> Self:
        """The answer that `stored` wrote."""
        value = Decimal(row["value"]) if row["kind"] == "number" else row["value"]
        return cls(row["field"], value, row["unit"], row["out"])


def check_answer(field: Field, value: Any) -> Answer:
    """Read a raw value as the field's answer. Raises Invalid with the field's code.

    None and the empty text take an answer back.
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return Answer(field.code, None, field.unit)
    if field.type == "number":
        number = _number(field, value)
        low, high = field.low, field.high
        out = (low is not None and number < low) or (high is not None and number > high)
        return Answer(field.code, number, field.unit, out)
    readers = {"check": _check, "choice": _choice, "text": _text, "code": _code, "photo": _photos, "signature": _file}
    return Answer(field.code, readers[field.type](field, value), field.unit)


def check_answers(form: Form, values: Mapping[str, Any]) -> dict[str, Answer]:
    """Read many raw values. Raises one Invalid with the errors of all fields."""
    answers: dict[str, Answer] = {}
    errors: dict[str, list[Any]] = {}
    for code, value in values.items():
        try:
            answers[code] = check_answer(form.field(code), value)
        except Invalid as error:
            errors.update(error.errors)
    if errors:
        raise Invalid(errors)
    return answers


def missing_required(form: Form, answers: Mapping[str, Answer | None]) -> list[str]:
    """Codes of required fields without an answer, in form order. A check that is not ticked is missing."""
    return [field.code for field in form.fields if field.required and not _given(answers.get(field.code))]


def _given(answer: Answer | None) -> bool:
    return answer is not None and answer.value is not None and answer.value is not False and answer.value != []


def plain_text(value: Any, most: int = MOST_TEXT, *, field: str = "text") -> str:
    """A person's text, stripped. Raises Invalid for another type, control characters, broken Unicode, excess length."""
    if not isinstance(value, str):
        raise Invalid({field: [_l("Write text here.")]})
    text = value.replace("\r\n", "\n").strip()
    if len(text) > most:
        raise Invalid({field: [_l("Use at most %(most)s characters.", most=most)]})
    # Cc control characters (PostgreSQL refuses NUL), Cs halves of characters that no database can store
    if any(unicodedata.category(sign) in ("Cc", "Cs") and sign not in "\n\t" for sign in text):
        raise Invalid({field: [_l("This text has unreadable characters. Type it again.")]})
    return text


def _number(field: Field, value: Any) -> Decimal:
    number = _decimal(value)
    if number is None or not number.is_finite():
        raise Invalid({field.code: [_l("Write a number, such as 12.5.")]})
    if abs(number) >= MOST_NUMBER:
        raise Invalid({field.code: [_l("This number is too large. Check the unit.")]})
    exact = number.quantize(Decimal(1).scaleb(-MOST_DECIMALS))
    if exact != number:
        raise Invalid({field.code: [_l("Use at most %(most)s decimals.", most=MOST_DECIMALS)]})
    return exact.normalize() + 0  # one way to write each number, and no −0


def _decimal(value: Any) -> Decimal | None:
    """The number meant by a JSON number or by typed text (full-width digits of Chinese keyboards included)."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return Decimal(value) if abs(value) < MOST_NUMBER else MOST_NUMBER  # never print a huge one
    if isinstance(value, float | Decimal):
        return Decimal(str(value))
    if isinstance(value, str) and len(value) <= MOST_CODE:
        typed = unicodedata.normalize("NFKC", value).strip().replace("−", "-")
        return Decimal(typed) if _NUMBER.fullmatch(typed) else None
    return None


def _check(field: Field, value: Any) -> bool:
    text = str(value).strip().lower() if isinstance(value, bool | str) else ""
    if text in YES or text in NO:
        return text in YES
    raise Invalid({field.code: [_l("Tick it or leave it.")]})


def _choice(field: Field, value: Any) -> str:
    for option in field.options:
        if option.code == value:
            return option.code
    raise Invalid({field.code: [_l("Choose one of the options.")]})


def _text(field: Field, value: Any) -> str:
    return plain_text(value, field.most, field=field.code)


def _code(field: Field, value: Any) -> str:
    text = unicodedata.normalize("NFKC", plain_text(value, field.most, field=field.code))
    if not _CODE.fullmatch(text):
        raise Invalid({field.code: [_l("Use letters, digits and . _ / # : + * - only.")]})
    return text


def _photos(field: Field, value: Any) -> list[int | str]:
    given = value if isinstance(value, list) else [value]
    if len(given) > field.most:
        raise Invalid({field.code: [_l("Use at most %(most)s photos.", most=field.most)]})
    files: list[int | str] = []
    for one in given:
        file = _file(field, one)
        if file not in files:
            files.append(file)
    return files


def _file(field: Field, value: Any) -> int | str:
    """The reference of an uploaded file: its id, or the name the tablet gave it."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value < MOST_ID:
        return value
    if isinstance(value, str) and _FILE.fullmatch(value):
        return value
    raise Invalid({field.code: [_l("Take the picture again.")]})
