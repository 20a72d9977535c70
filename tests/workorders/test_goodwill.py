"""Goodwill of the front line (P-09): given at once; beyond the limit of the station its manager is asked."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from fieldservice.foundation.db import session, write
from fieldservice.foundation.time import now
from fieldservice.mechanisms import policies
from fieldservice.mechanisms.tasks import Task
from fieldservice.workorders.coverage import Decision, beyond_goodwill
from fieldservice.workorders.rates import GOODWILL
from tests.workorders.node import run
from tests.workorders.on_tour import OIL, SEAL, make_tour
from tests.workorders.test_tablet_commands import Tablet

GIVEN, RULED, PAID = (
    Decision("goodwill", "chosen"),
    Decision("goodwill", "goodwill"),
    Decision("billable", "warranty_over"),
)
LIMITS: list[tuple[str, list[tuple[Decision, int]], list[bool]]] = [
    ("nothing", [], []),
    ("exactly the limit", [(GIVEN, 300), (GIVEN, 200)], [False, False]),
    ("one more", [(GIVEN, 300), (GIVEN, 201)], [False, True]),
    ("what the order's own rule gives does not count", [(RULED, 900), (GIVEN, 500)], [False, False]),
    ("what is paid does not count", [(PAID, 900), (GIVEN, 501), (PAID, 1)], [False, True, False]),
    ("everything after it, too", [(GIVEN, 501), (GIVEN, 0)], [True, True]),
]


@pytest.mark.parametrize(("lines", "over"), [case[1:] for case in LIMITS], ids=[case[0] for case in LIMITS])
def test_P_09_beyond_the_limit(lines: list[tuple[Decision, int]], over: list[bool]) -> None:
    assert beyond_goodwill(lines, 500) == over


@pytest.mark.parametrize("limit", [500, None], ids=["told", "an older snapshot"])
def test_P_09_the_tablet_reckons_alike(limit: int | None) -> None:
    """Parts worth 300, 200 and 1, all given; the tablet also says so before the third is given."""
    script = """import { beyondGoodwill, linesOf } from './static/src/tablet/lines.js';
const parts = { 1: { number: 'A', price: 300 }, 2: { number: 'B', price: 200 }, 3: { number: 'C', price: 1 } };
const use = part => ({ id: `use-${part}`, part, quantity: 1, day: '2026-11-25', mine: true });
const choice = { coverage: 'goodwill', reason: 'x' };
const visit = count => ({ coverage: 'billable', cover: { known: true, until: null, ...given }, extras: [], before: [],
  used: [1, 2, 3].map(use), choices: Object.fromEntries([1, 2, 3].slice(0, count).map(part => [`use-${part}`, choice])),
  times: {}, paused_min: 0, starts_at: '2026-11-25T11:00', state: 'in_progress' });
const [two, three] = [2, 3].map(count => linesOf(visit(count), { parts }, '2026-11-25T12:00'));
const asked = beyondGoodwill(two, two[2], given.goodwill_limit);
console.log(JSON.stringify([three.map(line => Boolean(line.over)), asked]));"""
    found = run(script, {} if limit is None else {"goodwill_limit": limit})
    assert found == ([[False] * 3, False] if limit is None else [[False, False, True], True])


def at_work(app: Flask) -> Tablet:
    tablet = Tablet(app, make_tour())
    tablet.tour.at_work()
    write(lambda: setattr(tablet.tour.order, "coverage", "billable"))
    return tablet


def give(tablet: Tablet, part: str) -> tuple[str, dict[str, Any]]:
    """Fit one and give it: the command that fitted it, what became of the goodwill."""
    use = tablet.command("part", part=part, quantity=1)
    tablet.post(use)
    return use["id"], tablet.send("coverage", line=use["id"], coverage="goodwill", reason="上次是我们的疏忽")


def asked() -> list[tuple[str, str | None]]:
    wanted = select(Task.state, Task.owner_role).where(Task.title == "goodwill_over_limit").order_by(Task.id)
    return [(state, role) for state, role in session.execute(wanted)]


def test_P_09_goodwill_beyond_the_limit_counts_and_the_manager_is_asked(app: Flask, sign_in: Any) -> None:
    """¥268 is within ¥500; with ¥680 it is not: nothing stands still, and taking it back withdraws the question."""
    tablet = at_work(app)
    assert give(tablet, SEAL)[1]["status"] == "accepted"
    assert asked() == []
    oil, result = give(tablet, OIL)
    assert (result["status"], result["flags"]) == ("accepted_with_flag", ["goodwill_limit"])
    assert asked() == [("open", "station_manager")]
    page = sign_in("station_manager", tablet.tour.station_id).get(f"/work-orders/{tablet.tour.order.number}").text
    assert page.count("超优惠权限") == 1
    cover = tablet.get("/tablet/snapshot").json["visits"][0]["cover"]
    assert cover["goodwill_limit"] == 500_00
    assert tablet.send("part", returns=oil)["status"] == "accepted"
    assert asked() == [("cancelled", "station_manager")]


def test_P_09_a_station_may_allow_its_front_line_more(app: Flask) -> None:
    tablet = at_work(app)
    station = tablet.tour.station_id
    write(lambda: policies.set_override(GOODWILL, "station", station, 1000_00, at=now()))
    give(tablet, SEAL)
    assert give(tablet, OIL)[1]["status"] == "accepted"
    assert asked() == []
