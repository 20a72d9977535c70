"""What is going on right now: open requests in every state, and days ahead that are filled but have room.

Each situation makes up a whole story around this moment; what lies after now simply has not happened yet.
Hours in a `Wish` count from now.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from fieldservice.demo.company import told
from fieldservice.demo.course import MINUTE
from fieldservice.demo.dice import Dice
from fieldservice.demo.faults import Fault
from fieldservice.demo.history import planned
from fieldservice.demo.pictures import scene_of
from fieldservice.demo.placing import Placing, Wish, cut, first
from fieldservice.demo.stock import catalogue
from fieldservice.demo.stories import GOOD, Story
from fieldservice.foundation.time import at_local, local

URGENT = ("safety", "line_stop")
BELOW = ("degraded", "minor")
AT = 60  # open requests for which the counts of `make_up` are meant
AHEAD = (1, 2, 1, 3, 2, 1, 4, 2, 3, 1, 5, 2)  # days from today of planned work, in turn
FULL = 5  # so often in a row in vain: everybody is busy, and looking further only takes time
TURNS = (0, 1, 2, 0, 2, 1, 0, 1, 2)  # whose turn it is, by place among three stations
SENT, ACCEPTED = frozenset({"send"}), frozenset({"accept"})
OVER = frozenset({"finish"})
UNDER_WAY = frozenset({"set_off"})
AT_WORK = frozenset({"start"})


@dataclass
class Present:
    """Makes up the open stories; `past` lends machines whose fault comes back."""

    placing: Placing
    past: list[Story]
    _turn: int = 0

    def make_up(self) -> list[Story]:
        """All situations. Those bound to this very moment come first, since they need people who are free now."""
        world = self.placing.world
        self._first_technician()
        self._lent()
        for times, situation in (
            (4, self.at_work), (3, self.on_the_way), (1, self.pausing), (2, self.running_again), (2, self.left_open),
            (5, self.done), (3, self.sent), (2, self.accepted), (3, self.scheduled), (4, self.tomorrow),
            (1, self.declined), (4, self.ready), (2, self.at_risk), (1, self.overdue), (2, self.on_hold),
            (2, self.answered), (1, self.remote), (2, self.unanswered), (5, self.fresh),
        ):  # fmt: skip
            in_vain = 0
            for number in range(max(1, round(times * world.size.open / AT))):
                in_vain = 0 if self._try(situation, number) else in_vain + 1
                if in_vain == FULL:
                    break
        self._cast()
        self._ahead()
        return self.placing.stories

    def _try(self, situation: Callable[[str, int, Dice], None], number: int) -> bool:
        """At one station, or at the next where nobody is free; whether there was somebody."""
        world, so_far = self.placing.world, len(self.placing.stories)
        for turn in range(min(3, len(world.stations))):
            situation(self._station(), number, world.dice(situation.__name__, number, turn))
            if len(self.placing.stories) > so_far:
                return True
        return False

    def _station(self) -> str:
        """Stations take turns, the first one oftener."""
        stations = self.placing.world.stations
        self._turn += 1
        place = TURNS[self._turn % len(TURNS)] if len(stations) == 3 else self._turn % len(stations)
        return stations[place].code

    # Nobody drives yet -------------------------------------------------------------------------------

    def fresh(self, station: str, number: int, dice: Dice) -> None:
        """Just reported. One is reported twice, one came back, the first ones carry photos."""
        ago = (12.4, 3.5, 22.0, 7.0, 1.2)[number % 5] + 0.1 * (number // 5)
        severity = ("line_stop", "degraded", "degraded", "minor", "line_stop")[number % 5]
        if number == 0:  # one P1 waits where people look first
            station = self.placing.world.stations[0].code
        fault = self.placing.faults.draw(station, dice, (severity,))
        if number == 2:
            fault = self._came_back(station) or fault
        story = self.placing.open(fault, self._ago(ago), f"fresh{number}", dice)
        if number < 3:
            story.photos = (scene_of(fault.work_type.code, dice),)
        if number == 3:
            again = self.placing.open(fault, self._ago(5), "twice", dice)
            again.contact = next((one for one in fault.customer.contacts if one != story.contact), story.contact)

    def _came_back(self, station: str) -> Fault | None:
        """A fault that was mended in the last weeks."""
        now = self.placing.now
        for story in reversed(self.past):
            recent = timedelta(days=4) < now - story.received_at < timedelta(days=25)
            if not (recent and story.station == station and story.severity == "degraded" and story.pattern):
                continue
            if "finish" in story.verbs(now):
                return Fault(story.customer, story.machine, story.pattern, story.work_type)
        return None

    def unanswered(self, station: str, number: int, dice: Dice) -> None:
        """The first answer is late: somebody has to call at once."""
        fault = self.placing.faults.draw(station, dice, ("degraded",) if number % 2 else URGENT)
        self.placing.open(fault, self._ago(44 if number % 2 else 27), f"late{number}", dice)

    def answered(self, station: str, number: int, dice: Dice) -> None:
        """Read and answered, not yet turned into work."""
        fault = self.placing.faults.draw(station, dice, BELOW)
        story = self.placing.open(fault, self._ago(dice.uniform(25, 90)), f"answered{number}", dice)
        at = story.received_at + dice.minutes(7, 0.3, 3, 12)
        story.add(at, "message", "agent", words=dice.choice(told("first_answers"))[story.language])
        words = dice.choice(told("messages")["customer"])[story.language]
        story.add(at + dice.minutes(5, 0.3, 2, 9), "message", "customer", words=words)

    def remote(self, station: str, number: int, dice: Dice) -> None:
        """Somebody tries by telephone first."""
        fault = self.placing.faults.draw(station, dice, BELOW)
        story = self.placing.open(fault, self._ago(dice.uniform(22, 70)), f"remote{number}", dice)
        story.add(story.received_at + dice.minutes(8, 0.3, 3, 14), "remote", "agent")

    def ready(self, station: str, number: int, dice: Dice) -> None:
        """Triaged, waiting for a technician and a time."""
        severity = ("degraded", "minor", "line_stop", "degraded", "minor", "minor")[number % 6]
        ago = {"line_stop": 25.0, "degraded": 95.0, "minor": 260.0}[severity]
        fault = self.placing.faults.draw(station, dice, (severity,))
        self.placing.triaged(fault, self._ago(ago * dice.uniform(0.7, 1.8)), f"ready{number}", dice)

    def at_risk(self, station: str, number: int, dice: Dice) -> None:
        """Nobody is planned and the arrival falls due within the hour."""
        fault = self.placing.faults.draw(station, dice, URGENT if number % 2 else ("degraded",))
        due = self.placing.now + timedelta(minutes=dice.randrange(38, 75))
        self.placing.triaged(fault, self.placing.received_for(fault, due), f"risk{number}", dice)

    def overdue(self, station: str, number: int, dice: Dice) -> None:
        """The promise to arrive is broken and still nobody is planned."""
        fault = self.placing.faults.draw(station, dice, ("degraded",))
        due = self._ago(dice.randrange(15, 40))
        self.placing.triaged(fault, self.placing.received_for(fault, due), f"overdue{number}", dice)

    def on_hold(self, station: str, number: int, dice: Dice) -> None:
        """Waits for the customer or a part."""
        fault = self.placing.faults.draw(station, dice, ("minor",))
        story = self.placing.triaged(fault, self._ago(dice.uniform(180, 600)), f"hold{number}", dice)
        words = told("pause_reasons")[number % 3][story.language]
        story.add(story.ends_at + 4 * MINUTE, "hold", "dispatcher", reason=words)

    # Somebody is planned -----------------------------------------------------------------------------

    def scheduled(self, station: str, number: int, dice: Dice) -> None:
        """Later today (or as soon as there is somebody), not yet sent."""
        story = self._place(station, f"scheduled{number}", dice, Wish(1, 9, BELOW))
        if story is not None:
            cut(story, "send")

    def sent(self, station: str, number: int, dice: Dice) -> None:
        """On the technician's tablet, not yet accepted."""
        story = self._place(station, f"sent{number}", dice, Wish(0.7, 8, has=SENT, lacks=UNDER_WAY))
        if story is not None:
            cut(story, "accept")

    def accepted(self, station: str, number: int, dice: Dice) -> None:
        self._place(station, f"accepted{number}", dice, Wish(0.7, 8, has=ACCEPTED, lacks=UNDER_WAY))

    def tomorrow(self, station: str, number: int, dice: Dice) -> None:
        """Within the day that was promised, mostly tomorrow."""
        self._place(station, f"tomorrow{number}", dice, Wish(self._until(8), 23.5, ("minor",)))

    def declined(self, station: str, number: int, dice: Dice) -> None:
        """The technician cannot take it; it has to be planned again."""
        story = self._place(station, f"declined{number}", dice, Wish(1.5, 20, BELOW, has=SENT, lacks=UNDER_WAY))
        if story is not None:
            cut(story, "accept")
            story.steps = [step for step in story.steps if step.verb != "confirm"]
            at = min(first(story, "send").at + 6 * MINUTE, self.placing.now)
            words = told("declined")[number % len(told("declined"))][story.language]
            story.add(at, "decline", first(story, "book").data["technician"], visit=0, reason=words)

    def on_the_way(self, station: str, number: int, dice: Dice) -> None:
        self._place(station, f"way{number}", dice, Wish(0.05, 0.8, has=UNDER_WAY, lacks=frozenset({"arrive"})))

    def at_work(self, station: str, number: int, dice: Dice) -> None:
        self._place(station, f"work{number}", dice, Wish(-1.6, -0.2, has=AT_WORK, lacks=OVER | {"pause"}))

    def pausing(self, station: str, number: int, dice: Dice) -> None:
        """Work stands still for the moment."""
        story = self._place(station, f"pause{number}", dice, Wish(-1.8, -0.5, has=AT_WORK, lacks=OVER | {"pause"}))
        if story is not None:
            at = max(first(story, "start").at, self.placing.now - 4 * MINUTE) + MINUTE
            story.steps = [step for step in story.steps if step.at <= at]
            words = dice.choice(told("pause_reasons"))[story.language]
            story.add(at, "pause", first(story, "book").data["technician"], visit=0, reason=words)

    # Somebody was there ------------------------------------------------------------------------------

    def left_open(self, station: str, number: int, dice: Dice) -> None:
        """The first visit found the cause; the part is missing."""
        story = self._place(station, f"open{number}", dice, Wish(-20, -2.5, has=OVER, complete=False))
        if story is not None and story.due("restore") < self._ago(20):
            words = dice.choice(told("reminders"))[story.language]
            story.add(story.due("restore") + 14 * MINUTE, "own_up", "manager", kind="restore", words=words)

    def running_again(self, station: str, number: int, dice: Dice) -> None:
        """Restored by a workaround; something is left to do."""
        self._place(station, f"again{number}", dice, Wish(-20, -2.5, has=OVER, complete=False, restored=True))

    def done(self, station: str, number: int, dice: Dice) -> None:
        """Finished today, or last night: the customer has yet to confirm, or just did."""
        self._finish(self._place(station, f"done{number}", dice, Wish(self._since(8), -1.1, has=OVER)), dice)

    def _finish(self, story: Story | None, dice: Dice) -> None:
        if story is not None:
            self.placing.course.close(story, first(story, "finish").at, GOOD, dice)

    # The first technician, the cast, and the days ahead -----------------------------------------------

    def _first_technician(self) -> None:
        """A full day: one done, one at the VIP to accept now, two later, one tomorrow."""
        hero, dice = self.placing.world.hero, self.placing.world.dice("hero")

        def at_his(code: str, wish: Wish) -> Story | None:
            return self._place(hero.station, code, dice, wish)

        self._finish(at_his("hero0", Wish(self._since(8), -1.1, has=OVER, only=hero)), dice)
        for wish in (
            Wish(0.5, 1.5, URGENT, has=SENT, lacks=UNDER_WAY, only=hero, customer=told("vip")),
            Wish(0.5, 2.5, has=SENT, lacks=UNDER_WAY, only=hero),
        ):
            story = at_his("hero1", wish)
            if story is not None:
                cut(story, "accept")
                break
        for number, (start, end, last) in enumerate(((2, 5, "set_off"), (3, 8, "send"), (14, 23, ""))):
            story = at_his(f"hero{number + 2}", Wish(start, end, BELOW, only=hero))
            if story is not None and last:
                cut(story, last)

    def _cast(self) -> None:
        """A job only for a valid certificate, one whose part is missing, one of the silent customer."""
        world, dice, held = self.placing.world, self.placing.world.dice("cast"), told("expired")
        first_station = world.stations[0].code
        for code, station, suits in (
            ("certificate", held["station"], lambda one: held["certificate"] in one.work_type.certificates),
            ("part", first_station, _is_short),
            ("silent", first_station, lambda one: one.customer.silent),
        ):  # fmt: skip
            fault = self.placing.draw(station, dice, BELOW, suits) if station in world.station else None
            if fault is not None:
                story = self.placing.triaged(fault, self._ago(dice.uniform(50, 110)), code, dice)
                story.parts_required = code == "part"

    def _lent(self) -> None:
        """Whoever is lent works there: now if possible, and later today."""
        world, dice = self.placing.world, self.placing.world.dice("lent")
        for technician in world.technicians:
            station = technician.lent.get(world.today)
            for number, wish in enumerate(
                (Wish(-1.6, -0.2, has=AT_WORK, lacks=OVER), Wish(1, 7, BELOW)) if station else ()
            ):
                self._place(station or "", f"lent{number}", dice, replace(wish, only=technician))

    def _ahead(self) -> None:
        """Planned work of the next days, agreed a week or two ago."""
        world, course, expected = self.placing.world, self.placing.course, set[tuple[str, date]]()
        for number in range(max(2, world.size.open // 2)):
            dice, station = world.dice("ahead", number), self._station()
            agreed = world.now - timedelta(days=dice.randrange(6, 15))
            day = world.today + timedelta(days=AHEAD[number % len(AHEAD)])
            drawn = (planned(world, station, agreed, f"a{number}", dice) for _ in range(12))
            story = next((one for one in drawn if one and (one.customer.code, day) not in expected), None)
            if story is None:
                continue
            expected.add((story.customer.code, day))
            earliest = max(at_local(day, 8), world.now + timedelta(hours=2))
            slot = course.diary.find(course.need(story), earliest, at_local(day, 17), dice)
            if slot is not None:
                story.add(story.received_at, "plan", "dispatcher")
                booked = course.book(story, 0, slot, story.received_at + 3 * MINUTE, dice)
                course.way(story, 0, slot, booked, dice)
                self.placing.stories.append(story)

    def _since(self, hour: int) -> float:
        """Hours from now back to this morning's `hour`; in the night and early morning, back into the night."""
        morning, midnight = (
            (at_local(self.placing.world.today, begins) - self.placing.now) / timedelta(hours=1) for begins in (hour, 0)
        )
        if -12 < morning < -2.4:
            return morning
        return midnight if -7 < midnight < -2.4 else -7

    def _until(self, hour: int) -> float:
        """Hours from now to the next morning's `hour`."""
        day = self.placing.world.today + timedelta(days=1 if local(self.placing.now).hour >= 5 else 0)
        return (at_local(day, hour) - self.placing.now) / timedelta(hours=1)

    def _place(self, station: str, code: str, dice: Dice, wish: Wish) -> Story | None:
        return self.placing.place(station, code, dice, wish)

    def _ago(self, minutes: float) -> datetime:
        return self.placing.now - timedelta(minutes=minutes)


def _is_short(fault: Fault) -> bool:
    """Needs a part that the station orders when it is wanted."""
    none = {entry["number"] for entry in catalogue() if not entry["station_quantity"] and not entry.get("van")}
    return any(number in none for number, _quantity in fault.pattern.parts)
