"""How good the hints of triage are, before and after learning: `python -m tests.measure_hints`.

Three measurements, all printed as precision (right ones among the hints given) and recall (right ones among all
asked). No text that is asked was learned.

1. `tests/workorders/data/labelled_reports.yaml`: 34 work types, each told by two people in both languages. The words
   of one are closed work, those of the other are asked, and the other way round.
2. The same sample for *same fault*: each pair of reports of one language; same line, same fault.
3. Real texts of mechanics (../shared/data/work_order_texts/entities_visible.jsonl): experts marked the object each
   is about; its class takes the place of the work type. Five folds; the old way gets the learned texts as patterns.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from time import perf_counter

import yaml

from config import ROOT
from fieldservice.foundation.data_files import read_yaml
from fieldservice.workorders import catalogue, fault_search, learned
from fieldservice.workorders.learned import Job

SAMPLE = ROOT / "tests" / "workorders" / "data" / "labelled_reports.yaml"
REAL = ROOT.parent / "shared" / "data" / "work_order_texts" / "entities_visible.jsonl"
PATTERNS = ROOT / "fieldservice" / "workorders" / "data" / "fault_patterns"
FEWEST = 10  # examples of a class in the real texts
Ranker = Callable[[str], list[str]]


@dataclass
class Score:
    """Counts of one way on one set of questions."""

    name: str
    asked: int = 0
    given: int = 0
    first: int = 0
    among_three: int = 0
    seconds: float = 0.0
    missed: list[tuple[str, str, str]] = field(default_factory=list)

    @property
    def precision(self) -> float:
        return self.first / self.given if self.given else 0.0

    @property
    def recall(self) -> float:
        return self.first / self.asked

    @property
    def recall_three(self) -> float:
        return self.among_three / self.asked

    def line(self) -> str:
        speed = f"{1000 * self.seconds / self.asked:.1f} ms"
        return (
            f"  {self.name:<26} precision {self.precision:6.1%}  recall {self.recall:6.1%}  "
            f"among three {self.recall_three:6.1%}  ({self.asked} asked, {speed} each)"
        )


@dataclass(frozen=True)
class Pattern:
    """A text in the place of a fault pattern."""

    code: str
    symptom: dict[str, str]
    words: dict[str, list[str]]
    work_type: str


def sample() -> list[dict[str, object]]:
    """The labelled lines."""
    found: list[dict[str, object]] = yaml.safe_load(SAMPLE.read_text(encoding="utf-8"))
    return found


def patterns() -> list[Pattern]:
    """The catalogue's own, read without a database."""
    return [
        Pattern(one["code"], one["symptom"], one["words"], one["work_type"])
        for path in sorted(PATTERNS.glob("*.yaml"))
        for one in read_yaml(path)
    ]


def texts_of(side: str, languages: Iterable[str] = ("zh", "en")) -> list[tuple[str, str]]:
    """(text, work type) of one person."""
    return [(str(line[language][side]), str(line["work_type"])) for line in sample() for language in languages]  # type: ignore[index]


def old_way(index: fault_search.Index) -> Ranker:
    """Fault patterns alone, as stage 1 had it."""
    return lambda text: [
        kind
        for kind, _code in fault_search.work_types_of(index, fault_search.rank(index, text)[: catalogue.CONSIDERED])
    ]


def learned_alone(model: learned.Model) -> Ranker:
    return lambda text: [one.work_type for one in learned.suggest(model, text)]


def new_way(index: fault_search.Index, model: learned.Model) -> Ranker:
    """Both together, as triage has it now."""

    def rank(text: str) -> list[str]:
        votes = catalogue._votes(index, fault_search.rank(index, text)[: catalogue.CONSIDERED])
        return catalogue.together(votes, {one.work_type: one.weight for one in learned.suggest(model, text)})

    return rank


def ask(score: Score, rank: Ranker, questions: Iterable[tuple[str, str]]) -> Score:
    """Put the questions to a way."""
    for text, right in questions:
        began = perf_counter()
        found = rank(text)
        score.seconds += perf_counter() - began
        score.asked += 1
        score.given += bool(found)
        score.first += found[:1] == [right]
        score.among_three += right in found[:3]
        if found[:1] != [right]:
            score.missed.append((text, right, found[0] if found else "-"))
    return score


def work_types(language: str) -> list[Score]:
    """Measurement 1 in a language."""
    index = fault_search.build(patterns())
    scores = [Score("old: patterns"), Score("learned alone"), Score("new: both together")]
    for known, asked in (("a", "b"), ("b", "a")):
        model = learned.learn([Job(text, kind) for text, kind in texts_of(known)])
        ways = (old_way(index), learned_alone(model), new_way(index, model))
        for score, way in zip(scores, ways, strict=True):
            ask(score, way, texts_of(asked, [language]))
    return scores


def same_fault(language: str) -> dict[str, tuple[float, float]]:
    """Measurement 2: (precision, recall) of 'all reports of the machine' and of 'tells the same'."""
    earlier, second = texts_of("a", [language]), texts_of("b", [language])
    model = learned.learn([Job(text, kind) for text, kind in texts_of("a")])
    right = said = 0
    for text, kind in second:
        for other, its in earlier:
            if learned.alike(model, text, other) >= learned.alike_from(text):
                said += 1
                right += kind == its
    every = len(earlier) * len(second)
    return {
        "old: every earlier one": (len(second) / every, 1.0),
        "new: tells the same": (right / max(1, said), right / len(second)),
    }


def real_texts() -> list[tuple[str, str]]:
    """(text, class of the first object) where experts marked one; classes with too few examples are left out."""
    rows = []
    for line in REAL.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        objects = [one["type"].split("/") for one in row["entities"] if one["type"].startswith("PhysicalObject/")]
        if objects:
            rows.append((row["text"].replace("<id>", "").strip(), "/".join(objects[0][1:3])))
    counts = Counter(kind for _text, kind in rows)
    return [(text, kind) for text, kind in rows if counts[kind] >= FEWEST]


def real() -> list[Score]:
    """Measurement 3."""
    rows = real_texts()
    scores = [Score("old: texts as patterns"), Score("learned alone"), Score("most frequent class")]
    for fold in range(5):
        known = [row for number, row in enumerate(rows) if number % 5 != fold]
        asked = [row for number, row in enumerate(rows) if number % 5 == fold]
        said = {text for text, _kind in known}
        asked = [row for row in asked if row[0] not in said]
        index = fault_search.build(Pattern(f"p{at}", {"en": text}, {}, kind) for at, (text, kind) in enumerate(known))
        model = learned.learn([Job(text, kind) for text, kind in known])
        most = Counter(kind for _text, kind in known).most_common(1)[0][0]
        ask(scores[0], old_way(index), asked)
        ask(scores[1], learned_alone(model), asked)
        ask(scores[2], lambda _text, most=most: [most], asked)  # type: ignore[misc]  # bound now
    return scores


def main() -> None:
    """Print all."""
    for language, name in (("zh", "Chinese"), ("en", "English")):
        print(f"Suggested work type, own sample, {name}")
        scores = work_types(language)
        for score in scores:
            print(score.line())
        for text, right, found in scores[-1].missed:
            print(f"      missed: {text} → {right}, said {found}")
        print(f"Same fault, own sample, {name}")
        for way, (precision, recall) in same_fault(language).items():
            print(f"  {way:<26} precision {precision:6.1%}  recall {recall:6.1%}")
    if not REAL.exists():
        print(f"NOT MEASURED: {REAL} is absent; put ../shared/data beside the checkout")
        return
    print("Class of the object, real texts of mechanics")
    for score in real():
        print(score.line())


if __name__ == "__main__":
    main()
