"""What a label says, as the tablet's scanner reads it (static/src/tablet/codes.js): GS1 element strings, our own small
labels, plain numbers. Pure.

Element strings by the GS1 General Specifications: application identifiers 01/02 (GTIN), 10 (batch), 17 (expiry,
YYMMDD), 21 (serial), 240/241 (the maker's own number); group separator after fields of variable length.
"""

import re
from dataclasses import dataclass
from datetime import date, timedelta

SEPARATOR = "\x1d"
FIXED = {"00": 18, "01": 14, "02": 14, "11": 6, "12": 6, "13": 6, "15": 6, "16": 6, "17": 6, "20": 2}
VARIABLE = re.compile(r"10|21|22|30|37|24[0-3]|25[0-4]|400|9[0-9]")


@dataclass(frozen=True)
class Label:
    """What was read. `number` and `gtin` may name a part; empty where nothing is told."""

    text: str
    number: str = ""
    gtin: str = ""
    serial: str = ""
    batch: str = ""
    expires_on: date | None = None


def read(raw: str) -> Label:
    """A label as it was scanned or typed. Never fails: what is no code is plain text."""
    text = re.sub(r"^\][A-Za-z]\d", "", raw).strip()  # readers may put the kind of code first
    fields = _elements(text)
    if fields is not None:
        return Label(
            text, number=fields.get("240") or fields.get("241") or "", gtin=fields.get("01") or fields.get("02") or "",
            serial=fields.get("21", ""), batch=fields.get("10", ""), expires_on=_day(fields.get("17", "")),
        )  # fmt: skip
    if re.fullmatch(r"\d{8}|\d{12,14}", text):
        return Label(text, number=text, gtin=text.zfill(14))
    marked = re.match(r"(?i)(?:S/?N|SERIAL|序列号)[\s:：#.]+(\S.*)$", text)
    if marked:
        return Label(text, serial=marked[1])
    first, *more = [piece.strip() for piece in re.split(r"[;|\t\n]", text) if piece.strip()] or [""]
    if more:  # our own small labels: number;serial;batch
        return Label(text, number=first, serial=more[0], batch=more[1] if len(more) > 1 else "")
    return Label(text, number=text)


def _elements(text: str) -> dict[str, str] | None:
    """Fields by application identifier, as printed `(01)…(10)…` or as coded; None for anything else."""
    if re.match(r"\(\d{2,4}\)", text):
        return {name: value.strip() for name, value in re.findall(r"\((\d{2,4})\)([^(]+)", text)}
    rest = text.removeprefix(SEPARATOR)
    if not re.match(r"(?:01|02)\d{14}", rest) or not is_gtin(rest[2:16]):
        return None
    found: dict[str, str] = {}
    while rest:
        variable = VARIABLE.match(rest)
        name = rest[:2] if rest[:2] in FIXED else variable[0] if variable else ""
        if not name:
            return None
        cut = len(name) + FIXED[name] if name in FIXED else rest.find(SEPARATOR)
        end = cut if cut >= 0 else len(rest)
        found[name] = rest[len(name) : end]
        rest = rest[end:].removeprefix(SEPARATOR)
    return found


def is_gtin(digits: str) -> bool:
    """The last digit of a GTIN proves the others."""
    return sum(int(digit) * (1 if place % 2 else 3) for place, digit in enumerate(digits.zfill(14))) % 10 == 0


def _day(text: str) -> date | None:
    """YYMMDD; day 00 means the last of the month. Years as GS1 reckons them: 51–99 are of the last century."""
    if not re.fullmatch(r"\d{6}", text):
        return None
    year, month, day = int(text[:2]), int(text[2:4]), int(text[4:])
    year += 1900 if year > 50 else 2000
    try:
        return date(year, month, day) if day else date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
    except ValueError:
        return None
