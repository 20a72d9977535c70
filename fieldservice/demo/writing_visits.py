"""Visits of the fast path, verb by verb as `workorders.visits` and `workorders.findings` leave them."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from fieldservice.demo.pen import Pen, Written, order_of, visit_of
from fieldservice.demo.rows import Row
from fieldservice.demo.stories import Step, Story
from fieldservice.foundation.places.legs import at_another_hour
from fieldservice.mechanisms import forms
from fieldservice.parts.models import Part
from fieldservice.parts.returns import rules
from fieldservice.parts.returns import services as old_parts
from fieldservice.parts.returns.models import OldPart
from fieldservice.workorders import catalogue
from fieldservice.workorders.coverage import Cover, Line, decide
from fieldservice.workorders.models import Answer, PartUse, WorkItem
from fieldservice.workorders.onsite.models import Finding

STAMPS = {  # what a move of a visit notes beside its state
    "dispatched": "dispatched_at",
    "accepted": "accepted_at",
    "en_route": "en_route_at",
    "on_site": "on_site_at",
}


class VisitPen(Pen):
    """What a technician does and records."""

    def accept(self, written: Written, step: Step, story: Story) -> None:
        self._step(written, step, story, "accepted")

    def set_off(self, written: Written, step: Step, story: Story) -> None:
        visit = visit_of(written, step)
        way = timedelta(minutes=visit["travel_min"])
        visit["eta_at"] = step.at + at_another_hour(way, visit["starts_at"], step.at)
        self._step(written, step, story, "en_route")

    def arrive(self, written: Written, step: Step, story: Story) -> None:
        visit, by = visit_of(written, step), self.by(step, story)
        visit["on_site_at"] = step.at
        self.rows.move(visit, "on_site", at=step.at, by=by)
        if "arrival" in written.clocks:
            self.clockwork.stop(written.clocks["arrival"], step.at, by)
        self.settle(written, step.at, by)

    def start(self, written: Written, step: Step, story: Story) -> None:
        visit_of(written, step)["started_at"] = step.at
        self._step(written, step, story, "in_progress")

    def pause(self, written: Written, step: Step, story: Story) -> None:
        visit_of(written, step)["paused_at"] = step.at
        self._step(written, step, story, "paused", reason=step.data["reason"])

    def resume(self, written: Written, step: Step, story: Story) -> None:
        visit = visit_of(written, step)
        visit["paused_min"] += max(0, round((step.at - visit["paused_at"]).total_seconds() / 60))
        visit["paused_at"] = None
        self._step(written, step, story, "in_progress")

    def _step(
        self, written: Written, step: Step, story: Story, to: str, *, reason: str | None = None, **told: Any
    ) -> None:  # fmt: skip
        visit, by = visit_of(written, step), self.by(step, story)
        if to in STAMPS:
            visit[STAMPS[to]] = step.at
        self.rows.move(visit, to, at=step.at, by=by, reason=reason, **told)
        self.settle(written, step.at, by)

    def answer(self, written: Written, step: Step, story: Story) -> None:
        self._answer(written, step, story, step.data["value"])

    def photo(self, written: Written, step: Step, story: Story) -> None:
        visit, field_code = visit_of(written, step), step.data["field"]
        file_id = self.paste(
            step.data["scene"], f"{story.code}{step.data['visit']}{field_code}", visit, "visit", visit.id, step.at,
            self.by(step, story), step.data["variant"],
        )  # fmt: skip
        self._answer(written, step, story, [file_id])

    def _answer(self, written: Written, step: Step, story: Story, value: Any) -> None:
        visit, field_code = visit_of(written, step), step.data["field"]
        field = story.work_type.form.field(field_code)
        given = forms.check_answer(field, value)
        self.rows.add(
            Answer, visit_id=visit.id, work_order_id=visit["work_order_id"], field=field_code, content=given.stored(),
            out_of_tolerance=given.out_of_tolerance, at=step.at,
        )  # fmt: skip
        told = {"field": field_code, "out_of_tolerance": given.out_of_tolerance}
        by = self.by(step, story)
        self.record("visit.answered", visit, told, step.at, by)
        self._weigh(written, visit, field, given, step, by)

    def _weigh(
        self, written: Written, visit: Row, field: forms.Field, given: forms.Answer, step: Step, by: str
    ) -> None:  # fmt: skip
        """A wrong reading raises a finding, a right one later settles it."""
        standing = written.findings.get(field.code)
        told = {"field": field.code, "label": dict(field.label)}
        if given.out_of_tolerance and standing is not None:
            standing["content"] = given.stored()
        elif given.out_of_tolerance:
            order = written.order
            assert order is not None
            finding = self.rows.add(
                Finding, visit_id=visit.id, work_order_id=order.id, station_id=order["station_id"],
                asset_id=order["asset_id"], field=field.code, content=given.stored(), raised_at=step.at,
            )  # fmt: skip
            written.findings[field.code] = finding
            self.rows.record(
                "finding.raised", "visit", visit.id, order["station_id"], {"finding": finding.id, **told},
                at=step.at, by=by,
            )  # fmt: skip
        elif standing is not None:
            del written.findings[field.code]
            standing["state"], standing["settled_at"] = "corrected", step.at
            facts = {"from": "found", "finding": standing.id, **told}
            self.rows.record(
                "finding.corrected", "visit", standing["visit_id"], standing["station_id"], facts, at=step.at, by=by
            )

    def part(self, written: Written, step: Step, story: Story) -> None:
        visit, quantity, by = visit_of(written, step), step.data["quantity"], self.by(step, story)
        part = self.cast.part(step.data["part"])
        self.ledger.fill_up(
            part, quantity, self.cast.van(step.by), self.cast.home_warehouse(step.by), visit["en_route_at"],
            self.cast.storekeeper(step.by),
        )  # fmt: skip
        posted = self.ledger.post(
            part, quantity, "use", at=step.at, by=by, source=self.cast.van(step.by), visit_id=visit.id
        )  # fmt: skip
        use = self.rows.add(
            PartUse, visit_id=visit.id, work_order_id=visit["work_order_id"], part_id=part.id, quantity=quantity,
            move_id=posted.id, at=step.at,
        )  # fmt: skip
        self._want_old(written, step, use, part, by)
        fitted = written.fitted[part.id] = written.fitted.get(part.id, Decimal(0)) + quantity
        for item in written.items:
            if item["kind"] == "part" and item["part_id"] == part.id:
                if fitted >= item["quantity"] and item["done_at"] is None:
                    item["done_at"], item["done_visit_id"] = step.at, visit.id
                fitted = max(Decimal(0), fitted - item["quantity"])

    def _want_old(self, written: Written, step: Step, use: Row, part: Part, by: str) -> None:
        order, station_id = order_of(written), self.cast.van(step.by).station_id
        paid_by = decide(Cover(order["coverage"]), Line("part", step.at.date(), wears=part.wears)).coverage
        reasons = rules.reasons_of(part, None, paid_by)
        if not reasons:
            return
        use["wants_old"] = True
        old = self.rows.add(
            OldPart, part_id=part.id, quantity=use["quantity"], use_id=use.id, reasons=reasons, station_id=station_id,
            opened_at=step.at, due_at=rules.due_at(part, station_id, step.at), asset_id=order["asset_id"],
            work_order_id=order.id, technician_id=visit_of(written, step)["technician_id"],
        )  # fmt: skip
        facts = old_parts.facts_of(part, use["quantity"])
        self.rows.record("old_part.expected", "old_part", old.id, station_id, facts, at=step.at, by=by)

    def pattern(self, written: Written, step: Step, story: Story) -> None:
        order, pattern = order_of(written), catalogue.pattern(step.data["pattern"])
        if not order["summary"]:
            order["summary"] = pattern.remedy[story.language]
        order.update(
            pattern=pattern.code, failure_mode=pattern.mode, failure_mechanism=pattern.mechanism,
            failure_cause=pattern.cause, detection=pattern.detection, activity=pattern.activity,
        )  # fmt: skip
        told = {"pattern": pattern.code}
        self.record("visit.coded", visit_of(written, step), told, step.at, self.by(step, story))

    def summary(self, written: Written, step: Step, story: Story) -> None:
        order = order_of(written)
        order["summary"] = step.data["words"]
        if "note" in step.data:
            order["technical_note"] = step.data["note"]
        self.record("visit.summarised", visit_of(written, step), {}, step.at, self.by(step, story))

    def finish(self, written: Written, step: Step, story: Story) -> None:
        visit, by, data = visit_of(written, step), self.by(step, story), step.data
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
        if data["restored"] and order_of(written)["restored_at"] is None:
            order_of(written)["restored_at"] = step.at
            self.restored(written, step.at, by)
        self.settle(written, step.at, by)
