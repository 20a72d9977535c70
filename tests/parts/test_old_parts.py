"""Old parts: wanted back once, dropped off once, and in the ledger until they are settled (PEERS: the closed loop)."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask

from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Conflict, DomainError, Invalid
from fieldservice.foundation.time import now
from fieldservice.parts import services as ledger
from fieldservice.parts.models import SerialUnit, StockBalance
from fieldservice.parts.queries import unbalanced
from fieldservice.parts.returns import claims, rules, services
from fieldservice.parts.returns.claims import Answer
from fieldservice.parts.returns.models import OldPart, SupplierClaim
from tests.parts.scene import Scene, make_scene, refused


@pytest.fixture
def scene(app: Flask) -> Scene:
    return make_scene()


def wanted(scene: Scene, number: str = "SEAL", **more: Any) -> int:
    """An old part that is expected; without a use, since these tests have no orders."""

    def make() -> int:
        old = OldPart(
            part_id=scene.part(number).id, quantity=Decimal(1), station_id=scene.station, opened_at=now(),
            **{"reasons": ["warranty"], "due_at": now() + timedelta(days=7), **more},
        )  # fmt: skip
        session.add(old)
        session.flush()
        return old.id

    return write(make)


def do(work: Callable[..., Any], number: int, *args: Any, **more: Any) -> str:
    """Do something with it; its state."""
    write(lambda: work(session.get_one(OldPart, number), *args, **{"at": now(), **more}))
    return session.get_one(OldPart, number).state


def lies(scene: Scene, number: str, condition: str) -> Decimal:
    rows = session.query(StockBalance).filter_by(part_id=scene.part(number).id, condition=condition)
    return sum((row.on_hand for row in rows), Decimal(0))


def found(scene: Scene, finding: str, number: str = "SEAL", **more: Any) -> int:
    """Dropped off and inspected."""
    old = wanted(scene, number, **more)
    do(services.drop_off, old, serial=more.get("removed_serial", ""))
    supplier = scene.supplier() if finding in ("claim", "repair") else None
    do(services.inspect, old, finding, words="轴封磨损", supplier=supplier)
    return old


# The way --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("finding", "steps", "good"),
    [
        ("scrap", [(services.scrap, "settled", 0)], 0),
        ("sound", [(services.restock, "settled", 0)], 1),
        ("repair", [(services.send_to_repair, "in_repair", 0), (services.scrap, "settled", 0)], 0),
    ],
)
def test_every_way_ends_and_the_ledger_follows(scene: Scene, finding: str, steps: Any, good: int) -> None:
    old = found(scene, finding)
    assert lies(scene, "SEAL", "defective") == 1
    for work, state, left in steps:
        assert do(work, old) == state
        assert lies(scene, "SEAL", "defective") == left
    assert lies(scene, "SEAL", "good") == good
    assert session.get_one(OldPart, old).settled_at == now()
    assert unbalanced() == []


def test_a_repaired_piece_is_good_again_at_its_cost(scene: Scene) -> None:
    old = found(scene, "repair", "PUMP", removed_serial="P-OLD")
    do(services.send_to_repair, old)
    assert session.query(SerialUnit).one().state == "sent_back"
    assert do(services.come_repaired, old, 320_00) == "settled"
    unit = session.query(SerialUnit).one()
    assert (unit.serial, unit.state, unit.condition, unit.location_id) == ("P-OLD", "in_stock", "good", scene.store)
    assert session.get_one(OldPart, old).cost == 320_00
    assert unbalanced() == []


def test_a_piece_bad_out_of_its_box_is_no_longer_good_stock(scene: Scene) -> None:
    scene.fill("PUMP", 2, serials=["P1", "P2"])
    number = write(
        lambda: services.drop_off_faulty(
            scene.part("PUMP"), scene.place("store"), at=now(), words="转不动", serial="P2"
        ).id
    )  # fmt: skip
    assert session.get_one(OldPart, number).state == "dropped_off"
    assert [lies(scene, "PUMP", "good"), lies(scene, "PUMP", "defective")] == [1, 1]
    for wrong in ({"serial": "P2"}, {"serial": "P1", "words": " "}, {"serial": "P1", "quantity": Decimal(2)}):
        given = {"at": now(), "words": "坏", **wrong}
        with pytest.raises(DomainError):
            write(lambda given=given: services.drop_off_faulty(scene.part("PUMP"), scene.place("store"), **given))
    assert unbalanced() == []


# The scan -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "told", "code"),
    [
        ({"removed_serial": "A1"}, {"serial": "A1"}, "done"),
        ({"removed_serial": "A1"}, {"serial": "B2"}, "wrong_unit"),
        ({"removed_serial": "A1"}, {"serial": "B2", "remark": "现场抄错"}, "done"),
        ({"removed_serial": "A1"}, {}, "serial_needed"),
        ({"removed_serial": "A1"}, {"remark": "铭牌烧毁"}, "done"),
        ({}, {}, "serial_needed"),
        ({}, {"serial": "C3"}, "done"),
        ({"fitted_serial": "N1"}, {"serial": "N1"}, "wrong_unit"),
        ({"fitted_serial": "N1"}, {"serial": "N1", "remark": "就是它"}, "wrong_unit"),
        ({}, {"serial": "X" * 61}, "invalid"),
        ({}, {"serial": "a\0b"}, "invalid"),
        ({"removed_serial": "GOOD1"}, {"serial": "GOOD1"}, "serial_known"),
    ],
)
def test_the_right_piece_is_scanned_or_it_is_said(scene: Scene, facts: Any, told: Any, code: str) -> None:
    scene.fill("PUMP", 1, serials=["GOOD1"])
    old = wanted(scene, "PUMP", **facts)
    assert refused(lambda: services.drop_off(session.get_one(OldPart, old), at=now(), **told)) == code
    assert session.get_one(OldPart, old).state == ("dropped_off" if code == "done" else "expected")
    assert lies(scene, "PUMP", "defective") == (code == "done")
    assert unbalanced() == []


def test_twice_is_once(scene: Scene) -> None:
    old = wanted(scene)
    do(services.drop_off, old)
    assert refused(lambda: services.drop_off(session.get_one(OldPart, old), at=now())) == "already_dropped"
    do(services.inspect, old, "scrap")
    do(services.scrap, old)
    for again in (services.scrap, services.restock, services.send_to_repair, services.drop_off):
        with pytest.raises(Conflict):
            do(again, old)
    assert [lies(scene, "SEAL", "defective"), lies(scene, "SEAL", "good")] == [0, 0]
    assert unbalanced() == []


@pytest.mark.parametrize("finding", ["scrap", "sound", "repair", "claim"])
@pytest.mark.parametrize("other", [services.scrap, services.restock, services.send_to_repair])
def test_only_what_was_found_is_done(scene: Scene, finding: str, other: Callable[..., Any]) -> None:
    fits = {"scrap": services.scrap, "sound": services.restock, "repair": services.send_to_repair}.get(finding)
    old = found(scene, finding)
    code = refused(lambda: other(session.get_one(OldPart, old), at=now()))
    assert code == ("done" if other is fits else "other_finding")


def test_whoever_inspects_may_think_again_until_something_is_done(scene: Scene) -> None:
    old = found(scene, "claim")
    assert do(services.inspect, old, "scrap") == "inspected"
    row = session.get_one(OldPart, old)
    assert (row.finding, row.supplier_id, row.words) == ("scrap", None, "轴封磨损")
    do(services.scrap, old)
    with pytest.raises(Conflict):
        do(services.inspect, old, "sound")


def test_what_will_not_come_back_needs_a_reason_and_may_still_turn_up(scene: Scene) -> None:
    old = wanted(scene)
    with pytest.raises(Invalid):
        do(services.lose, old, " ")
    assert do(services.lose, old, "客户已当废铁处理") == "not_returned"
    assert do(services.drop_off, old) == "dropped_off"


# Rules ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "removed", "coverage", "reasons"),
    [
        ("SEAL", None, "billable", []),
        ("SEAL", None, "warranty", []),  # a small consumable
        ("BOLT", None, "warranty", ["warranty"]),
        ("BOLT", None, "contract", []),
        ("SEAL", "A1", "billable", ["numbered"]),
        ("PUMP", None, "billable", ["tracked"]),
        ("PUMP", "A1", "warranty", ["numbered", "tracked", "warranty"]),
        ("OIL", None, "warranty", []),  # litres leave no piece behind
        ("PAINT", "A1", "warranty", []),
    ],
)
def test_which_old_parts_are_wanted(scene: Scene, number: str, removed: Any, coverage: str, reasons: Any) -> None:
    assert rules.reasons_of(scene.part(number), removed, coverage) == reasons


def test_what_matters_more_is_wanted_sooner(scene: Scene) -> None:
    safety, critical, other = (
        rules.due_at(scene.part(number), scene.station, now()) for number in ("BOLT", "PUMP", "SEAL")
    )
    assert now() < safety < critical < other


# Claims ---------------------------------------------------------------------------------------------


def claim(scene: Scene, *lines: int) -> int:
    return write(lambda: claims.open_claim(scene.supplier(), scene.station, lines, at=now()).id)


def step(work: Callable[..., Any], number: int, *args: Any, **more: Any) -> str:
    write(lambda: work(session.get_one(SupplierClaim, number), *args, **{"at": now(), **more}))
    return session.get_one(SupplierClaim, number).state


def sent(scene: Scene, *lines: int) -> int:
    number = claim(scene, *lines)
    step(claims.send, number, answer_due_at=now() + timedelta(days=14), carrier="顺丰", tracking="SF1")
    return number


def test_a_claim_from_draft_to_settled(scene: Scene) -> None:
    one, two, three = found(scene, "claim"), found(scene, "claim"), found(scene, "claim", "PUMP", removed_serial="P9")
    number = claim(scene, one, two, three)
    assert session.get_one(SupplierClaim, number).number.startswith("RMA-")
    step(claims.put_amount, number, one, 900)
    assert lies(scene, "SEAL", "defective") == 2
    assert step(claims.send, number, answer_due_at=now() + timedelta(days=14)) == "sent"
    assert [lies(scene, "SEAL", "defective"), lies(scene, "PUMP", "defective")] == [0, 0]
    answers = {one: Answer("credit", 900), two: Answer("refused"), three: Answer("replacement")}
    assert step(claims.answer, number, answers, their_number="R-77") == "partly_accepted"
    assert [session.get_one(OldPart, line).state for line in (one, two, three)] == ["claimed", "settled", "claimed"]
    with pytest.raises(Conflict):
        step(claims.settle, number, credit_note="CN-1")
    assert session.get_one(SupplierClaim, number).state == "partly_accepted"
    step(claims.replacement_came, number, three, serial="P10")
    assert [unit.serial for unit in session.query(SerialUnit).filter_by(state="in_stock")] == ["P10"]
    with pytest.raises(Invalid):
        step(claims.settle, number, credit_note="")
    assert step(claims.settle, number, credit_note="CN-1") == "settled"
    assert {session.get_one(OldPart, line).state for line in (one, two, three)} == {"settled"}
    assert unbalanced() == []


@pytest.mark.parametrize(
    ("given", "state"),
    [
        (["credit", "replacement"], "accepted"),
        (["credit", "refused"], "partly_accepted"),
        (["refused", "refused"], "refused"),
    ],
)
def test_the_answer_decides_how_the_claim_stands(scene: Scene, given: list[str], state: str) -> None:
    lines = [found(scene, "claim"), found(scene, "claim")]
    number = sent(scene, *lines)
    said = zip(lines, given, strict=True)
    answers = {line: Answer(result, 500 if result == "credit" else 0) for line, result in said}
    assert step(claims.answer, number, answers) == state


@pytest.mark.parametrize(
    "wrong",
    [Answer("credit", 0), Answer("credit", 1_001), Answer("credit", -1), Answer("maybe"), Answer("refused", 5), None],
)
def test_an_answer_nobody_can_mean_is_refused_whole(scene: Scene, wrong: Any) -> None:
    one, two = found(scene, "claim"), found(scene, "claim")
    number = sent(scene, one, two)
    answers = {one: Answer("refused"), **({two: wrong} if wrong else {})}
    with pytest.raises(Invalid):
        step(claims.answer, number, answers)
    assert [session.get_one(OldPart, line).state for line in (one, two)] == ["claimed", "claimed"]


def test_a_piece_is_on_one_claim_only_and_free_again_when_it_is_dropped(scene: Scene) -> None:
    one, two = found(scene, "claim"), found(scene, "claim")
    first = claim(scene, one)
    assert refused(lambda: claims.open_claim(scene.supplier(), scene.station, [one, two], at=now())) == "not_claimable"
    assert refused(lambda: services.inspect(session.get_one(OldPart, one), "scrap", at=now())) == "on_claim"
    step(claims.drop_line, first, one)
    with pytest.raises(Invalid):
        step(claims.send, first, answer_due_at=now() + timedelta(days=1))
    assert step(claims.cancel, first) == "cancelled"
    second = sent(scene, one, two)
    for again in (claims.cancel, claims.settle):
        with pytest.raises(Conflict):
            step(again, second)
    assert refused(
        lambda: claims.put_amount(session.get_one(SupplierClaim, second), one, 1, at=now())
    ) == "move_forbidden"  # fmt: skip


@pytest.mark.parametrize("lines", [[], [10**12]])
def test_a_claim_of_nothing_known_is_refused(scene: Scene, lines: list[int]) -> None:
    assert refused(lambda: claims.open_claim(scene.supplier(), scene.station, lines, at=now())) in (
        "invalid", "not_claimable",
    )  # fmt: skip


def test_what_was_scrapped_behind_its_back_is_refused_whole(scene: Scene) -> None:
    old = found(scene, "claim")
    place = session.get_one(OldPart, old).place
    assert place is not None
    write(
        lambda: ledger.post_move(
            part=scene.part("SEAL"), quantity=Decimal(1), cause="scrap", at=now(), condition="defective",
            source=session.merge(place),
        )
    )  # fmt: skip
    number = claim(scene, old)
    assert refused(
        lambda: claims.send(
            session.get_one(SupplierClaim, number), at=now(), answer_due_at=now() + timedelta(days=2)
        )
    ) == "part_short"  # fmt: skip
    assert session.get_one(SupplierClaim, number).state == "draft"
