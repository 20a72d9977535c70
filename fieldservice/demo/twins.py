"""Stations, people and customers of a region once more elsewhere in the country: other places, names and telephones.

Plain rows in, plain rows out; what happened between them is copied by `copying`. The n-th twin of a row has the id
`id + n · span` of its table.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Column

from fieldservice.customers import naming
from fieldservice.demo.accounts import DOMAIN, full
from fieldservice.demo.areas import Area, short
from fieldservice.demo.company import Texts
from fieldservice.demo.world import MOBILE, person
from fieldservice.foundation.db import Base
from fieldservice.foundation.places import Point, divisions

Row = dict[str, Any]
TABLES = (
    "station", "territory", "territory_division", "technician", "user_account", "role_grant", "customer", "contact",
    "site", "stock_location",
)  # fmt: skip
LOOSE = {  # columns that name a row without a foreign key
    "station_id": "station", "home_station_id": "station", "technician_id": "technician", "customer_id": "customer",
    "owner_user_id": "user_account", "user_id": "user_account",
}  # fmt: skip
SECONDS = "35789"
PHONES = len(SECONDS) * 100_000  # telephone numbers that mark themselves as invented


@dataclass
class Twins:
    """Makes the rows of one region after the other."""

    region: Mapping[str, Sequence[Row]]
    spans: Mapping[str, int]
    phones: Iterator[str]
    codes: set[str]
    _places: dict[int, Area] = field(default_factory=dict)  # by the region's station id, for the present copy
    _counties: dict[tuple[int, str], str] = field(default_factory=dict)  # (station id, county) → county there

    def of(self, number: int, areas: Sequence[Area]) -> dict[str, list[Row]]:
        """The rows of the copy with this number, whose stations stand in these areas, by table."""
        stations = self.region["station"]
        self._places = {row["id"]: area for row, area in zip(stations, areas, strict=True)}
        self._counties = dict(self._elsewhere())
        made = {table: [self._moved(table, row, number) for row in self.region[table]] for table in TABLES}
        self._stations(made)
        self._people(made, number)
        self._customers(made, number)
        return made

    def _moved(self, table: str, row: Row, number: int) -> Row:
        """The row with its own id and those it points to moved on."""
        twin = dict(row)
        for column in Base.metadata.tables[table].columns:
            target = table if column.name == "id" else named_by(column)
            if target is not None and target in self.spans and twin[column.name] is not None:
                twin[column.name] += number * self.spans[target]
        return twin

    def _elsewhere(self) -> Iterator[tuple[tuple[int, str], str]]:
        """The counties of a station's customers lie in as many counties of its twin's area, as far as there are."""
        station_of = {row["id"]: row["station_id"] for row in self.region["customer"]}
        seen: dict[int, list[str]] = defaultdict(list)
        for site in self.region["site"]:
            met = seen[station_of[site["customer_id"]]]
            if site["division_code"] not in met:
                met.append(site["division_code"])
        for station, counties in seen.items():
            there = self._places[station].counties
            for place, county in enumerate(counties):
                yield (station, county), there[place % len(there)]

    def _stations(self, made: dict[str, list[Row]]) -> None:
        twin_of = {}
        for row, twin in zip(self.region["station"], made["station"], strict=True):
            area = self._places[row["id"]]
            county = area.counties[0]
            twin["code"] = self._code(area)
            twin["names"] = {"zh": f"{area.place['zh']}站", "en": area.place["en"]}
            twin["division_code"] = county
            twin["address"] = f"{divisions.label(county, 'zh')}工业大道 {10 + row['id'] * 7} 号"
            twin["latitude"], twin["longitude"] = area.point.latitude, area.point.longitude
            twin_of[twin["id"]] = (twin, area)
        held = {}
        for territory in made["territory"]:
            station, area = twin_of[territory["station_id"]]
            territory["code"], held[territory["id"]] = f"{station['code']}-{territory['id']}", area.code
        parts = {part["territory_id"]: part for part in reversed(made["territory_division"])}
        for territory_id, part in parts.items():
            part["code"] = part["active_code"] = held[territory_id]
        made["territory_division"] = list(parts.values())

    def _code(self, area: Area) -> str:
        """Four letters of the name, as people shorten it: NANT for Nantong, NAN2 where that is taken."""
        letters = "".join(letter for letter in area.place["en"].upper() if letter.isascii() and letter.isalpha())
        tries = (letters[:4], *(f"{letters[:3]}{digit}" for digit in range(2, 10)), f"A{area.code}")
        code = next(one for one in tries if one not in self.codes)
        self.codes.add(code)
        return code

    def _people(self, made: dict[str, list[Row]], number: int) -> None:
        codes = {twin["id"]: twin["code"] for twin in made["station"]}
        names, phones = {}, {}
        for place, (row, twin) in enumerate(zip(self.region["technician"], made["technician"], strict=True)):
            names[twin["id"]] = twin["names"] = person(number * len(made["technician"]) + place)
            phones[twin["id"]] = twin["phone"] = next(self.phones)
            home = next(one for one in self.region["station"] if one["id"] == row["station_id"])
            self._shift(twin, row, _point(home), self._places[home["id"]].point)
        station_of = {grant["user_id"]: grant["station_id"] for grant in made["role_grant"]}
        for place, user in enumerate(made["user_account"]):
            technician = user["technician_id"]
            user["name"] = full(names.get(technician) or person(900 + number * 31 + place, women=place % 2 == 0))
            user["phone"] = phones.get(technician)
            local_part = user["email"].partition("@")[0].partition(".")[0]
            user["email"] = f"{local_part}.{codes[station_of[user['id']]].lower()}.{user['id']}@{DOMAIN}"
            user["fs_uniquifier"], user["password"] = f"twin{user['id']:028d}", None
        of = {twin["id"]: twin for twin in made["station"]}
        for location in made["stock_location"]:
            owner = location["technician_id"]
            location["code"] = f"{location['code'][0]}{location['id']}"
            name = names[owner] if owner else of[location["station_id"]]["names"]
            location["names"] = (
                {"zh": f"{name['zh']}的车", "en": f"{name['en']}'s van"}
                if owner
                else {"zh": f"{name['zh']}仓库", "en": f"{name['en']} warehouse"}
            )

    def _customers(self, made: dict[str, list[Row]], number: int) -> None:
        first_site: dict[int, Row] = {}
        station_of = {row["id"]: row["station_id"] for row in self.region["customer"]}
        for row, twin in zip(self.region["site"], made["site"], strict=True):
            first_site.setdefault(row["customer_id"], row)
            here, there = row["division_code"], self._counties[station_of[row["customer_id"]], row["division_code"]]
            twin["division_code"] = there
            twin["names"] = _renamed(row["names"], here, there)
            for spoken in ("zh", "en"):
                twin["address"] = twin["address"].replace(divisions.label(here, spoken), divisions.label(there, spoken))
            self._shift(twin, row, divisions.centre(here), divisions.centre(there))
        taken: set[str] = set()
        for row, twin in zip(self.region["customer"], made["customer"], strict=True):
            here = first_site[row["id"]]["division_code"]
            twin["names"] = _distinct(_renamed(row["names"], here, self._counties[row["station_id"], here]), taken)
            twin["name_core"] = naming.core(twin["names"])
        for contact in made["contact"]:
            contact["phone"] = next(self.phones)
            contact["email"] = contact["email"].replace(".example", f"-{number}.example")

    def _shift(self, twin: Row, row: Row, here: Point, there: Point) -> None:
        """As far from the new middle as the row was from the old one."""
        twin["latitude"] = round(row["latitude"] + there.latitude - here.latitude, 5)
        twin["longitude"] = round(row["longitude"] + there.longitude - here.longitude, 5)


def named_by(column: Column[Any]) -> str | None:
    """The table whose rows a column names, by its foreign key or its name."""
    return next((key.target_fullname.partition(".")[0] for key in column.foreign_keys), LOOSE.get(column.name))


def telephones(known: set[str]) -> Iterator[str]:
    """Invented mobile numbers that nobody has yet."""
    for number in range(PHONES):
        place, rest = divmod(number * 7919 % PHONES, 10_000)
        phone = MOBILE.format(second=SECONDS[place // 10], third=place % 10, rest=rest)
        if phone not in known:
            yield phone


def _point(row: Row) -> Point:
    return Point(row["latitude"], row["longitude"])


def _renamed(names: Texts, here: str, there: str) -> Texts:
    """昆山力驰精密 in Kunshan is 常熟力驰精密 in Changshu; a name without a place gets one."""
    made = {}
    for spoken, name in names.items():
        old, new = (short(divisions.name(code, spoken), spoken) for code in (here, there))
        gap = " " if spoken == "en" else ""
        made[spoken] = name.replace(old, new, 1) if old in name else f"{new}{gap}{name}"
    return made


def _distinct(names: Texts, taken: set[str]) -> Texts:
    """Where two towns became one, the second company of a name is its second plant."""
    for number in range(1, 20):
        made = names if number == 1 else {
            spoken: f"{name}{'第' if spoken == 'zh' else ' Plant '}{number}{'工厂' if spoken == 'zh' else ''}"
            for spoken, name in names.items()
        }  # fmt: skip
        if naming.core(made) not in taken:
            break
    taken.add(naming.core(made))
    return made
