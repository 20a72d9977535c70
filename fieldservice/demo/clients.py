"""Customers of the demo with their sites, people and machines. Plain values, no database."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from fieldservice.demo.areas import short
from fieldservice.demo.company import Texts, told
from fieldservice.demo.dice import Dice
from fieldservice.demo.sizes import Size
from fieldservice.demo.world import (
    ContactPlan,
    CustomerPlan,
    MachinePlan,
    SitePlan,
    StationPlan,
    around,
    mobile,
    person,
)
from fieldservice.foundation.places import distance_km, divisions

MACHINES = {"vip": 18, "key": 14, "standard": 10, "basic": 6}
NEAR = 70.0  # kilometres: how far from its station an invented customer may be
USERS = {
    "lubricants": (0, 1, 5, 4),
    "coatings": (0, 3, 6, 4),
    "cnc": (0, 2, 6, 8),
    "general": (0, 1, 4, 9),
}  # departments
BUYERS = (7,)
OURS = 0.65  # of a customer's machines are of our own make


@dataclass
class _Counts:
    """Running numbers, so that no name, telephone or serial is there twice."""

    people: int = 0
    phones: set[str] = field(default_factory=set)
    models: dict[str, int] = field(default_factory=dict)


def customers_of(size: Size, seed: int, today: date, stations: tuple[StationPlan, ...]) -> tuple[CustomerPlan, ...]:
    """The told customers in the stations' territories, filled up with invented ones."""
    counts, made = _Counts(), []
    entries = told("customers")
    for station in stations:
        mine = [entry for entry in entries if _in_territory(entry["division_code"], station)][: size.customers]
        mine += list(_more(station, size.customers - len(mine), Dice(seed, "customers", station.code)))
        for entry in mine:
            made.append(_customer(entry, station, Dice(seed, "customer", entry["code"]), today, counts))
    return tuple(made)


def _in_territory(code: str, station: StationPlan) -> bool:
    return any(divisions.within(code, held) for held in station.territory)


def _counties(station: StationPlan) -> list[str]:
    """Counties of the territory within reach, the nearest first."""
    found: list[str] = []
    for held in station.territory:
        found += divisions.children(held) or (held,)
    reach = {code: distance_km(station.point, divisions.centre(code)) for code in found}
    near = sorted((code for code in found if reach[code] <= NEAR), key=lambda code: (reach[code], code))
    return near or [station.division_code]


def _more(station: StationPlan, count: int, dice: Dice) -> Iterator[dict[str, Any]]:
    """Invented customers: a county, a stem and a trade make a name."""
    counties, stems, known = _counties(station), told("stems"), set[str]()
    for number in range(max(0, count)):
        industry = dice.one_of({"cnc": 4, "coatings": 3, "lubricants": 3, "general": 2})
        stem, trade = stems[number % len(stems)], dice.choice(told("trades")[industry])
        county = next(code for code in counties[number % len(counties) :] + counties if code + stem["zh"] not in known)
        known.add(county + stem["zh"])
        place = {spoken: short(divisions.name(county, spoken), spoken) for spoken in ("zh", "en")}
        yield {
            "code": f"{station.code.lower()}{number:03d}",
            "short": {"zh": place["zh"] + stem["zh"] + trade["zh"], "en": f"{place['en']} {stem['en']} {trade['en']}"},
            "industry": industry,
            "also": ["general"] if dice.happens(0.4) else [],
            "tier": dice.one_of({"vip": 1, "key": 3, "standard": 6, "basic": 3}),
            "language": "en" if dice.happens(0.08) else "zh",
            "division_code": county,
        }


def _customer(entry: Mapping[str, Any], station: StationPlan, dice: Dice, today: date, counts: _Counts) -> CustomerPlan:
    codes = [entry["division_code"]]
    if entry["tier"] in ("vip", "key"):
        others = [code for code in _counties(station) if code not in codes][:6]
        codes.append(dice.choice(others or codes))
    sites = tuple(_site(entry, number, code, dice) for number, code in enumerate(codes))
    contacts = tuple(_contact(entry, number, dice, counts) for number in range(3 if len(codes) > 1 else 2))
    machines = tuple(_machines(entry, sites, dice, today, counts))
    return CustomerPlan(
        code=entry["code"],
        names=entry["short"],
        tier=entry["tier"],
        industry=entry["industry"],
        language=entry["language"],
        station=station.code,
        sites=sites,
        contacts=contacts,
        machines=machines,
    )


def _site(entry: Mapping[str, Any], number: int, code: str, dice: Dice) -> SitePlan:
    place = {spoken: short(divisions.name(code, spoken), spoken) for spoken in ("zh", "en")}
    naming, street, house = told("site_names")[number], dice.choice(told("streets")), dice.randrange(6, 900)
    address = {
        "zh": f"{divisions.label(code, 'zh')}{street['zh']} {house} 号",
        "en": f"{house} {street['en']}, {divisions.label(code, 'en')}",
    }
    rules = dice.some(told("access_rules"), 2)
    return SitePlan(
        key=f"{entry['code']}-{number + 1}",
        names={spoken: naming[spoken].format(place=place[spoken]) for spoken in ("zh", "en")},
        address=address[entry["language"]],
        division_code=code,
        point=around(dice, divisions.centre(code), 1.0, 8.0),
        access_rules={"zh": "".join(rule["zh"] for rule in rules), "en": " ".join(rule["en"] for rule in rules)},
    )


def _contact(entry: Mapping[str, Any], number: int, dice: Dice, counts: _Counts) -> ContactPlan:
    name = person(counts.people + 11, women=dice.happens(0.3))
    counts.people += 1
    phone = mobile(dice)
    while phone in counts.phones:
        phone = mobile(dice)
    counts.phones.add(phone)
    mailbox = name["en"].lower().replace(" ", ".").replace("'", "")
    buyer = number == 2
    department = told("departments")[dice.choice(BUYERS if buyer else USERS[entry["industry"]])]
    return ContactPlan(
        key=f"{entry['code']}-{number + 1}",
        name=name[entry["language"]],
        role="buyer" if buyer else "requester",
        department=department[entry["language"]],
        phone=phone,
        email=f"{mailbox}@{entry['code']}.example" if dice.happens(0.7) else "",
    )


def _machines(
    entry: Mapping[str, Any], sites: tuple[SitePlan, ...], dice: Dice, today: date, counts: _Counts
) -> Iterator[MachinePlan]:
    industries = {entry["industry"]: 4.0, **dict.fromkeys(entry.get("also", ()), 1.0)}
    for number in range(MACHINES[entry["tier"]] + dice.randrange(2)):
        industry = entry["industry"] if number < 2 else dice.one_of(industries)
        models = [one for one in told("machines") if one["industry"] == industry]
        model = dice.one_of({index: OURS if one["ours"] else 1 - OURS for index, one in enumerate(models)})
        yield _machine(f"{entry['code']}-{number + 1}", models[model], sites, number, dice, today, counts)


def _machine(
    key: str, model: Mapping[str, Any], sites: tuple[SitePlan, ...], number: int, dice: Dice, today: date,
    counts: _Counts,
) -> MachinePlan:  # fmt: skip
    installed = today - timedelta(days=dice.randrange(90, 2600))
    counts.models[model["model"]] = serial = counts.models.get(model["model"], dice.randrange(11, 60)) + 1
    area, position = dice.choice(told("areas")[model["industry"]]), told("positions")[number % len(told("positions"))]
    until = date(installed.year + model["warranty_months"] // 12, installed.month, min(installed.day, 28))
    return MachinePlan(
        key=key,
        serial=model["serial"].format(year=installed.year, n=serial),
        kind=model["kind"],
        industry=model["industry"],
        model=model["model"],
        names={spoken: f"{position[spoken]} {model['names'][spoken]}" for spoken in ("zh", "en")},
        brand=model["brand"],
        ours=model["ours"],
        site=sites[number % len(sites)],
        label=_label(area, position),
        installed_on=installed,
        warranty_until=until + timedelta(days=183 if model["warranty_months"] % 12 else 0),
        loss_per_hour=model["loss_per_hour_minor"],
    )


def _label(area: Texts, position: Texts) -> Texts:
    return {"zh": f"{area['zh']} {position['zh']}", "en": f"{area['en']}, {position['en']}"}
