"""Looking for words among work orders: the same on both databases, with or without an index over pieces."""

import pytest
from flask import Flask
from sqlalchemy import select, text

from fieldservice.foundation.db import is_sqlite, session, write
from fieldservice.workorders.models import WorkOrder
from fieldservice.workorders.queries import _told, _with_words
from tests import factories

TITLES = [
    {"zh": "2# 立式加工中心 · 主轴异响", "en": "No. 2 machining centre · Spindle noise"},
    {"zh": "A 线 GX-200 稀油站 · 换油", "en": "Line A oil station GX-200 · Oil change"},
    {"zh": "喷涂线 100% 检查", "en": "Spray_line check, O'Neill \\ Söhne"},
    {"zh": "主", "en": ""},
    {"zh": "only Chinese is missing"},
]
SAYINGS = (
    "主轴", "主", "轴异", "spindle", "SPINDLE", "indle no", "gx-200", "GX-2", "0 稀", "oil", "on", "n", "00", "000001",
    "wo-2026", "O'Neill", "Söhne", "\\ S", "nothing of it", "主轴 异响", "·", "check,",
)  # fmt: skip


@pytest.fixture
def titled(app: Flask) -> list[WorkOrder]:
    """Orders with these titles."""

    def build() -> None:
        home = factories.station(territory=["320214"])
        machine = factories.asset(factories.site(factories.customer(station=home)))
        for titles in TITLES:
            factories.order(machine=machine).titles = titles

    write(build)
    return list(session.scalars(select(WorkOrder).order_by(WorkOrder.id)))


@pytest.mark.parametrize("saying", SAYINGS)
def test_words_are_found_wherever_they_stand(titled: list[WorkOrder], saying: str) -> None:
    def holds(order: WorkOrder) -> bool:
        told = (order.number, order.titles.get("zh", ""), order.titles.get("en", ""))
        return any(saying.lower() in one.lower() for one in told)

    found = session.scalars(select(WorkOrder.id).where(_told(saying)).order_by(WorkOrder.id)).all()
    assert found == [order.id for order in titled if holds(order)]


def test_customers_and_serials_are_found_too_and_each_order_once(titled: list[WorkOrder]) -> None:
    asset, customer = titled[0].asset, titled[0].customer
    assert asset is not None
    assert customer is not None
    for saying in (asset.serial, asset.serial[:7].lower(), customer.names["zh"][:2], customer.names["en"][:5]):
        found = session.scalars(select(WorkOrder.id).where(_with_words(saying))).all()
        assert titled[0].id in found, saying
        assert len(set(found)) == len(found)


def test_postgresql_has_the_index_and_uses_it(titled: list[WorkOrder]) -> None:
    if is_sqlite():
        pytest.skip("an index of PostgreSQL")
    session.execute(text("SET LOCAL enable_seqscan = off"))
    asked = select(WorkOrder.id).where(_told("spindle"))
    statement = str(asked.compile(session.get_bind(), compile_kwargs={"literal_binds": True}))
    plan = "\n".join(session.scalars(text("EXPLAIN " + statement.replace(":", "\\:"))))
    assert "ix_work_order_words" in plan
