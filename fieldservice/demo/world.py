"""The demo company before anything happens: stations, people, customers, machines. Plain values, no database."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from math import cos, radians, sin

from fieldservice.demo.company import Texts, told
from fieldservice.demo.dice import Dice
from fieldservice.demo.roster import Duty, Turns
from fieldservice.demo.sizes import Size
from fieldservice.foundation.places import Point

MOBILE = "1{second}{third}5550{rest:04d}"  # 5550 marks every telephone of the demo as invented


@dataclass(frozen=True)
class StationPlan:
    code: str
    names: Texts
    division_code: str
    address: str
    point: Point
    territory: tuple[str, ...]
    phone: str


@dataclass(frozen=True)
class TechnicianPlan:
    """`index` is the place in the station's team; `lent` maps days to the station that has him then."""

    key: str
    station: str
    index: int
    profile: str
    names: Texts
    phone: str
    home: Point
    skills: Mapping[str, int]
    certificates: Mapping[str, date]
    turns: Turns
    lent: Mapping[date, str] = field(default_factory=dict)

    def duties(self, day: date) -> list[Duty]:
        return self.turns.duties(self.index, day)

    def station_on(self, day: date) -> str:
        """Where he works on a day."""
        return self.lent.get(day, self.station)


@dataclass(frozen=True)
class SitePlan:
    key: str
    names: Texts
    address: str
    division_code: str
    point: Point
    access_rules: Texts


@dataclass(frozen=True)
class ContactPlan:
    key: str
    name: str
    role: str
    department: str
    phone: str
    email: str


@dataclass(frozen=True)
class MachinePlan:
    """`label` is how people at the site call it: where it stands and its number."""

    key: str
    serial: str
    kind: str
    industry: str
    model: str
    names: Texts
    brand: Texts
    ours: bool
    site: SitePlan
    label: Texts
    installed_on: date
    warranty_until: date
    loss_per_hour: int


@dataclass(frozen=True)
class CustomerPlan:
    code: str
    names: Texts
    tier: str
    industry: str
    language: str
    station: str
    sites: tuple[SitePlan, ...]
    contacts: tuple[ContactPlan, ...]
    machines: tuple[MachinePlan, ...]

    @property
    def silent(self) -> bool:
        """Telephones only, and never answers."""
        return bool(self.code == told("silent"))


@dataclass(frozen=True)
class World:
    """Everything that stands still. `now` is the moment the demo begins, `today` its local day."""

    size: Size
    seed: int
    now: datetime
    today: date
    stations: tuple[StationPlan, ...]
    technicians: tuple[TechnicianPlan, ...]
    customers: tuple[CustomerPlan, ...]

    @cached_property
    def station(self) -> dict[str, StationPlan]:
        return {station.code: station for station in self.stations}

    @cached_property
    def team(self) -> dict[str, list[TechnicianPlan]]:
        """Technicians by home station."""
        teams: dict[str, list[TechnicianPlan]] = {station.code: [] for station in self.stations}
        for technician in self.technicians:
            teams[technician.station].append(technician)
        return teams

    @cached_property
    def clients(self) -> dict[str, list[CustomerPlan]]:
        """Customers by the station that cares for them."""
        found: dict[str, list[CustomerPlan]] = {station.code: [] for station in self.stations}
        for customer in self.customers:
            found[customer.station].append(customer)
        return found

    @property
    def hero(self) -> TechnicianPlan:
        """The technician of technician@demo.test."""
        return self.technicians[0]

    def dice(self, *purpose: object) -> Dice:
        """A stream of chance for one purpose."""
        return Dice(self.seed, *purpose)


def stations_of(size: Size) -> tuple[StationPlan, ...]:
    return tuple(
        StationPlan(
            code=entry["code"],
            names=entry["names"],
            division_code=entry["division_code"],
            address=entry["address"]["zh"],
            point=Point(**entry["point"]),
            territory=tuple(entry["territory"]),
            phone=entry["phone"],
        )
        for entry in told("stations")[: size.stations]
    )


def technicians_of(size: Size, seed: int, today: date, stations: tuple[StationPlan, ...]) -> tuple[TechnicianPlan, ...]:
    """Every station's team takes the profiles in turn; names follow each other, so nobody is there twice."""
    profiles, turns = told("profiles"), Turns(today, size.technicians)
    made: list[TechnicianPlan] = []
    codes = {station.code for station in stations}
    for station in stations:
        dice = Dice(seed, "technicians", station.code)
        for index in range(size.technicians):
            profile = profiles[index % len(profiles)]
            made.append(
                TechnicianPlan(
                    key=f"{station.code}-{index + 1}",
                    station=station.code,
                    index=index,
                    profile=profile["code"],
                    names=person(len(made)),
                    phone=mobile(dice),
                    home=around(dice, station.point, 3, 12),
                    skills=_levels(dice, profile["skills"], first=index < len(profiles)),
                    certificates=_certificates(dice, station.code, profile, index, today),
                    turns=turns,
                    lent=_lent(station.code, profile["code"], index, today) if told("lent")["to"] in codes else {},
                )
            )
    return tuple(made)


def person(number: int, women: bool = False) -> Texts:
    """The n-th name; surnames and given names run past each other, so that pairs repeat late."""
    surnames = told("surnames")
    given = [one for one in told("given_names") if one["gender"] in (("f", "any") if women else ("m",))]
    turn, place = divmod(number, len(surnames))
    surname, first = surnames[place], given[(place + 7 * turn) % len(given)]
    return {"zh": surname["zh"] + first["zh"], "en": f"{surname['pinyin']} {first['pinyin']}"}


def mobile(dice: Dice) -> str:
    return MOBILE.format(second=dice.choice("35789"), third=dice.randrange(10), rest=dice.randrange(10_000))


def around(dice: Dice, centre: Point, nearest: float, furthest: float) -> Point:
    """A point between so many kilometres from a centre, in whole hundred-thousandths of a degree."""
    bearing, kilometres = dice.uniform(0, 360), dice.uniform(nearest, furthest)
    north, east = kilometres * cos(radians(bearing)), kilometres * sin(radians(bearing))
    latitude = centre.latitude + north / 111.2
    return Point(round(latitude, 5), round(centre.longitude + east / (111.2 * cos(radians(latitude))), 5))


def _levels(dice: Dice, skills: Mapping[str, int], *, first: bool) -> dict[str, int]:
    """The first of a profile has its full levels; others are a step behind here and there."""
    return {skill: level if first or level == 1 or dice.happens(0.7) else level - 1 for skill, level in skills.items()}


def _certificates(
    dice: Dice, station: str, profile: Mapping[str, list[str]], index: int, today: date
) -> dict[str, date]:
    held = {kind: today + timedelta(days=dice.randrange(60, 1900)) for kind in profile["certificates"]}
    for told_of, sign in (("expired", -1), ("expiring", 1)):
        cast = told(told_of)
        if (station, profile["code"]) == (cast["station"], cast["profile"]) and index < len(told("profiles")):
            held[cast["certificate"]] = today + sign * timedelta(days=cast.get("days_ago") or cast["in_days"])
    return held


def _lent(station: str, profile: str, index: int, today: date) -> dict[date, str]:
    cast = told("lent")
    if (station, profile) != (cast["station"], cast["profile"]) or index >= len(told("profiles")):
        return {}
    return {today + timedelta(days=days): cast["to"] for days in cast["days"]}
