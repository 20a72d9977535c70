"""The course of a fault from report to closing, and of planned work: who does what when. Plain values.

Every moment is drawn so that the figures come out as the station's odds say: a promise is kept unless the
odds break it. Whatever is drawn, the steps stay possible: nobody is in two places, nobody arrives before
setting off.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from fieldservice.contracts import promises
from fieldservice.demo import readings
from fieldservice.demo.company import told
from fieldservice.demo.diary import Diary, Need, Slot, Stop
from fieldservice.demo.dice import Dice
from fieldservice.demo.pictures import scene_of
from fieldservice.demo.stock import part_names
from fieldservice.demo.stories import CALENDAR, Odds, Story
from fieldservice.feedback import services as feedback
from fieldservice.foundation.time import at_local, local

MINUTE = timedelta(minutes=1)
LATEST = timedelta(days=6)  # what cannot be placed within this time is not told at all
URGENT = ("P1", "P2")
SIGNS_OFF = 0.66  # of the customers; the others stay silent for three business days
KEPT_BY = {  # the steps that decide a promise
    "first_answer": ("message", "triage", "remote"),
    "arrival": ("arrive",),
    "restore": ("finish", "remote_done"),
}
ASKED, UNASKED = 0.5, 0.12  # chances that somebody rates
SILENCE = 3 * 480  # business minutes (intake.SILENCE)


@dataclass
class Course:
    """Tells one story after the other into the same diary."""

    diary: Diary
    now: datetime
    asked: dict[str, datetime] = field(default_factory=dict)  # telephone → when a survey was sent

    def run(self, story: Story, odds: Odds, dice: Dice, *, strict: bool = True) -> bool:
        """The whole way of a fault, from report to closing; False when nobody could do it.

        With `strict` it is False too where nobody can come in time although the odds did not say so.
        """
        story.add(story.received_at, "report", "agent" if story.channel == "phone" else "customer")
        answered = self.answer(story, odds, dice)
        if dice.happens(0.05) and story.pattern is not None and story.severity in ("degraded", "minor"):
            self.help_remotely(story, answered, dice)
            return True
        triaged = self.triage(story, answered, dice)
        late, late_arrival = dice.happens(odds.late_restore), dice.happens(odds.late_arrival)
        slot = self.first_slot(story, triaged, dice, late=late_arrival)
        if slot is None or (strict and not late_arrival and slot.starts_at > story.due("arrival")):
            return False
        booked = self.book(story, 0, slot, triaged, dice)
        on_time = slot.starts_at <= story.due("arrival")
        parts_missing = late or dice.happens(odds.second_visit)
        finished = self.visit(story, 0, slot, booked, dice, complete=not parts_missing, punctual=on_time)
        if parts_missing:
            again = self.second_slot(story, finished, late, dice)
            if again is None:
                return False
            finished = self.visit(story, 1, again, self.book(story, 1, again, finished, dice), dice, complete=True)
        self.supervise(story, dice)
        self.close(story, finished, odds, dice)
        return True

    # Before anybody drives ---------------------------------------------------------------------------

    def answer(self, story: Story, odds: Odds, dice: Dice) -> datetime:
        """When a person first answers, and whether by a message of its own; else triage is the answer."""
        limit = story.due("first_answer")
        received = story.received_at
        if dice.happens(odds.late_answer):
            at = limit + dice.minutes(9, 0.7, 1, 40)
        else:
            wait = dice.minutes(3 if story.channel == "phone" else odds.answer_minutes, 0.55, 0.7, 200)
            at = _waking(received + wait, story.priority, dice)
            at = min(at, limit - MINUTE)
        if dice.happens(0.35):
            words = dice.choice(told("first_answers"))[story.language]
            story.add(at, "message", "agent", words=words)
            return at + dice.minutes(6, 0.5, 1, 30)
        return at

    def triage(self, story: Story, at: datetime, dice: Dice) -> datetime:
        reason = ""
        if story.priority != promises.priority_for(story.severity):
            reason = dice.choice(told("priority_reasons")[story.severity])[story.language]
        return story.add(at, "triage", "dispatcher", reason=reason)

    def help_remotely(self, story: Story, at: datetime, dice: Dice) -> None:
        """Solved by telephone: nobody drives."""
        story.add(at, "remote", "agent")
        done = at + dice.minutes(28, 0.5, 8, 110)
        story.add(done, "message", "agent", words=dice.choice(told("remote"))[story.language])
        story.add(done + MINUTE, "remote_done", "agent")
        self.supervise(story, dice)
        self.close(story, done + MINUTE, None, dice)

    # Planning ----------------------------------------------------------------------------------------

    def need(self, story: Story, length: timedelta | None = None) -> Need:
        kind = story.work_type
        return Need(
            story.station, story.machine.site.point, story.priority, length or timedelta(minutes=kind.duration_min),
            kind.skills, kind.certificates,
        )  # fmt: skip

    def first_slot(self, story: Story, triaged: datetime, dice: Dice, *, late: bool) -> Slot | None:
        """A slot that keeps the promises, unless it is to be late or the diary is full."""
        need, due = self.need(story), story.due("arrival")
        restore = story.due("restore") - need.length - 10 * MINUTE
        lead = {"P1": 8, "P2": 20, "P3": 60}.get(story.priority, 60)
        earliest = triaged + timedelta(minutes=lead)
        if story.priority == "P3" and dice.happens(0.55):  # the customer prefers the next morning
            earliest = max(earliest, _morning(triaged))
        if late:
            return self.diary.find(need, max(earliest, due + 5 * MINUTE), restore, dice) or self.diary.find(
                need, max(earliest, due + 5 * MINUTE), earliest + LATEST, dice
            )
        for latest in (min(due - 14 * MINUTE, restore), restore, earliest + LATEST):
            slot = self.diary.find(need, earliest, latest, dice) or (
                self.diary.find(need, triaged + timedelta(minutes=lead), latest, dice)
                if story.priority == "P3"
                else None
            )
            if slot is not None:
                return slot
        return None

    def second_slot(self, story: Story, finished: datetime, late: bool, dice: Dice) -> Slot | None:
        """Where the work goes on once the part is there."""
        need = self.need(story, timedelta(minutes=max(60, story.work_type.duration_min // 2)))
        restore = story.due("restore")
        if late:
            earliest = max(restore + 20 * MINUTE, finished + timedelta(hours=3))
            return self.diary.find(need, earliest, earliest + LATEST, dice)
        last = restore - need.length - 10 * MINUTE
        soon = self.diary.find(need, finished + timedelta(hours=2), last, dice)
        return soon or self.diary.find(need, finished + timedelta(hours=2), finished + LATEST, dice)

    def book(self, story: Story, number: int, slot: Slot, after: datetime, dice: Dice) -> datetime:
        """Book and hold the time; gives when it was booked."""
        at = min(after + dice.minutes(5, 0.6, 1, 25), slot.starts_at - slot.travel)
        at = max(at, after + timedelta(seconds=20))
        length = round((slot.ends_at - slot.starts_at).total_seconds() / 60)
        story.add(
            at, "book", "dispatcher", visit=number, technician=slot.technician.key, starts_at=slot.starts_at,
            minutes=length, travel=slot.travel,
        )  # fmt: skip
        self.diary.book(slot.technician.key, stop_of(story, slot))
        confirmed = at + dice.minutes(25, 0.8, 2, 300)
        if (
            not story.planned
            and not story.customer.silent
            and dice.happens(0.4)
            and confirmed < slot.starts_at - slot.travel
        ):
            story.add(_whole(confirmed), "confirm", "customer", visit=number)
        return at

    # The visit ---------------------------------------------------------------------------------------

    def visit(
        self, story: Story, number: int, slot: Slot, booked: datetime, dice: Dice, *, complete: bool,
        punctual: bool = True, restored: bool = False,
    ) -> datetime:  # fmt: skip
        """From sending to finishing; gives when. What is not complete may be `restored` all the same."""
        key = slot.technician.key
        leave = self.way(story, number, slot, booked, dice, punctual=punctual)
        arrived = leave + slot.travel * dice.uniform(0.9, 1.05)
        if punctual and not number and not story.planned:
            arrived = min(arrived, max(leave + MINUTE, story.due("arrival") - MINUTE))
        arrived = _whole(arrived)
        story.add(arrived, "arrive", key, visit=number)
        started = story.add(arrived + dice.minutes(6, 0.4, 2, 15), "start", key, visit=number)
        finished = _whole(started + (slot.ends_at - slot.starts_at) * dice.uniform(0.5, 0.82))
        finished = max(min(finished, slot.ends_at - MINUTE), started + 12 * MINUTE)
        self.work(story, number, key, started, finished, dice, complete=complete, restored=complete or restored)
        return finished

    def way(
        self, story: Story, number: int, slot: Slot, booked: datetime, dice: Dice, *, punctual: bool = True
    ) -> datetime:
        """Sent, accepted, on the way; gives when the technician set off."""
        key, planned = slot.technician.key, slot.starts_at - slot.travel
        sent = booked + dice.minutes(2, 0.5, 0.5, 6)
        evening = at_local(local(slot.starts_at - timedelta(days=1)).date(), 17, 10)
        if local(sent).date() < local(slot.starts_at).date() and evening > sent and story.priority != "P1":
            sent = evening + dice.minutes(20, 0.5, 1, 60)
        accepted = sent + dice.minutes(5, 0.7, 0.5, 25)
        slack = dice.gauss(-4, 5) if punctual else dice.uniform(0, 12)
        leave = planned + timedelta(minutes=max(-12.0, min(slack, 12.0)))
        leave = max(leave, slot.free_at + MINUTE, booked + 2 * MINUTE)
        accepted = min(accepted, leave - timedelta(seconds=30))
        sent = min(sent, accepted - timedelta(seconds=30))
        if sent <= booked:
            sent, accepted = booked + timedelta(seconds=20), booked + timedelta(seconds=50)
        story.add(_whole(sent), "send", "dispatcher", visit=number)
        story.add(_whole(accepted), "accept", key, visit=number)
        if not story.planned and dice.happens(0.1) and accepted + 3 * MINUTE < leave:
            words = dice.choice(told("messages")["station"])[story.language]
            story.add(accepted + MINUTE, "message", "dispatcher", words=words)
        return story.add(_whole(leave), "set_off", key, visit=number)

    def work(
        self, story: Story, number: int, key: str, started: datetime, finished: datetime, dice: Dice, *, complete: bool,
        restored: bool,
    ) -> None:  # fmt: skip
        """What is recorded at the machine between start and finish."""
        length = finished - started
        if dice.happens(0.12) and length > timedelta(minutes=50):
            paused = _whole(started + length * 0.3)
            words = dice.choice(told("pause_reasons"))[story.language]
            story.add(paused, "pause", key, visit=number, reason=words)
            story.add(_whole(started + length * dice.uniform(0.42, 0.6)), "resume", key, visit=number)
        given = list(readings.answers(story.work_type.form, alarm_of(story), dice)) if complete or number else []
        for place, (code, value) in enumerate(given):
            at = _whole(started + length * (0.62 + 0.25 * place / len(given)))
            story.add(at, "answer", key, visit=number, field=code, value=value)
        if complete:
            self.photos(story, number, key, started + length * 0.88, dice)
            self.parts(story, number, key, _whole(started + length * 0.6), dice)
            self.words(story, number, key, _whole(started + length * 0.93), dice)
            story.add(finished, "finish", key, visit=number, outcome="completed", restored=True, items=())
        else:
            self.words(story, number, key, _whole(started + length * 0.93), dice, open_ended=True)
            left = left_open(story, dice)
            story.add(
                finished, "finish", key, visit=number, outcome="partially_completed", restored=restored, items=(left,)
            )

    def photos(self, story: Story, number: int, key: str, at: datetime, dice: Dice) -> None:
        for code in readings.photo_fields(story.work_type.form):
            after = story.work_type.form.field(code).moment == "after"
            scene = scene_of(story.work_type.code, dice)
            story.add(_whole(at), "photo", key, visit=number, field=code, scene=scene, variant=int(after))

    def parts(self, story: Story, number: int, key: str, at: datetime, dice: Dice) -> None:
        """What the pattern says is fitted; planned work takes the work type's usual parts."""
        source = story.pattern.parts if story.pattern is not None else story.work_type.parts
        for part, quantity in source:
            if story.planned or dice.happens(0.85):
                story.add(at, "part", key, visit=number, part=part, quantity=Decimal(quantity))

    def words(
        self, story: Story, number: int, key: str, at: datetime, dice: Dice, *, open_ended: bool = False
    ) -> None:  # fmt: skip
        """Pattern and summary; a colleague finds the lesson and a note."""
        if story.pattern is None:
            story.add(at, "summary", key, visit=number, words=told("planned")[story.work_type.code][story.language])
            return
        story.add(at - timedelta(seconds=40), "pattern", key, visit=number, pattern=story.pattern.code)
        note = [dice.choice(told("technician_notes"))[story.language]]
        if story.pattern.lesson and dice.happens(0.4):
            note.insert(0, story.pattern.lesson[story.language])
        spoken = story.pattern.remedy[story.language]
        if open_ended:
            spoken = told("interim")[story.language]
        joined = ("" if story.language == "zh" else " ").join(note)
        story.add(at, "summary", key, visit=number, words=spoken, note=joined)

    # Afterwards --------------------------------------------------------------------------------------

    def supervise(self, story: Story, dice: Dice) -> None:
        """The station manager answers for every broken promise, soon after it broke."""
        for kind, kept_by in KEPT_BY.items():
            due, done = story.due(kind), [step.at for step in story.steps if step.verb in kept_by]
            if kind == "restore":
                done = done[-1:]
            if not done or min(done) <= due:
                continue
            at = _day(due + dice.minutes(14, 0.4, 4, 28))
            story.add(at, "own_up", "manager", kind=kind, words=dice.choice(told("reminders"))[story.language])

    def close(self, story: Story, finished: datetime, odds: Odds | None, dice: Dice) -> None:
        """The customer signs off, or is silent for three business days; and is asked how it was."""
        content = odds.content if odds else 0.85
        silent = story.customer.silent or not dice.happens(SIGNS_OFF)
        asked = story.add(finished + dice.minutes(7, 0.3, 2, 15), "invite", "system")
        if silent:
            closed = CALENDAR.add(finished, SILENCE) + dice.minutes(20, 0.3, 1, 59)
            story.add(_whole(closed), "close_silent", "system")
        else:
            closed = _day(finished + dice.minutes(200, 1.0, 15, 2400))
            story.add(closed, "sign_off", "customer")
        if not story.customer.silent and dice.happens(self.answers_survey(story, asked)):
            at = _day((asked if silent else closed) + dice.minutes(40 if not silent else 600, 1.1, 2, 6000))
            self.rate(story, at, content, dice)
        else:
            story.add(at_local(local(asked + feedback.VALID).date() + timedelta(days=1), 3), "expire", "system")

    def answers_survey(self, story: Story, at: datetime) -> float:
        """How likely a rating is: a person is asked once in thirty days, and hardly anybody writes unasked."""
        before = self.asked.get(story.contact.phone)
        if before is not None and at - before < feedback.ONE_IN:
            return UNASKED
        self.asked[story.contact.phone] = at
        return ASKED

    def rate(self, story: Story, at: datetime, content: float, dice: Dice) -> None:
        """Five dimensions and perhaps a sentence. What went wrong shows in the rating."""
        late = sum(step.verb == "own_up" for step in story.steps)
        mood = (
            5
            if dice.happens(content - 0.25 * late)
            else dice.one_of({4: 6, 3: 2.5 + late, 2: 0.7 + late, 1: 0.3 + late})
        )
        scores = {}
        for name in ("reliability", "responsiveness", "assurance", "empathy", "tangibles"):
            shift = dice.one_of({0: 9, -1: 0.8 if mood == 5 else 1.5, 1: 2})
            scores[name] = max(1, min(5, mood + int(shift)))
        words = dice.choice(told("survey")[str(mood)])[story.language] if dice.happens(0.45) else ""
        low = (
            dice.choice(told("low_reasons"))[story.language] if min(scores.values()) <= 3 and dice.happens(0.7) else ""
        )
        story.add(at, "rate", "customer", scores=scores, words=words, low_reason=low)
        if min(scores.values()) <= 3:
            story.add(_day(at + dice.minutes(240, 0.8, 30, 1300)), "recover", "manager")


def stop_of(story: Story, slot: Slot) -> Stop:
    """The time a visit takes in the diary."""
    return Stop(slot.starts_at, slot.ends_at, story.machine.site.point)


def planned_course(course: Course, story: Story, slot: Slot, booked: datetime, dice: Dice) -> datetime:
    """Planned work: booked long before, done on its day, closed by the dispatcher."""
    story.add(story.received_at, "plan", "dispatcher")
    at = course.book(story, 0, slot, booked, dice)
    finished = course.visit(story, 0, slot, at, dice, complete=True)
    return story.add(_day(finished + dice.minutes(300, 0.7, 30, 2000)), "close_order", "dispatcher")


def left_open(story: Story, dice: Dice) -> str:
    """What a visit leaves to do: mostly to fit the part that was missing."""
    if story.pattern is None or not story.pattern.parts:
        return str(dice.choice(told("open_items"))[story.language])
    number, _quantity = dice.choice(story.pattern.parts)
    name = part_names()[number][story.language]
    return f"等件到后更换：{name}" if story.language == "zh" else f"Fit when it arrives: {name}"


def alarm_of(story: Story) -> str:
    """The alarm that belongs to the pattern: the first of its words with a digit."""
    words = story.pattern.words["en"] if story.pattern else ()
    return next((word for word in words if any(sign.isdigit() for sign in word)), "")


def _waking(moment: datetime, priority: str, dice: Dice) -> datetime:
    """Small matters of the night are answered in the morning."""
    here = local(moment)
    if priority in URGENT or 7 <= here.hour < 21:
        return moment
    morning = at_local(here.date() if here.hour < 7 else here.date() + timedelta(days=1), 7, 30)
    return morning + dice.minutes(25, 0.5, 1, 80)


def _morning(moment: datetime) -> datetime:
    return at_local(local(moment).date() + timedelta(days=1), 8, 10)


def _day(moment: datetime) -> datetime:
    """What people do in the day: at night it waits until the morning."""
    here = local(moment)
    if 8 <= here.hour < 20:
        return _whole(moment)
    morning = at_local(here.date() if here.hour < 8 else here.date() + timedelta(days=1), 8, 15)
    return morning + timedelta(seconds=(here.minute * 60 + here.second) % 2400)


def _whole(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)
