"""A story: one fault (or planned work) and everything that happens because of it, moment by moment.

Plain values. A story is told twice: by the services (`telling`) or, quicker, as rows (`writing`); both
read the same steps, so that they can be compared.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

from fieldservice.contracts import promises
from fieldservice.demo.world import ContactPlan, CustomerPlan, MachinePlan
from fieldservice.mechanisms.calendars import BusinessCalendar
from fieldservice.mechanisms.clocks import core
from fieldservice.mechanisms.limits import Limit
from fieldservice.workorders.catalogue import FaultPattern, WorkType

CALENDAR = BusinessCalendar()


@dataclass(frozen=True)
class Step:
    """One thing done: when, what (a verb: the method of both tellers), by whom, with what."""

    at: datetime
    verb: str
    by: str  # customer, agent, dispatcher, manager, system, or a technician's key
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Story:
    """What was reported (or planned), and the steps in the order of time."""

    code: str
    station: str
    customer: CustomerPlan
    machine: MachinePlan
    contact: ContactPlan
    received_at: datetime
    channel: str
    severity: str
    priority: str
    work_type: WorkType
    pattern: FaultPattern | None
    description: str
    planned: bool = False
    photos: tuple[str, ...] = ()  # scenes sent with the report
    parts_required: bool = False  # nobody may drive without them
    steps: list[Step] = field(default_factory=list)
    _due: dict[str, datetime] = field(default_factory=dict)

    @property
    def language(self) -> str:
        return self.customer.language

    def add(self, at: datetime, verb: str, by: str, **data: Any) -> datetime:
        """Append a step; gives its time."""
        self.steps.append(Step(at, verb, by, data))
        return at

    def until(self, moment: datetime) -> list[Step]:
        """The steps up to a moment, in the order of time."""
        return sorted((step for step in self.steps if step.at <= moment), key=lambda step: step.at)

    def verbs(self, moment: datetime) -> set[str]:
        return {step.verb for step in self.until(moment)}

    @property
    def ends_at(self) -> datetime:
        """When the last thing happens."""
        return max(step.at for step in self.steps)

    def limits(self) -> dict[str, Limit]:
        """What was promised at receipt, by promise."""
        return limits_of(promises.priority_for(self.severity), self.customer.tier)

    def due(self, kind: str) -> datetime:
        """When a promise falls due."""
        if kind not in self._due:
            self._due[kind] = due_at(self.received_at, self.limits()[kind])
        return self._due[kind]


@cache
def limits_of(priority: str, tier: str) -> dict[str, Limit]:
    """The published limits with the tier's arrival; the demo agrees nothing else with anybody."""
    factors: Mapping[str, float] = promises.limits()["arrival_factor"]
    found = {}
    for kind in promises.KINDS:
        if priority in promises.limits()[kind]:
            limit = Limit.parse(promises.limits()[kind][priority])
            better = kind == "arrival" and tier in factors
            found[kind] = replace(limit.scaled(factors[tier]), origin="tier") if better else limit
    return found


def due_at(start: datetime, limit: Limit) -> datetime:
    """The end of a limit, by its calendar."""
    return core.moments(start, limit, CALENDAR)[-1]


@dataclass(frozen=True)
class Odds:
    """How well things go, at a station in a week: chances of what goes wrong, and minutes to the first answer."""

    answer_minutes: float
    late_answer: float
    late_arrival: float
    late_restore: float
    second_visit: float = 0.02
    comes_back: float = 0.05
    content: float = 0.86  # chance that a customer is fully content


GOOD = Odds(answer_minutes=9.0, late_answer=0.03, late_arrival=0.02, late_restore=0.035, content=0.9)
FAIR = Odds(answer_minutes=10.0, late_answer=0.035, late_arrival=0.03, late_restore=0.04, content=0.87)
WEAK = Odds(
    answer_minutes=13.0, late_answer=0.06, late_arrival=0.07, late_restore=0.07, second_visit=0.05, comes_back=0.08,
    content=0.77,
)  # fmt: skip


def worse(odds: Odds) -> Odds:
    """The same in a bad week."""
    return Odds(
        answer_minutes=odds.answer_minutes * 1.6,
        late_answer=odds.late_answer * 4,
        late_arrival=odds.late_arrival * 5,
        late_restore=odds.late_restore * 3.5,
        second_visit=odds.second_visit * 1.5,
        comes_back=odds.comes_back,
        content=odds.content - 0.15,
    )


def weeks_ago(day: date, today: date) -> int:
    """How many calendar weeks a day lies back."""
    monday = today - timedelta(days=today.weekday())
    return -((day - monday).days // 7)
