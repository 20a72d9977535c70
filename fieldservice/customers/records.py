"""Customers, their people and sites as records: what is entered, imported and exported."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, or_, select

from fieldservice.customers.models import Contact, Customer, Site
from fieldservice.customers.naming import core
from fieldservice.foundation.access import Person
from fieldservice.foundation.db import session
from fieldservice.foundation.places import Point, divisions
from fieldservice.foundation.places.locating import locate
from fieldservice.mechanisms.events import record_many
from fieldservice.mechanisms.records import Kind
from fieldservice.mechanisms.records.fields import (
    Bilingual,
    Choice,
    CreditCode,
    Division,
    Email,
    Field,
    Long,
    Phone,
    Place,
    Reference,
    Whole,
    words_of,
)
from fieldservice.mechanisms.records.kinds import Values

CARERS = ("admin", "station_manager", "agent", "sales", "dispatcher")
READERS = (*CARERS, "director", "quality", "finance", "engineer")
LANGUAGE_WORDS = {"zh": {"zh": "中文", "en": "中文"}, "en": {"zh": "English", "en": "English"}}
PRECISION_OF_POINT = "point"


class Customers(Kind):
    """Companies. A row is found by its code, its credit code or its exact name, in this order."""

    code, symbol = "customers", "building-2"
    title, one = _l("Customers"), _l("Customer")
    model = Customer
    fields = (
        Field(name="code", label=_l("Customer number"), most=40, default=None, example="K-1024",
              hint=_l("The number your own books use. Imports find the customer by it.")),
        Bilingual(name="names", label=_l("Company name"), required=True, most=120, example="盛源特钢有限公司",
                  example_en="Shengyuan Special Steel Co., Ltd."),
        CreditCode(name="credit_code", label=_l("Credit code"), example="91350100M000100Y43"),
        Choice(name="tier", label=_l("Tier"), words="tier", default="standard", example="key"),
        Choice(name="industry", label=_l("Industry"), words="industry", default="general", example="lubricants"),
        Choice(name="language", label=_l("Language"), words=lambda: LANGUAGE_WORDS, default="zh", example="zh"),
        Reference(name="station", label=_l("Station that cares for it"), to="stations", example="WXXW"),
    )  # fmt: skip
    keys = (("code",), ("credit_code",), ("names",))
    unique = ("code", "credit_code")
    shown = ("names", "code", "tier", "industry", "station")
    searched = ("names", "code", "credit_code")
    editors, readers = CARERS, READERS
    moves = ("active", "dormant", "closed")
    page = "admin/kinds/customer.html"

    def statement(self, person: Person) -> Any:
        return super().statement(person).where(Customer.merged_into_id.is_(None))

    def key_text(self, row: Any) -> str:
        return str(row.code or row.credit_code or self.name(row))

    def rows_by(self, key: tuple[str, ...], wanted: Sequence[tuple[Any, ...]]) -> dict[tuple[Any, ...], Any]:
        if key != ("names",):
            return super().rows_by(key, wanted)
        cores = {core(names) for (names,) in wanted}
        rows = session.scalars(
            select(Customer)
            .where(Customer.name_core.in_(cores), Customer.merged_into_id.is_(None))
            .order_by(Customer.id)
        ).all()
        return _Exact({_exact(row.names): row for row in reversed(rows)})

    def named(self, texts: Collection[tuple[int | None, str]]) -> dict[tuple[int | None, str], Sequence[int]]:
        wanted = {text for _within, text in texts}
        columns = (Customer.id, Customer.code, Customer.credit_code, Customer.names)
        told = or_(
            Customer.code.in_(wanted), Customer.credit_code.in_({text.upper() for text in wanted}),
            Customer.name_core.in_({core(text) for text in wanted}),
        )  # fmt: skip
        rows = session.execute(select(*columns).where(told, Customer.merged_into_id.is_(None))).all()
        return {one: _best(one[1], rows) for one in texts}

    def create(self, wanted: Sequence[Values], at: datetime) -> Sequence[Any]:
        rows = [_customer(values) for values in wanted]
        session.add_all(rows)
        session.flush()
        record_many("customer.active", [(row, {"from": "prospect"}) for row in rows], at=at)
        return rows


class _Exact(dict[Any, Any]):
    """Names are compared by both languages together; a key that is no plain value is made one."""

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get(_exact(key[0]), default)


def _exact(names: Mapping[str, str]) -> tuple[str, ...]:
    return (names.get("zh") or names.get("en") or "",)


def _customer(values: Values) -> Customer:
    given = {name: value for name, value in values.items() if name != "station" and value is not None}
    return Customer(**given, station_id=values.get("station"), state="active")


def _best(text: str, rows: Sequence[Any]) -> list[int]:
    """By number first, then by credit code, then by name."""
    ways = (
        [row.id for row in rows if row.code == text],
        [row.id for row in rows if row.credit_code and row.credit_code == text.upper()],
        [row.id for row in rows if text in row.names.values()],
        [row.id for row in rows if core(row.names) == core(text)],
    )
    return next((found for found in ways if found), [])


class OfCustomer(Kind):
    """What belongs to a customer, and with it to the customer's station."""

    editors, readers = CARERS, READERS

    def has_station(self) -> bool:
        return True

    def key_text(self, row: Any) -> str:
        """Its name: what it belongs to is said beside it."""
        return self.name(row)

    def station_of(self, values: Values) -> int | None:
        customer = session.get(Customer, values["customer"]) if values.get("customer") else None
        return customer.station_id if customer is not None else None

    def in_stations(self, stations: Collection[int]) -> ColumnElement[bool] | None:
        mine = select(Customer.id).where(Customer.station_id.in_(sorted(stations)))
        condition: ColumnElement[bool] = self.model.customer_id.in_(mine)
        return condition


CUSTOMER = Reference(
    name="customer", label=_l("Customer"), to="customers", required=True, example="K-1024",
    hint=_l("Customer number, credit code or exact name."),
)  # fmt: skip


class Contacts(OfCustomer):
    """People at customers; a row is found by customer and name."""

    code, symbol = "contacts", "contact"
    title, one = _l("Contacts"), _l("Contact")
    model = Contact
    fields = (
        CUSTOMER,
        Field(name="name", label=_l("Name"), required=True, most=80, example="周敏"),
        Choice(name="role", label=_l("Part in decisions"), words=words_of("role", "requester", "buyer", "approver"),
               default="requester", example="buyer"),
        Field(name="department", label=_l("Department"), most=80, example="设备部"),
        Phone(name="phone", label=_l("Phone"), example="13912340608"),
        Email(name="email", label=_l("E-mail"), example="zhou@example.com"),
        Choice(name="language", label=_l("Language"), words=lambda: LANGUAGE_WORDS, default=None, example="zh"),
    )  # fmt: skip
    keys = (("customer", "name"),)
    shown = ("name", "customer", "role", "department", "phone")
    searched = ("name", "phone", "email")
    moves = ("left",)

    def rows_by(self, key: tuple[str, ...], wanted: Sequence[tuple[Any, ...]]) -> dict[tuple[Any, ...], Any]:
        rows = session.scalars(
            select(Contact)
            .where(Contact.customer_id.in_({one[0] for one in wanted}), Contact.name.in_({one[1] for one in wanted}))
            .where(Contact.state == "active").order_by(Contact.id.desc())
        )  # fmt: skip
        return {(row.customer_id, row.name): row for row in rows}

    def name(self, row: Any) -> str:
        return str(row.name)

    def create(self, wanted: Sequence[Values], at: datetime) -> Sequence[Any]:
        rows = [
            Contact(**{name: value for name, value in values.items() if name != "customer"},
                    customer_id=values["customer"])
            for values in wanted
        ]  # fmt: skip
        session.add_all(rows)
        session.flush()
        told = [(row, {"customer": row.customer_id, "role": row.role}) for row in rows]
        record_many("contact.added", told, at=at)
        return rows


class Sites(OfCustomer):
    """Where machines stand; a row is found by customer and name."""

    code, symbol = "sites", "map-pin"
    title, one = _l("Sites"), _l("Site")
    model = Site
    fields = (
        CUSTOMER,
        Bilingual(name="names", label=_l("Site name"), required=True, most=120, example="热轧车间",
                  example_en="Hot mill"),
        Field(name="address", label=_l("Address"), most=200, example="无锡市新吴区长江路 88 号"),
        Division(name="division_code", label=_l("Division"), example="320214"),
        Place(name="point", label=_l("Place on the map")),
        Bilingual(name="access_rules", label=_l("Access rules"), most=500, example="东门登记，穿劳保鞋",
                  example_en="Register at the east gate, safety shoes"),
        Whole(name="altitude_m", label=_l("Altitude"), inside="environment", low=-500, high=9000, unit="m",
              example="12"),
        Whole(name="temperature_low", label=_l("Lowest temperature"), inside="environment", low=-70, high=60,
              unit="°C", example="-5"),
        Whole(name="temperature_high", label=_l("Highest temperature"), inside="environment", low=-50, high=90,
              unit="°C", example="42"),
        Choice(name="dust", label=_l("Dust"), inside="environment", words="exposure", default=None, example="high"),
        Choice(name="corrosion", label=_l("Corrosive air"), inside="environment", words="exposure", default=None,
               example="low"),
        Choice(name="hazard_zone", label=_l("Hazard zone"), inside="environment", words="hazard_zone", default=None,
               example="none"),
        Long(name="note", label=_l("Note"), most=2000),
    )  # fmt: skip
    keys = (("customer", "names"),)
    shown = ("names", "customer", "address", "division_code")
    searched = ("names", "address")
    moves = ("active", "suspended", "closed")

    def rows_by(self, key: tuple[str, ...], wanted: Sequence[tuple[Any, ...]]) -> dict[tuple[Any, ...], Any]:
        rows = session.scalars(
            select(Site)
            .where(Site.customer_id.in_({one[0] for one in wanted}), Site.state != "closed")
            .order_by(Site.id)
        ).all()
        return _ByNames({(row.customer_id, text): row for row in reversed(rows) for text in row.names.values() if text})

    def named(self, texts: Collection[tuple[int | None, str]]) -> dict[tuple[int | None, str], Sequence[int]]:
        owners = {customer for customer, _text in texts if customer is not None}
        rows = session.execute(
            select(Site.id, Site.customer_id, Site.names).where(Site.customer_id.in_(owners), Site.state != "closed")
        ).all()
        return {
            one: [row.id for row in rows if row.customer_id == one[0] and one[1] in row.names.values()] for one in texts
        }

    def check(self, drafts: Sequence[Any]) -> None:
        """An address is read where neither division nor position is given; a doubt warns."""
        for draft in drafts:
            values = draft.all_values()
            low, high = values.get("temperature_low"), values.get("temperature_high")
            if low is not None and high is not None and low > high:
                draft.refuse("temperature_high", _l("The highest temperature lies below the lowest."))
            changed = draft.row is None or draft.values.get("address", "") != draft.before.get("address", "")
            if values.get("address") and not values.get("division_code") and changed:
                found = locate(values["address"])
                if found.division_code:
                    draft.values["division_code"] = found.division_code
                    if found.precision == PRECISION_OF_POINT and found.point and not values.get("point"):
                        draft.values["point"] = [round(found.point.latitude, 6), round(found.point.longitude, 6)]
                else:
                    draft.warn("address", _l("The place of this address is not clear. Give its division or position."))

    def create(self, wanted: Sequence[Values], at: datetime) -> Sequence[Any]:
        rows = []
        for values in wanted:
            site = Site(customer_id=values["customer"], names=values["names"], address=values.get("address") or "",
                        access_rules=values.get("access_rules") or {}, environment={}, note="")  # fmt: skip
            self.change(site, {name: value for name, value in values.items() if name not in ("customer", "names")}, at)
            rows.append(site)
        session.add_all(rows)
        session.flush()
        record_many("site.added", [(row, {"customer": row.customer_id}) for row in rows], at=at)
        return rows

    def change(self, row: Any, values: Values, at: datetime) -> None:
        super().change(row, values, at)
        row.precision = PRECISION_OF_POINT if row.latitude is not None else _precision(row.division_code)


class _ByNames(dict[tuple[Any, ...], Any]):
    """(customer, names) → the site that has one of the names."""

    def get(self, key: Any, default: Any = None) -> Any:
        customer, names = key
        for text in names.values():
            if text and (found := super().get((customer, text))) is not None:
                return found
        return default


def _precision(division_code: str | None) -> str:
    known = divisions.by_code(division_code)
    return known.level if known is not None else "none"


def place_of(site: Site) -> Point | None:
    """Where a site is: its own position, else the centre of its division."""
    if site.latitude is not None and site.longitude is not None:
        return Point(site.latitude, site.longitude)
    return (
        divisions.centre(site.division_code) if divisions.by_code(site.division_code) and site.division_code else None
    )
