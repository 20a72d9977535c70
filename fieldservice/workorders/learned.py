"""What closed work teaches about new reports: which work type fits, and whether two reports tell the same fault. Pure.

Explainable on purpose. A text becomes pieces of its words (Latin: stems and runs of three and four letters, so that
typing errors cost little; Chinese: characters, pairs and triples, since it is written without spaces), each weighed
by how rare it is among closed jobs (TF-IDF). A new text is compared with every closed job by the cosine of the
two; the nearest vote for their work types, and their number is the reason that people are shown.
"""

import hashlib
import io
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from fieldservice.workorders import fault_search

BUCKETS = 1 << 16  # pieces share a bucket once in a while; it costs nothing that was ever measured
NEAREST = 15  # closed jobs that vote
LEAST = 0.10  # below, nothing is said
ALIKE, ALIKE_CHINESE = 0.25, 0.12  # cosine from which two texts tell the same; Chinese ones share fewer pieces
SURE = 0.30  # cosine of the nearest from which its vote counts in full
SINGLE = 0.6  # what one Chinese character counts beside a pair
TRIPLE = 0.5  # what three Chinese characters count beside a pair; three that match match as pairs too
LETTERS = re.compile(r"[a-z]+|[0-9]+")


@dataclass(frozen=True)
class Job:
    """A closed job as the model learns it. `times`: how many said exactly this."""

    text: str
    work_type: str
    pattern: str | None = None
    times: int = 1


@dataclass(frozen=True)
class Learned:
    """A work type that closed jobs speak for. `weight` lies in 0…1; `jobs` is how many are alike."""

    work_type: str
    weight: float
    jobs: int
    pattern: str | None


@dataclass(frozen=True)
class Model:
    """Closed jobs as rows of a sparse matrix: row r has `buckets[starts[r]:starts[r+1]]` with their `weights`."""

    rarity: NDArray[np.float32]  # of each bucket
    starts: NDArray[np.int64]
    buckets: NDArray[np.int32]
    weights: NDArray[np.float32]
    kinds: NDArray[np.int32]  # of each row, index into work_types
    times: NDArray[np.int32]
    work_types: tuple[str, ...]
    patterns: tuple[str, ...]  # of each row, empty for none

    @property
    def jobs(self) -> int:
        return int(self.times.sum())


def learn(jobs: Sequence[Job]) -> Model:
    """A model of these jobs; of none, one that says nothing."""
    rows = [pieces(job.text) for job in jobs]
    held: Counter[int] = Counter(bucket for row, job in zip(rows, jobs, strict=True) for bucket in row for _ in (job,))
    total = len(rows)
    rarity = np.full(BUCKETS, log(1 + total) + 1, dtype=np.float32)
    for bucket, number in held.items():
        rarity[bucket] = log((1 + total) / (1 + number)) + 1
    work_types = tuple(sorted({job.work_type for job in jobs}))
    place = {code: number for number, code in enumerate(work_types)}
    weighed = [_weigh(row, rarity) for row in rows]
    lengths = [len(buckets) for buckets, _weights in weighed]
    return Model(
        rarity=rarity,
        starts=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        buckets=np.concatenate([np.empty(0, np.int32), *(buckets for buckets, _weights in weighed)]).astype(np.int32),
        weights=np.concatenate([np.empty(0, np.float32), *(ones for _buckets, ones in weighed)]).astype(np.float32),
        kinds=np.array([place[job.work_type] for job in jobs], dtype=np.int32),
        times=np.array([job.times for job in jobs], dtype=np.int32),
        work_types=work_types,
        patterns=tuple(job.pattern or "" for job in jobs),
    )


def suggest(model: Model, text: str) -> list[Learned]:
    """Work types that closed jobs speak for, best first; none when nothing is alike."""
    near = likeness(model, text)
    if not len(near) or near.max() < LEAST:
        return []
    best = np.argsort(-near, kind="stable")[:NEAREST]
    best = best[near[best] >= LEAST]
    enough = alike_from(text)
    votes: dict[int, float] = {}
    for row in best:
        votes[int(model.kinds[row])] = votes.get(int(model.kinds[row]), 0.0) + float(near[row]) ** 2
    whole = sum(votes.values())
    found = []
    for kind, vote in sorted(votes.items(), key=lambda one: -one[1]):
        like_it = (near >= enough) & (model.kinds == kind)
        first = next((int(row) for row in best if model.kinds[row] == kind and model.patterns[row]), None)
        sure = min(1.0, float(near[best[0]]) / SURE)
        pattern = model.patterns[first] if first is not None else None
        found.append(Learned(model.work_types[kind], sure * vote / whole, int(model.times[like_it].sum()), pattern))
    return found


def likeness(model: Model, text: str) -> NDArray[np.float32]:
    """The cosine of a text with every closed job, 0 to 1."""
    if not len(model.kinds):
        return np.empty(0, np.float32)
    asked = np.zeros(BUCKETS, np.float32)
    buckets, weights = _weigh(pieces(text), model.rarity)
    asked[buckets] = weights
    products = np.append(model.weights * asked[model.buckets], np.float32(0))
    sums = np.add.reduceat(products, model.starts[:-1])
    sums[model.starts[:-1] == model.starts[1:]] = 0  # an empty row would take its neighbour's first piece
    return np.asarray(sums, dtype=np.float32)


def alike_from(text: str) -> float:
    """The likeness from which another report tells the same fault as this one, by the script it is written in."""
    return ALIKE_CHINESE if fault_search.HAN.search(text) else ALIKE


def alike(model: Model, first: str, second: str) -> float:
    """How much two reports tell the same, 0 to 1, by what is rare among closed jobs."""
    left = dict(zip(*_plain(_weigh(pieces(first), model.rarity)), strict=True))
    right = dict(zip(*_plain(_weigh(pieces(second), model.rarity)), strict=True))
    return float(sum(weight * right.get(bucket, 0.0) for bucket, weight in left.items()))


def _plain(weighed: tuple[NDArray[np.int32], NDArray[np.float32]]) -> tuple[list[int], list[float]]:
    return weighed[0].tolist(), weighed[1].tolist()


def pieces(text: str) -> dict[int, float]:
    """Bucket → how often a piece of the text falls into it."""
    plain = fault_search.with_one_name(text.lower()[: fault_search.MOST_LETTERS])
    found: Counter[int] = Counter()
    for word in LETTERS.findall(plain):
        if word in fault_search.STOP_WORDS:
            continue
        framed = f" {word} "
        _count(found, [f"w{word[: fault_search.STEM]}"], 1.0)
        _count(found, [framed[at : at + size] for size in (3, 4) for at in range(len(framed) - size + 1)], 0.4)
    for run in fault_search.HAN.findall(plain):
        _count(found, run, SINGLE)
        _count(found, [run[at : at + 2] for at in range(len(run) - 1)], 1.0)
        _count(found, [run[at : at + 3] for at in range(len(run) - 2)], TRIPLE)
    return dict(found)


def _count(found: Counter[int], said: Iterable[str], weight: float) -> None:
    for piece in said:
        found[crc32(piece.encode()) % BUCKETS] += weight  # type: ignore[assignment]  # Counter of floats


def _weigh(row: dict[int, float], rarity: NDArray[np.float32]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Damped counts times rarity, of length one; buckets in order."""
    buckets = np.array(sorted(row), dtype=np.int32)
    counts = np.array([row[int(bucket)] for bucket in buckets], dtype=np.float32)
    weights = np.log1p(counts) * rarity[buckets]
    length = float(np.sqrt((weights**2).sum()))
    return buckets, (weights / length if length else weights).astype(np.float32)


def pack(model: Model) -> bytes:
    """As stored: compressed, and without anything that would be run when it is read."""
    kept = io.BytesIO()
    np.savez_compressed(
        kept, rarity=model.rarity, starts=model.starts, buckets=model.buckets, weights=model.weights,
        kinds=model.kinds, times=model.times, work_types=np.array(model.work_types, dtype=np.str_),
        patterns=np.array(model.patterns, dtype=np.str_),
    )  # fmt: skip
    return kept.getvalue()


def unpack(content: bytes) -> Model:
    """Raises ValueError for what is no model."""
    with np.load(io.BytesIO(content), allow_pickle=False) as kept:
        arrays: dict[str, Any] = {name: kept[name] for name in kept.files}
    kinds, patterns = (tuple(map(str, arrays.pop(name))) for name in ("work_types", "patterns"))
    return Model(work_types=kinds, patterns=patterns, **arrays)


def digest(content: bytes) -> str:
    """What tells one model from another."""
    return hashlib.sha256(content).hexdigest()[:16]
