"""Levels of stores and vans: read from the ledger, reckoned in a run, limited by hand, ordered with one press."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from fieldservice.foundation.access import Person
from fieldservice.foundation.compute import end_workers
from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Conflict
from fieldservice.foundation.time import Clock, now
from fieldservice.mechanisms import policies
from fieldservice.mechanisms.lifecycle import move
from fieldservice.mechanisms.subjects import Ref
from fieldservice.parts import services as ledger
from fieldservice.parts.availability import services as promises
from fieldservice.parts.catalogue.models import SupplierOffer
from fieldservice.parts.models import StockLocation, StockMove
from fieldservice.parts.stocking import queries, reading, reckoning, running, services
from fieldservice.parts.stocking.models import StockLevel, StockLevelRun
from fieldservice.parts.supply import services as supply
from fieldservice.parts.supply.models import SupplyOrder
from fieldservice.parts.transfers.models import Transfer
from tests.parts.scene import Scene, make_scene, refused
from tests.parts.test_reservations import at_once
from tests.workorders.desk import post

DAY = timedelta(days=1)


@pytest.fixture(scope="module", autouse=True)
def _workers_end() -> Any:
    yield
    end_workers()


@pytest.fixture
def scene(app: Flask, clock: Clock) -> Scene:
    return twenty_months()


def twenty_months() -> Scene:
    """Twenty months of use out of the van and the store; seals and pumps are offered by the supplier."""
    made, today = make_scene(), now()

    def live() -> None:
        store, van, seal = made.place("store"), made.place("van"), made.part("SEAL")
        begin = today - 610 * DAY
        ledger.receive(seal, store, Decimal(300), at=begin)
        ledger.receive(made.part("BOLT"), store, Decimal(5), at=begin)
        _post(seal, 100, "transfer", begin, source=store, target=van)
        for month in range(20):
            at = today - (600 - 30 * month) * DAY
            _post(seal, 2 + month % 3, "use", at, source=van)
            if month % 4 == 0:
                _post(seal, 5, "use", at, source=store)
        for number, price, minimum, pack in (("SEAL", 1_000, 10, 5), ("PUMP", 480_000, 1, 1)):
            session.add(
                SupplierOffer(
                    supplier_id=made.supplier().id, part_id=made.part(number).id, lead_days=15, price=price,
                    minimum=Decimal(minimum), pack=Decimal(pack), valid_from=date(2024, 1, 1),
                )
            )  # fmt: skip

    write(live)
    return made


def _post(part: Any, quantity: int, cause: str, at: datetime, **sides: Any) -> StockMove:
    return ledger.post_move(part=part, quantity=Decimal(quantity), cause=cause, at=at, **sides)


def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compute in this process: what another one does is tested with compute itself and once below."""
    monkeypatch.setattr(running, "compute", lambda function, *arguments, timeout: function(*arguments))


@pytest.fixture
def reckoned(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> Scene:
    here(monkeypatch)
    running.run_here(write(lambda: services.ask(at=now(), run=False).id))
    return scene


def level(scene: Scene, number: str, place: str = "store") -> StockLevel:
    session.rollback()
    return session.scalars(
        select(StockLevel).filter_by(part_id=scene.part(number).id, location_id=getattr(scene, place))
    ).one()


def history(scene: Scene, number: str, place: str = "store") -> list[float]:
    found = reading.read(now())
    line = found.keys.index((scene.part(number).id, getattr(scene, place)))
    return [float(one) for one in found.material.history[line]]


# Reading --------------------------------------------------------------------------------------------


def test_a_store_is_asked_for_what_its_vans_use(scene: Scene) -> None:
    van, store = history(scene, "SEAL", "van"), history(scene, "SEAL")
    assert sum(np.nan_to_num(van)) == sum(2 + month % 3 for month in range(20))
    assert sum(np.nan_to_num(store)) == sum(np.nan_to_num(van)) + 25


def test_months_before_a_part_was_heard_of_are_unknown_not_zero(scene: Scene) -> None:
    seal = history(scene, "SEAL")
    unknown = int(np.isnan(seal).sum())
    assert np.isnan(seal[:unknown]).all()
    assert unknown == 36 - 20
    assert history(scene, "BOLT")[unknown:] == [0.0] * 20


def test_a_reversed_use_is_none(scene: Scene) -> None:
    before = sum(np.nan_to_num(history(scene, "SEAL")))
    used = write(lambda: _post(scene.part("SEAL"), 7, "use", now() - 3 * DAY, source=scene.place("store")).id)
    assert sum(np.nan_to_num(history(scene, "SEAL"))) == before + 7
    write(lambda: ledger.reverse(session.get_one(StockMove, used), at=now()))
    assert sum(np.nan_to_num(history(scene, "SEAL"))) == before


def test_a_part_is_asked_for_what_its_forerunner_was(scene: Scene) -> None:
    def follow() -> None:
        following = ledger.list_part(number="SEAL-2", names={"zh": "x"}, unit="pcs", price=1_000)
        old = scene.part("SEAL")
        old.superseded_by_id = following.id
        move(old, "superseded", at=now())
        ledger.receive(following, scene.place("store"), Decimal(1), at=now())

    before = sum(np.nan_to_num(history(scene, "SEAL")))
    write(follow)
    assert sum(np.nan_to_num(history(scene, "SEAL-2"))) == before
    assert scene.part("SEAL").id not in {part for part, _place in reading.read(now()).keys}


def test_what_is_promised_soon_is_known(scene: Scene) -> None:
    for days, quantity in ((10, 4), (300, 8)):
        write(
            lambda quantity=quantity, days=days: promises.reserve(  # type: ignore[misc]  # bound at once
                scene.part("SEAL"), scene.place("store"), Decimal(quantity), need_at=now() + days * DAY,
                about=Ref("errand", 1), at=now(),
            )
        )  # fmt: skip
    found = reading.read(now())
    assert found.material.known[found.keys.index((scene.part("SEAL").id, scene.store))] == 4


def test_leads_come_from_offers_and_for_vans_from_the_carrier(scene: Scene) -> None:
    found = reading.read(now())
    leads = zip(found.keys, found.material.lead, strict=True)
    days = {key: round(float(lead) * reckoning.MONTH_DAYS) for key, lead in leads}
    seal, bolt = scene.part("SEAL").id, scene.part("BOLT").id
    assert (days[seal, scene.store], days[seal, scene.van], days[bolt, scene.store]) == (15, 1, 14)


# Runs -----------------------------------------------------------------------------------------------


def test_a_run_keeps_levels_with_their_reasons(reckoned: Scene) -> None:
    run = session.scalars(select(StockLevelRun)).one()
    assert (run.state, run.levels, run.share) == ("ready", 3, 1.0)
    assert run.achieved is not None
    seal, bolt = level(reckoned, "SEAL"), level(reckoned, "BOLT")
    assert 4 <= seal.level <= 40
    assert 1 <= seal.reorder_at <= seal.level
    assert set(seal.explanation) >= {"rate", "lead", "expected", "reason", "demand", "ask"}
    assert 3 < seal.explanation["rate"] < 6, "about 4.3 pieces a month were used"
    assert (bolt.floor, bolt.explanation["reason"]) == (0.99, "floor")
    worth = reckoning.bought([(int(one.level), one.explanation) for one in (seal, bolt)])
    assert all(one.lines == sorted(one.lines, reverse=True) for one in worth[1:])
    assert worth[1].enough >= 0.99


def test_a_second_run_changes_nothing_and_forgets_what_nobody_keeps(reckoned: Scene, clock: Clock) -> None:
    before = level(reckoned, "SEAL").level
    write(lambda: _post(reckoned.part("BOLT"), 5, "scrap", now(), source=reckoned.place("store")))
    running.run_here(write(lambda: services.ask(at=now(), run=False).id))
    run = session.scalars(select(StockLevelRun).order_by(StockLevelRun.id.desc())).first()
    assert run is not None
    assert (run.levels, run.changed) == (2, 0)
    assert level(reckoned, "SEAL").level == before
    assert session.scalars(select(StockLevel).filter_by(part_id=reckoned.part("BOLT").id)).all() == []


def test_it_runs_in_another_process(scene: Scene) -> None:
    running.run_here(write(lambda: services.ask(at=now(), run=False).id))
    assert session.scalars(select(StockLevelRun.state)).one() == "ready"


def test_with_little_history_the_usual_price_holds(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    here(monkeypatch)
    scene = make_scene()
    scene.fill("SEAL", 5)
    running.run_here(write(lambda: services.ask(at=now(), run=False).id))
    run = session.scalars(select(StockLevelRun)).one()
    assert (run.state, run.achieved, run.levels) == ("ready", None, 1)


def test_a_company_without_parts_has_a_run_all_the_same(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    here(monkeypatch)
    running.run_here(write(lambda: services.ask(at=now(), run=False).id))
    assert session.scalars(select(StockLevelRun.levels)).one() == 0


def test_two_who_ask_get_one_run_and_may_call_it_off(scene: Scene, app: Flask) -> None:
    ids = write(lambda: [services.ask(at=now()).id, services.ask(at=now()).id])
    assert ids[0] == ids[1]
    write(lambda: services.stop(session.get_one(StockLevelRun, ids[0])))
    running.run_here(ids[0])
    assert session.get_one(StockLevelRun, ids[0]).state == "cancelled"
    assert session.scalars(select(StockLevel)).all() == []
    with pytest.raises(Conflict):
        write(lambda: services.stop(session.get_one(StockLevelRun, ids[0])))


# Limits ---------------------------------------------------------------------------------------------


def limit(scene: Scene, least: str | None, most: str | None) -> tuple[Decimal, Decimal]:
    given = [None if one is None else Decimal(one) for one in (least, most)]
    number = level(scene, "SEAL").id
    write(lambda: services.set_limits(session.get_one(StockLevel, number), *given, at=now()))
    found = level(scene, "SEAL")
    return found.level, found.reorder_at


def test_typed_limits_hold_at_once_and_stay(reckoned: Scene) -> None:
    free = level(reckoned, "SEAL").level, level(reckoned, "SEAL").reorder_at
    assert limit(reckoned, "60", "80") == (60, 60)
    assert limit(reckoned, None, "2") == (2, min(free[1], 2))
    running.run_here(write(lambda: services.ask(at=now(), run=False).id))
    assert level(reckoned, "SEAL").level == 2, "the reckoning leaves it"
    assert limit(reckoned, None, None) == free


@pytest.mark.parametrize(
    ("least", "most"), [("-1", None), (None, "NaN"), ("1.5", None), ("5", "4"), ("9999999", None), ("0.0001", None)]
)
def test_senseless_limits_are_refused(reckoned: Scene, least: str | None, most: str | None) -> None:
    given = [None if one is None else Decimal(one) for one in (least, most)]
    number = level(reckoned, "SEAL").id
    assert refused(lambda: services.set_limits(session.get_one(StockLevel, number), *given, at=now())) == "invalid"


QUANTITIES = st.decimals(0, 1_000, places=0)


@given(QUANTITIES, QUANTITIES, st.none() | QUANTITIES, st.none() | QUANTITIES)
def test_limits_always_hold(found: Decimal, waiting: Decimal, least: Decimal | None, most: Decimal | None) -> None:
    if least is not None and most is not None and least > most:
        least, most = most, least
    upto, reorder = reckoning.limited(found, min(found, waiting), least, most)
    assert reorder <= upto
    assert most is None or upto <= most
    assert least is None or (upto >= least and reorder == least)


# Ordering -------------------------------------------------------------------------------------------


def sold_out(scene: Scene, number: str = "SEAL") -> int:
    """Nothing is left in the store; the id of its level."""

    def work() -> None:
        part = scene.part(number)
        [one] = queries.chosen(somebody(scene), [level_id])
        if one.on_hand > 0:
            _post(part, int(one.on_hand), "scrap", now(), source=scene.place("store"))

    level_id = level(scene, number).id
    write(work)
    return level_id


def somebody(scene: Scene, role: str = "storekeeper", further: int = 0) -> Person:
    """Who keeps or leads the store, or one of another station."""
    return Person(1, "K", "k@demo.test", roles={role: frozenset({scene.station + further})})


def press(scene: Scene, *ids: int, role: str = "storekeeper") -> services.Made:
    return write(lambda: services.order(somebody(scene, role), ids, at=now()))


def test_what_is_short_is_ordered_once_in_the_suppliers_packs(reckoned: Scene) -> None:
    number = sold_out(reckoned)
    need = level(reckoned, "SEAL").level
    made = press(reckoned, number)
    assert ([one.state for one in made.orders], made.left) == (["approved"], 0)
    line = session.scalars(select(SupplyOrder)).one().lines[0]
    assert line.quantity >= max(need, 10)
    assert line.quantity % 5 == 0
    again = press(reckoned, number)
    assert (again.orders, again.left) == ([], 1), "what is ordered is not short any more"
    assert len(session.scalars(select(SupplyOrder)).all()) == 1


def test_two_who_press_at_once_order_once(reckoned: Scene, app: Flask) -> None:
    number = sold_out(reckoned)
    done = at_once(app, [lambda: services.order(somebody(reckoned), [number], at=now())] * 2)
    assert done == ["done", "done"]
    assert len(session.scalars(select(SupplyOrder)).all()) == 1


def test_a_cancelled_order_is_proposed_again(reckoned: Scene) -> None:
    number = sold_out(reckoned)
    press(reckoned, number)
    write(lambda: supply.cancel(session.scalars(select(SupplyOrder)).one(), "错误", at=now()))
    assert len(press(reckoned, number).orders) == 1


def test_a_dear_order_waits_for_the_manager(reckoned: Scene) -> None:
    write(lambda: policies.set_override(supply.FREE_VALUE, "station", reckoned.station, 100, at=now()))
    made = press(reckoned, sold_out(reckoned))
    assert ([one.state for one in made.orders], made.waiting) == (["draft"], 1)
    write(lambda: supply.cancel(session.scalars(select(SupplyOrder)).one(), "改由站长下单", at=now()))
    made = press(reckoned, level(reckoned, "SEAL").id, role="station_manager")
    assert ([one.state for one in made.orders], made.waiting) == (["approved"], 0)


def test_what_the_central_store_has_comes_from_there(reckoned: Scene) -> None:
    def central() -> int:
        place = ledger.open_location(kind="central", station_id=reckoned.station, names={})
        ledger.receive(reckoned.part("SEAL"), place, Decimal(500), at=now())
        return place.id

    place = write(central)
    made = press(reckoned, sold_out(reckoned))
    assert (made.orders, [one.state for one in made.transfers]) == ([], ["approved"])
    sent = session.scalars(select(Transfer)).one()
    assert (sent.from_id, sent.to_id, sent.lines[0].quantity) == (place, reckoned.store, level(reckoned, "SEAL").level)


def test_a_van_is_filled_from_its_store(reckoned: Scene) -> None:
    write(lambda: _post(reckoned.part("SEAL"), 41, "scrap", now(), source=reckoned.place("van")))
    made = press(reckoned, level(reckoned, "SEAL", "van").id)
    assert made.left == 0
    assert (made.transfers[0].from_id, made.transfers[0].to_id) == (reckoned.store, reckoned.van)


def test_what_nobody_has_is_left_out(reckoned: Scene) -> None:
    made = press(reckoned, sold_out(reckoned, "BOLT"))
    assert (made.orders, made.transfers, made.left) == ([], [], 1)


def test_another_stations_levels_are_left_out(reckoned: Scene) -> None:
    number = sold_out(reckoned)
    stranger = somebody(reckoned, further=1)
    assert write(lambda: services.order(stranger, [number], at=now())).left == 1
    assert session.scalars(select(SupplyOrder)).all() == []
    assert queries.levels_of(stranger) == []


@pytest.mark.parametrize("ids", [[], list(range(1, 300))])
def test_none_or_too_many_at_once_are_refused(reckoned: Scene, ids: list[int]) -> None:
    assert refused(lambda: services.order(somebody(reckoned), ids, at=now())) == "invalid"


# Pages ----------------------------------------------------------------------------------------------


def test_the_page_tells_why_and_orders(reckoned: Scene, sign_in: Any) -> None:
    keeper, number = sign_in("storekeeper", reckoned.station), sold_out(reckoned)
    page = keeper.get("/parts/levels").text
    assert "每月 4." in page
    assert "紧要度" in page
    assert 'class="spark"' in page
    assert "SEAL" in keeper.get("/parts/levels?short=1").text
    assert "BOLT" not in keeper.get("/parts/levels?short=1&q=SEAL").text
    assert post(keeper, f"/parts/levels/{number}?short=1", least="5", most="4").status_code == 422
    assert post(keeper, f"/parts/levels/{number}", least="5", most="x").status_code == 422
    assert post(keeper, f"/parts/levels/{number}", least="50", most="").status_code == 303
    assert level(reckoned, "SEAL").least == 50
    assert post(keeper, "/parts/levels/order", level=str(number)).status_code == 303
    assert "已生成 1 张采购订单" in keeper.get("/parts/levels").text
    assert post(keeper, "/parts/levels/order").status_code == 422


def test_a_run_is_asked_for_and_called_off_on_the_page(scene: Scene, sign_in: Any) -> None:
    keeper = sign_in("storekeeper", scene.station)
    assert "尚未计算过" in keeper.get("/parts/levels").text
    assert post(keeper, "/parts/levels/stop").status_code == 404
    assert post(keeper, "/parts/levels/run").status_code == 303
    assert "hx-get" in keeper.get("/parts/levels").text
    assert post(keeper, "/parts/levels/stop").status_code == 303


def test_who_may_see_and_who_may_act(reckoned: Scene, sign_in: Any) -> None:
    number = level(reckoned, "SEAL").id
    stranger, reader = sign_in("storekeeper", reckoned.station + 1_000), sign_in("director")
    assert "SEAL" not in stranger.get("/parts/levels").text
    assert post(stranger, f"/parts/levels/{number}", least="1").status_code == 404
    assert "SEAL" in reader.get("/parts/levels").text
    assert post(reader, "/parts/levels/run").status_code == 403
    assert sign_in("technician", reckoned.station).get("/parts/levels").status_code == 403


@pytest.mark.parametrize("query", ["after=x", "after=-1", "after=" + "9" * 19, "place=nowhere"])
def test_bad_addresses_are_not_found(scene: Scene, sign_in: Any, query: str) -> None:
    assert sign_in("storekeeper", scene.station).get(f"/parts/levels?{query}").status_code == 404


def test_places_of_customers_have_no_levels(scene: Scene) -> None:
    assert "customer" not in {session.get_one(StockLocation, place).kind for _part, place in reading.read(now()).keys}
