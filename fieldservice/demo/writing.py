"""Tells stories as rows: the fast path of `telling`, verb by verb, for what is long past (decision 0007).

Kept beside the services on purpose: tests/demo/test_fast_path.py tells one story both ways and compares every
row. Left out are messages to customers, since nothing is sent for what is past.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from fieldservice.assets.queries import in_warranty
from fieldservice.demo.album import Album
from fieldservice.demo.cast import Cast
from fieldservice.demo.clockwork import Clocks, Clockwork, finish_task, open_task
from fieldservice.demo.numbering import Numbering
from fieldservice.demo.rows import Row, Rows
from fieldservice.demo.stock import Ledger
from fieldservice.demo.stories import Step, Story
from fieldservice.feedback import services as feedback
from fieldservice.feedback.models import Survey
from fieldservice.foundation.time import local
from fieldservice.foundation.words import pick
from fieldservice.intake.models import ServiceRequest, ThreadMessage
from fieldservice.mechanisms import forms
from fieldservice.mechanisms.files.models import StoredFile
from fieldservice.workorders import booking, catalogue
from fieldservice.workorders.derivation import derive
from fieldservice.workorders.models import Answer, Booking, PartUse, Visit, WorkItem, WorkOrder
from fieldservice.workorders.orders import way

SYSTEM = "system"
REQUEST = "service_request"
STAMPS = {  # what a move of a visit notes beside its state
    "dispatched": "dispatched_at",
    "accepted": "accepted_at",
    "en_route": "en_route_at",
    "on_site": "on_site_at",
}


@dataclass
class Written:
    """A story's rows so far."""

    request: Row | None = None
    order: Row | None = None
    clocks: Clocks = field(default_factory=dict)
    visits: dict[int, Row] = field(default_factory=dict)
    bookings: dict[int, Row] = field(default_factory=dict)
    items: list[Row] = field(default_factory=list)
    fitted: dict[int, Decimal] = field(default_factory=dict)
    survey: Row | None = None
    recovery: Row | None = None


@dataclass
class Writer:
    """Writes many stories together in the order of time, so that numbers and quotes follow each other."""

    cast: Cast
    rows: Rows
    ledger: Ledger
    album: Album = field(default_factory=Album)
    numbers: Numbering = field(default_factory=Numbering)
    written: dict[str, Written] = field(default_factory=dict)
    asked: dict[str, list[datetime]] = field(default_factory=dict)  # telephone → when a survey was sent

    def __post_init__(self) -> None:
        self.clockwork = Clockwork(self.rows)

    def write(self, stories: Sequence[Story], until: datetime) -> None:
        """Everything that happens up to `until`."""
        steps = [(step, story) for story in stories for step in story.until(until)]
        for step, story in sorted(steps, key=lambda one: one[0].at):
            self.clockwork.pass_time(step.at)
            getattr(self, step.verb)(self.written.setdefault(story.code, Written()), step, story)
        self.clockwork.pass_time(until)

    # Reports -----------------------------------------------------------------------------------------

    def report(self, written: Written, step: Step, story: Story) -> None:
        site, asset, contact = self.cast.site(story), self.cast.asset(story), story.contact
        request = written.request = self.rows.add(
            ServiceRequest, number=self.numbers.next("SR", step.at), station_id=self.cast.station(story).id,
            channel=story.channel, customer_id=asset.customer_id, site_id=site.id, asset_id=asset.id,
            contact_id=self.cast.contact(story).id,
            contact_name=contact.name, contact_phone=contact.phone, contact_email=contact.email, address=site.address,
            division_code=site.division_code, latitude=site.latitude, longitude=site.longitude,
            precision=site.precision, serial_given=story.machine.serial, description=story.description,
            severity=story.severity, priority=story.priority, language=story.language, received_at=step.at,
        )  # fmt: skip
        by = self._by(step, story)
        for scene in story.photos:
            self._photo(scene, f"{story.code}{scene}", request, REQUEST, request.id, step.at, by)
        written.clocks = self.clockwork.give(request, story)
        told = {
            "channel": story.channel, "severity": story.severity, "priority": story.priority, "asset": asset.id,
            "precision": site.precision,
        }  # fmt: skip
        self._record("service_request.received", request, told, step.at, by)

    def message(self, written: Written, step: Step, story: Story) -> None:
        request, user = _request(written), self.cast.user(step.by, story)
        message = self.rows.add(
            ThreadMessage, request_id=request.id, author="staff" if user else "customer",
            user_id=user.id if user else None, words=step.data["words"], at=step.at,
        )  # fmt: skip
        told = {"message": message.id, "author": message["author"]}
        self._record("service_request.message", request, told, step.at, self._by(step, story))
        if user:
            self.clockwork.stop(written.clocks["first_answer"], step.at, self._by(step, story))

    def triage(self, written: Written, step: Step, story: Story) -> None:
        request, by = _request(written), self._by(step, story)
        request["priority_reason"] = step.data["reason"]
        self.clockwork.requote(request, written.clocks, story.customer.tier)
        order = self._order(written, step, story)
        parts = story.pattern.parts if story.pattern else story.work_type.parts
        self._need_parts(written, order, parts, step.at)
        told = {"request": request["number"], "work_type": story.work_type.code, "priority": story.priority}
        self._record("work_order.created", order, told, step.at, by)
        self.rows.move(order, "ready", at=step.at, by=by)
        self.rows.move(request, "triaged", at=step.at, by=by)
        request["triaged_at"] = step.at
        self.clockwork.stop(written.clocks["first_answer"], step.at, by)
        self.rows.move(request, "converted", at=step.at, by=by, work_order=order["number"])

    def remote(self, written: Written, step: Step, story: Story) -> None:
        request, by = _request(written), self._by(step, story)
        self.rows.move(request, "triaged", at=step.at, by=by)
        request["triaged_at"] = step.at
        self.clockwork.stop(written.clocks["first_answer"], step.at, by)
        self.rows.move(request, "remote", at=step.at, by=by)

    def remote_done(self, written: Written, step: Step, story: Story) -> None:
        self._restored(written, step.at, self._by(step, story))
        self._resolve(written, step.at, self._by(step, story))

    def duplicate(self, written: Written, step: Step, story: Story) -> None:
        request, first = _request(written), _request(self.written[step.data["of"]])
        self.rows.move(request, "duplicate", at=step.at, by=self._by(step, story), of=first["number"])
        request["duplicate_of_id"] = first.id
        self.clockwork.void(written.clocks, step.at, self._by(step, story), "duplicate")

    def cancel(self, written: Written, step: Step, story: Story) -> None:
        request, by = _request(written), self._by(step, story)
        self.rows.move(request, "cancelled", at=step.at, by=by, reason=step.data["reason"])
        self.clockwork.void(written.clocks, step.at, by, "cancelled")

    # Planning ----------------------------------------------------------------------------------------

    def plan(self, written: Written, step: Step, story: Story) -> None:
        order = self._order(written, step, story)
        self._need_parts(written, order, story.work_type.parts, step.at)
        told = {"work_type": story.work_type.code, "priority": story.priority}
        self._record("work_order.created", order, told, step.at, self._by(step, story))
        self.rows.move(order, "ready", at=step.at, by=self._by(step, story))

    def _order(self, written: Written, step: Step, story: Story) -> Row:
        request, site, asset, kind = written.request, self.cast.site(story), self.cast.asset(story), story.work_type
        covered = in_warranty(asset, local(story.received_at).date())
        order = written.order = self.rows.add(
            WorkOrder, number=self.numbers.next("WO", step.at), station_id=self.cast.station(story).id,
            request_id=request.id if request else None, customer_id=asset.customer_id, site_id=site.id,
            asset_id=asset.id, title=f"{pick(asset.names, story.language)} · {pick(kind.names, story.language)}"[:120],
            work_type=kind.code, work_type_version=kind.version, kind=kind.kind, priority=story.priority,
            priority_reason=request["priority_reason"] if request else "", duration_min=kind.duration_min,
            skills=dict(kind.skills), certificates=list(kind.certificates), latitude=site.latitude,
            longitude=site.longitude, precision=site.precision, coverage="warranty" if covered else "billable",
            created_at=step.at,
        )  # fmt: skip
        return order

    def _need_parts(
        self, written: Written, order: Row, parts: Sequence[tuple[str, Decimal]], at: datetime
    ) -> None:  # fmt: skip
        for number, quantity in parts:
            part = self.cast.part(number)
            item = self.rows.add(
                WorkItem, work_order_id=order.id, kind="part", part_id=part.id, quantity=quantity,
                words=f"{number} {pick(part.names)}"[:300], opened_at=at,
            )  # fmt: skip
            written.items.append(item)

    def book(self, written: Written, step: Step, story: Story) -> None:
        order, data = _order(written), step.data
        technician = self.cast.technician(data["technician"])
        starts_at, ends_at = data["starts_at"], data["starts_at"] + timedelta(minutes=data["minutes"])
        arrival = written.clocks.get("arrival")
        due = arrival.row["due_at"] if arrival and arrival.row["stopped_at"] is None else None
        window = booking.window_of(starts_at, due)
        visit = written.visits[data["visit"]] = self.rows.add(
            Visit, work_order_id=order.id, station_id=order["station_id"], technician_id=technician.id,
            home_station_id=technician.station_id, starts_at=starts_at, ends_at=ends_at,
            window_starts_at=window.starts_at, window_ends_at=window.ends_at,
            travel_min=round(data["travel"].total_seconds() / 60),
        )  # fmt: skip
        written.bookings[data["visit"]] = self.rows.add(
            Booking, technician_id=technician.id, station_id=technician.station_id, visit_id=visit.id, cause="visit",
            starts_at=starts_at, ends_at=ends_at,
        )  # fmt: skip
        times = ("starts_at", "ends_at", "window_starts_at", "window_ends_at")
        told = {
            "work_order": order.id, "technician": technician.id, "home_station": technician.station_id,
            **{name: visit[name].isoformat() for name in times},
        }  # fmt: skip
        self._record("visit.scheduled", visit, told, step.at, self._by(step, story))
        self._settle(written, step.at, self._by(step, story))

    def confirm(self, written: Written, step: Step, story: Story) -> None:
        visit = _visit(written, step)
        visit["confirmed_at"] = step.at
        told = {"request": _request(written)["number"]}
        self._record("visit.confirmed", visit, told, step.at, self._by(step, story))

    def send(self, written: Written, step: Step, story: Story) -> None:
        visit = _visit(written, step)
        self._step(written, step, story, "dispatched", technician=visit["technician_id"])

    # Visits ------------------------------------------------------------------------------------------

    def accept(self, written: Written, step: Step, story: Story) -> None:
        self._step(written, step, story, "accepted")

    def set_off(self, written: Written, step: Step, story: Story) -> None:
        visit = _visit(written, step)
        visit["eta_at"] = step.at + timedelta(minutes=visit["travel_min"])
        self._step(written, step, story, "en_route")

    def arrive(self, written: Written, step: Step, story: Story) -> None:
        visit, by = _visit(written, step), self._by(step, story)
        visit["on_site_at"] = step.at
        self.rows.move(visit, "on_site", at=step.at, by=by)
        if "arrival" in written.clocks:
            self.clockwork.stop(written.clocks["arrival"], step.at, by)
        self._settle(written, step.at, by)

    def start(self, written: Written, step: Step, story: Story) -> None:
        _visit(written, step)["started_at"] = step.at
        self._step(written, step, story, "in_progress")

    def pause(self, written: Written, step: Step, story: Story) -> None:
        _visit(written, step)["paused_at"] = step.at
        self._step(written, step, story, "paused", reason=step.data["reason"])

    def resume(self, written: Written, step: Step, story: Story) -> None:
        visit = _visit(written, step)
        visit["paused_min"] += max(0, round((step.at - visit["paused_at"]).total_seconds() / 60))
        visit["paused_at"] = None
        self._step(written, step, story, "in_progress")

    def _step(
        self, written: Written, step: Step, story: Story, to: str, *, reason: str | None = None, **told: Any
    ) -> None:  # fmt: skip
        visit, by = _visit(written, step), self._by(step, story)
        if to in STAMPS:
            visit[STAMPS[to]] = step.at
        self.rows.move(visit, to, at=step.at, by=by, reason=reason, **told)
        self._settle(written, step.at, by)

    def answer(self, written: Written, step: Step, story: Story) -> None:
        self._answer(written, step, story, step.data["value"])

    def photo(self, written: Written, step: Step, story: Story) -> None:
        visit, field_code = _visit(written, step), step.data["field"]
        file_id = self._photo(
            step.data["scene"], f"{story.code}{step.data['visit']}{field_code}", visit, "visit", visit.id, step.at,
            self._by(step, story),
        )  # fmt: skip
        self._answer(written, step, story, [file_id])

    def _answer(self, written: Written, step: Step, story: Story, value: Any) -> None:
        visit, field_code = _visit(written, step), step.data["field"]
        given = forms.check_answer(story.work_type.form.field(field_code), value)
        self.rows.add(
            Answer, visit_id=visit.id, work_order_id=visit["work_order_id"], field=field_code, content=given.stored(),
            out_of_tolerance=given.out_of_tolerance, at=step.at,
        )  # fmt: skip
        told = {"field": field_code, "out_of_tolerance": given.out_of_tolerance}
        self._record("visit.answered", visit, told, step.at, self._by(step, story))

    def part(self, written: Written, step: Step, story: Story) -> None:
        visit, quantity, by = _visit(written, step), step.data["quantity"], self._by(step, story)
        part = self.cast.part(step.data["part"])
        self.ledger.fill_up(
            part, quantity, self.cast.van(step.by), self.cast.home_warehouse(step.by), visit["en_route_at"], by
        )  # fmt: skip
        posted = self.ledger.post(
            part, quantity, "use", at=step.at, by=by, source=self.cast.van(step.by), visit_id=visit.id
        )  # fmt: skip
        self.rows.add(
            PartUse, visit_id=visit.id, work_order_id=visit["work_order_id"], part_id=part.id, quantity=quantity,
            move_id=posted.id, at=step.at,
        )  # fmt: skip
        fitted = written.fitted[part.id] = written.fitted.get(part.id, Decimal(0)) + quantity
        for item in written.items:
            if item["kind"] == "part" and item["part_id"] == part.id:
                if fitted >= item["quantity"] and item["done_at"] is None:
                    item["done_at"], item["done_visit_id"] = step.at, visit.id
                fitted = max(Decimal(0), fitted - item["quantity"])

    def pattern(self, written: Written, step: Step, story: Story) -> None:
        order, pattern = _order(written), catalogue.pattern(step.data["pattern"])
        if not order["summary"]:
            order["summary"] = pattern.remedy[story.language]
        order.update(
            pattern=pattern.code, failure_mode=pattern.mode, failure_mechanism=pattern.mechanism,
            failure_cause=pattern.cause, detection=pattern.detection, activity=pattern.activity,
        )  # fmt: skip
        told = {"pattern": pattern.code}
        self._record("visit.coded", _visit(written, step), told, step.at, self._by(step, story))

    def summary(self, written: Written, step: Step, story: Story) -> None:
        order = _order(written)
        order["summary"] = step.data["words"]
        if "note" in step.data:
            order["technical_note"] = step.data["note"]
        self._record("visit.summarised", _visit(written, step), {}, step.at, self._by(step, story))

    def finish(self, written: Written, step: Step, story: Story) -> None:
        visit, by, data = _visit(written, step), self._by(step, story), step.data
        visit["finished_at"], visit["restored"] = step.at, data["restored"]
        reason = data.get("reason")
        self.rows.move(visit, data["outcome"], at=step.at, by=by, reason=reason, restored=data["restored"])
        if data["outcome"] == "completed":
            for item in written.items:
                if item["required"] and item["done_at"] is None:
                    item["done_at"], item["done_visit_id"] = step.at, visit.id
        for words in data["items"]:
            item = self.rows.add(
                WorkItem, work_order_id=visit["work_order_id"], kind="follow_up", words=words, required=True,
                opened_visit_id=visit.id, opened_at=step.at,
            )  # fmt: skip
            written.items.append(item)
        held = written.bookings[data["visit"]]
        if held["starts_at"] < step.at < held["ends_at"]:
            held["ends_at"] = step.at
        if data["restored"] and _order(written)["restored_at"] is None:
            _order(written)["restored_at"] = step.at
            self._restored(written, step.at, by)
        self._settle(written, step.at, by)

    def _settle(self, written: Written, at: datetime, by: str) -> None:
        """As `orders.settle`."""
        order = _order(written)
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
            self._resolve(written, at, by)

    # Afterwards --------------------------------------------------------------------------------------

    def _restored(self, written: Written, at: datetime, by: str) -> None:
        request = written.request
        if request is None or request["state"] not in ("remote", "converted"):
            return
        request["restored_at"] = at
        self.clockwork.stop(written.clocks["restore"], at, by)
        arrival = {"arrival": written.clocks["arrival"]}
        self.clockwork.void(arrival, at, by, "restored_without_visit")
        self.rows.move(request, "restored", at=at, by=by)

    def _resolve(self, written: Written, at: datetime, by: str) -> None:
        self._restored(written, at, by)
        request = written.request
        if request is None or request["state"] != "restored":
            return
        request["resolved_at"] = at
        self.rows.move(request, "resolved", at=at, by=by)
        written.survey = self.rows.add(
            Survey, request_id=request.id, station_id=request["station_id"], contact_phone=request["contact_phone"],
            language=request["language"], scheduled_at=at, scores={},
        )  # fmt: skip

    def invite(self, written: Written, step: Step, _story: Story) -> None:
        survey = written.survey
        if survey is None or survey["state"] != "scheduled":
            return
        asked = self.asked.setdefault(survey["contact_phone"], [])
        if any(moment > step.at - feedback.ONE_IN for moment in asked):
            self.rows.move(survey, "suppressed", at=step.at, by=SYSTEM)
            return
        self.rows.move(survey, "sent", at=step.at, by=SYSTEM)
        survey["sent_at"] = step.at
        asked.append(step.at)

    def expire(self, written: Written, step: Step, _story: Story) -> None:
        if written.survey is not None and written.survey["state"] == "sent":
            self.rows.move(written.survey, "expired", at=step.at, by=SYSTEM)

    def rate(self, written: Written, step: Step, _story: Story) -> None:
        survey, request, by = written.survey, _request(written), "customer"
        assert survey is not None
        if survey["state"] != "sent":
            self.rows.move(survey, "sent", at=step.at, by=by)
            survey["sent_at"] = step.at
            self.asked.setdefault(survey["contact_phone"], []).append(step.at)
        scores = dict(step.data["scores"])
        survey.update(scores=scores, words=step.data["words"], low_reason=step.data["low_reason"], answered_at=step.at)
        self.rows.move(survey, "answered", at=step.at, by=by)
        if min(scores.values()) <= feedback.LOW:
            told = {"number": request["number"], "score": min(scores.values())}
            written.recovery = open_task(
                self.rows, "recover_customer", request, due_at=step.at + feedback.RECOVER_WITHIN, at=step.at,
                facts=told, key=f"recover:{survey.id}", supervisor="director", by=by,
            )  # fmt: skip
        self._record("survey.scored", request, {"survey": survey.id, "scores": scores}, step.at, by)

    def own_up(self, written: Written, step: Step, story: Story) -> None:
        self.message(written, step, story)
        task = written.clocks[step.data["kind"]].task
        if task is not None and task["state"] == "open":
            finish_task(self.rows, task, step.at, self._by(step, story), "customer_told")

    def recover(self, written: Written, step: Step, story: Story) -> None:
        if written.recovery is not None and written.recovery["state"] == "open":
            finish_task(self.rows, written.recovery, step.at, self._by(step, story), "customer_told")

    def sign_off(self, written: Written, step: Step, story: Story) -> None:
        self._close(written, step.at, self._by(step, story), signed=True)

    def close_silent(self, written: Written, step: Step, story: Story) -> None:
        self._close(written, step.at, self._by(step, story), signed=False)

    def _close(self, written: Written, at: datetime, by: str, *, signed: bool) -> None:
        request, order = _request(written), written.order
        request["closed_at"], request["signed_off_at"] = at, at if signed else None
        self.rows.move(request, "closed", at=at, by=by, signed_off=signed)
        if order is not None and order["state"] in ("completed", "cannot_complete"):
            self._close_order(order, at, by)
        self.clockwork.void(written.clocks, at, by, "closed")

    def close_order(self, written: Written, step: Step, story: Story) -> None:
        self._close_order(_order(written), step.at, self._by(step, story))

    def _close_order(self, order: Row, at: datetime, by: str) -> None:
        self.rows.move(order, "closed", at=at, by=by)
        order["closed_at"] = at

    # Inside ------------------------------------------------------------------------------------------

    def _by(self, step: Step, story: Story) -> str:
        return self.cast.actor(step.by, story)

    def _record(self, kind: str, row: Row, told: dict[str, Any], at: datetime, by: str) -> None:
        self.rows.record(kind, row.subject_type, row.id, row.station_id, told, at=at, by=by)

    def _photo(
        self, scene: str, name: str, row: Row, subject_type: str, subject_id: int, at: datetime, by: str
    ) -> int:  # fmt: skip
        """A picture that was re-encoded long ago."""
        key = hashlib.sha256(f"demo {name}".encode()).hexdigest()[:32]
        seen = self.album.paste(scene, key)
        file = self.rows.add(
            StoredFile, subject_type=subject_type, subject_id=subject_id, station_id=row["station_id"], kind="photo",
            key=key, sha256=seen.sha256, content_type="image/jpeg", size=seen.size, width=seen.width,
            height=seen.height, name="IMG_2231.jpg", created_at=at, uploaded_by=by,
        )  # fmt: skip
        told = {"file": file.id, "kind": "photo", "size": seen.size}
        self.rows.record("file.received", subject_type, subject_id, row["station_id"], told, at=at, by=by)
        self.rows.move(file, "ready", at=at + timedelta(seconds=2), by=SYSTEM, file=file.id)
        return file.id


def _request(written: Written) -> Row:
    assert written.request is not None
    return written.request


def _order(written: Written) -> Row:
    assert written.order is not None
    return written.order


def _visit(written: Written, step: Step) -> Row:
    return written.visits[step.data["visit"]]
