"""Wuxi lends, Suzhou borrows, Kunshan has nothing to do with it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from fieldservice.accounts.models import User
from fieldservice.dispatch.lending import services
from fieldservice.foundation.access import Person
from fieldservice.foundation.db import session, write
from fieldservice.foundation.places import Point
from fieldservice.foundation.time import at_local
from fieldservice.stations.lendings import Lending
from fieldservice.stations.models import Station, Technician
from fieldservice.workorders.models import WorkOrder
from fieldservice.workorders.placement import Span
from tests.conftest import make_user
from tests.workorders.cast import DAY, FAR
from tests.workorders.scene import Scene, local_at, make_order, make_scene, make_station

TOMORROW = DAY + timedelta(days=1)
BEYOND = Point(31.02, 121.40)


@dataclass
class Company:
    """The scene's Wuxi with Lu and Xu, two more stations, and who acts."""

    scene: Scene
    suzhou: Station
    kunshan: Station
    order: WorkOrder  # Suzhou's, an hour at a gearbox
    users: dict[str, User]

    @property
    def wuxi(self) -> Station:
        return session.merge(self.scene.station)

    @property
    def lu(self) -> Technician:
        return session.merge(self.scene.lu)

    def who(self, name: str) -> Person:
        return session.merge(self.users[name]).as_person()


def make_company() -> Company:
    """Committed. Asked for are always today and tomorrow, from 10:00 to 18:00."""
    scene = make_scene()
    suzhou = write(lambda: make_station("SZYQ", FAR, "苏州园区站", "Suzhou SIP"))
    kunshan = write(lambda: make_station("KSKF", BEYOND, "昆山开发区站", "Kunshan"))
    order = write(lambda: make_order(session.merge(suzhou), place=FAR, duration_min=60))
    users = {
        "lender": make_user("station_manager", scene.station.id),
        "home": make_user("dispatcher", scene.station.id),
        "borrower": make_user("dispatcher", suzhou.id),
        "stranger": make_user("dispatcher", kunshan.id),
        "strange_manager": make_user("station_manager", kunshan.id),
    }
    return Company(scene, suzhou, kunshan, order, users)


def span(start: datetime | None = None, end: datetime | None = None) -> Span:
    return Span(start or local_at(11), end or at_local(TOMORROW, 18))


def asked(company: Company, when: Span | None = None, **wish: Any) -> Lending:
    """Suzhou asks Wuxi for Lu, unless told otherwise. Committed."""
    wish.setdefault("technician", company.lu if "skills" not in wish else None)
    who = company.who(wish.pop("by", "borrower"))
    to, home = session.merge(wish.pop("to", company.suzhou)), session.merge(wish.pop("home", company.wuxi))
    return write(lambda: services.ask(who, to, home, when or span(), **wish))


def agreed(company: Company, when: Span | None = None, **facts: Any) -> Lending:
    """Lent. Committed."""
    keys = ("keep", "lodges", "technician_id")
    answer = {name: facts.pop(name) for name in keys if name in facts}
    lending = asked(company, when, **facts)
    return answered(company, lending, **answer)


def answered(company: Company, lending: Lending, **answer: Any) -> Lending:
    who = company.who("lender")
    write(lambda: services.agree(again(lending), who, **answer))
    return again(lending)


def again(lending: Lending) -> Lending:
    return session.get_one(Lending, lending.id, populate_existing=True)
