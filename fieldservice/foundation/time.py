"""The one clock of the system. Nothing else reads the wall clock, so tests and demos can set it."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


class Clock:
    """Aware UTC now. It may start at a chosen moment and run (demo), or stand still until moved (tests)."""

    def __init__(self) -> None:
        self._offset = timedelta(0)
        self._fixed: datetime | None = None
        self.zone = ZoneInfo("Asia/Shanghai")

    def now(self) -> datetime:
        return self._fixed or datetime.now(UTC) + self._offset

    def start_at(self, moment: datetime) -> None:
        """Run on from `moment`, as FIELDSERVICE_NOW asks."""
        self._fixed, self._offset = None, moment.astimezone(UTC) - datetime.now(UTC)

    def fix(self, moment: datetime) -> None:
        """Stand still at `moment` (tests)."""
        if moment.tzinfo is None:
            raise ValueError("the clock takes aware times only")
        self._fixed = moment.astimezone(UTC)

    def advance(self, **step: float) -> datetime:
        """Move a standing clock, e.g. advance(hours=2)."""
        self.fix(self.now() + timedelta(**step))
        return self.now()

    def follow_wall(self) -> None:
        self._fixed, self._offset = None, timedelta(0)


clock = Clock()


def now() -> datetime:
    """The present moment, aware UTC."""
    return clock.now()


def local(moment: datetime) -> datetime:
    """The same moment on the installation's wall clock (Asia/Shanghai by default)."""
    return moment.astimezone(clock.zone)


def today() -> date:
    """The local calendar day."""
    return local(now()).date()


def at_local(day: date, hour: int = 0, minute: int = 0) -> datetime:
    """The UTC moment at which the local clock shows `hour:minute` on `day`."""
    return datetime.combine(day, time(hour, minute), clock.zone).astimezone(UTC)


def month_span(day: date) -> tuple[datetime, datetime]:
    """[start, end) of the day's local month as UTC moments."""
    first = day.replace(day=1)
    return at_local(first), at_local((first + timedelta(days=32)).replace(day=1))


def day_span(day: date, days: int = 1) -> tuple[datetime, datetime]:
    """[start, end) of local days as UTC moments."""
    return at_local(day), at_local(day + timedelta(days=days))
