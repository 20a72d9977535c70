"""Levels that know the network, the fleet, plans and kits: what is read, what is reckoned, what is told."""
# ruff: noqa: F811 - tests name the fixture that is imported for them

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from flask import Flask

from fieldservice.foundation.db import session, write
from fieldservice.foundation.time import Clock, now
from fieldservice.mechanisms.lifecycle import move
from fieldservice.mechanisms.subjects import Ref
from fieldservice.parts import services as ledger
from fieldservice.parts.availability import services as promises
from fieldservice.parts.catalogue.models import Kit, KitLine, Substitute
from fieldservice.parts.stocking import foresight, queries, reading, reckoning, running, services
from fieldservice.parts.stocking.foresight import Fitted, Jobs, Machines, PlannedUse
from fieldservice.parts.stocking.models import StockLevel, StockLevelRun
from fieldservice.parts.supply.models import SupplyOrder
from fieldservice.parts.transfers.models import Transfer
from tests.parts.scene import Scene
from tests.parts.test_reservations import at_once
from tests.parts.test_stocking import DAY, _post, here, level, press, scene, sold_out, somebody  # noqa: F401

MODEL = "GK-320"


@pytest.fixture
def sources(scene: Scene) -> Iterator[Any]:
    """Says what those who plan and do the work would tell."""
    before = foresight.told()

    def wire(**told: Any) -> None:
        given = {name: (lambda *_since, rows=rows: rows) for name, rows in told.items()}
        foresight.wire(replace(foresight.NOBODY, **given))

    yield wire
    foresight.wire(before)


def run_once() -> StockLevelRun:
    number = write(lambda: services.ask(at=now(), run=False).id)
    running.run_here(number)
    session.rollback()
    return session.get_one(StockLevelRun, number)


def central(scene: Scene, pieces: int, number: str = "SEAL") -> int:
    def work() -> int:
        place = ledger.open_location(kind="central", station_id=scene.station, names={})
        ledger.receive(scene.part(number), place, Decimal(pieces), at=now() - 400 * DAY)
        for month in range(1, 13):  # the store was filled from there
            _post(
                scene.part(number), 3, "transfer", now() - 30 * month * DAY, source=place, target=scene.place("store")
            )  # fmt: skip
        return place.id

    return write(work)


def line_of(found: reading.Read, scene: Scene, number: str, place: str = "store") -> int:
    return found.keys.index((scene.part(number).id, getattr(scene, place)))


# Two echelons ---------------------------------------------------------------------------------------


def test_a_van_waits_for_its_store_and_says_so(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    here(monkeypatch)
    run_once()
    van, store = level(scene, "SEAL", "van").explanation, level(scene, "SEAL").explanation
    assert van["fed"]
    assert van["source"] == scene.place("store").code
    assert van["wait"] > 0
    assert van["lead"] == pytest.approx(van["wait"] + 1.0 / reckoning.MONTH_DAYS, abs=0.001)
    assert "fed" not in store


def test_a_store_is_fed_by_the_central_one_and_by_its_supplier_where_he_is_quicker(
    scene: Scene,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here(monkeypatch)
    place = central(scene, 500)
    found = reading.read(now())
    store = line_of(found, scene, "SEAL")
    assert found.material.feed is not None
    assert found.keys[int(found.material.feed[store])] == (scene.part("SEAL").id, place)
    run_once()
    told = level(scene, "SEAL").explanation
    assert told["fed"]
    assert told["lead"] < 15 / reckoning.MONTH_DAYS
    quick = replace(found.material, lead=np.full(len(found.keys), 0.001))
    assert "fed" not in reckoning.levelled(quick, 0.0001).lines[store].explanation


def test_the_less_a_store_keeps_the_longer_its_vans_wait(scene: Scene) -> None:
    found = reading.read(now()).material
    at = [reckoning.levelled(found, rate).lines for rate in (1e-7, 1e-3)]
    waits = [max(one.explanation.get("wait", 0.0) for one in lines) for lines in at]
    assert waits[0] < waits[1]


def test_what_the_central_store_has_is_sent_once_though_two_press(scene: Scene, app: Flask, monkeypatch: Any) -> None:
    here(monkeypatch)
    place = central(scene, 500)
    run_once()
    number = sold_out(scene)
    done = at_once(app, [lambda: services.order(somebody(scene), [number], at=now())] * 2)
    assert done == ["done", "done"]
    sent = session.query(Transfer).one()
    assert (sent.from_id, sent.to_id) == (place, scene.store)
    assert session.query(SupplyOrder).all() == []


# Known demand ---------------------------------------------------------------------------------------


def planned_in_time(scene: Scene, days: int, notice: int) -> PlannedUse:
    """Twelve seals that a plan used some days ago, as the ledger has it."""
    at = now() - timedelta(days=days)
    write(lambda: _post(scene.part("SEAL"), 12, "use", at, source=scene.place("store")))
    return PlannedUse(scene.part("SEAL").id, scene.store, Decimal(12), at, at - timedelta(days=notice))


def test_planned_use_counts_once(scene: Scene, sources: Any) -> None:
    """What a plan used is no surprise: it is promised again before the next time, and counted then."""
    before = np.nansum(reading.read(now()).material.history[line_of(reading.read(now()), scene, "SEAL")])
    used = planned_in_time(scene, 40, 90)
    write(
        lambda: promises.reserve(
            scene.part("SEAL"), scene.place("store"), Decimal(12), need_at=now() + 20 * DAY, about=Ref("errand", 1),
            at=now(),
        )
    )  # fmt: skip
    line = line_of(reading.read(now()), scene, "SEAL")
    assert np.nansum(reading.read(now()).material.history[line]) == before + 12, "without plans it is a surprise"
    sources(planned=[used])
    found = reading.read(now())
    assert np.nansum(found.material.history[line]) == before
    assert found.material.known[line] == 12
    assert found.facts[line]["planned"] == 12


def test_what_was_planned_too_late_to_order_for_it_was_a_surprise(scene: Scene, sources: Any) -> None:
    used = planned_in_time(scene, 40, 20)
    sources()
    line = line_of(reading.read(now()), scene, "SEAL")
    before = np.nansum(reading.read(now()).material.history[line])
    sources(planned=[used])
    assert np.nansum(reading.read(now()).material.history[line]) == before


# Installed base -------------------------------------------------------------------------------------


def fleet(scene: Scene, before: int, more: int) -> dict[str, Any]:
    days = now().date()
    return {
        "machines": [
            Machines(scene.station, MODEL, None, None, before),
            Machines(scene.station, MODEL, days - timedelta(days=5), None, more),
        ],
        "fitted": [Fitted(scene.part("SEAL").id, MODEL, Decimal(80))],
    }


@pytest.mark.parametrize(("more", "factor"), [(0, 1.0), (20, 2.0)])
def test_more_machines_ask_for_more(
    scene: Scene,
    sources: Any,
    monkeypatch: pytest.MonkeyPatch,
    more: int,
    factor: float,
) -> None:
    here(monkeypatch)
    sources()
    run_once()
    plain = level(scene, "SEAL").explanation["chance"]
    sources(**fleet(scene, 20, more))
    found = reading.read(now())
    line = line_of(found, scene, "SEAL")
    assert found.material.outlook is not None
    assert found.material.outlook[line] == pytest.approx(factor, abs=0.15)
    run_once()
    told = level(scene, "SEAL").explanation
    if more:
        assert (told["machines"], told["before"]) == (40, pytest.approx(20, abs=2))
        assert told["chance"] > plain
    else:
        assert "machines" not in told


def test_a_young_part_begins_with_its_machines_and_a_similar_part(scene: Scene, sources: Any) -> None:
    def young() -> None:
        part = ledger.list_part(number="SEAL-X", names={"zh": "x"}, unit="pcs", price=1_000)
        session.add(Substitute(part_id=part.id, other_id=scene.part("SEAL").id, ratio=Decimal(2)))
        ledger.receive(part, scene.place("store"), Decimal(1), at=now() - DAY)

    write(young)
    sources(**fleet(scene, 20, 0))
    found = reading.read(now())
    line = line_of(found, scene, "SEAL-X")
    assert found.material.installed is not None
    assert found.material.installed[line] == pytest.approx(80 / 36 / 2, rel=0.03)
    assert found.facts[line]["similar_number"] == "SEAL"


# Phasing out ----------------------------------------------------------------------------------------


def test_stock_of_a_forerunner_is_used_up_before_its_successor_is_ordered(
    scene: Scene,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here(monkeypatch)

    def follow() -> None:
        following = ledger.list_part(number="SEAL-2", names={"zh": "x"}, unit="pcs", price=1_000)
        old = scene.part("SEAL")
        old.superseded_by_id = following.id
        move(old, "superseded", at=now())

    write(follow)
    run_once()
    [one] = queries.chosen(somebody(scene), [level(scene, "SEAL-2").id])
    assert (one.on_hand, one.before, one.short) == (0, 175, 0)
    assert queries.levels_of(somebody(scene), place=scene.place("store"), words="SEAL-2", short=True) == []
    write(lambda: _post(scene.part("SEAL"), 175, "scrap", now(), source=scene.place("store")))
    [one] = queries.levels_of(somebody(scene), place=scene.place("store"), words="SEAL-2", short=True)
    assert one.short == one.level.level > 0


def test_what_is_no_longer_made_is_never_ordered_whatever_somebody_typed(
    scene: Scene,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here(monkeypatch)
    run_once()
    number = sold_out(scene)
    write(lambda: services.set_limits(session.get_one(StockLevel, number), Decimal(50), None, at=now()))
    write(lambda: move(scene.part("SEAL"), "obsolete", at=now()))
    assert queries.levels_of(somebody(scene), place=scene.place("store"), short=True, words="SEAL") == []
    assert press(scene, number).left == 1
    assert session.query(SupplyOrder).all() == []


# Kits and calibration -------------------------------------------------------------------------------


def kit(scene: Scene, *numbers: str) -> None:
    def work() -> None:
        made = Kit(code="K-1", names={"zh": "套件", "en": "Kit"}, work_type="seal", models=[MODEL])
        session.add(made)
        session.flush()
        for number in numbers:
            session.add(KitLine(kit_id=made.id, part_id=scene.part(number).id, quantity=Decimal(1)))

    write(work)


def test_complete_jobs_are_the_goal_and_a_part_of_a_kit_has_a_level(
    scene: Scene,
    sources: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here(monkeypatch)
    kit(scene, "SEAL", "PUMP", "OIL")
    sources(jobs=[Jobs(scene.station, "seal", MODEL, 12), Jobs(scene.station, "other", MODEL, 5)])
    run = run_once()
    told = run.learned["jobs"]
    assert told["complete"] >= told["before"]
    assert told["complete"] >= 0.95 or told["factor"] > 60
    seal, pump = level(scene, "SEAL").explanation, level(scene, "PUMP").explanation
    assert (seal["jobs"], pump["jobs"]) == (12, 12)
    assert seal["complete"] == pump["complete"] == pytest.approx(told["complete"], abs=0.001)
    assert seal["for_jobs"] >= 0
    assert "jobs" not in level(scene, "BOLT").explanation


def test_the_nightly_run_tells_what_looking_back_taught_it(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    here(monkeypatch)
    past = run_once().learned["backtest"]
    assert past["months"] == 20 - 12
    assert 0 < past["rolled"] <= 1
    assert 0.92 <= past["asked"] <= 0.975


def test_the_page_explains_every_part_of_it(
    scene: Scene,
    sources: Any,
    monkeypatch: pytest.MonkeyPatch,
    sign_in: Any,
    clock: Clock,
) -> None:
    here(monkeypatch)
    kit(scene, "SEAL", "PUMP")
    used = planned_in_time(scene, 40, 90)
    sources(jobs=[Jobs(scene.station, "seal", MODEL, 12)], planned=[used], **fleet(scene, 20, 20))
    run_once()
    page = sign_in("storekeeper", scene.station).get("/parts/levels").text
    says = ("计算依据", "等该库有货", "本区域现有 40 台", "每年 12 次作业", "多备一件", "少备一件", "计划用料", "回测")
    assert [words for words in says if words not in page] == []
