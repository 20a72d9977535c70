"""What lending a technician costs: his hours, his further ways, his nights. Pure; money in minor units (CNY)."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from math import ceil


@dataclass(frozen=True)
class Terms:
    """What the lending station asks: for an hour, a further kilometre, a night; and from how far on he stays."""

    hour: int
    km: int
    night: int
    overnight_km: int  # road kilometres between home and the borrowing station above which nobody drives home


@dataclass(frozen=True)
class Way:
    """From home to the borrowing station, and the way to the own station that it stands in for; by road."""

    km: float
    usual_km: float
    minutes: float = 0.0
    usual_minutes: float = 0.0

    @property
    def further_km(self) -> float:
        return max(0.0, self.km - self.usual_km)

    @property
    def further_minutes(self) -> int:
        """More on the road each way; never less than nothing."""
        return max(0, round(self.minutes - self.usual_minutes))


@dataclass(frozen=True)
class Cost:
    """Hours, kilometres and nights, and what each comes to."""

    minutes: int = 0
    km: int = 0
    nights: int = 0
    work: int = 0
    travel: int = 0
    lodging: int = 0

    @property
    def total(self) -> int:
        return self.work + self.travel + self.lodging


def stays(way: Way, terms: Terms) -> bool:
    """Whether it is too far to drive home every evening."""
    return way.km > terms.overnight_km


def cost(minutes: int, days: Collection[date], way: Way, *, lodges: bool, terms: Terms) -> Cost:
    """The cost of so many minutes over these local days.

    Who stays there drives once each way, all of it further than usual, and sleeps there from the first day to the last;
    who drives home every evening drives the difference to the usual way, twice a day. Halves of a minor unit go up.
    """
    if not days:
        return Cost(minutes=minutes, work=_share(minutes, terms.hour))
    nights = (max(days) - min(days)).days if lodges else 0
    km = ceil(2 * way.km) if lodges else ceil(2 * way.further_km * len(set(days)))
    return Cost(minutes, km, nights, _share(minutes, terms.hour), km * terms.km, nights * terms.night)


def _share(minutes: int, hour: int) -> int:
    return (2 * minutes * hour + 60) // 120
