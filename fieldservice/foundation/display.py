"""How times, durations, numbers and money are shown, in the language being spoken."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache

from babel.dates import format_date as babel_date
from babel.numbers import format_currency
from flask_babel import format_decimal, get_locale
from flask_babel import gettext as _

from fieldservice.foundation.time import local, today


def clock_time(moment: datetime | None) -> str:
    """14:30"""
    return f"{local(moment):%H:%M}" if moment else ""


def date_short(moment: datetime | date | None) -> str:
    """Nov 25 / 11月25日"""
    if moment is None:
        return ""
    day = local(moment).date() if isinstance(moment, datetime) else moment
    return _day(day, "M月d日" if _chinese() else "d MMM", str(get_locale()))


def date_long(moment: datetime | date | None) -> str:
    """Wed 25 Nov 2026 / 2026年11月25日 周三"""
    if moment is None:
        return ""
    day = local(moment).date() if isinstance(moment, datetime) else moment
    return _day(day, "y年M月d日 EEE" if _chinese() else "EEE d MMM y", str(get_locale()))


def date_weekday(moment: datetime | date | None) -> str:
    """Wed 25 Nov / 11月25日 周三"""
    if moment is None:
        return ""
    day = local(moment).date() if isinstance(moment, datetime) else moment
    return _day(day, "M月d日 EEE" if _chinese() else "EEE d MMM", str(get_locale()))


@lru_cache(4096)
def _day(day: date, pattern: str, locale: str) -> str:
    """Remembered: a plan tells the same few days hundreds of times, and Babel takes its time for each."""
    return str(babel_date(day, pattern, locale=locale))


def datetime_short(moment: datetime | None) -> str:
    """14:30 for today, else 25 Nov 14:30 / 11月25日 14:30"""
    if moment is None:
        return ""
    return clock_time(moment) if local(moment).date() == today() else f"{date_short(moment)} {clock_time(moment)}"


def minutes(length: timedelta | int | float | None) -> str:
    """2 h 14 min / 2 小时 14 分"""
    if length is None:
        return ""
    total = round(length.total_seconds() / 60 if isinstance(length, timedelta) else length)
    days, rest = divmod(abs(total), 1440)
    hours, left = divmod(rest, 60)
    if days >= 2:
        return str(_("%(days)s d %(hours)s h", days=days, hours=hours))
    hours += 24 * days
    if not hours:
        return str(_("%(minutes)s min", minutes=left))
    if not left:
        return str(_("%(hours)s h", hours=hours))
    return str(_("%(hours)s h %(minutes)s min", hours=hours, minutes=left))


def quantity(value: Decimal | float | int | None) -> str:
    """1.5, never 1.500"""
    return "" if value is None else str(format_decimal(Decimal(str(value)).normalize() if value else 0))


def money(minor: int | None, currency: str = "CNY") -> str:
    """¥8,600.00 from integer minor units."""
    return "" if minor is None else format_currency(Decimal(minor) / 100, currency, locale=get_locale())


def _chinese() -> bool:
    return getattr(get_locale(), "language", "zh") == "zh"
