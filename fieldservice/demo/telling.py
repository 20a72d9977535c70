"""Tells stories by the services, moment after moment, as people would have done it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from flask import g
from sqlalchemy import select

from fieldservice.demo.cast import Cast
from fieldservice.demo.outgoing import Outgoing
from fieldservice.demo.pictures import photo
from fieldservice.demo.stock import LOADED, ORDERED, supply
from fieldservice.demo.stories import Step, Story
from fieldservice.feedback import services as feedback
from fieldservice.foundation.db import session
from fieldservice.foundation.time import clock
from fieldservice.intake import services as intake
from fieldservice.intake.models import ServiceRequest
from fieldservice.mechanisms import clocks, files, tasks
from fieldservice.mechanisms.clocks import Clock
from fieldservice.mechanisms.tasks import Task
from fieldservice.parts import queries as stock
from fieldservice.parts import services as ledger
from fieldservice.parts.models import Part, StockLocation
from fieldservice.portal import services as portal
from fieldservice.sales import services as sales
from fieldservice.sales.models import Opportunity
from fieldservice.sales.queries import opportunity_of
from fieldservice.workorders import booking, findings, orders, planned, triage, visits
from fieldservice.workorders.models import Visit, WorkOrder
from fieldservice.workorders.rescue import services as rescues
from fieldservice.workorders.triage import NeededPart

STARTS_CLOCKS = ("report", "triage")  # or shortens them
QUIET = timedelta(days=1)
PHOTO_NAME = "IMG_2231.jpg"


@dataclass
class Told:
    """What a story has become so far."""

    request: ServiceRequest | None = None
    order: WorkOrder | None = None
    visits: dict[int, Visit] = field(default_factory=dict)


@dataclass
class Teller:
    """Tells many stories together in the order of time; the clock stands at each moment."""

    cast: Cast
    told: dict[str, Told] = field(default_factory=dict)
    _outgoing: Outgoing = field(default_factory=Outgoing)
    _quiet_until: datetime | None = None  # no clock has anything to tell before this

    def tell(self, stories: Sequence[Story], until: datetime) -> None:
        """Everything that happens up to `until`."""
        steps = [(step, story) for story in stories for step in story.until(until)]
        with self._outgoing:
            for step, story in sorted(steps, key=lambda one: one[0].at):
                self._watch_clocks(step.at)
                self.do(step, story)
            self._watch_clocks(until)
        clock.fix(until)

    def do(self, step: Step, story: Story) -> None:
        """One step, with the clock at its moment and its actor acting."""
        clock.fix(step.at)
        g.actor = self.cast.actor(step.by, story)
        getattr(self, step.verb)(self.told.setdefault(story.code, Told()), step, story)
        g.actor = "system"
        self._outgoing.count_as_sent()
        if step.verb in STARTS_CLOCKS:
            self._quiet_until = None

    def _watch_clocks(self, until: datetime) -> None:
        """Warnings and breaches of the time in between, each when the watch would have seen it."""
        if self._quiet_until is not None and until < self._quiet_until:
            return
        upcoming = select(Clock.next_check_at).where(Clock.state == "running", Clock.next_check_at.is_not(None))
        while (due := session.scalar(upcoming.order_by(Clock.next_check_at).limit(1))) is not None and due <= until:
            clock.fix(due)
            clocks.tick(due)
            session.flush()
        self._quiet_until = due or until + QUIET

    # Reports -----------------------------------------------------------------------------------------

    def report(self, told: Told, step: Step, story: Story) -> None:
        contact = story.contact
        received = [
            files.receive(photo(scene, number), f"IMG_{4100 + number}.jpg") for number, scene in enumerate(story.photos)
        ]
        told.request = intake.report_fault(
            channel=story.channel, contact_name=contact.name, contact_phone=contact.phone,
            contact_email=contact.email, description=story.description, severity=story.severity,
            language=story.language, place=intake.Place(), serial=story.machine.serial,
            asset=self.cast.asset(story), photos=received, at=step.at, tell=bool(step.data.get("tell", True)),
        )  # fmt: skip

    def message(self, told: Told, step: Step, story: Story) -> None:
        user = self.cast.user(step.by, story)
        intake.write_message(
            _request(told), author="staff" if user else "customer", words=step.data["words"], at=step.at,
            user_id=user.id if user else None,
        )  # fmt: skip

    def triage(self, told: Told, step: Step, story: Story) -> None:
        told.order = triage.triage_request(
            _request(told), priority=story.priority, work_type=story.work_type.code, at=step.at,
            reason=step.data["reason"], parts=_parts(story),
            told=triage.Told(their_minutes=step.data.get("their_minutes")),
        )  # fmt: skip

    def approve(self, told: Told, step: Step, _story: Story) -> None:
        said = rescues.Decision(approved=True, coverage=step.data["coverage"], estimate=step.data["estimate"])
        rescues.decide(_order(told), said, step.at)

    def note_opportunity(self, told: Told, step: Step, _story: Story) -> None:
        sales.note(_opportunity(told), step.at, words=step.data["words"])

    def advance(self, told: Told, step: Step, _story: Story) -> None:
        data = step.data
        sales.advance(
            _opportunity(told), data["to"], step.at, value=data.get("value"), reason=data.get("reason", "")
        )  # fmt: skip

    def remote(self, told: Told, step: Step, _story: Story) -> None:
        intake.help_remotely(_request(told), step.at)

    def remote_done(self, told: Told, step: Step, _story: Story) -> None:
        intake.note_restored(_request(told), step.at)
        intake.resolve(_request(told), step.at)

    def duplicate(self, told: Told, step: Step, _story: Story) -> None:
        intake.mark_duplicate(_request(told), _request(self.told[step.data["of"]]), step.at)

    def cancel(self, told: Told, step: Step, _story: Story) -> None:
        intake.cancel(_request(told), step.data["reason"], step.at)

    # Planning ----------------------------------------------------------------------------------------

    def plan(self, told: Told, step: Step, story: Story) -> None:
        told.order = planned.plan_work(
            station=self.cast.station(story), site=self.cast.site(story), asset=self.cast.asset(story),
            work_type=story.work_type.code, at=step.at,
        )  # fmt: skip

    def book(self, told: Told, step: Step, _story: Story) -> None:
        technician = self.cast.technician(step.data["technician"])
        told.visits[step.data["visit"]] = booking.schedule_visit(
            _order(told), technician, step.data["starts_at"], duration_min=step.data["minutes"], at=step.at
        )

    def confirm(self, told: Told, step: Step, _story: Story) -> None:
        portal.confirm_visit(_request(told), _visit(told, step), step.at)

    def decline(self, told: Told, step: Step, _story: Story) -> None:
        visits.decline(_visit(told, step), step.data["reason"], step.at)

    def send(self, told: Told, step: Step, _story: Story) -> None:
        booking.send_visit(_visit(told, step), step.at)

    def hold(self, told: Told, step: Step, _story: Story) -> None:
        orders.hold(_order(told), step.data["reason"], step.at)

    # Visits ------------------------------------------------------------------------------------------

    def accept(self, told: Told, step: Step, _story: Story) -> None:
        visits.accept(_visit(told, step), step.at)

    def set_off(self, told: Told, step: Step, _story: Story) -> None:
        visits.set_off(_visit(told, step), step.at)

    def arrive(self, told: Told, step: Step, _story: Story) -> None:
        visits.arrive(_visit(told, step), step.at)

    def start(self, told: Told, step: Step, _story: Story) -> None:
        visits.start(_visit(told, step), step.at)

    def pause(self, told: Told, step: Step, _story: Story) -> None:
        visits.pause(_visit(told, step), step.data["reason"], step.at)

    def resume(self, told: Told, step: Step, _story: Story) -> None:
        visits.resume(_visit(told, step), step.at)

    def answer(self, told: Told, step: Step, _story: Story) -> None:
        findings.answer(_visit(told, step), step.data["field"], step.data["value"], step.at)

    def photo(self, told: Told, step: Step, _story: Story) -> None:
        visit = _visit(told, step)
        taken = files.receive(photo(step.data["scene"], step.data["variant"]), PHOTO_NAME)
        file = files.attach(taken, visit, at=step.at)
        findings.answer(visit, step.data["field"], [file.id], step.at)

    def part(self, told: Told, step: Step, _story: Story) -> None:
        visit, part, quantity = _visit(told, step), self.cast.part(step.data["part"]), step.data["quantity"]
        self._fill_up(part, quantity, step.by, visit)
        findings.use_part(visit, part, quantity, step.at)

    def _fill_up(self, part: Part, quantity: Decimal, key: str, visit: Visit) -> None:
        """The storekeeper loaded what was not in the van, and ordered what the warehouse lacked."""
        van, warehouse = self.cast.van(key), self.cast.home_warehouse(key)
        assert visit.en_route_at is not None
        loaded, ordered = supply(part.number, quantity, _lying(part, van), _lying(part, warehouse))
        g.actor, technician = self.cast.storekeeper(key), g.actor
        if ordered:
            at = visit.en_route_at - ORDERED
            ledger.post_move(part=part, quantity=ordered, cause="receipt", target=warehouse, at=at, unnamed=True)
        if loaded:
            at = visit.en_route_at - LOADED
            ledger.post_move(part=part, quantity=loaded, cause="transfer", source=warehouse, target=van, at=at)
        g.actor = technician

    def pattern(self, told: Told, step: Step, _story: Story) -> None:
        findings.choose_pattern(_visit(told, step), step.data["pattern"], step.at)

    def summary(self, told: Told, step: Step, _story: Story) -> None:
        findings.set_summary(_visit(told, step), step.data["words"], step.at, step.data.get("note"))

    def finish(self, told: Told, step: Step, _story: Story) -> None:
        visit = _visit(told, step)
        left = [item.id for item in visit.work_order.items if item.required and item.done_at is None]
        visits.finish(
            visit, outcome=step.data["outcome"], restored=step.data["restored"], at=step.at,
            reason=step.data.get("reason"), open_items=step.data["items"],
            done_items=left if step.data["outcome"] == "completed" else (),
        )  # fmt: skip

    # Afterwards --------------------------------------------------------------------------------------

    def own_up(self, told: Told, step: Step, story: Story) -> None:
        """The manager tells the customer, and with that has done what the breach asked."""
        request = _request(told)
        self.message(told, step, story)
        broken = next(one for one in clocks.of(request) if one.kind == step.data["kind"])
        self._finish_task(clocks.services.breach_key(broken), step.at)

    def recover(self, told: Told, step: Step, _story: Story) -> None:
        about = tasks.tasks_about(_request(told))
        for task in about:
            if task.title == "recover_customer" and task.state == "open":
                tasks.finish(task, at=step.at, result="customer_told")

    def _finish_task(self, key: str, at: datetime) -> None:
        task = session.scalar(select(Task).where(Task.key == key, Task.state == "open"))
        if task is not None:
            tasks.finish(task, at=at, result="customer_told")

    def invite(self, _told: Told, step: Step, _story: Story) -> None:
        feedback.send_due(step.at)

    def expire(self, _told: Told, step: Step, _story: Story) -> None:
        feedback.expire_old(step.at)

    def sign_off(self, told: Told, step: Step, _story: Story) -> None:
        intake.close(_request(told), step.at, signed_off=True)

    def close_silent(self, told: Told, step: Step, _story: Story) -> None:
        intake.close(_request(told), step.at)

    def close_order(self, told: Told, step: Step, _story: Story) -> None:
        orders.close(_order(told), step.at)

    def rate(self, told: Told, step: Step, _story: Story) -> None:
        data = step.data
        feedback.answer(
            _request(told), data["scores"], step.at, words=data["words"], low_reason=data["low_reason"]
        )  # fmt: skip


def _parts(story: Story) -> list[NeededPart] | None:
    """What the pattern says is needed; the work type's usual parts without one."""
    if story.pattern is None:
        return None
    return [NeededPart(number, quantity, story.parts_required) for number, quantity in story.pattern.parts]


def _request(told: Told) -> ServiceRequest:
    assert told.request is not None
    return told.request


def _order(told: Told) -> WorkOrder:
    assert told.order is not None
    return told.order


def _opportunity(told: Told) -> Opportunity:
    found = opportunity_of(_order(told))
    assert found is not None
    return found


def _visit(told: Told, step: Step) -> Visit:
    return told.visits[step.data["visit"]]


def _lying(part: Part, place: StockLocation) -> Decimal:
    """Written as both databases would: PostgreSQL tells 2 as 2.000."""
    lies = stock.stock_of([part.id], [place.id]).get((part.id, place.id), Decimal(0))
    return Decimal(f"{lies.normalize():f}")
