"""What a customer sees of a request: the same line of progress that staff see, without internal notes."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from fieldservice.dispatch.offers import services as offers
from fieldservice.dispatch.offers.services import Offered
from fieldservice.feedback.models import Survey
from fieldservice.foundation import display
from fieldservice.foundation.db import session
from fieldservice.foundation.errors import NotFound
from fieldservice.foundation.time import now
from fieldservice.foundation.words import pick
from fieldservice.intake.models import ServiceRequest, ThreadMessage
from fieldservice.mechanisms import clocks
from fieldservice.mechanisms.clocks import ClockView
from fieldservice.mechanisms.metrics import MetricResult, Period, Scope, measure
from fieldservice.workorders import booking
from fieldservice.workorders.models import Visit, WorkOrder
from fieldservice.workorders.placement import Span
from fieldservice.workorders.rescue.queries import awaiting

LAST_MESSAGES = 50
KEPT_FOR = timedelta(minutes=1)


def kept_lately() -> MetricResult:
    """Promises kept in the last 28 days, at most a minute old: anybody may ask, and a country is much to read."""
    known: tuple[datetime, MetricResult] | None = current_app.extensions.get("fieldservice.kept")
    if known is None or not timedelta(0) <= now() - known[0] < KEPT_FOR:
        known = now(), replace(measure("promise_kept", Period.last_days(28), Scope()), cases=None)
        current_app.extensions["fieldservice.kept"] = known
    return known[1]


@dataclass(frozen=True)
class Step:
    """One step of the line: done, now, or still to come."""

    code: str
    state: str  # done, now, ''
    note: str
    at: datetime | None


@dataclass(frozen=True)
class Tracked:
    """A request as its customer sees it."""

    request: ServiceRequest
    order: WorkOrder | None
    visit: Visit | None
    steps: list[Step]
    clock: ClockView | None
    promises: list[ClockView]
    messages: list[ThreadMessage]
    survey: Survey | None

    @property
    def now_step(self) -> Step:
        return next((step for step in self.steps if step.state == "now"), self.steps[-1])

    @property
    def may_choose(self) -> bool:
        """Nothing is planned (or somebody has to come again), and the customer may say when."""
        return not self.may_move and self.order is not None and offers.may_choose_first(self.order)

    @property
    def may_move(self) -> bool:
        return self.visit is not None and self.visit.state in ("proposed", "scheduled", "dispatched", "accepted")


def request_by_number_and_phone(number: str, tail: str) -> ServiceRequest:
    """The request whose number and last four digits of the phone are known (I-03). Raises NotFound alike for both."""
    request = session.scalar(select(ServiceRequest).where(ServiceRequest.number == number.strip().upper()[:20]))
    digits = len(tail) == 4 and tail.isascii() and tail.isdecimal()
    if request is None or not digits or not request.contact_phone.endswith(tail):
        raise NotFound()
    return request


def tracked(request: ServiceRequest) -> Tracked:
    """Everything the page shows, in a fixed number of queries."""
    order, visit = order_and_visit(request)
    views = clocks.views(clocks.of(request), now())
    thread = select(ThreadMessage).where(ThreadMessage.request_id == request.id).order_by(ThreadMessage.id.desc())
    messages = session.scalars(thread.limit(LAST_MESSAGES)).all()
    survey = session.scalar(select(Survey).where(Survey.request_id == request.id))
    return Tracked(
        request, order, visit, _steps(request, visit, views), _hero(visit, views), views,
        list(reversed(messages)), survey,
    )  # fmt: skip


def order_and_visit(request: ServiceRequest) -> tuple[WorkOrder | None, Visit | None]:
    """The latest work order, and the visit that matters: the open one, else the one that brought the machine back."""
    order = session.scalar(
        select(WorkOrder).where(WorkOrder.request_id == request.id).order_by(WorkOrder.id.desc()).limit(1)
        .options(selectinload(WorkOrder.visits).joinedload(Visit.technician))
    )  # fmt: skip
    if order is None or awaiting([order]):  # a rescue may still be refused: nobody is announced before
        return order, None
    open_ = [visit for visit in order.visits if visit.state in booking.OPEN_STATES]
    ended = [visit for visit in order.visits if visit.finished_at is not None and request.restored_at is not None]
    return order, next(reversed(open_ or ended), None)


def times(found: Tracked) -> list[Offered]:
    """Times that are held for this customer at present."""
    asks = found.order is not None and (found.may_move or found.may_choose)
    return offers.held(found.order, now()) if asks and found.order is not None else []


def window_text(told: Span) -> str:
    """'15:00–17:00' today, else with the day."""
    return clocks.window_text(told.starts_at, told.ends_at, now())


def _hero(visit: Visit | None, views: list[ClockView]) -> ClockView | None:
    wanted = "arrival" if visit is None or visit.on_site_at is None else "restore"
    open_ = {view.kind: view for view in views if view.is_open}
    return open_.get(wanted) or open_.get("restore") or (next(iter(open_.values()), None))


def _steps(request: ServiceRequest, visit: Visit | None, views: list[ClockView]) -> list[Step]:
    by_kind = {view.kind: view for view in views}
    planned = visit is not None
    reached = [
        ("received", request.received_at, _answered(request)),
        ("planned", request.triaged_at if planned else None, _planned(visit)),
        ("on_the_way", visit.en_route_at if visit else None, _on_the_way(visit)),
        ("at_work", visit.started_at or visit.on_site_at if visit else None, ""),
        ("restored", request.restored_at, _restore(by_kind.get("restore"), request)),
        ("closed", request.closed_at, "" if request.closed_at else str(_("You confirm that all is well"))),
    ]
    done = max((index for index, (_code, at, _note) in enumerate(reached) if at is not None), default=0)
    over = request.closed_at is not None or request.state in ("cancelled", "duplicate")
    return [
        Step(code, "done" if index < done or (over and at) else "now" if index == done and not over else "", note, at)
        for index, (code, at, note) in enumerate(reached)
        if at is not None or index >= done or code in ("received", "planned")
    ]


def _answered(request: ServiceRequest) -> str:
    if request.triaged_at is None:
        return str(_("A dispatcher is reading it"))
    waited = request.triaged_at - request.received_at
    return str(_("Answered within %(time)s", time=display.minutes(max(waited, timedelta(minutes=1)))))


def _planned(visit: Visit | None) -> str:
    if visit is None:
        return str(_("We look for the right technician"))
    window = window_text(Span(visit.window_starts_at, visit.window_ends_at))
    return f"{window} · {pick(visit.technician.names)}"


def _on_the_way(visit: Visit | None) -> str:
    if visit is None or visit.en_route_at is None or visit.on_site_at is not None or visit.eta_at is None:
        return ""
    return str(_("Arrives about %(time)s", time=display.clock_time(visit.eta_at)))


def _restore(view: ClockView | None, request: ServiceRequest) -> str:
    if view is None or request.restored_at is not None:
        return ""
    return str(_("Promised by %(time)s", time=view.due_text))
