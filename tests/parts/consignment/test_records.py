"""Agreements as master data: a table of them comes in, and what makes no sense is told by row."""

from datetime import date
from typing import Any

from flask import Flask

from fieldservice.foundation.db import session, write
from fieldservice.foundation.time import now
from fieldservice.parts.consignment import lines
from fieldservice.parts.consignment.models import ConsignmentLine, ConsignmentReading
from fieldservice.parts.models import Part, StockLocation
from tests.admin.conftest import Table, counted, table, take  # noqa: F401 - a fixture
from tests.parts.consignment.scene import Stock, make_stock


def row(stock: Stock, **more: str) -> dict[str, str]:
    place = str(session.get_one(StockLocation, stock.place).code)
    return {
        "location": place, "part": "GREASE", "baseline_days": "30", "target_days": "7", "safety_days": "1", "price": "",
        "billing": "按用量结算", "active_from": "2026-11-25", "active_to": "", **more,
    }  # fmt: skip


def test_a_table_of_agreements(app: Flask, sign_in: Any, table: Table) -> None:  # noqa: F811 - the fixture
    stock = make_stock()
    assert counted(take("consignment-lines", table(row(stock, target_days="9", price="12.50")))) == (0, 1, 0, 0)
    session.expire_all()
    assert (stock.row().target_days, stock.row().price) == (9, 1_250)
    oil = {"number": "OIL", "names_zh": "油", "unit": "L", "price": "10"}
    assert counted(take("parts", table(oil))) == (1, 0, 0, 0)
    assert counted(take("consignment-lines", table(row(stock, part="OIL", active_to="2027-11-24")))) == (1, 0, 0, 0)
    made = session.query(ConsignmentLine).order_by(ConsignmentLine.id.desc()).first()
    assert made is not None
    assert (made.state, made.active_from, made.active_to) == ("active", date(2026, 11, 25), date(2027, 11, 24))
    store = str(session.get_one(StockLocation, stock.store).code)
    for wrong in (
        {"location": store}, {"part": "NOPE"}, {"target_days": "0"}, {"safety_days": "7"}, {"price": "-1"},
        {"active_to": "2026-11-24"}, {"billing": "never"}, {"active_from": ""},
    ):  # fmt: skip
        assert counted(take("consignment-lines", table(row(stock, **wrong))))[3] == 1, wrong
    page = sign_in("storekeeper", stock.station).get("/admin/consignment-lines").text
    assert "热轧油库" in page


def test_a_table_of_readings(app: Flask, table: Table) -> None:  # noqa: F811 - the fixture
    stock = make_stock()

    def reading(lies: str, on: str = "2026-11-25", **more: str) -> tuple[int, int, int, int]:
        place = str(session.get_one(StockLocation, stock.place).code)
        told = {"location": place, "part": "GREASE", "on_day": on, "counted": lies, "sure": "", **more}
        return counted(take("consignment-readings", table(told)))

    assert reading("90") == (1, 0, 0, 0)
    assert reading("90") == (0, 0, 1, 0)
    assert reading("88") == (0, 1, 0, 0)
    assert stock.lies() == 88
    assert reading("0") == (0, 1, 0, 0)
    assert (stock.lies(), session.query(ConsignmentReading).one().source) == (0, "import")
    for wrong in ({"lies": "101"}, {"lies": "-1"}, {"on": "2026-11-26"}, {"on": "2026-11-24"}, {"part": "NOPE"}):
        assert reading(**{"lies": "50", **wrong})[3] == 1, wrong
    assert reading("101", sure="yes") == (0, 1, 0, 0)
    assert stock.lies() == 101


def test_numbered_pieces_are_refused_at_customers_from_both_sides(app: Flask, table: Table) -> None:  # noqa: F811
    stock = make_stock(unit="pcs")
    pump = {"number": "PUMP", "names_zh": "泵", "unit": "pcs", "price": "10", "serial_tracked": "yes"}
    assert counted(take("parts", table(pump))) == (1, 0, 0, 0)
    assert counted(take("consignment-lines", table(row(stock, part="PUMP"))))[3] == 1
    grease = {"number": "GREASE", "names_zh": "润滑脂", "unit": "pcs", "price": "40", "serial_tracked": "yes"}
    assert counted(take("parts", table(grease)))[3] == 1  # it could be neither refilled nor read any more
    assert not session.get_one(Part, stock.part).serial_tracked
    write(lambda: lines.end(stock.row(), at=now()))
    assert counted(take("parts", table(grease))) == (0, 1, 0, 0)
