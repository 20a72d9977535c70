"""Which division does a Chinese address name? Reads from the front, as addresses are written, and never guesses.

Province, prefecture and county are matched one after another from where the address begins; what follows – streets
that carry other places' names above all – is not searched again unless no division was found at the front. Every
place the words allow is kept, so an address that fits two places comes back with both.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from fieldservice.foundation.places.divisions import chain, table, within
from fieldservice.foundation.places.names import Called, index, is_municipality, longest

# A short name directly followed by this is a street, a town or a building: 南京路, 中山北一路, 余杭镇, 延安高架路.
NOT_A_PLACE = re.compile(
    r"[东南西北中前后新老上下内外]{0,2}[一二三四五六七八九十0-9]{0,2}(?:路|大?街|大道|道|巷|弄|胡同|高架|快速路|立交|隧道|大桥)"
    r"|[镇乡村庄屯桥站港里门寺山湖河江]|街道|广场|大厦|大楼|公寓|花园|小区|宾馆|饭店|酒店|大学|学院"
)
BETWEEN = re.compile(r"(?:[\s,，、;；:：.。·/\\|_\-—–()（）]|市辖区|(?:省|自治区)直辖县级行政区划)*")
PREAMBLE = re.compile(r"(?:地址|中国|中华人民共和国|[0-9]{6}(?![0-9])|[\s,，、;；:：.。·\-—()（）])*")

MOST_NAMES = 5  # province, city and county, and web forms that repeat the city; bounds the work on hostile input


@dataclass(frozen=True, slots=True)
class Reading:
    """A division the words from `start` to `end` name. `strong` unless it rests on one short name."""

    code: str
    start: int
    end: int
    strong: bool


@dataclass(frozen=True, slots=True)
class Found:
    """What an address says: one division, or several it may mean, or neither. `detail` is the rest of it."""

    code: str | None = None
    rivals: tuple[str, ...] = ()
    detail: str = ""
    strong: bool = False


def read(text: str) -> Found:
    """Read a Chinese address (plain text, at most a few hundred characters)."""
    start = _after(PREAMBLE, text, 0)
    best = _best(_readings(text, start, strong_only=False))
    if not best:
        return _elsewhere(text, start)
    found = _settle(text, best)
    if found.code is None:
        return found
    others = _others(text, best[0].end, strong_only=best[0].strong)
    deeper = {code for code in others if code != found.code and within(code, found.code)}
    foreign = {code for code in others if not within(code, found.code) and not within(found.code, code)}
    if not best[0].strong and foreign:
        return Found(rivals=(found.code, *sorted(foreign)), detail=text)
    return Found(deeper.pop(), detail=found.detail, strong=True) if len(deeper) == 1 else found


def _elsewhere(text: str, start: int) -> Found:
    """No division at the front ("联创汽车，昆山市…"): believe full names further on, if they agree."""
    for position in range(start + 1, len(text)):
        best = _best(_readings(text, position, strong_only=True))
        if best:
            found = _settle(text, best)
            others = _others(text, best[0].end, strong_only=True) if found.code else set()
            foreign = {code for code in others if not within(code, str(found.code))}
            return Found(rivals=(str(found.code), *sorted(foreign)), detail=text) if foreign else found
    return Found(detail=text)


def _others(text: str, start: int, strong_only: bool) -> set[str]:
    """Divisions named after `start`: those of full names, and of short names too when asked."""
    codes: set[str] = set()
    position = start
    while position < len(text):
        best = _best(_readings(text, position, strong_only))
        codes.update(reading.code for reading in best if reading.strong or table()[reading.code].level != "county")
        position = max(position + 1, best[0].end if best else 0)
    return codes


def _readings(text: str, start: int, strong_only: bool) -> list[Reading]:
    readings = list(_walk(text, start, start, ()))
    if strong_only:
        readings = [reading for reading in readings if reading.strong and reading.end - reading.start > 2]
    return readings


def _walk(text: str, start: int, position: int, said: tuple[Called, ...]) -> Iterator[Reading]:
    """All chains of names from here, each step inside the one before ("上海市上海市浦东新区" says one twice)."""
    for called, end in _names_at(text, position):
        if said and not called.lies_in(said[-1].code):
            continue
        names = (*said, called)
        strong = any(one.full for one in names) or len({one.code for one in names}) > 1
        yield Reading(called.code, start, end, strong)
        if len(names) < MOST_NAMES:
            yield from _walk(text, start, _after(BETWEEN, text, end), names)


def _names_at(text: str, position: int) -> Iterator[tuple[Called, int]]:
    for length in range(min(longest(), len(text) - position), 1, -1):
        end = position + length
        for called in index().get(text[position:end], ()):
            if called.full and text[end - 1 : end + 1] == "市场":
                continue
            if called.full or not NOT_A_PLACE.match(text, end) or _goes_on_inside(called.code, text, end):
                yield called, end


def _goes_on_inside(code: str, text: str, end: int) -> bool:
    """Whether a division inside this one follows, so that "浙江江山市" is not taken for a river called 浙江江."""
    lengths = range(2, min(longest(), len(text) - end) + 1)
    return any(_inside(called.code, code) for length in lengths for called in index().get(text[end : end + length], ()))


def _best(readings: list[Reading]) -> list[Reading]:
    """Those that explain most of the text, without what one of them already contains."""
    if not readings:
        return []
    end = max(reading.end for reading in readings)
    farthest = sorted((reading for reading in readings if reading.end == end), key=lambda one: one.strong)
    by_code = {reading.code: reading for reading in farthest}
    outermost = [one for one in by_code.values() if not any(_inside(one.code, other) for other in by_code)]
    return _by_custom(outermost)


def _inside(code: str, other: str) -> bool:
    return code != other and within(code, other)


def _by_custom(readings: list[Reading]) -> list[Reading]:
    """Of places with the same bare short name the larger is meant – but a district of Beijing may be, too (朝阳)."""
    if any(reading.strong for reading in readings):
        return [reading for reading in readings if reading.strong]
    for level in ("province", "prefecture"):
        kept = [one for one in readings if table()[one.code].level == level]
        if kept and level == "prefecture":
            kept += [one for one in readings if is_municipality(table()[chain(one.code)[0]]) and one not in kept]
        if kept:
            return kept
    return readings


def _settle(text: str, best: list[Reading]) -> Found:
    """One place is an answer; several are rivals, and so is a county that only its bare short name suggests."""
    codes = tuple(sorted({reading.code for reading in best}))
    rest = text[_after(BETWEEN, text, best[0].end) :]
    only_suggested = not best[0].strong and table()[codes[0]].level == "county"
    if len(codes) > 1 or only_suggested:
        return Found(rivals=codes, detail=rest)
    return Found(codes[0], detail=rest, strong=best[0].strong)


def _after(pattern: re.Pattern[str], text: str, position: int) -> int:
    match = pattern.match(text, position)
    return match.end() if match else position
