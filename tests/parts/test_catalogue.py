"""The catalogue by table and by rule: successors, substitutes, kits, offers, labels (issue: catalogue, S-16)."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask

from fieldservice.foundation.db import session, write
from fieldservice.foundation.time import now
from fieldservice.mechanisms.records import kind_of
from fieldservice.parts import services
from fieldservice.parts.catalogue import gs1, queries
from fieldservice.parts.models import StockLocation
from tests.admin.conftest import Table, counted, table, take  # noqa: F401 - a fixture
from tests.parts.scene import Scene, make_scene, refused

TODAY = date(2026, 11, 25)


@pytest.fixture
def scene(app: Flask) -> Scene:
    return make_scene()


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        ("]C1010691234500001710B-7\x1d21S-1", {"gtin": "06912345000017", "batch": "B-7", "serial": "S-1"}),
        ("(01)06912345000017(17)270600(10)B-7", {"gtin": "06912345000017", "expires_on": date(2027, 6, 30)}),
        ("0106912345000017172706011021", {"expires_on": date(2027, 6, 1), "batch": "21"}),
        ("(240)OS-TC-180(10)B", {"number": "OS-TC-180", "batch": "B"}),
        ("OS-TC-180;S-1;B-7", {"number": "OS-TC-180", "serial": "S-1", "batch": "B-7"}),
        ("S/N: HN40-1", {"serial": "HN40-1", "number": ""}),
        ("6912345000017", {"gtin": "06912345000017", "number": "6912345000017"}),
        ("OS-TC-180", {"number": "OS-TC-180", "gtin": ""}),
        ("0106912345000011", {"number": "0106912345000011"}),
        ("(17)271399", {"expires_on": None}),
        ("", {"number": "", "gtin": ""}),
    ],
)
def test_labels(raw: str, told: dict[str, Any]) -> None:
    label = gs1.read(raw)
    assert {name: getattr(label, name) for name in told} == told


def part_row(number: str, **more: str) -> dict[str, str]:
    return {"number": number, "names_zh": number, "unit": "件", "price": "10", **more}


def test_a_circle_of_successors_is_refused(scene: Scene, table: Table) -> None:  # noqa: F811 - the fixture
    assert counted(take("parts", table(part_row("N-3"), part_row("N-2"), part_row("N-1")))) == (3, 0, 0, 0)
    chain = table(part_row("N-1", superseded_by="N-2"), part_row("N-2", superseded_by="N-3"))
    assert counted(take("parts", chain)) == (0, 2, 0, 0)
    assert counted(take("parts", table(part_row("N-3", superseded_by="N-1")))) == (0, 0, 0, 1)
    assert counted(take("parts", table(part_row("N-3", superseded_by="N-3")))) == (0, 0, 0, 1)
    assert [part.number for part in queries.chain_of(scene.part("N-2"))] == ["N-1", "N-2", "N-3"]


def test_the_end_of_the_chain_that_can_be_had(scene: Scene) -> None:
    def build() -> None:
        for number in ("N-3", "N-2", "N-1"):
            after = scene.part(f"N-{int(number[-1]) + 1}").id if number != "N-3" else None
            services.list_part(number=number, names={}, unit="pcs", price=1, superseded_by_id=after)

    write(build)
    assert queries.usable(scene.part("N-1")).number == "N-1", "it is made until somebody says otherwise"
    for number in ("N-1", "N-2"):
        write(lambda number=number: kind_of("parts").move(scene.part(number), "superseded", "", now()))
    assert queries.usable(scene.part("N-1")).number == "N-3"


def test_tables_of_the_catalogue(scene: Scene, table: Table) -> None:  # noqa: F811 - the fixture
    rows: dict[str, list[dict[str, str]]] = {
        "part-substitutes": [
            {"part": "SEAL", "other": "BOLT", "ratio": "2", "both_ways": "yes", "models": "GK-320; GK-400"},
            {"part": "SEAL", "other": "SEAL"},
            {"part": "SEAL", "other": "NONE"},
        ],
        "part-kits": [{"code": "KIT-1", "names_zh": "套件", "work_type": "seal", "models": "GK-320"}],
        "part-kit-lines": [
            {"kit": "KIT-1", "part": "SEAL", "quantity": "2"},
            {"kit": "KIT-1", "part": "BOLT", "quantity": "-1"},
        ],
        "suppliers": [{"code": "S-2", "names_zh": "二号"}],
        "supplier-offers": [
            {"supplier": "S-1", "part": "SEAL", "valid_from": "2026-01-01", "lead_days": "9", "price": "1",
             "on_time_percent": "80"},
            {"supplier": "S-2", "part": "SEAL", "valid_from": "2026-01-01", "lead_days": "3", "price": "9",
             "on_time_percent": "95"},
            {"supplier": "S-2", "part": "SEAL", "valid_from": "2026-02-01", "valid_until": "2026-01-01",
             "lead_days": "3", "price": "9"},
        ],
    }  # fmt: skip
    expected = {"part-substitutes": (1, 0, 0, 2), "part-kits": (1, 0, 0, 0), "part-kit-lines": (1, 0, 0, 1),
                "suppliers": (1, 0, 0, 0), "supplier-offers": (2, 0, 0, 1)}  # fmt: skip
    for kind, given in rows.items():
        path = table(*given, name=f"{kind}.csv")
        assert counted(take(kind, path)) == expected[kind], kind
        new, _changed, _same, wrong = expected[kind]
        assert counted(take(kind, path)) == (0, 0, new, wrong), f"{kind} again"
    assert [(one.part.number, one.ratio) for one in queries.substitutes_of(scene.part("SEAL"), "GK-400")] == [
        ("BOLT", Decimal(2))
    ]
    assert queries.substitutes_of(scene.part("SEAL"), "XX") == []
    assert [(one.part.number, one.ratio) for one in queries.substitutes_of(scene.part("BOLT"))] == [
        ("SEAL", Decimal("0.5"))
    ]
    assert [(part.number, quantity) for part, quantity in queries.kit_for("seal", "GK-320")] == [("SEAL", Decimal(2))]
    assert queries.kit_for("seal", "XX") == []
    assert [supplier.code for _offer, supplier in queries.offers_of(scene.part("SEAL"), TODAY)] == ["S-2", "S-1"], (
        "S-16"
    )


def test_places_by_table(scene: Scene, table: Table) -> None:  # noqa: F811 - the fixture
    rows = (
        {"code": "K-7", "kind": "仓库", "names_zh": "二号库", "station": "WX"},
        {"code": "W-2", "kind": "warehouse", "names_zh": "二号库", "station": "WX"},
        {"code": "V-2", "kind": "van", "names_zh": "车", "station": "WX"},
        {"code": "C-2", "kind": "customer", "names_zh": "寄售", "station": "WX"},
    )
    assert counted(take("places", table(*rows))) == (1, 0, 0, 3)
    assert counted(take("places", table({**rows[1], "names_zh": "三号库"}))) == (0, 1, 0, 0)


def test_a_place_with_parts_is_not_closed(scene: Scene) -> None:
    scene.fill("SEAL", 1)

    def close() -> None:
        kind_of("places").move(session.get_one(StockLocation, scene.store), "closed", "", now())

    assert refused(close) == "place_not_empty"
    scene.move("SEAL", 1, "use", source="store")
    write(close)


def test_what_is_followed_stays_followed_while_it_lies_there(scene: Scene, table: Table) -> None:  # noqa: F811
    scene.fill("PUMP", 1, serials=["P-1"])
    off = table({"number": "PUMP", "serial_tracked": "no"})
    assert counted(take("parts", off)) == (0, 0, 0, 1)
    scene.move("PUMP", 1, "scrap", source="store", serials=["P-1"])
    assert counted(take("parts", off)) == (0, 1, 0, 0)
