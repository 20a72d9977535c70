"""Tells stories as rows: the fast path of `telling`, verb by verb, for what is long past (decision 0008).

Kept beside the services on purpose: tests/demo/test_fast_path.py tells one story both ways and compares every
row. Left out are messages to customers, since nothing is sent for what is past.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from fieldservice.assets.queries import in_warranty
from fieldservice.demo.clockwork import finish_task, open_task
from fieldservice.demo.pen import Written, order_of, request_of, visit_of
from fieldservice.demo.rows import Row
from fieldservice.demo.stories import Step, Story
from fieldservice.demo.writing_visits import VisitPen
from fieldservice.feedback import services as feedback
from fieldservice.foundation.time import local
from fieldservice.foundation.words import pick
from fieldservice.intake.models import ServiceRequest, ThreadMessage
from fieldservice.workorders import booking
from fieldservice.workorders.models import Booking, Visit, WorkItem, WorkOrder
from fieldservice.workorders.opening import titles_of


class Writer(VisitPen):
    """Writes many stories together in the order of time, so that numbers and quotes follow each other."""

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
        by = self.by(step, story)
        for scene in story.photos:
            self.paste(scene, f"{story.code}{scene}", request, "service_request", request.id, step.at, by)
        written.clocks = self.clockwork.give(request, story)
        told = {
            "channel": story.channel, "severity": story.severity, "priority": story.priority, "asset": asset.id,
            "precision": site.precision,
        }  # fmt: skip
        self.record("service_request.received", request, told, step.at, by)

    def message(self, written: Written, step: Step, story: Story) -> None:
        request, user = request_of(written), self.cast.user(step.by, story)
        message = self.rows.add(
            ThreadMessage, request_id=request.id, author="staff" if user else "customer",
            user_id=user.id if user else None, words=step.data["words"], at=step.at,
        )  # fmt: skip
        told = {"message": message.id, "author": message["author"]}
        self.record("service_request.message", request, told, step.at, self.by(step, story))
        if user:
            self.clockwork.stop(written.clocks["first_answer"], step.at, self.by(step, story))

    def triage(self, written: Written, step: Step, story: Story) -> None:
        request, by = request_of(written), self.by(step, story)
        request["priority_reason"] = step.data["reason"]
        self.clockwork.requote(request, written.clocks, story.customer.tier)
        order = self.new_order(written, step, story)
        parts = story.pattern.parts if story.pattern else story.work_type.parts
        self._need_parts(written, order, parts, step.at)
        told = {"request": request["number"], "work_type": story.work_type.code, "priority": story.priority}
        self.record("work_order.created", order, told, step.at, by)
        self.rows.move(order, "ready", at=step.at, by=by)
        self.rows.move(request, "triaged", at=step.at, by=by)
        request["triaged_at"] = step.at
        self.clockwork.stop(written.clocks["first_answer"], step.at, by)
        self.rows.move(request, "converted", at=step.at, by=by, work_order=order["number"])

    def remote(self, written: Written, step: Step, story: Story) -> None:
        request, by = request_of(written), self.by(step, story)
        self.rows.move(request, "triaged", at=step.at, by=by)
        request["triaged_at"] = step.at
        self.clockwork.stop(written.clocks["first_answer"], step.at, by)
        self.rows.move(request, "remote", at=step.at, by=by)

    def remote_done(self, written: Written, step: Step, story: Story) -> None:
        self.restored(written, step.at, self.by(step, story))
        self.resolve(written, step.at, self.by(step, story))

    def duplicate(self, written: Written, step: Step, story: Story) -> None:
        request, first = request_of(written), request_of(self.written[step.data["of"]])
        self.rows.move(request, "duplicate", at=step.at, by=self.by(step, story), of=first["number"])
        request["duplicate_of_id"] = first.id
        self.clockwork.void(written.clocks, step.at, self.by(step, story), "duplicate")

    def cancel(self, written: Written, step: Step, story: Story) -> None:
        request, by = request_of(written), self.by(step, story)
        self.rows.move(request, "cancelled", at=step.at, by=by, reason=step.data["reason"])
        self.clockwork.void(written.clocks, step.at, by, "cancelled")

    # Planning ----------------------------------------------------------------------------------------

    def plan(self, written: Written, step: Step, story: Story) -> None:
        order = self.new_order(written, step, story)
        self._need_parts(written, order, story.work_type.parts, step.at)
        told = {"work_type": story.work_type.code, "priority": story.priority}
        self.record("work_order.created", order, told, step.at, self.by(step, story))
        self.rows.move(order, "ready", at=step.at, by=self.by(step, story))

    def new_order(self, written: Written, step: Step, story: Story) -> Row:
        request, site, asset, kind = written.request, self.cast.site(story), self.cast.asset(story), story.work_type
        covered = in_warranty(asset, local(story.received_at).date())
        order = written.order = self.rows.add(
            WorkOrder, number=self.numbers.next("WO", step.at), station_id=self.cast.station(story).id,
            request_id=request.id if request else None, customer_id=asset.customer_id, site_id=site.id,
            asset_id=asset.id, titles=titles_of(asset, "", kind),
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
        order, data = order_of(written), step.data
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
        self.record("visit.scheduled", visit, told, step.at, self.by(step, story))
        self.settle(written, step.at, self.by(step, story))

    def confirm(self, written: Written, step: Step, story: Story) -> None:
        visit = visit_of(written, step)
        visit["confirmed_at"] = step.at
        told = {"request": request_of(written)["number"]}
        self.record("visit.confirmed", visit, told, step.at, self.by(step, story))

    def send(self, written: Written, step: Step, story: Story) -> None:
        visit = visit_of(written, step)
        self._step(written, step, story, "dispatched", technician=visit["technician_id"])

    # Afterwards --------------------------------------------------------------------------------------

    def invite(self, written: Written, step: Step, _story: Story) -> None:
        survey = written.survey
        if survey is None or survey["state"] != "scheduled":
            return
        asked = self.asked.setdefault(survey["contact_phone"], [])
        if any(moment > step.at - feedback.ONE_IN for moment in asked):
            self.rows.move(survey, "suppressed", at=step.at, by="system")
            return
        self.rows.move(survey, "sent", at=step.at, by="system")
        survey["sent_at"] = step.at
        asked.append(step.at)

    def expire(self, written: Written, step: Step, _story: Story) -> None:
        if written.survey is not None and written.survey["state"] == "sent":
            self.rows.move(written.survey, "expired", at=step.at, by="system")

    def rate(self, written: Written, step: Step, _story: Story) -> None:
        survey, request, by = written.survey, request_of(written), "customer"
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
        self.record("survey.scored", request, {"survey": survey.id, "scores": scores}, step.at, by)

    def own_up(self, written: Written, step: Step, story: Story) -> None:
        self.message(written, step, story)
        task = written.clocks[step.data["kind"]].task
        if task is not None and task["state"] == "open":
            finish_task(self.rows, task, step.at, self.by(step, story), "customer_told")

    def recover(self, written: Written, step: Step, story: Story) -> None:
        if written.recovery is not None and written.recovery["state"] == "open":
            finish_task(self.rows, written.recovery, step.at, self.by(step, story), "customer_told")

    def sign_off(self, written: Written, step: Step, story: Story) -> None:
        self._close(written, step.at, self.by(step, story), signed=True)

    def close_silent(self, written: Written, step: Step, story: Story) -> None:
        self._close(written, step.at, self.by(step, story), signed=False)

    def _close(self, written: Written, at: datetime, by: str, *, signed: bool) -> None:
        request, order = request_of(written), written.order
        request["closed_at"], request["signed_off_at"] = at, at if signed else None
        self.rows.move(request, "closed", at=at, by=by, signed_off=signed)
        if order is not None and order["state"] in ("completed", "cannot_complete"):
            self._close_order(order, at, by)
        self.clockwork.void(written.clocks, at, by, "closed")

    def close_order(self, written: Written, step: Step, story: Story) -> None:
        self._close_order(order_of(written), step.at, self.by(step, story))

    def _close_order(self, order: Row, at: datetime, by: str) -> None:
        self.rows.move(order, "closed", at=at, by=by)
        order["closed_at"] = at
