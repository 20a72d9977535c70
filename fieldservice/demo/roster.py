"""When a technician of the demo works: a rule that holds for every day, so that past and future agree.

Stations run seven days. In turn, half of the team works the weekend and rests on two weekdays; every
night somebody is on call, two nights running.
"""

from dataclasses import dataclass
from datetime import date, datetime, time

from fieldservice.foundation.time import at_local

EARLY = (time(8), time(17, 30))
LATE = (time(9, 30), time(19))
MORNING = time(8)


@dataclass(frozen=True)
class Duty:
    """Time on duty or on call."""

    starts_at: datetime
    ends_at: datetime
    on_call: bool = False


@dataclass(frozen=True)
class Turns:
    """Who works when, among `team` technicians, seen from the day on which the demo begins."""

    today: date
    team: int

    def works(self, index: int, day: date) -> bool:
        """Whether the technician with this place in the team works by day; the first one works today."""
        resting = (5, 6) if not self._works_weekend(index, day) else (0, 1) if index % 2 == 0 else (3, 4)
        return day.weekday() not in resting

    def _works_weekend(self, index: int, day: date) -> bool:
        half = index // 2 % 2
        weeks = (day.toordinal() - day.weekday() - self.today.toordinal() + self.today.weekday()) // 7
        return (weeks + half) % 2 == (0 if self.today.weekday() >= 5 else 1)

    def on_call(self, index: int, day: date) -> bool:
        """Whether it is this technician's night; the first one has the nights around the first morning."""
        return (((day - self.today).days + 1) // 2) % self.team == index

    def duties(self, index: int, day: date) -> list[Duty]:
        """The duties that begin on a day, by start."""
        hours = LATE if index % 4 == 2 else EARLY
        found = [Duty(_at(day, hours[0]), _at(day, hours[1]))] if self.works(index, day) else []
        if self.on_call(index, day):
            begins = hours[1] if self.works(index, day) else EARLY[1]  # when those go home who work by day
            morning = _at(date.fromordinal(day.toordinal() + 1), MORNING)
            found.append(Duty(_at(day, begins), morning, on_call=True))
        return found


def _at(day: date, moment: time) -> datetime:
    return at_local(day, moment.hour, moment.minute)
