"""How long customers' stock lasts, when the station is asked to refill it, and what it releases."""

from datetime import timedelta
from decimal import Decimal

import pytest
from flask import Flask

from fieldservice import jobs
from fieldservice.foundation.db import session
from fieldservice.foundation.time import Clock, today
from fieldservice.mechanisms.tasks import Task
from fieldservice.parts.consignment.models import NEVER
from fieldservice.parts.consignment.outlook import packed
from fieldservice.parts.models import Part
from tests.parts.consignment.scene import make_stock

DAY = timedelta(days=1)


def tasks_of(title: str) -> list[Task]:
    session.expire_all()
    return session.query(Task).filter_by(title=title, state="open").all()


def test_Q_13_a_hundred_litres_at_ten_a_day_last_ten_days_and_contact_is_before(app: Flask, clock: Clock) -> None:
    """Contact at lead (a day) + safety (a day): eight days from now, without another reading."""
    stock = make_stock(lies=150)
    stock.use(5, 10)
    row = stock.row()
    assert (row.stock, row.daily_use, row.days_left) == (100, pytest.approx(10), pytest.approx(10))
    assert (row.runs_out_on, row.contact_on) == (today() + 10 * DAY, today() + 8 * DAY)
    for _night in range(7):
        clock.advance(days=1)
        assert stock.night() == 0, "too early"
    assert stock.row().stock == 30
    clock.advance(days=1)
    assert stock.night() == 1
    [refill], [task] = stock.refills(), tasks_of("refill_due")
    assert (refill.state, refill.quantity, refill.runs_out_on) == ("proposed", 50, today() + 2 * DAY)  # to 7 days
    assert (task.owner_role, task.station_id, task.facts["number"]) == ("storekeeper", stock.station, refill.number)


def test_Q_13_no_second_refill_while_one_is_open(app: Flask, clock: Clock) -> None:
    stock = make_stock(lies=60)
    stock.use(4, 10)
    assert len(stock.refills()) == 1, "the reading itself shows that it is due"
    for _night in range(3):
        clock.advance(days=1)
        stock.night()
        stock.night()
    assert len(stock.refills()) == len(tasks_of("refill_due")) == 1


def test_the_night_looks_after_every_line_in_small_writes(app: Flask, clock: Clock) -> None:
    stock = make_stock(lies=60)
    stock.use(2, 10)
    clock.advance(days=3)
    jobs.refill_customers()
    assert [refill.state for refill in stock.refills()] == ["proposed"]
    jobs.refill_customers()
    assert len(stock.refills()) == 1


def test_a_stock_nobody_reads_is_asked_about_once_until_it_is_read(app: Flask, clock: Clock) -> None:
    stock = make_stock(lies=900)
    stock.use(2, 1)
    clock.advance(days=6)
    stock.night()
    assert tasks_of("consignment_unread") == []
    clock.advance(days=1)
    stock.night()
    clock.advance(days=1)
    stock.night()
    assert len(tasks_of("consignment_unread")) == 1
    stock.read(880)
    assert tasks_of("consignment_unread") == []
    clock.advance(days=7)
    stock.night()
    assert len(tasks_of("consignment_unread")) == 1


def test_a_stock_nobody_uses_never_runs_out(app: Flask, clock: Clock) -> None:
    stock = make_stock(lies=40)
    stock.use(3, 0)
    row = stock.row()
    assert (row.days_left, row.runs_out_on, row.contact_on, row.released) == (None, NEVER, NEVER, 0)
    clock.advance(days=300)
    assert stock.night() == 0


def test_a_reading_a_week_tells_as_much_as_one_a_day(app: Flask, clock: Clock) -> None:
    stock = make_stock(lies=1_000)
    for _week in range(3):
        clock.advance(days=7)
        stock.read(stock.lies() - 70)
    assert stock.row().daily_use == pytest.approx(10, rel=0.02)  # the agreement began a day before the first week


def test_T_07_thirty_days_become_seven(app: Flask, clock: Clock) -> None:
    """20 L a day, ¥40 a litre, 30 → 7 days: ¥18,400 are released."""
    stock = make_stock(lies=160, active_from=today())
    clock.advance(days=1)
    stock.read(140)
    assert stock.row().released == 1_840_000


def test_T_07_a_frozen_price_holds(app: Flask, clock: Clock) -> None:
    stock = make_stock(lies=160, active_from=today(), price=5_000)
    clock.advance(days=1)
    stock.read(140)
    assert stock.row().released == 2_300_000


def test_an_agreement_ends_with_its_last_day(app: Flask, clock: Clock) -> None:
    stock = make_stock(active_to=today() + DAY)
    clock.advance(days=1)
    stock.night()
    assert stock.row().state == "active"
    clock.advance(days=1)
    stock.night()
    session.expire_all()
    assert stock.row().state == "ended"


@pytest.mark.parametrize(
    ("unit", "pack", "wanted", "brought"), [("l", 1, 52.1, 53), ("l", 20, 52.1, 53), ("pcs", 10, 52.1, 60)]
)
def test_refills_come_in_whole_packs(unit: str, pack: int, wanted: float, brought: int) -> None:
    assert packed(Part(number="X", names={}, unit=unit, price=1, pack_size=pack), wanted) == Decimal(brought)
