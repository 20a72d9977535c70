"""Rescues of other makers' machines: one won, one lost, one that waits for its manager. Plain values.

The services tell them, wherever they are: the fast path has no words for approvals and opportunities.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from fieldservice.demo.company import told
from fieldservice.demo.course import MINUTE
from fieldservice.demo.dice import Dice
from fieldservice.demo.faults import Fault
from fieldservice.demo.history import reported
from fieldservice.demo.placing import Placing
from fieldservice.demo.stories import GOOD, Step, Story
from fieldservice.foundation.time import at_local, local
from fieldservice.workorders import catalogue
from fieldservice.workorders.rescue.models import KIND

SEVERE = ("line_stop", "degraded")
WEEK, THREE_DAYS = 168 * 60, 72 * 60  # minutes: what makers answered
WAITS = 11.0  # minutes since the waiting one was reported
TRIES = 12


@dataclass
class Rescues:
    """Told at the first station, whose people may sign in."""

    placing: Placing
    seen: set[str] = field(default_factory=set)  # customers who had one

    def make_up(self) -> list[Story]:
        """As many as the diary has room for."""
        found = (self._over("won", 13), self._over("lost", 20), self._waiting())
        return [story for story in found if story is not None]

    def _waiting(self) -> Story | None:
        """Just triaged: the manager has not decided yet."""
        dice = self._dice("waiting")
        fault = self._fault(dice)
        if fault is None:
            return None
        story = self._report(fault, self.placing.now - timedelta(minutes=WAITS), "rescue-waiting", dice)
        story.add(story.received_at + 4 * MINUTE, "triage", "agent", reason="", their_minutes=WEEK)
        return story

    def _over(self, end: str, days: int) -> Story | None:
        """Approved, mended and followed to its end, some days ago."""
        dice, course = self._dice(end), self.placing.course
        for number in range(TRIES):
            day = self.placing.world.today - timedelta(days=days - number % 5)
            fault = self._fault(dice)
            if fault is None:
                return None
            story = self._report(fault, at_local(day, 9 + number % 4, 17), f"rescue-{end}", dice)
            asked = story.received_at + 6 * MINUTE
            approved = asked + dice.minutes(9, 0.3, 4, 22)
            slot = course.first_slot(story, approved, dice, late=False)
            if slot is None or slot.starts_at > story.due("arrival"):
                continue
            story.add(asked, "triage", "agent", reason="", their_minutes=WEEK if end == "won" else THREE_DAYS)
            estimate = None if end == "won" else 4_800_00
            story.add(approved, "approve", "manager", coverage="paid" if estimate else "goodwill", estimate=estimate)
            finished = course.visit(story, 0, slot, course.book(story, 0, slot, approved, dice), dice, complete=True)
            story.steps = [_as_mended(step, story) for step in story.steps]
            course.close(story, finished, GOOD, dice)
            self._follow(story, finished, end)
            return story
        return None

    def _follow(self, story: Story, finished: datetime, end: str) -> None:
        """The account manager calls the next morning, offers two days later, and hears after four more."""
        words = told("rescues")
        story.add(_day(finished, 1, 9), "note_opportunity", "sales", words=words["call"][story.language])
        story.add(_day(finished, 1, 9, 4), "advance", "sales", to="qualified")
        value = 860_000_00 if end == "won" else 240_000_00
        story.add(_day(finished, 3, 15), "advance", "sales", to="quoted", value=value)
        reason = words["lost"][story.language] if end == "lost" else ""
        story.add(_day(finished, 7, 10), "advance", "sales", to=end, reason=reason)

    def _fault(self, dice: Dice) -> Fault | None:
        """Of another maker's machine that is in nobody's care any more, as a rescue."""
        today = self.placing.world.today
        found = self.placing.draw(self._station(), dice, SEVERE, _foreign(today, self.seen))
        if found is None:
            return None
        self.seen.add(found.customer.code)
        kind = next(one for one in catalogue.work_types() if one.kind == KIND)
        return replace(found, work_type=kind.at(found.machine.industry))

    def _report(self, fault: Fault, at: datetime, code: str, dice: Dice) -> Story:
        story = reported(fault, at.replace(microsecond=0), code, dice)
        asks = told("rescues")["ask"][story.language]
        story.description = f"{story.description}{'' if story.language == 'zh' else ' '}{asks}"
        story.channel = "phone"
        story.add(story.received_at, "report", "agent")
        return story

    def _station(self) -> str:
        return self.placing.world.stations[0].code

    def _dice(self, purpose: str) -> Dice:
        return self.placing.world.dice("rescue", purpose)


def _foreign(today: date, seen: Collection[str]) -> Callable[[Fault], bool]:
    def suits(fault: Fault) -> bool:
        machine = fault.machine
        free = fault.customer.code not in seen and not fault.customer.silent
        return free and not machine.ours and machine.warranty_until < today

    return suits


def _as_mended(step: Step, story: Story) -> Step:
    """The checklist says what the summary says: what was wrong, and that it was repaired."""
    assert story.pattern is not None
    told_so = {"diagnosis": story.pattern.remedy[story.language], "restored": "repair"}
    known = told_so.get(step.data.get("field", "")) if step.verb == "answer" else None
    return replace(step, data={**step.data, "value": known}) if known else step


def _day(after: datetime, days: int, hour: int, minute: int = 0) -> datetime:
    """So many days later, or on the Monday after."""
    day = local(after).date() + timedelta(days=days)
    return at_local(day + timedelta(days=max(0, 7 - day.weekday()) if day.weekday() > 4 else 0), hour, minute)
