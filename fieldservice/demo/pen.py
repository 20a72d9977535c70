"""The hand that writes stories as rows: what every verb of `writing` needs, and what follows from visits."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from fieldservice.demo.album import Album
from fieldservice.demo.cast import Cast
from fieldservice.demo.clockwork import Clocks, Clockwork
from fieldservice.demo.numbering import Numbering
from fieldservice.demo.rows import Row, Rows
from fieldservice.demo.stock import Ledger
from fieldservice.demo.stories import Step, Story
from fieldservice.feedback.models import Survey
from fieldservice.mechanisms.files.models import StoredFile
from fieldservice.workorders.derivation import derive
from fieldservice.workorders.orders import way

SYSTEM = "system"
REQUEST = "service_request"


@dataclass
class Written:
    """A story's rows so far."""

    request: Row | None = None
    order: Row | None = None
    clocks: Clocks = field(default_factory=dict)
    visits: dict[int, Row] = field(default_factory=dict)
    bookings: dict[int, Row] = field(default_factory=dict)
    items: list[Row] = field(default_factory=list)
    findings: dict[str, Row] = field(default_factory=dict)  # by field, as long as they stand
    fitted: dict[int, Decimal] = field(default_factory=dict)
    survey: Row | None = None
    recovery: Row | None = None


@dataclass
class Pen:
    """Rows, ledger, clocks and numbers of the fast path, and the moves that services derive."""

    cast: Cast
    rows: Rows
    ledger: Ledger
    album: Album = field(default_factory=Album)
    numbers: Numbering = field(default_factory=Numbering)
    written: dict[str, Written] = field(default_factory=dict)
    asked: dict[str, list[datetime]] = field(default_factory=dict)  # telephone → when a survey was sent

    def __post_init__(self) -> None:
        self.clockwork = Clockwork(self.rows)

    def by(self, step: Step, story: Story) -> str:
        return self.cast.actor(step.by, story)

    def record(self, kind: str, row: Row, told: dict[str, Any], at: datetime, by: str) -> None:
        self.rows.record(kind, row.subject_type, row.id, row.station_id, told, at=at, by=by)

    def paste(
        self, scene: str, name: str, row: Row, subject_type: str, subject_id: int, at: datetime, by: str,
        variant: int = 0,
    ) -> int:  # fmt: skip
        """A picture that was re-encoded long ago."""
        key = hashlib.sha256(f"demo {name}".encode()).hexdigest()[:32]
        seen = self.album.paste(scene, key, variant)
        file = self.rows.add(
            StoredFile, subject_type=subject_type, subject_id=subject_id, station_id=row["station_id"], kind="photo",
            key=key, sha256=seen.sha256, content_type="image/jpeg", size=seen.size, width=seen.width,
            height=seen.height, name="IMG_2231.jpg", created_at=at, uploaded_by=by,
        )  # fmt: skip
        told = {"file": file.id, "kind": "photo", "size": seen.size}
        self.rows.record("file.received", subject_type, subject_id, row["station_id"], told, at=at, by=by)
        self.rows.move(file, "ready", at=at + timedelta(seconds=2), by=SYSTEM, file=file.id)
        return file.id

    def settle(self, written: Written, at: datetime, by: str) -> None:
        """As `orders.settle`."""
        order = order_of(written)
        visits = sorted(
            written.visits.values(), key=lambda visit: (visit["finished_at"] or visit["starts_at"], visit.id)
        )
        still = any(item["required"] and item["done_at"] is None for item in written.items)
        wanted = derive(order["state"], [visit["state"] for visit in visits], still)
        if wanted == order["state"]:
            return
        for to in way(order["state"], wanted):
            self.rows.move(order, to, at=at, by=SYSTEM)
        if wanted == "completed":
            order["completed_at"], order["restored_at"] = at, order["restored_at"] or at
            self.resolve(written, at, by)

    def restored(self, written: Written, at: datetime, by: str) -> None:
        request = written.request
        if request is None or request["state"] not in ("remote", "converted"):
            return
        request["restored_at"] = at
        self.clockwork.stop(written.clocks["restore"], at, by)
        arrival = {"arrival": written.clocks["arrival"]}
        self.clockwork.void(arrival, at, by, "restored_without_visit")
        self.rows.move(request, "restored", at=at, by=by)

    def resolve(self, written: Written, at: datetime, by: str) -> None:
        self.restored(written, at, by)
        request = written.request
        if request is None or request["state"] != "restored":
            return
        request["resolved_at"] = at
        self.rows.move(request, "resolved", at=at, by=by)
        written.survey = self.rows.add(
            Survey, request_id=request.id, station_id=request["station_id"], contact_phone=request["contact_phone"],
            language=request["language"], scheduled_at=at, scores={},
        )  # fmt: skip


def request_of(written: Written) -> Row:
    assert written.request is not None
    return written.request


def order_of(written: Written) -> Row:
    assert written.order is not None
    return written.order


def visit_of(written: Written, step: Step) -> Row:
    return written.visits[step.data["visit"]]
