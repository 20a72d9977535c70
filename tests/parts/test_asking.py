"""Where a part can come from and when: vans, station, neighbours, central store, suppliers, substitutes."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask

from fieldservice.accounts.services import create_token
from fieldservice.foundation.db import session, write
from fieldservice.foundation.time import now, today
from fieldservice.mechanisms.lifecycle import move
from fieldservice.mechanisms.subjects import Ref
from fieldservice.parts import services as ledger
from fieldservice.parts.availability import services
from fieldservice.parts.availability.asking import Answer, ask
from fieldservice.parts.catalogue.models import Substitute, SupplierOffer
from fieldservice.parts.models import Part, StockLocation
from fieldservice.parts.transfers.models import Transfer, TransferLine
from fieldservice.stations.models import Station
from tests.conftest import make_user
from tests.parts.scene import Scene, make_scene
from tests.workorders.scene import make_technician


@pytest.fixture
def scene(app: Flask) -> Scene:
    return make_scene()


def open_place(scene: Scene, kind: str, *, away_km: float = 0.0, **more: Any) -> int:
    """A place of this kind; `away_km` north of the first station, at a station of its own."""

    def make() -> int:
        station = session.get_one(Station, scene.station)
        if away_km:
            count = session.query(Station).count()
            station = Station(
                code=f"N{count}", names={"zh": f"邻站{count}", "en": f"Neighbour {count}"},
                division_code=station.division_code, latitude=station.latitude + away_km / 111.2,
                longitude=station.longitude, functions=["spare_part", "service"],
            )  # fmt: skip
            session.add(station)
            session.flush()
            move(station, "open")
        return ledger.open_location(kind=kind, station_id=station.id, names={"zh": kind, "en": kind}, **more).id

    return write(make)


def put(scene: Scene, number: str, quantity: int, place: int) -> None:
    write(
        lambda: ledger.receive(scene.part(number), session.get_one(StockLocation, place), Decimal(quantity), at=now())
    )


def promise_one(scene: Scene, days: int) -> None:
    """A seal of the store, to somebody else."""
    part, store, need = scene.part("SEAL"), scene.place("store"), now() + timedelta(days=days)
    about = Ref("errand", 1)
    write(lambda: services.reserve(part, store, Decimal(1), need_at=need, about=about, at=now()))


def asked(scene: Scene, number: str = "SEAL", quantity: Any = 1, hours: float = 8, **more: Any) -> Answer:
    station = session.get_one(Station, scene.station)
    needed = now() + timedelta(hours=hours)
    return ask(scene.part(number), station, Decimal(quantity), needed, now(), **more)


def kinds(answer: Answer) -> list[str]:
    return [one.source.kind for one in answer.sources]


def offer(scene: Scene, days: int, price: int = 900, on_time: int | None = 95) -> None:
    def make() -> None:
        session.add(
            SupplierOffer(
                supplier_id=scene.supplier().id, part_id=scene.part("SEAL").id, lead_days=days, price=price,
                on_time_percent=on_time, valid_from=today(),
            )
        )  # fmt: skip

    write(make)


def test_nothing_anywhere_promises_nothing(scene: Scene) -> None:
    answer = asked(scene)
    assert (answer.sources, answer.places, answer.ready_at) == ([], [], None)


def test_S_16_what_is_there_comes_before_what_is_cheaper(scene: Scene) -> None:
    offer(scene, 3, price=9)
    scene.fill("SEAL", 1)
    answer = asked(scene)
    assert kinds(answer) == ["station", "supplier"]
    assert answer.ready_at == now()
    assert [one.taken for one in answer.sources] == [1, 0]


def test_the_nearest_place_that_is_in_time_comes_first(scene: Scene) -> None:
    near, far = open_place(scene, "warehouse", away_km=40), open_place(scene, "warehouse", away_km=900)
    central = open_place(scene, "central", away_km=1200)
    for place in (near, far, central):
        put(scene, "SEAL", 5, place)
    answer = asked(scene, hours=6)
    assert kinds(answer) == ["neighbour", "neighbour", "central"]
    assert [one.source.place_id for one in answer.sources] == [near, far, central]
    assert answer.ready_at is not None
    assert answer.ready_at < answer.needed_at
    late = answer.sources[1]
    assert late.reasons[0].code == "late"
    assert late.source.ready_at == now() + timedelta(hours=24)  # a carrier


def test_own_van_before_a_colleagues(scene: Scene) -> None:
    technician = write(lambda: make_technician(session.get_one(Station, scene.station), "吴昊", "H. Wu").id)
    own = open_place(scene, "van", technician_id=technician)
    put(scene, "SEAL", 1, own)
    scene.move("SEAL", 1, "receipt", target="van")
    assert kinds(asked(scene, quantity=2, technician_id=technician)) == ["own_van", "colleague_van"]
    assert asked(scene, quantity=2).ready_at == now() + timedelta(minutes=30)


def test_what_is_promised_to_others_is_not_promised_again(scene: Scene) -> None:
    scene.fill("SEAL", 2)
    promise_one(scene, days=9)
    answer = asked(scene, quantity=2)
    assert [one.source.quantity for one in answer.sources] == [1]
    assert answer.ready_at is None
    [place] = answer.places
    assert [place.shelf.on_hand, place.shelf.reserved, place.free] == [2, 1, 1]


def test_what_comes_before_it_is_needed_elsewhere_can_be_promised(scene: Scene) -> None:
    scene.fill("SEAL", 1)
    promise_one(scene, days=9)
    assert kinds(asked(scene)) == []
    other = open_place(scene, "warehouse", away_km=2000)

    def ship() -> None:
        transfer = Transfer(
            number="TR-1", from_id=other, to_id=scene.store, station_id=scene.station, to_station_id=scene.station,
            expected_at=now() + timedelta(days=2), asked_by="user:1", asked_at=now(),
            lines=[TransferLine(part_id=scene.part("SEAL").id, quantity=Decimal(1))],
        )  # fmt: skip
        session.add(transfer)
        session.flush()
        move(transfer, "approved")

    write(ship)
    answer = asked(scene)
    assert kinds(answer) == ["station"]
    assert answer.ready_at == now()
    assert answer.places[0].shelf.in_transit == 1


def test_a_substitute_says_its_condition_and_counts_in_units_of_the_part(scene: Scene) -> None:
    def make() -> None:
        other = ledger.list_part(number="SEAL-B", names={"zh": "替代", "en": "Other"}, unit="pcs", price=500)
        session.add(
            Substitute(
                part_id=scene.part("SEAL").id, other_id=other.id, ratio=Decimal(2),
                conditions={"zh": "需质量批准", "en": "Quality must approve"}, models=["GX-1"],
            )
        )  # fmt: skip

    write(make)
    put(scene, "SEAL-B", 5, scene.store)
    assert kinds(asked(scene, model="GX-9")) == []
    [one] = asked(scene, quantity=3, model="GX-1").sources
    assert [one.source.quantity, one.taken, one.source.price] == [2, 2, 1000]
    assert one.source.condition == {"zh": "需质量批准", "en": "Quality must approve"}


def test_of_a_part_no_longer_made_what_is_left_and_its_successor_count(scene: Scene) -> None:
    def supersede() -> None:
        new = ledger.list_part(number="SEAL-2", names={"zh": "新", "en": "New"}, unit="pcs", price=1_100)
        old: Part = scene.part("SEAL")
        old.superseded_by_id = new.id
        move(old, "superseded")

    scene.fill("SEAL", 1)
    write(supersede)
    put(scene, "SEAL-2", 1, scene.store)
    answer = asked(scene, quantity=2)
    assert answer.part.number == "SEAL-2"
    assert [one.source.part for one in answer.sources] == ["SEAL", "SEAL-2"]
    assert answer.ready_at == now()


# The call ----------------------------------------------------------------------------------------------------


def call(app: Flask, scene: Scene, query: str, role: str = "storekeeper", station: int | None = None) -> Any:
    make_user(role, scene.station if station is None else station, email="anna@demo.test")
    token = write(lambda: create_token(email="anna@demo.test", name="test"))
    session.remove()
    return app.test_client().get(f"/api/v1/parts/{query}", headers={"Authorization": f"Bearer {token}"})


def test_the_call_tells_places_sources_and_reasons(app: Flask, scene: Scene) -> None:
    scene.fill("SEAL", 3)
    offer(scene, 2)
    code = session.get_one(Station, scene.station).code
    answer = call(app, scene, f"SEAL/availability?station={code}&quantity=2")
    assert answer.status_code == 200, answer.text
    told = answer.json
    assert (told["part"], told["quantity"]) == ("SEAL", "2")
    assert [(one["kind"], one["taken"]) for one in told["sources"]] == [("station", "2"), ("supplier", "0")]
    assert told["sources"][0]["reasons"][0] == {"code": "in_time", "facts": {"minutes": 0}}
    assert told["places"][0]["on_hand"] == "3"


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("SEAL/availability", 422), ("SEAL/availability?station=S1&quantity=0", 422),
        ("SEAL/availability?station=S1&quantity=NaN", 422), ("SEAL/availability?station=S1&quantity=1e9", 422),
        ("SEAL/availability?station=S1&needed_at=yesterday", 422), ("SEAL/availability?station=S1&technician=0", 422),
        ("SEAL/availability?station=nowhere", 404), ("NONE/availability?station=S1", 404),
    ],
)  # fmt: skip
def test_bad_questions_are_refused(app: Flask, scene: Scene, query: str, status: int) -> None:
    query = query.replace("station=S1", f"station={session.get_one(Station, scene.station).code}")
    assert call(app, scene, query).status_code == status


def test_another_stations_keeper_gets_404(app: Flask, scene: Scene) -> None:
    other = session.get_one(StockLocation, open_place(scene, "warehouse", away_km=50)).station_id
    code = session.get_one(Station, scene.station).code
    assert call(app, scene, f"SEAL/availability?station={code}", station=other).status_code == 404
