"""Finding fault patterns by words, in either language: on the tablet to fill failure codes (N-11), at triage as a hint.

Explainable: a text is cut into words – Latin words by their first letters, Chinese into pairs of characters and,
counting less, single ones, since it is written without spaces. Words for the same thing are made one first
(data/synonyms.yaml). A pattern scores for each word it shares with the text; the fewer patterns hold a word,
the more it counts, and search words count more than the symptom's sentence.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import log
from pathlib import Path
from typing import Protocol

import yaml

SYNONYMS = Path(__file__).parent / "data" / "synonyms.yaml"
LATIN = re.compile(r"[a-z0-9]+")
HAN = re.compile(r"[\u4e00-\u9fff]+")
STEM = 5  # letters that join the forms of a word
SINGLE = 0.3  # what one Chinese character counts beside a pair
SEARCH_WORD = 1.5  # what a search word counts beside the symptom
OWN_WORK = 1.25  # patterns of the order's own work type come first where others score alike
MOST_LETTERS = 4000
STOP_WORDS = frozenset(
    [
        "a", "an", "the", "it", "its", "this", "that", "is", "are", "was", "be", "will", "do", "does", "have", "has",
        "not", "no", "of", "to", "in", "on", "at", "by", "from", "for", "with", "and", "or", "when", "need", "keeps",
    ]
)  # fmt: skip


class Pattern(Protocol):
    """What search reads of a fault pattern."""

    @property
    def code(self) -> str: ...
    @property
    def symptom(self) -> Mapping[str, str]: ...
    @property
    def words(self) -> Mapping[str, list[str]]: ...
    @property
    def work_type(self) -> str: ...


@dataclass(frozen=True)
class Index:
    """Which pattern holds which word, with its weight, and how rare each word is."""

    holders: Mapping[str, Mapping[str, float]]  # word → pattern code → weight
    rarity: Mapping[str, float]
    work_types: Mapping[str, str]  # pattern code → work type


def build(patterns: Iterable[Pattern]) -> Index:
    """The index of these patterns."""
    holders: dict[str, dict[str, float]] = {}
    work_types: dict[str, str] = {}
    for one in patterns:
        work_types[one.code] = one.work_type
        weighted = [(text, 1.0) for text in one.symptom.values()]
        weighted += [(text, SEARCH_WORD) for texts in one.words.values() for text in texts]
        for text, weight in weighted:
            for word, share in cut(text).items():
                known = holders.setdefault(word, {})
                known[one.code] = max(known.get(one.code, 0), weight * share)
    total = len(work_types)
    return Index(holders, {word: log(1 + total / len(codes)) for word, codes in holders.items()}, work_types)


def rank(index: Index, text: str, work_type: str | None = None) -> list[tuple[str, float]]:
    """(pattern code, score), best first; alike ones by code, so that the same words always give the same list."""
    scores: Counter[str] = Counter()
    for word in cut(text):
        for code, weight in index.holders.get(word, {}).items():
            scores[code] += weight * index.rarity[word]  # type: ignore[assignment]  # Counter of floats
    for code in scores:
        if index.work_types[code] == work_type:
            scores[code] *= OWN_WORK  # type: ignore[assignment]  # Counter of floats
    return sorted(scores.items(), key=lambda found: (-found[1], found[0]))


def work_types_of(index: Index, ranked: Sequence[tuple[str, float]]) -> list[tuple[str, str]]:
    """(work type, its best pattern), best first: each work type gets what its patterns scored together."""
    votes: dict[str, float] = {}
    best: dict[str, str] = {}
    for code, score in ranked:
        kind = index.work_types[code]
        votes[kind] = votes.get(kind, 0) + score
        best.setdefault(kind, code)
    return [(kind, best[kind]) for kind in sorted(votes, key=lambda kind: -votes[kind])]


def cut(text: str) -> dict[str, float]:
    """The words of a text with what each counts (1, or less for a single Chinese character)."""
    plain = with_one_name(text.lower()[:MOST_LETTERS])
    words: dict[str, float] = {word[:STEM]: 1.0 for word in LATIN.findall(plain) if word not in STOP_WORDS}
    for run in HAN.findall(plain):
        words.update(dict.fromkeys((run[at : at + 2] for at in range(len(run) - 1)), 1.0))
        for letter in run:
            words.setdefault(letter, SINGLE)
    return words


def with_one_name(text: str) -> str:
    """The text with one word for each thing (data/synonyms.yaml)."""
    expression, names = _synonyms()
    return expression.sub(lambda found: names[found.group()], text)


@cache
def _synonyms() -> tuple[re.Pattern[str], dict[str, str]]:
    """One expression of every other name (longest first; Latin ones as whole words), and the name each stands for."""
    lines = yaml.safe_load(SYNONYMS.read_text(encoding="utf-8"))
    names = {other: first for group in lines.values() for first, *others in group for other in others}
    by_length = sorted(names, key=len, reverse=True)
    parts = [rf"\b{re.escape(name)}\b" if name.isascii() else re.escape(name) for name in by_length]
    return re.compile("|".join(parts)), names
