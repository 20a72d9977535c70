"""Which backups are kept: the newest of each of the last days, weeks and months that have one. Pure."""

from collections.abc import Callable, Iterable
from datetime import datetime

DAILY, WEEKLY, MONTHLY = 7, 4, 6


def kept(
    moments: Iterable[datetime], daily: int = DAILY, weekly: int = WEEKLY, monthly: int = MONTHLY
) -> set[datetime]:
    """The moments (local) to keep. Gaps do not eat places: the last seven days that have a backup count."""
    newest_first = sorted(set(moments), reverse=True)
    return (
        _newest_of_each(newest_first, daily, lambda moment: moment.date())
        | _newest_of_each(newest_first, weekly, lambda moment: moment.isocalendar()[:2])
        | _newest_of_each(newest_first, monthly, lambda moment: (moment.year, moment.month))
    )


def _newest_of_each(newest_first: list[datetime], most: int, span: Callable[[datetime], object]) -> set[datetime]:
    newest: dict[object, datetime] = {}
    for moment in newest_first:
        newest.setdefault(span(moment), moment)
    return set(list(newest.values())[:most])
