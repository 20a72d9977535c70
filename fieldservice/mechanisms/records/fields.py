"""Kinds of facts a record holds: how each is read from text, kept, written back and shown in words.

A value is JSON (text, number, truth, list, mapping or None), so that history can hold it as it is. `read` takes
the texts of the field's columns and raises FormatError with a sentence that says what to correct.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal, InvalidOperation
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from fieldservice.foundation import display, formats
from fieldservice.foundation.formats import FormatError
from fieldservice.foundation.places import Point, divisions, gcj_to_wgs
from fieldservice.foundation.words import all_words, language, pick, word

SEVERAL = re.compile(r"[;；\n]+")
Warn = Callable[[Any], object]
Words = Mapping[str, Mapping[str, str]]  # code → {zh, en}


@dataclass(frozen=True, kw_only=True)
class Field:
    """One line of text; the other kinds build on it."""

    name: str
    label: Any
    required: bool = False
    hint: Any = ""
    example: str = ""
    most: int = 200
    inside: str | None = None  # the JSON column that holds it; a column of its own otherwise
    default: Any = ""
    fixed: bool = False  # given once, when the record is made
    widget = "text"

    @property
    def columns(self) -> tuple[str, ...]:
        """Its columns in files and forms."""
        return (self.name,)

    def column_label(self, column: str) -> str:
        """What a column is called in the reader's language."""
        return str(self.label)

    def examples(self) -> dict[str, str]:
        return {self.columns[0]: self.example}

    def read(self, texts: Mapping[str, str], warn: Warn) -> Any:
        """The value of what was typed; raises FormatError. Empty text gives the default."""
        text = texts.get(self.name, "").strip()
        return self.read_text(text, warn) if text else self.default

    def read_text(self, text: str, warn: Warn) -> Any:
        if len(text) > self.most:
            raise FormatError(_l("Use at most %(most)s characters.", most=self.most))
        return text

    def texts(self, value: Any) -> dict[str, str]:
        """The value as it is typed, by column."""
        return {self.name: "" if value is None else str(value)}

    def show(self, value: Any) -> str:
        """The value in words, for lists and history."""
        return ", ".join(text for text in self.texts(value).values() if text)

    def is_empty(self, value: Any) -> bool:
        return value in (None, "", [], {})

    def get(self, row: Any) -> Any:
        """The value a row holds."""
        if self.inside is not None:
            return (getattr(row, self.inside) or {}).get(self.name, self.default)
        return getattr(row, self.name)

    def set(self, row: Any, value: Any) -> None:
        """Let a row hold the value. A JSON column gets a new mapping, so that the change is noticed."""
        if self.inside is not None:
            rest = {name: kept for name, kept in (getattr(row, self.inside) or {}).items() if name != self.name}
            setattr(row, self.inside, rest if self.is_empty(value) else {**rest, self.name: value})
        else:
            setattr(row, self.name, value)


@dataclass(frozen=True, kw_only=True)
class Long(Field):
    """Several lines."""

    most: int = 2000
    widget = "long"


@dataclass(frozen=True, kw_only=True)
class Bilingual(Field):
    """A text in both languages; one may be missing, then the other is shown."""

    default: Any = None
    example_en: str = ""
    widget = "bilingual"

    @property
    def columns(self) -> tuple[str, ...]:
        return (f"{self.name}_zh", f"{self.name}_en")

    def column_label(self, column: str) -> str:
        return f"{self.label} ({'中文' if column.endswith('_zh') else 'English'})"

    def examples(self) -> dict[str, str]:
        return {f"{self.name}_zh": self.example, f"{self.name}_en": self.example_en}

    def read(self, texts: Mapping[str, str], warn: Warn) -> Any:
        found = {spoken: texts.get(f"{self.name}_{spoken}", "").strip() for spoken in ("zh", "en")}
        if any(len(text) > self.most for text in found.values()):
            raise FormatError(_l("Use at most %(most)s characters.", most=self.most))
        return {spoken: text for spoken, text in found.items() if text}

    def texts(self, value: Any) -> dict[str, str]:
        return {f"{self.name}_{spoken}": (value or {}).get(spoken, "") for spoken in ("zh", "en")}

    def show(self, value: Any) -> str:
        return pick(value)

    def get(self, row: Any) -> Any:
        return {spoken: text for spoken, text in (super().get(row) or {}).items() if text}


@dataclass(frozen=True, kw_only=True)
class Choice(Field):
    """One of a list of codes; people may type the code or its word in either language."""

    words: str | Callable[[], Words]  # a namespace of words.yaml, or what gives code → {zh, en}
    only: Sequence[str] = ()
    widget = "choice"

    def options(self) -> list[tuple[str, str]]:
        """(code, word) in the reader's language."""
        return [(code, pick(texts)) for code, texts in self.entries().items()]

    def entries(self) -> Words:
        found = all_words()[self.words] if isinstance(self.words, str) else self.words()
        return {code: found[code] for code in self.only} if self.only else found

    def read_text(self, text: str, warn: Warn) -> Any:
        return self.code(text)

    def code(self, text: str) -> str:
        entries, wanted = self.entries(), text.strip().casefold()
        for code, texts in entries.items():
            if wanted in (code.casefold(), *(spoken.casefold() for spoken in texts.values() if spoken)):
                return code
        raise FormatError(
            _l("“%(text)s” is not known. Use one of: %(values)s.", text=text[:40], values=", ".join(list(entries)[:40]))
        )

    def show(self, value: Any) -> str:
        return pick(self.entries().get(value)) or str(value or "")


@dataclass(frozen=True, kw_only=True)
class Codes(Choice):
    """Some of a list of codes, split by semicolons."""

    widget = "codes"

    def read_text(self, text: str, warn: Warn) -> Any:
        chosen = {self.code(one) for one in SEVERAL.split(text) if one.strip()}
        return [code for code in self.entries() if code in chosen]

    def read(self, texts: Mapping[str, str], warn: Warn) -> Any:
        return super().read(texts, warn) if texts.get(self.name, "").strip() else []

    def texts(self, value: Any) -> dict[str, str]:
        return {self.name: "; ".join(value or ())}

    def show(self, value: Any) -> str:
        return str(_(", ")).join(Choice.show(self, code) for code in value or ())

    def get(self, row: Any) -> Any:
        """In the order of the list, whatever order they were kept in."""
        held = list(super().get(row) or ())
        known = [code for code in self.entries() if code in held]
        return known + [code for code in held if code not in known]


@dataclass(frozen=True, kw_only=True)
class Levels(Choice):
    """Codes with a whole number each, such as skills with their levels: 'gearbox 2; spindle 3'."""

    low: int = 1
    high: int = 3
    default: Any = None
    widget = "levels"

    def read_text(self, text: str, warn: Warn) -> Any:
        found: dict[str, int] = {}
        for entry in filter(str.strip, SEVERAL.split(text)):
            parts = re.split(r"[\s:=：]+", entry.strip())
            level = parts[-1] if len(parts) > 1 and parts[-1].isdecimal() else ""
            code = self.code(entry.strip()[: len(entry.strip()) - len(level)].rstrip(" :=：\t") if level else entry)
            if level and not self.low <= int(level[:9]) <= self.high:
                raise FormatError(_l("The level lies between %(low)s and %(high)s.", low=self.low, high=self.high))
            found[code] = int(level) if level else self.low
        return dict(sorted(found.items()))

    def read(self, texts: Mapping[str, str], warn: Warn) -> Any:
        return super().read(texts, warn) or {}

    def texts(self, value: Any) -> dict[str, str]:
        return {self.name: "; ".join(f"{code} {level}" for code, level in (value or {}).items())}

    def show(self, value: Any) -> str:
        return str(_(", ")).join(f"{Choice.show(self, code)} {level}" for code, level in (value or {}).items())


@dataclass(frozen=True, kw_only=True)
class Whole(Field):
    """A whole number within bounds."""

    low: int = 0
    high: int = 10**9
    unit: str = ""
    default: Any = None
    widget = "number"

    def read_text(self, text: str, warn: Warn) -> Any:
        plain = formats.trimmed(text).replace(",", "").replace(" ", "")
        plain = plain[:-2] if plain.endswith(".0") else plain
        if not re.fullmatch(r"[+-]?[0-9]{1,12}", plain):
            raise FormatError(_l("Write a whole number."))
        if not self.low <= int(plain) <= self.high:
            raise FormatError(_l("The number lies between %(low)s and %(high)s.", low=self.low, high=self.high))
        return int(plain)

    def show(self, value: Any) -> str:
        return "" if value is None else f"{value} {self.unit}".strip()


@dataclass(frozen=True, kw_only=True)
class Amount(Field):
    """Money: typed with at most two decimals, kept in minor units."""

    default: Any = None
    widget = "number"

    def read_text(self, text: str, warn: Warn) -> Any:
        try:
            amount = Decimal(re.sub(r"[¥￥,\s]", "", formats.trimmed(text)))
        except InvalidOperation:
            raise FormatError(_l("Write an amount such as 8600.00.")) from None
        if not amount.is_finite() or not 0 <= amount < 10**10 or amount != amount.quantize(Decimal("0.01")):
            raise FormatError(_l("Write an amount such as 8600.00."))
        return int(amount * 100)

    def texts(self, value: Any) -> dict[str, str]:
        return {self.name: "" if value is None else f"{Decimal(value) / 100:.2f}"}

    def show(self, value: Any) -> str:
        return display.money(value)


@dataclass(frozen=True, kw_only=True)
class Day(Field):
    """A date."""

    default: Any = None
    widget = "date"

    def read_text(self, text: str, warn: Warn) -> Any:
        return read_day(text).isoformat()

    def show(self, value: Any) -> str:
        return display.date_long(date.fromisoformat(value)) if value else ""

    def get(self, row: Any) -> Any:
        kept: date | None = getattr(row, self.name)
        return kept.isoformat() if kept else None

    def set(self, row: Any, value: Any) -> None:
        setattr(row, self.name, date.fromisoformat(value) if value else None)


def read_day(text: str) -> date:
    """2026-11-25, 2026/11/25, 2026.11.25 or 2026年11月25日. Raises FormatError."""
    plain = re.sub(r"[年月./]", "-", formats.trimmed(text)).rstrip("日").split("T")[0].split(" ")[0]
    match = re.fullmatch(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})", plain)
    try:
        if match is None:
            raise ValueError(plain)
        found = date(*(int(part) for part in match.groups()))
        if not 1900 <= found.year <= 2200:
            raise ValueError(plain)
    except ValueError:
        raise FormatError(_l("Write the date such as 2026-11-25.")) from None
    return found


def read_hour(text: str) -> time:
    """8:30 or 08:30. Raises FormatError."""
    match = re.fullmatch(r"([01]?[0-9]|2[0-3])[:：]([0-5][0-9])(:00)?", formats.trimmed(text))
    if match is None:
        raise FormatError(_l("Write the time such as 08:30."))
    return time(int(match[1]), int(match[2]))


@dataclass(frozen=True, kw_only=True)
class Flag(Field):
    """Yes or no."""

    default: Any = False
    widget = "flag"

    def read_text(self, text: str, warn: Warn) -> Any:
        plain = text.casefold()
        if plain in ("1", "yes", "y", "true", "是", "有", "对", "√", "x"):
            return True
        if plain in ("0", "no", "n", "false", "否", "无", "-"):
            return False
        raise FormatError(_l("Write yes or no."))

    def texts(self, value: Any) -> dict[str, str]:
        return {self.name: "yes" if value else "no"}

    def show(self, value: Any) -> str:
        return str(_("yes") if value else _("no"))

    def is_empty(self, value: Any) -> bool:
        return value is None


@dataclass(frozen=True, kw_only=True)
class Phone(Field):
    """A telephone number in its one stored form (N-17)."""

    widget = "phone"

    def read_text(self, text: str, warn: Warn) -> Any:
        return formats.check_phone(text)

    def show(self, value: Any) -> str:
        return formats.phone_text(value)


@dataclass(frozen=True, kw_only=True)
class Email(Field):
    """An e-mail address."""

    widget = "email"

    def read_text(self, text: str, warn: Warn) -> Any:
        return formats.check_email(text).lower()


@dataclass(frozen=True, kw_only=True)
class CreditCode(Field):
    """A unified social credit code: warned about, never refused for its check digit (N-16)."""

    default: Any = None

    def read_text(self, text: str, warn: Warn) -> Any:
        code = formats.clean_credit_code(text)
        if len(code) > formats.CREDIT_LENGTH:
            raise FormatError(formats.credit_code_warning(code))
        if said := formats.credit_code_warning(code):
            warn(said)
        return code


@dataclass(frozen=True, kw_only=True)
class Division(Field):
    """A county, prefecture or province: its six-digit code, or its name where that is clear."""

    default: Any = None
    widget = "division"

    def read_text(self, text: str, warn: Warn) -> Any:
        return read_division(text)

    def show(self, value: Any) -> str:
        return divisions.label(value, language()) if value and divisions.by_code(value) else str(value or "")


def read_division(text: str) -> str:
    """The code of a division that was named by code or by an unmistakable name. Raises FormatError."""
    plain = formats.trimmed(text).split(" ")[0] if text[:6].isdecimal() else formats.trimmed(text)
    known = divisions.by_code(plain)
    if known is not None:
        return known.code
    found = divisions.search(plain, limit=6)
    exact = [code for code in found if plain in (divisions.name(code, "zh"), divisions.label(code, "zh"))]
    chosen = exact if len(exact) == 1 else found
    if len(chosen) == 1:
        return chosen[0]
    if not found:
        raise FormatError(_l("No division is called “%(text)s”. Write its six-digit code.", text=plain[:40]))
    listed = "; ".join(f"{code} {divisions.label(code, language())}" for code in found)
    raise FormatError(_l("Several divisions fit: %(listed)s. Write the code of the right one.", listed=listed))


@dataclass(frozen=True, kw_only=True)
class DivisionList(Field):
    """Several divisions, split by semicolons."""

    widget = "divisions"

    def read(self, texts: Mapping[str, str], warn: Warn) -> Any:
        entries = [entry.strip() for entry in SEVERAL.split(texts.get(self.name, "")) if entry.strip()]
        if len(entries) > 500:
            raise FormatError(_l("Use at most %(most)s entries.", most=500))
        return sorted({read_division(entry) for entry in entries})

    def texts(self, value: Any) -> dict[str, str]:
        return {self.name: "; ".join(value or ())}

    def show(self, value: Any) -> str:
        shown = [divisions.name(code, language()) for code in (value or ())[:6]]
        return str(_(", ")).join([*shown, "…"] if len(value or ()) > 6 else shown)


DATUMS = {"WGS-84": {"zh": "WGS-84", "en": "WGS-84"}, "GCJ-02": {"zh": "GCJ-02", "en": "GCJ-02"}}


@dataclass(frozen=True, kw_only=True)
class Place(Field):
    """A position. Typed in either datum, kept in WGS-84 (N-18); `datum` says which one the numbers have."""

    default: Any = None
    widget = "place"

    @property
    def columns(self) -> tuple[str, ...]:
        return ("latitude", "longitude", "datum")

    def column_label(self, column: str) -> str:
        names = {"latitude": _("Latitude"), "longitude": _("Longitude"), "datum": _("Datum (WGS-84 or GCJ-02)")}
        return str(names[column])

    def examples(self) -> dict[str, str]:
        return {"latitude": "31.4906", "longitude": "120.3667", "datum": "WGS-84"}

    def read(self, texts: Mapping[str, str], warn: Warn) -> Any:
        latitude, longitude = texts.get("latitude", "").strip(), texts.get("longitude", "").strip()
        datum = (texts.get("datum", "").strip() or "WGS-84").upper()
        if not latitude and not longitude:
            return None
        if datum not in DATUMS:
            raise FormatError(_l("Write WGS-84, or GCJ-02 for numbers read off a Chinese map."))
        try:
            point = Point(float(latitude), float(longitude))
        except ValueError:
            raise FormatError(
                _l("Write both latitude and longitude in degrees, such as 31.4906 and 120.3667.")
            ) from None
        if datum == "GCJ-02":
            point = gcj_to_wgs(point)
        return [round(point.latitude, 6), round(point.longitude, 6)]

    def texts(self, value: Any) -> dict[str, str]:
        if not value:
            return {"latitude": "", "longitude": "", "datum": ""}
        return {"latitude": f"{value[0]:.6f}", "longitude": f"{value[1]:.6f}", "datum": "WGS-84"}

    def show(self, value: Any) -> str:
        return f"{value[0]:.4f}, {value[1]:.4f}" if value else ""

    def get(self, row: Any) -> Any:
        return None if row.latitude is None else [round(row.latitude, 6), round(row.longitude, 6)]

    def set(self, row: Any, value: Any) -> None:
        row.latitude, row.longitude = value or (None, None)


@dataclass(frozen=True, kw_only=True)
class Reference(Field):
    """Another record, named by its key. The value is that record's id; `plan` looks many of them up at once."""

    to: str  # the kind's code
    within: str | None = None  # a reference of this record that the named one must share (a site of the customer)
    attribute: str = ""  # the column that holds the id; `<name>_id` when empty
    default: Any = None
    widget = "reference"

    def read_text(self, text: str, warn: Warn) -> Any:
        return super().read_text(text, warn)

    def get(self, row: Any) -> Any:
        return getattr(row, self.attribute or f"{self.name}_id")

    def set(self, row: Any, value: Any) -> None:
        setattr(row, self.attribute or f"{self.name}_id", value)


def words_of(namespace: str, *codes: str) -> Callable[[], Words]:
    """Some codes of a namespace, in this order."""
    return lambda: {code: all_words()[namespace][code] for code in codes}


__all__ = [
    "Amount", "Bilingual", "Choice", "Codes", "CreditCode", "Day", "Division", "DivisionList", "Email", "Field",
    "Flag", "Levels", "Long", "Phone", "Place", "Reference", "Whole", "read_day", "read_division", "read_hour",
    "word", "words_of",
]  # fmt: skip
