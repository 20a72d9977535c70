"""Addresses written in Latin letters: "No. 18 Changjiang Road, Xinwu District, Wuxi, Jiangsu".

Without tones and characters many names coincide (Suzhou is two cities), so the parts must support one another:
the division that explains most of the names wins, and equals stay rivals.
"""

import re
from collections import defaultdict
from functools import cache

from fieldservice.foundation.places.divisions import Division, chain, table, within
from fieldservice.foundation.places.reader import Found

KINDS = {
    "district": "区", "qu": "区", "area": "区", "county": "县", "xian": "县", "banner": "旗", "city": "市", "shi": "市",
    "province": "省", "sheng": "省", "prefecture": "州",
}  # fmt: skip
ROAD = {
    "road", "rd", "street", "st", "avenue", "ave", "lane", "boulevard", "blvd", "highway", "lu", "jie", "dadao", "dao",
    "xiang", "building", "tower", "plaza", "park", "town", "zhen", "village",
}  # fmt: skip
COMPASS = {"east", "west", "south", "north", "middle", "central", "dong", "xi", "nan", "bei", "zhong"}
# Words that tell no places apart; "new" and "autonomous" are also parts of official names.
IGNORED = {
    "china",
    "prc",
    "pr",
    "p",
    "r",
    "c",
    "no",
    "the",
    "of",
    "autonomous",
    "new",
    "region",
    "special",
    "administrative",
}
MOST_WORDS = 4  # "Ar Horqin Banner", "Hong Kong", "Inner Mongolia", "Darhan Muminggan United"
Mention = frozenset[str]


def read_latin(text: str) -> Found:
    """Read an address in English or pinyin."""
    mentions = [mention for part in re.split(r"[,;|/()\n]+", text.lower()) for mention in _mentions(part)]
    if not mentions:
        return Found(detail=text)
    names = [mention for mention, _sure in mentions]
    scores = {code: _support(code, names) for code in frozenset().union(*names)}
    top = max(scores.values())
    best = [code for code, score in scores.items() if score == top]
    best = sorted(code for code in best if not any(other != code and within(code, other) for other in best))
    sure = top > 1 or any(sure for _mention, sure in mentions)
    if not sure:
        best = [code for code in best if table()[code].level != "county"] or best
    agreed = len(best) == 1 and all(name & set(chain(best[0])) for name in names)
    if agreed and (sure or table()[best[0]].level != "county"):
        return Found(best[0], detail=text, strong=sure)
    return Found(rivals=tuple(best), detail=text)


def _support(code: str, names: list[Mention]) -> int:
    """How many steps of the way to a division the names say ("Enshi, Enshi, Hubei": the city in the prefecture)."""
    steps = list(chain(code))
    for name in names:
        said = next((step for step in steps if step in name), None)
        if said:
            steps.remove(said)
    return len(chain(code)) - len(steps)


def _mentions(part: str) -> list[tuple[Mention, bool]]:
    """Divisions named in one part of the address; sure when the word for their kind stands beside the name."""
    words = [word for word in re.findall(r"[a-z]+", re.sub(r"['’`]", "", part)) if word not in IGNORED]
    found: list[tuple[Mention, bool]] = []
    at = 0
    while at < len(words):
        taken, mention, sure = _mention_at(words, at)
        if mention:
            found.append((mention, sure))
        at += taken
    return found


def _mention_at(words: list[str], at: int) -> tuple[int, Mention, bool]:
    for count in range(min(MOST_WORDS, len(words) - at), 0, -1):
        codes = _index().get("".join(words[at : at + count]))
        if not codes:
            continue
        after = words[at + count : at + count + 3]
        while after and after[0] in COMPASS:
            after = after[1:]
        if after and after[0] in ROAD:
            return count, frozenset(), False
        kind = KINDS.get(after[0]) if after else None
        of_kind = frozenset(code for code in codes if kind and kind in table()[code].name[-1:])
        return count + bool(kind), of_kind or codes, bool(of_kind)
    return 1, frozenset(), False


@cache
def _index() -> dict[str, Mention]:
    found: dict[str, set[str]] = defaultdict(set)
    for division in table().values():
        found[_bare(division)].add(division.code)
    return {name: frozenset(codes) for name, codes in found.items()}


def _bare(division: Division) -> str:
    """xinwu for Xinwu District, innermongolia for Inner Mongolia."""
    words = [word for word in re.findall(r"[a-z]+", division.english.lower().replace("'", "")) if word not in IGNORED]
    return "".join(word for word in words if word not in KINDS) or "".join(words)
