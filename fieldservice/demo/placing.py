"""Makes a story whose visit falls into a window around now, and turns out as a situation wants it. Plain values."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from fieldservice.demo.company import told
from fieldservice.demo.course import MINUTE, Course
from fieldservice.demo.diary import Slot, Stop
from fieldservice.demo.dice import Dice
from fieldservice.demo.faults import Fault, Faults, words_of
from fieldservice.demo.history import reported
from fieldservice.demo.stories import Step, Story
from fieldservice.demo.world import TechnicianPlan, World

TRIES = 40


@dataclass(frozen=True)
class Wish:
    """What a situation wants: when the visit begins (hours from now), what has happened by now and what has not."""

    first: float
    last: float
    severities: tuple[str, ...] | None = None
    has: frozenset[str] = frozenset({"book"})
    lacks: frozenset[str] = frozenset()
    only: TechnicianPlan | None = None
    customer: str | None = None
    complete: bool = True
    restored: bool = False


@dataclass
class Placing:
    """Open stories, and the diary they share."""

    world: World
    faults: Faults
    course: Course
    stories: list[Story] = field(default_factory=list)

    @property
    def now(self) -> datetime:
        return self.world.now

    def open(self, fault: Fault, at: datetime, code: str, dice: Dice) -> Story:
        """Reported, and nothing more so far."""
        story = self._report(fault, at, code, dice)
        self.stories.append(story)
        return story

    def triaged(self, fault: Fault, at: datetime, code: str, dice: Dice) -> Story:
        """Waiting for a technician and a time."""
        story = self.open(fault, at, code, dice)
        self._triage(story, self.now - MINUTE, dice)
        return story

    def place(self, station: str, code: str, dice: Dice, wish: Wish) -> Story | None:
        """A story that turns out as wished. Tried with different faults, since not everybody can do everything;
        None when nobody is free then."""
        for story, slot in self._tries(station, code, dice, wish):
            triaged = self._triage(story, min(self.now, slot.starts_at - slot.travel) - 8 * MINUTE, dice)
            booked = self.course.book(story, 0, slot, triaged, dice)
            if booked <= self.now:
                self.course.visit(story, 0, slot, booked, dice, complete=wish.complete, restored=wish.restored)
                happened = story.verbs(self.now)
                if wish.has <= happened and not wish.lacks & happened:
                    self.stories.append(story)
                    return story
            self.let_go(story)
        return None

    def let_go(self, story: Story) -> None:
        """The visit's time is free again."""
        booked = first(story, "book")
        start, length = booked.data["starts_at"], timedelta(minutes=booked.data["minutes"])
        stop = Stop(start, start + length, story.machine.site.point)
        self.course.diary.drop(booked.data["technician"], stop)

    def draw(
        self, station: str, dice: Dice, severities: tuple[str, ...], suits: Callable[[Fault], bool]
    ) -> Fault | None:
        """A fault that suits, if there is one."""
        drawn = (self.faults.draw(station, dice, severities) for _ in range(TRIES * 20))
        return next((fault for fault in drawn if suits(fault)), None)

    def received_for(self, fault: Fault, due: datetime) -> datetime:
        """When something was reported whose arrival falls due then."""
        probe = reported(fault, self.now, "probe", Dice("probe"))
        return due - (probe.due("arrival") - self.now)

    def _tries(self, station: str, code: str, dice: Dice, wish: Wish) -> Iterator[tuple[Story, Slot]]:
        """Faults with a slot in the window, reported so long before that the promises can be kept."""
        start, end = self.now + timedelta(hours=wish.first), self.now + timedelta(hours=wish.last)
        for _ in range(TRIES * (10 if wish.customer else 1)):
            fault = self.faults.draw(station, dice, *([wish.severities] if wish.severities else []))
            if wish.customer is not None and fault.customer.code != wish.customer:
                continue
            story = reported(fault, self.now, code, dice)
            slot = self.course.diary.find(self.course.need(story), start, end, dice, wish.only)
            if slot is None:
                continue
            longest = story.due("arrival") - self.now - 15 * MINUTE
            shortest = max(slot.travel + 25 * MINUTE, slot.starts_at - self.now + 18 * MINUTE)
            if shortest < longest:
                lead = shortest + (longest - shortest) * dice.random() ** 2
                yield self._report(fault, slot.starts_at - lead, code, dice), slot

    def _report(self, fault: Fault, at: datetime, code: str, dice: Dice) -> Story:
        story = reported(fault, at.replace(microsecond=0), code, dice)
        story.description = words_of(fault, at, dice)
        story.add(story.received_at, "report", "agent" if story.channel == "phone" else "customer")
        return story

    def _triage(self, story: Story, before: datetime, dice: Dice) -> datetime:
        """Answered within a few minutes, triaged before a moment; gives when."""
        at = story.received_at + dice.minutes(6, 0.3, 2, 11)
        if dice.happens(0.4) and at + 5 * MINUTE < before:
            story.add(at, "message", "agent", words=dice.choice(told("first_answers"))[story.language])
            at += dice.minutes(4, 0.3, 2, 9)
        return story.add(min(at, before), "triage", "dispatcher", reason="")


def first(story: Story, verb: str) -> Step:
    """The first step of a kind."""
    return next(step for step in story.steps if step.verb == verb)


def cut(story: Story, verb: str) -> None:
    """Nothing from this step on has happened yet."""
    at = min((step.at for step in story.steps if step.verb == verb), default=None)
    if at is not None:
        story.steps = [step for step in story.steps if step.at < at or step.verb == "confirm"]
