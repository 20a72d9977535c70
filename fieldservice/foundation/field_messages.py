"""What marshmallow says about a field, in the reader's language. A sentence it may invent later stays English."""

import re
from typing import Any

from flask_babel import lazy_gettext as _l

NUMBER = r"(-?[0-9][0-9.e+-]*)"
# its sentence → ours; the groups fill the names in their order
SENTENCES: tuple[tuple[str, Any, tuple[str, ...]], ...] = (
    (r"Missing data for required field\.|Field may not be null\.", _l("This is needed."), ()),
    (r"Unknown field\.", _l("There is no such field."), ()),
    (r"Not a valid string\.|Not a valid utf-8 string\.", _l("Write text here."), ()),
    (r"Not a valid integer\.", _l("Write a whole number."), ()),
    (r"Not a valid number\.|Number too large\.|Special numeric values .*", _l("Write a number."), ()),
    (r"Not a valid boolean\.", _l("Write true or false."), ()),
    (r"Not a valid list\.", _l("Write a list."), ()),
    (r"Not a valid mapping type\.|Invalid type\.|Invalid input type\.", _l("Write an object with fields."), ()),
    (r"Not a valid date\.", _l("Give a date such as 2026-11-25."), ()),
    (r"Not a valid (?:aware )?datetime\.", _l("Give a time with offset, such as 2026-11-25T14:30:00+08:00."), ()),
    (rf"Longer than maximum length {NUMBER}\.", _l("Use at most %(most)s characters."), ("most",)),
    (rf"Shorter than minimum length {NUMBER}\.", _l("Use at least %(least)s characters."), ("least",)),
    (
        rf"Length must be between {NUMBER} and {NUMBER}\.",
        _l("Use %(least)s to %(most)s characters."), ("least", "most"),
    ),
    (
        rf"Must be greater than or equal to {NUMBER} and less than or equal to {NUMBER}\.",
        _l("Use a number from %(low)s to %(high)s."), ("low", "high"),
    ),
    (rf"Must be greater than or equal to {NUMBER}\.", _l("Use at least %(low)s."), ("low",)),
    (rf"Must be less than or equal to {NUMBER}\.", _l("Use at most %(high)s."), ("high",)),
    (r"Must be one of: (.*)\.", _l("Use one of: %(values)s."), ("values",)),
    (r"String does not match expected pattern\.", _l("This does not have the expected form."), ()),
)  # fmt: skip


def in_words(message: Any) -> Any:
    """The sentence in the reader's language; what is no sentence of marshmallow's is given back."""
    if not isinstance(message, str):
        return message
    for pattern, sentence, names in SENTENCES:
        found = re.fullmatch(pattern, message, re.DOTALL)
        if found:
            return str(sentence) % dict(zip(names, found.groups(), strict=True)) if names else sentence
    return message
