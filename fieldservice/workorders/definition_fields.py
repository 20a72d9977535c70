"""Fields that only definitions have: parts with quantities, words by which a pattern is found, lines of a checklist."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from fieldservice.foundation.formats import FormatError
from fieldservice.mechanisms.forms import MOMENTS
from fieldservice.mechanisms.records.fields import SEVERAL, Field, Warn

TYPES = ("check", "number", "choice", "text", "photo", "code")
OPTIONS = re.compile(r"[,，]\s*(?=[a-z][a-z0-9_]*=)")  # a comma inside a text is followed by no code=
NUMBER = r"[+-]?[0-9]+(?:\.[0-9]+)?"
LIMITS = re.compile(  # °C 20..80 =55
    rf"(?P<unit>.*?)\s*(?:(?P<low>{NUMBER})?\.\.(?P<high>{NUMBER})?)?\s*(?:=\s*(?P<nominal>{NUMBER}))?"
)


@dataclass(frozen=True, kw_only=True)
class PartList(Field):
    """Parts with quantities: 'OS-TC-180 1; GR-2 0.5'."""

    default: Any = None
    inside: str | None = "content"
    most: int = 2000

    def read(self, texts: Mapping[str, str], warn: Warn) -> Any:
        found = []
        for entry in filter(str.strip, SEVERAL.split(texts.get(self.name, ""))):
            number, _space, amount = entry.strip().partition(" ")
            try:
                quantity = Decimal(amount.strip() or "1")
                if not 0 < quantity <= 10_000:
                    raise InvalidOperation
            except InvalidOperation:
                raise FormatError(_l("Write parts such as: OS-TC-180 1; GR-2 0.5")) from None
            found.append(
                {"number": number[:40], "quantity": int(quantity) if quantity == int(quantity) else float(quantity)}
            )
        return found

    def texts(self, value: Any) -> dict[str, str]:
        return {self.name: "; ".join(f"{entry['number']} {entry['quantity']}" for entry in value or ())}

    def get(self, row: Any) -> Any:
        return [dict(entry) for entry in super().get(row) or ()]


@dataclass(frozen=True, kw_only=True)
class WordList(Field):
    """Words in both languages by which a pattern is found, split by semicolons."""

    default: Any = None
    inside: str | None = "content"
    widget = "bilingual"
    most: int = 1000

    @property
    def columns(self) -> tuple[str, ...]:
        return (f"{self.name}_zh", f"{self.name}_en")

    def column_label(self, column: str) -> str:
        return f"{self.label} ({'中文' if column.endswith('_zh') else 'English'})"

    def examples(self) -> dict[str, str]:
        return {f"{self.name}_zh": "漏油; 滴油", f"{self.name}_en": "oil leak; drip"}

    def read(self, texts: Mapping[str, str], warn: Warn) -> Any:
        return {
            spoken: [one.strip()[:60] for one in SEVERAL.split(texts.get(f"{self.name}_{spoken}", "")) if one.strip()]
            for spoken in ("zh", "en")
        }

    def texts(self, value: Any) -> dict[str, str]:
        return {f"{self.name}_{spoken}": "; ".join((value or {}).get(spoken, ())) for spoken in ("zh", "en")}

    def get(self, row: Any) -> Any:
        held = super().get(row) or {}
        return {spoken: list(held.get(spoken, ())) for spoken in ("zh", "en")}


@dataclass(frozen=True, kw_only=True)
class Checklist(Field):
    """Lines of a checklist, one a line: code | type | 中文 | English | more.

    `type!` must be answered. `more` of a number: 'unit low..high =nominal'; of a choice: 'code=中文/English, …'; of a
    photo: 'before' or 'after'.
    A sixth piece, '中文/English', is a hint.
    """

    default: Any = None
    inside: str | None = "content"
    most: int = 20_000
    widget = "checklist"

    def read(self, texts: Mapping[str, str], warn: Warn) -> Any:
        text = texts.get(self.name, "")
        if len(text) > self.most:
            raise FormatError(_l("Use at most %(most)s characters.", most=self.most))
        return [read_line(line) for line in text.splitlines() if line.strip()]

    def texts(self, value: Any) -> dict[str, str]:
        return {self.name: "\n".join(" | ".join(pieces_of(row)) for row in value or ())}

    def show(self, value: Any) -> str:
        return str(ngettext("one line", "%(num)s lines", len(value or ())))

    def get(self, row: Any) -> Any:
        return [dict(line) for line in super().get(row) or ()]


def read_line(line: str) -> dict[str, Any]:
    """A line of a checklist from its pieces. Raises FormatError."""
    code, kind, zh, en, more, hint = [*(piece.strip() for piece in line.split("|", 5)), *[""] * 6][:6]
    required, kind = kind.endswith("!"), kind.rstrip("! ")
    if not code or kind not in TYPES or not zh or not en:
        raise FormatError(
            _l(
                "“%(line)s”: write code | type | 中文 | English; types: %(types)s.",
                line=line[:60],
                types=", ".join(TYPES),
            )
        )
    found: dict[str, Any] = {"code": code, "type": kind, "label": {"zh": zh, "en": en}, "required": required}
    if kind == "choice":
        found["options"] = [_option(piece, line) for piece in OPTIONS.split(more) if piece.strip()]
    elif kind == "number":
        match = LIMITS.fullmatch(more)
        if match is None:
            raise FormatError(_l("“%(line)s”: write a number's limits such as: °C 20..80 =55", line=line[:60]))
        found["unit"] = match["unit"] or ""
        for name in ("low", "high", "nominal"):
            if match[name]:
                found[name] = _number(match[name], line)
    elif kind == "photo" and more in MOMENTS:
        found["moment"] = more
    if hint:
        zh, en = _two(hint)
        found["hint"] = {"zh": zh, "en": en or zh}
    return found


def _option(piece: str, line: str) -> dict[str, str]:
    code, equals, texts = piece.strip().partition("=")
    zh, en = _two(texts)
    if not (equals and zh and en):
        raise FormatError(_l("“%(line)s”: write choices such as: seal=油封/Seal, bearing=轴承/Bearing", line=line[:60]))
    return {"code": code.strip(), "zh": zh, "en": en}


def _two(text: str) -> tuple[str, str]:
    """'油封/Seal', or 'I/O 模块 / I/O module' where a text has a stroke of its own."""
    zh, _stroke, en = text.partition(" / " if " / " in text else "/")
    return zh.strip(), en.strip()


def _pair(texts: Mapping[str, str]) -> str:
    stroke = " / " if "/" in texts["zh"] + texts["en"] else "/"
    return f"{texts['zh']}{stroke}{texts['en']}"


def _number(text: str, line: str) -> int | float:
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise FormatError(_l("“%(line)s”: write a number's limits such as: °C 20..80 =55", line=line[:60])) from None
    return int(value) if value == int(value) else float(value)


def pieces_of(row: Mapping[str, Any]) -> list[str]:
    """A line of a checklist as pieces."""
    more = row.get("moment") or ""
    if row["type"] == "choice":
        more = ", ".join(f"{one['code']}={_pair(one)}" for one in row.get("options", ()))
    elif row["type"] == "number":
        span = f"{row.get('low', '')}..{row.get('high', '')}" if "low" in row or "high" in row else ""
        nominal = f"={row['nominal']}" if "nominal" in row else ""
        more = " ".join(filter(None, (row.get("unit", ""), span, nominal)))
    hint = _pair(row["hint"]) if row.get("hint") else ""
    pieces = [
        row["code"],
        row["type"] + ("!" if row.get("required") else ""),
        row["label"]["zh"],
        row["label"]["en"],
        more,
        hint,
    ]
    while len(pieces) > 4 and not pieces[-1]:
        pieces.pop()
    return pieces
