"""Reading the triage form: what somebody changed of what the work type brings."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from flask_babel import lazy_gettext as _l

from fieldservice.foundation.errors import Invalid
from fieldservice.workorders.opening import MOST_PARTS, MOST_SKILLS, NeededPart
from fieldservice.workorders.rescue.services import Told

PLANNED = "P4"
LONGEST = 40  # characters of a code or number in a field's name
LONGEST_WORDS = 200
MOST_HOURS = 100_000


@dataclass(frozen=True)
class Wishes:
    """None keeps what the work type brings."""

    skills: dict[str, int] | None = None
    parts: list[NeededPart] | None = None
    planned_for: date | None = None
    told: Told | None = None


def read(typed: Mapping[str, str]) -> Wishes:
    """Raises Invalid naming every field that cannot be used.

    `brand` and `their_hours` are asked of work on another maker's machine; other work takes no notice of them.
    Fields are named skill-<code>, part-<number> and needed-<number>; they count only for the work type they
    were shown for (`brings`), so that a late change of the type never carries the other's parts along.
    """
    errors: dict[str, list[Any]] = {}
    shown = typed.get("brings", "") == typed.get("work_type", "")
    skills = _skills(typed, errors) if shown and "brings" in typed else None
    parts = _parts(typed, errors) if shown and "brings" in typed else None
    day = _day(typed.get("planned_for", ""), errors) if typed.get("priority") == PLANNED else None
    told = Told(typed.get("brand", "")[:LONGEST_WORDS], hours(typed.get("their_hours", ""), errors))
    if errors:
        raise Invalid(errors)
    return Wishes(skills, parts, day, told)


def hours(text: str, errors: dict[str, list[Any]]) -> int | None:
    """Minutes of a number of hours such as 168 or 1.5; None for nothing typed."""
    if not text.strip():
        return None
    try:
        given = Decimal(text.strip().replace(",", ".")[:20])
        if not given.is_finite() or abs(given) > MOST_HOURS:
            raise InvalidOperation
    except InvalidOperation:
        errors["their_hours"] = [_l("Enter the hours until the maker comes, at most a year.")]
        return None
    return int((given * 60).to_integral_value())


def _skills(typed: Mapping[str, str], errors: dict[str, list[Any]]) -> dict[str, int]:
    given = [(name[6 : 6 + LONGEST], level) for name, level in typed.items() if name.startswith("skill-")]
    given.append((typed.get("more_skill", "")[:LONGEST], typed.get("more_level", "1")))
    found = {}
    for code, level in given[: MOST_SKILLS + 1]:
        if level not in ("", "0", "1", "2", "3"):
            errors["required_skills"] = [_l("Choose skills from the list, each with level 1, 2 or 3.")]
        elif code and level not in ("", "0"):
            found[code] = int(level)
    return found


def _parts(typed: Mapping[str, str], errors: dict[str, list[Any]]) -> list[NeededPart]:
    given = [(name[5 : 5 + LONGEST], amount) for name, amount in typed.items() if name.startswith("part-")]
    more = typed.get("more_part", "").strip().upper()[:LONGEST]
    if more:
        given.append((more, typed.get("more_quantity", "").strip() or "1"))
    found = []
    for number, amount in given[: MOST_PARTS + 1]:
        try:
            quantity = Decimal(amount.strip()[:20] or "0")
        except InvalidOperation:
            quantity = Decimal("NaN")
        if not quantity.is_finite() or quantity < 0:
            errors["parts"] = [_l("Enter how many are needed, 0 for none.")]
        elif quantity:
            found.append(NeededPart(number, quantity, f"needed-{number}" in typed))
    return found


def _day(text: str, errors: dict[str, list[Any]]) -> date | None:
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip()[:10])
    except ValueError:
        errors["planned_for"] = [_l("Choose a day.")]
        return None
