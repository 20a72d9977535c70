"""Half a year of closed work: when faults arrive, and which of them come back. Plain values."""

from bisect import insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from fieldservice.demo.company import told
from fieldservice.demo.course import Course, planned_course
from fieldservice.demo.dice import Dice
from fieldservice.demo.faults import Fault, Faults, channel_of, contact_of, words_of
from fieldservice.demo.stories import FAIR, GOOD, WEAK, Odds, Story, weeks_ago, worse
from fieldservice.demo.world import World
from fieldservice.foundation.time import at_local, local
from fieldservice.workorders import catalogue

SHARES = (1.2, 1.0, 0.9)  # how busy stations are, in turn
WEEKDAYS = (1.15, 1.1, 1.05, 1.05, 1.0, 0.5, 0.38)
HOURS = (2, 2, 2, 2, 2, 3, 5, 9, 22, 24, 22, 17, 9, 18, 20, 18, 14, 9, 6, 5, 5, 4, 3, 2)  # reports by local hour
GROWTH = 1.9  # how much busier the last week is than the first
BAD_WEEK = 1.7
PLANNED = 0.18  # of all orders are planned work
DUPLICATES, CANCELLED = 0.025, 0.02
TRIES = 9
AGAIN = timedelta(days=33)  # the same fault within 30 days counts as not fixed
PRIORITIES = {"safety": "P1", "line_stop": "P1", "degraded": "P2", "minor": "P3"}


def odds_of(world: World, station: str, day: date) -> Odds:
    """How well a station does in the week of a day."""
    weak = told("weak")
    codes = [one.code for one in world.stations]
    base = WEAK if station == weak else GOOD if codes.index(station) % 2 == 0 else FAIR
    return worse(base) if weeks_ago(day, world.today) == told("bad_week") else base


@dataclass
class Past:
    """What happened: faults with their courses, some of which come back, and planned work."""

    world: World
    faults: Faults
    course: Course
    stories: list[Story] = field(default_factory=list)
    returning: list[tuple[datetime, Fault]] = field(default_factory=list)  # faults that are not over, by when
    lately: dict[tuple[str, str], datetime] = field(default_factory=dict)  # (machine, failure mode) → last reported

    def make_up(self, until: datetime) -> list[Story]:
        """Faults received before `until` and planned work done before it, in the order of receipt."""
        for number, (at, station) in enumerate(_arrivals(self.world, until)):
            while self.returning and self.returning[0][0] <= at:
                moment, fault = self.returning.pop(0)
                code = f"b{len(self.stories)}"
                self._report(fault, moment, code, self.world.dice("again", code), strict=False)
            dice = self.world.dice("history", number)
            if dice.happens(PLANNED):
                self._plan(station, at, number, dice)
                continue
            for tries in range(TRIES, 0, -1):  # what nobody on duty could do tonight is not what breaks tonight
                fault = self._fresh_fault(station, at, dice)
                if self._report(fault, at, str(number), dice, strict=tries > 1):
                    break
        return sorted(self.stories, key=lambda story: story.received_at)

    def _fresh_fault(self, station: str, at: datetime, dice: Dice) -> Fault:
        """One that does not look like the same fault again; those are told on purpose."""
        for _ in range(TRIES):
            fault = self.faults.draw(station, dice)
            before = self.lately.get((fault.machine.key, fault.pattern.mode))
            if before is None or at - before > AGAIN:
                break
        return fault

    def _report(self, fault: Fault, at: datetime, code: str, dice: Dice, *, strict: bool) -> bool:
        odds = odds_of(self.world, fault.customer.station, local(at).date())
        story = reported(fault, at, code, dice)
        if not self.course.run(story, odds, dice, strict=strict):
            return False
        self.stories.append(story)
        self.lately[fault.machine.key, fault.pattern.mode] = at
        finished = next((step.at for step in story.steps if step.verb == "finish"), None)
        if finished is not None and dice.happens(odds.comes_back):
            back = finished + dice.minutes(9 * 1440, 0.6, 2 * 1440, 27 * 1440)
            if back < self.course.now - timedelta(days=2):
                insort(self.returning, (back, fault), key=lambda one: one[0])
        if dice.happens(DUPLICATES):
            self.stories.append(_duplicate(story, fault, dice))
        elif dice.happens(CANCELLED):
            self.stories.append(_cancelled(fault, at + timedelta(hours=5), code, dice))
        return True

    def _plan(self, station: str, at: datetime, number: int, dice: Dice) -> None:
        """Planned work whose day is about now; it was booked a week or two before."""
        story = planned(self.world, station, at - timedelta(days=dice.randrange(5, 15)), number, dice)
        if story is None:
            return
        day = at_local(local(at).date(), 8)
        slot = self.course.diary.find(self.course.need(story), day, day + timedelta(days=2), dice)
        if slot is not None and slot.ends_at < self.course.now:
            planned_course(self.course, story, slot, story.received_at + timedelta(minutes=2), dice)
            self.stories.append(story)


def reported(fault: Fault, at: datetime, code: str, dice: Dice) -> Story:
    """A story that begins with a report."""
    return Story(
        code=code,
        station=fault.customer.station,
        customer=fault.customer,
        machine=fault.machine,
        contact=contact_of(fault.customer, dice),
        received_at=at,
        channel=channel_of(fault.customer, dice),
        severity=fault.pattern.severity,
        priority=PRIORITIES[fault.pattern.severity],
        work_type=fault.work_type,
        pattern=fault.pattern,
        description=words_of(fault, at, dice),
    )


def _duplicate(first: Story, fault: Fault, dice: Dice) -> Story:
    """Somebody else at the site reports the same."""
    at = first.received_at + dice.minutes(35, 0.6, 4, 150)
    story = reported(fault, at, f"{first.code}d", dice)
    story.add(at, "report", "customer")
    story.add(at + dice.minutes(8, 0.4, 2, 14), "duplicate", "agent", of=first.code)
    return story


def _cancelled(fault: Fault, at: datetime, code: str, dice: Dice) -> Story:
    """Not needed after all."""
    story = reported(fault, at, f"{code}c", dice)
    story.add(at, "report", "customer")
    words = dice.choice(told("cancelled"))[story.language]
    story.add(at + dice.minutes(9, 0.4, 2, 14), "cancel", "agent", reason=words)
    return story


def planned(world: World, station: str, at: datetime, number: object, dice: Dice) -> Story | None:
    """Work nobody reported, on a machine it is made for; None where the drawn customer has none."""
    customer = dice.choice(world.clients[station])
    machine = dice.choice(customer.machines)
    types = [catalogue.work_type(code) for code in told("planned")]
    fitting = [one for one in types if one.industry == machine.industry and _suits(one.code, machine.kind)]
    if not fitting:
        return None
    moment = local(at)
    return Story(
        code=f"p{number}",
        station=station,
        customer=customer,
        machine=machine,
        contact=contact_of(customer, dice),
        received_at=at_local(moment.date(), 9 + moment.hour % 8, moment.minute) + timedelta(seconds=moment.second),
        channel="phone",
        severity="minor",
        priority="P4",
        work_type=dice.choice(fitting),
        pattern=None,
        description="",
        planned=True,
    )


SUITS = {
    "oil_change": ("gearbox", "hydraulic_station", "hydraulic_press", "lube_station"),
    "oil_sampling": ("gearbox", "hydraulic_station", "hydraulic_press", "lube_station"),
    "oil_purification": ("hydraulic_station", "lube_station"),
    "coolant_care": ("coolant_station",),
    "spray_line_care": ("spray_line", "spray_booth", "paint_supply", "powder_line"),
    "coating_supervision": ("coated_structure",),
    "accuracy_calibration": ("machining_centre", "five_axis", "lathe", "gantry_mill", "grinder"),
    "cnc_service": ("machining_centre", "five_axis", "lathe", "gantry_mill", "grinder"),
}


def _suits(work_type: str, kind: str) -> bool:
    return kind in SUITS[work_type]


def _arrivals(world: World, until: datetime) -> Iterator[tuple[datetime, str]]:
    """Moments at which something happens, with the station, in the order of time; about `closed` of them."""
    size, dice = world.size, world.dice("arrivals")
    days = [world.today - timedelta(days=number) for number in range(size.days, -1, -1)]
    weights = [_weight(world, day) for day in days]
    shares = [SHARES[place % len(SHARES)] for place in range(len(world.stations))]
    moments = []
    for _ in range(size.closed):
        day = dice.choices(days, weights)[0]
        at = at_local(day, dice.choices(range(24), HOURS)[0]) + timedelta(seconds=dice.randrange(3600))
        if at < until:
            moments.append((at, dice.choices(world.stations, shares)[0].code))
    return iter(sorted(moments))


def _weight(world: World, day: date) -> float:
    passed = 1 - (world.today - day).days / world.size.days
    busy = BAD_WEEK if weeks_ago(day, world.today) == told("bad_week") else 1.0
    return WEEKDAYS[day.weekday()] * (1 + (GROWTH - 1) * passed) * busy
