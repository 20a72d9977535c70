"""Passwords that people would guess: refused, without asking anybody on the net.

Two checks. What the rules below find is weak whatever list it is on: words everybody uses with digits around them,
walks over the keyboard, repetitions, the person's own name. And a list of breached passwords, where the installation
names one: a file of SHA-1 sums in order, one a line, as Have I Been Pwned publishes it; it is searched on disk.
"""

import hashlib
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import IO, Any

from flask_babel import lazy_gettext as _l

SHORTEST = 12
LONGEST = 256
KEYBOARD = (
    "1234567890",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "qazwsxedcrfvtgbyhnujmikolp",
    "abcdefghijklmnopqrstuvwxyz",
)
COMMON_WORDS = Path(__file__).parent / "data" / "common_words.txt"
LEET = str.maketrans("013457@$!", "oieastasi")
MOST_OF_IT = 0.6  # a password is weak where so much of it is a walk over the keyboard
LONGEST_LINE = 200  # bytes
LETTERS = 4  # and where fewer letters than this are its own


@cache
def common_words() -> frozenset[str]:
    """Words everybody tries first."""
    return frozenset(line for line in COMMON_WORDS.read_text("utf-8").split("\n") if line and not line.startswith("#"))


def weakness(password: str, *, known: Iterable[str] = (), breached: Path | None = None) -> Any | None:
    """Why a password will not do, as a sentence; None when it will. `known` are the person's name and address."""
    if len(password) < SHORTEST:
        return _l("Use at least 12 characters.")
    if len(password) > LONGEST:
        return _l("Use at most %(most)s characters.", most=LONGEST)
    if _guessable(password, known):
        return _l("This password is easy to guess. Use several unrelated words.")
    if breached is not None and is_listed(password, breached):
        return _l("This password is on a list of stolen passwords. Choose another one.")
    return None


def _guessable(password: str, known: Iterable[str]) -> bool:
    plain = password.casefold()
    if len(set(plain)) < 5 or _repeats(plain) or _longest_walk(plain) >= MOST_OF_IT * len(plain):
        return True
    own = {piece for text in known for piece in re.split(r"[\W_\d]+", text.casefold()) if len(piece) >= 3}
    words = sorted(own | common_words(), key=len, reverse=True)
    return min(_letters_left(plain, words), _letters_left(plain.translate(LEET), words)) < LETTERS


def _letters_left(plain: str, words: Iterable[str]) -> int:
    """How many letters stand outside of words everybody tries."""
    for word in words:
        plain = plain.replace(word, " ")
    return len(re.sub(r"[\W_\d]+", "", plain))


def _repeats(plain: str) -> bool:
    """abcabcabcabc"""
    return any(plain == (plain[:size] * len(plain))[: len(plain)] for size in range(1, len(plain) // 2 + 1))


def _longest_walk(plain: str) -> int:
    """The longest piece typed along a row of keys, in either direction."""
    longest = 0
    for row in (*KEYBOARD, *(row[::-1] for row in KEYBOARD)):
        ring, start = row + row, 0
        while start < len(plain):
            size = 1
            while start + size <= len(plain) and plain[start : start + size] in ring:
                size += 1
            longest = max(longest, size - 1)
            start += max(1, size - 1)
    return longest


def is_listed(password: str, path: Path) -> bool:
    """Whether the SHA-1 of the password is in a sorted file of sums; some thirty reads whatever its size."""
    # the list is kept as SHA-1 by whoever publishes it; nothing is protected by it here
    wanted = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper().encode()
    with path.open("rb") as file:
        low, high = 0, path.stat().st_size  # the line begins in [low, high); both are beginnings of lines
        while low < high:
            start = _line_around((low + high) // 2, low, file)
            file.seek(start)
            line = file.readline(LONGEST_LINE)
            found = line[:40].upper()
            if found == wanted:
                return True
            low, high = (start + len(line), high) if found < wanted else (low, start)
    return False


def _line_around(place: int, low: int, file: IO[bytes]) -> int:
    """Where the line begins that holds the byte at `place`."""
    begin = max(low, place - LONGEST_LINE)
    file.seek(begin)
    before = file.read(place - begin)
    return begin + before.rfind(b"\n") + 1 if b"\n" in before else begin
