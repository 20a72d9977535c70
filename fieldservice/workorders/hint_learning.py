"""Learning hints from closed work: nightly, and by `hints train`. A hint never decides anything by itself."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from sqlalchemy import delete, select

from fieldservice.foundation.db import session
from fieldservice.intake.models import ServiceRequest
from fieldservice.workorders import learned
from fieldservice.workorders.learned import Job, Learned, Model
from fieldservice.workorders.models import HintModel, WorkOrder

MOST_READ = 20_000  # the newest closed jobs; what was long ago says little about the machines of today
MOST_KEPT = 6_000  # different texts in a model: 6 MB of memory, and 3 ms a report
KEPT_MODELS = 5
CLOSED = ("completed", "closed")


@dataclass(frozen=True)
class Trained:
    """What a training found. `id` is that of the model in use: none was made where nothing has changed."""

    id: int | None
    jobs: int
    texts: int
    work_types: int
    new: bool


@dataclass(frozen=True)
class Lesson:
    """What was learned, ready to be kept."""

    jobs: int
    texts: int
    work_types: int
    content: bytes


def learn_closed() -> Lesson:
    """Learn from closed work; a second or two. Reads only, so that nobody waits for it."""
    jobs = closed_jobs()
    kinds = len({job.work_type for job in jobs})
    return Lesson(sum(job.times for job in jobs), len(jobs), kinds, learned.pack(learned.learn(jobs)))


def keep(lesson: Lesson, at: datetime) -> Trained:
    """Keep what was learned as the newest version; nothing where nothing is new. Inside `write`."""
    if not lesson.jobs:
        return Trained(None, 0, 0, 0, False)
    facts = {"digest": learned.digest(lesson.content), "texts": lesson.texts, "work_types": lesson.work_types}
    newest = session.scalar(select(HintModel).order_by(HintModel.id.desc()).limit(1))
    if newest is not None and newest.facts == facts:
        return Trained(newest.id, lesson.jobs, lesson.texts, lesson.work_types, False)
    model = HintModel(trained_at=at, jobs=lesson.jobs, facts=facts, content=lesson.content)
    session.add(model)
    session.flush()
    older = select(HintModel.id).order_by(HintModel.id.desc()).offset(KEPT_MODELS)
    session.execute(delete(HintModel).where(HintModel.id.in_(session.scalars(older).all())))
    return Trained(model.id, lesson.jobs, lesson.texts, lesson.work_types, True)


def closed_jobs() -> list[Job]:
    """What customers said and what it turned out to be; the same words for the same work count together."""
    rows = session.execute(
        select(ServiceRequest.description, WorkOrder.work_type, WorkOrder.pattern)
        .join(WorkOrder, WorkOrder.request_id == ServiceRequest.id)
        .where(WorkOrder.state.in_(CLOSED))
        .order_by(WorkOrder.id.desc())
        .limit(MOST_READ)
    )
    told: Counter[tuple[str, str]] = Counter()
    patterns: dict[tuple[str, str], str | None] = {}
    for text, work_type, pattern in rows:
        key = (" ".join(text.split()), work_type)
        told[key] += 1
        patterns[key] = patterns.get(key) or pattern
    kept = list(told.items())[:MOST_KEPT]  # newest first
    return [Job(text, work_type, patterns[text, work_type], times) for (text, work_type), times in kept]


def suggested(text: str) -> list[Learned]:
    """What closed work says about a report; nothing before the first training."""
    model = current()
    return learned.suggest(model, text) if model is not None else []


def same_fault(text: str, others: dict[int, str]) -> set[int]:
    """Which of these reports (by id) tell the same fault in other words; nothing before the first training."""
    model = current()
    if model is None:
        return set()
    enough = learned.alike_from(text)
    return {key for key, other in others.items() if learned.alike(model, text, other) >= enough}


def current() -> Model | None:
    """The newest model; its content is read once in a process."""
    row = session.execute(select(HintModel.id, HintModel.facts).order_by(HintModel.id.desc()).limit(1)).one_or_none()
    return _model(str(row.facts["digest"]), int(row.id)) if row is not None else None


@lru_cache(maxsize=2)
def _model(_digest: str, model_id: int) -> Model:
    return learned.unpack(session.scalars(select(HintModel.content).where(HintModel.id == model_id)).one())
