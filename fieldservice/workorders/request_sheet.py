"""What the page of one request shows, and what may be done with it."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from fieldservice.accounts.models import User
from fieldservice.assets.brands import is_another_makers
from fieldservice.assets.queries import in_warranty
from fieldservice.contracts import promises
from fieldservice.foundation.access import Person
from fieldservice.foundation.db import session
from fieldservice.foundation.time import local, now
from fieldservice.foundation.words import pick, word
from fieldservice.intake import queries as intake
from fieldservice.intake.models import ServiceRequest, ThreadMessage
from fieldservice.mechanisms import clocks, files
from fieldservice.mechanisms.clocks import ClockView
from fieldservice.mechanisms.files.models import StoredFile
from fieldservice.workorders import catalogue, hint_learning, queries, triage
from fieldservice.workorders.catalogue import Hint, WorkType
from fieldservice.workorders.history import Line, history_of
from fieldservice.workorders.models import WorkOrder
from fieldservice.workorders.rescue.models import KIND as RESCUE
from fieldservice.workorders.rescue.queries import awaiting

MOST_MESSAGES = 200
# state of a request → what else may be done with it there, besides triage
ACTS = {
    "new": ("remote", "duplicate", "cancel"), "triaged": ("remote", "cancel"), "remote": ("fixed",), "reopened": (),
}  # fmt: skip


@dataclass(frozen=True)
class Said:
    """A line of the conversation with the name of whoever wrote it."""

    message: ThreadMessage
    name: str


@dataclass(frozen=True)
class RequestSheet:
    """All that the page shows of one request."""

    request: ServiceRequest
    promises: list[ClockView]
    similar: intake.Similar
    same_words: set[int]  # earlier reports of `similar` that tell the same fault, by id
    duplicate_of: ServiceRequest | None
    orders: Sequence[WorkOrder]
    thread: list[Said]
    files: list[StoredFile]
    history: list[Line]
    may_act: bool
    set_priority: str  # what the severity sets
    hints: list[Hint]  # work types that fit the words, with the fault they remind of
    words_say: str  # a worse severity that the words speak for, else empty
    groups: list[tuple[str, list[WorkType]]]  # every work type, by industry
    awaiting: set[int]  # orders of it that wait for the manager's approval, by id
    another_makers: str  # the machine's brand where it is no make of ours and not in our warranty: a rescue

    @property
    def may_triage(self) -> bool:
        return self.may_act and self.request.state in triage.TRIAGEABLE

    @property
    def acts(self) -> tuple[str, ...]:
        return ACTS.get(self.request.state, ()) if self.may_act else ()


def request_sheet(request: ServiceRequest, person: Person) -> RequestSheet:
    """Gather it; a fixed number of queries."""
    may_act = person.has(*queries.TRIAGERS) and person.covers(request.station_id, *queries.TRIAGERS)
    waiting = may_act and request.state in triage.TRIAGEABLE
    foreign = _another_makers(request) if waiting else ""
    hints = _hints(request, foreign) if waiting else []
    orders = queries.orders_of(request)
    similar = intake.similar(request)
    earlier = {one.id: one.description for one in (*similar.duplicates, *similar.same_fault)}
    return RequestSheet(
        request=request,
        promises=clocks.views(clocks.of(request), now()),
        similar=similar,
        same_words=hint_learning.same_fault(request.description, earlier) if earlier else set(),
        duplicate_of=session.get(ServiceRequest, request.duplicate_of_id) if request.duplicate_of_id else None,
        orders=orders,
        thread=_thread(request),
        files=files.files_of([request])[request.subject_type, request.id],
        history=history_of([request, *orders]),
        may_act=may_act,
        set_priority=promises.priority_for(request.severity),
        hints=hints,
        words_say=_worse(request) if waiting else "",
        groups=_groups(hints) if waiting else [],
        another_makers=foreign,
        awaiting=awaiting(orders),
    )


def _another_makers(request: ServiceRequest) -> str:
    """Another maker's brand; not of a machine that we have in our care, which its warranty on record says."""
    asset = request.asset
    if asset is None or in_warranty(asset, local(request.received_at).date()):
        return ""
    return asset.brand if is_another_makers(asset.brand) else ""


def _hints(request: ServiceRequest, foreign: str) -> list[Hint]:
    """By the words; a rescue comes first where the machine says so."""
    found = catalogue.hints(request.description)
    if not foreign:
        return found
    known = next((hint for hint in found if hint.work_type.kind == RESCUE), None)
    rescue = known or next((Hint(kind, None) for kind in catalogue.work_types() if kind.kind == RESCUE), None)
    return [rescue, *(hint for hint in found if hint is not known)] if rescue is not None else found


def _worse(request: ServiceRequest) -> str:
    said = catalogue.severity_said(request.description)
    worse = said is not None and promises.priority_for(said) < promises.priority_for(request.severity)
    return said if said is not None and worse else ""


def _groups(hints: Sequence[Hint]) -> list[tuple[str, list[WorkType]]]:
    """The other work types under the words of their industries, each list by name."""
    first = {hint.work_type.code for hint in hints}
    found: dict[str, list[WorkType]] = {}
    for kind in catalogue.work_types():
        if kind.code not in first:
            found.setdefault(kind.industry, []).append(kind)
    return [
        (word("industry", industry), sorted(kinds, key=lambda kind: pick(kind.names)))
        for industry, kinds in found.items()
    ]


def _thread(request: ServiceRequest) -> list[Said]:
    """What the customer and we wrote, oldest first."""
    newest = (
        select(ThreadMessage).where(ThreadMessage.request_id == request.id)
        .order_by(ThreadMessage.id.desc()).limit(MOST_MESSAGES)
    )  # fmt: skip
    messages = list(reversed(session.scalars(newest).all()))
    ids = {message.user_id for message in messages if message.user_id is not None}
    rows = session.execute(select(User.id, User.name).where(User.id.in_(ids))) if ids else ()
    names: dict[int, str] = {row.id: row.name for row in rows}
    return [Said(message, names.get(message.user_id or 0, "") or _customer(message, request)) for message in messages]


def _customer(message: ThreadMessage, request: ServiceRequest) -> str:
    return request.contact_name if message.author == "customer" else ""
