"""What a technician does with a visit: every rule, on both databases."""

from datetime import timedelta
from decimal import Decimal
from threading import Barrier, Thread
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Conflict, DomainError, Invalid
from fieldservice.foundation.time import Clock, at_local, now
from fieldservice.intake.models import ServiceRequest
from fieldservice.mechanisms import clocks
from fieldservice.mechanisms.events import Event, history, notes_of
from fieldservice.parts import services as ledger
from fieldservice.parts.models import StockLocation
from fieldservice.parts.queries import stock_of, unbalanced
from fieldservice.workorders import booking, visits
from fieldservice.workorders.models import Booking, PartUse, Visit, WorkItem
from tests.workorders.cast import DAY
from tests.workorders.on_tour import OIL, SEAL, Tour, another_technician, make_tour
from tests.workorders.scene import make_station


@pytest.fixture
def tour(app: Flask) -> Tour:
    return make_tour()


@pytest.fixture
def lite(sqlite_app: Flask) -> Tour:
    """For refusals that no database can tell apart."""
    return make_tour()


def promise(tour: Tour, kind: str) -> clocks.Clock:
    request = session.get_one(ServiceRequest, tour.order.request_id)
    return next(one for one in clocks.of(request) if one.kind == kind)


def held(tour: Tour) -> list[Booking]:
    return list(session.scalars(select(Booking).where(Booking.visit_id == tour.visit_id, Booking.state == "held")))


# The life of a visit ------------------------------------------------------------------------------------


def test_the_whole_life_from_accepting_to_finishing(tour: Tour, clock: Clock) -> None:
    for state, order_state in (
        ("accepted", "dispatched"),
        ("en_route", "dispatched"),
        ("on_site", "in_progress"),
        ("in_progress", "in_progress"),
    ):
        clock.advance(minutes=10)
        tour.go(state)
        assert (tour.visit.state, tour.order.state) == (state, order_state)
    tour.do(visits.pause, "等客户放行")
    clock.advance(minutes=20)
    tour.do(visits.resume)
    assert (tour.visit.paused_min, tour.visit.paused_at) == (20, None)
    tour.record_all()
    tour.do(visits.use_part, tour.part(), Decimal(1))
    clock.advance(minutes=30)
    tour.do(visits.finish, outcome="completed", restored=True)
    visit, order = tour.visit, tour.order
    steps = [
        visit.dispatched_at,
        visit.accepted_at,
        visit.en_route_at,
        visit.on_site_at,
        visit.started_at,
        visit.finished_at,
    ]
    assert steps == sorted(step for step in steps if step is not None)
    assert (visit.state, visit.restored, order.state, order.completed_at) == ("completed", True, "completed", now())
    assert order.request is not None
    assert order.request.state == "resolved"
    assert tour.in_van() == 1
    kinds = [event.kind for event in history(visit)]
    assert [kind for kind in kinds if kind.startswith("visit.")][-1] == "visit.completed"


def test_T_04_arrival_and_restore_stop_the_promises(tour: Tour, clock: Clock) -> None:
    tour.go("accepted", "en_route")
    clock.fix(at_local(DAY, 11, 5))
    tour.go("on_site")
    assert (promise(tour, "arrival").state, promise(tour, "arrival").stopped_at) == ("kept", at_local(DAY, 11, 5))
    assert promise(tour, "restore").is_open
    tour.go("in_progress")
    tour.record_all()
    tour.do(visits.finish, outcome="completed", restored=True)
    assert (promise(tour, "restore").state, promise(tour, "restore").stopped_at) == ("kept", now())


def test_declining_frees_the_time_and_needs_a_reason(tour: Tour) -> None:
    with pytest.raises(Invalid):
        tour.do(visits.decline, "  ")
    assert len(held(tour)) == 1
    tour.do(visits.decline, "车坏了")
    assert (tour.visit.state, tour.order.state, held(tour)) == ("declined", "ready", [])
    events = history(tour.visit)
    assert notes_of(events)[events[-1].id] == "车坏了"


def test_the_eta_is_told_where_the_place_is_known_and_nowhere_else(app: Flask) -> None:
    known = make_tour()
    known.go("accepted", "en_route")
    assert known.visit.eta_at == now() + timedelta(minutes=known.visit.travel_min)


def test_county_precision_never_feeds_an_eta(app: Flask) -> None:
    tour = make_tour(precision="county")
    tour.go("accepted", "en_route")
    assert tour.visit.eta_at is None


def test_finishing_early_frees_the_rest_of_the_time(tour: Tour, clock: Clock) -> None:
    clock.fix(at_local(DAY, 11, 0))
    tour.at_work().record_all()
    clock.fix(at_local(DAY, 12, 0))
    tour.do(visits.finish, outcome="completed", restored=True)
    assert [one.ends_at for one in held(tour)] == [at_local(DAY, 12, 0)]


def test_finishing_before_the_planned_start_frees_all_of_it(tour: Tour, clock: Clock) -> None:
    tour.at_work().record_all()
    clock.fix(at_local(DAY, 10, 50))
    tour.do(visits.finish, outcome="completed", restored=True)
    assert held(tour) == []


FORBIDDEN = [
    ("dispatched", "en_route"),
    ("dispatched", "on_site"),
    ("accepted", "on_site"),
    ("accepted", "in_progress"),
    ("accepted", "declined"),
    ("en_route", "in_progress"),
    ("on_site", "paused"),
    ("on_site", "completed"),
    ("in_progress", "accepted"),
    ("in_progress", "on_site"),
    ("paused", "paused"),
]


@pytest.mark.parametrize(("state", "to"), FORBIDDEN)
def test_forbidden_steps_name_what_is_allowed(lite: Tour, state: str, to: str) -> None:
    way = ["accepted", "en_route", "on_site", "in_progress", "paused"]
    lite.go(*way[: way.index(state) + 1] if state in way else (), reason="等件")
    with pytest.raises(Conflict) as refused:
        lite.go(to, reason="原因", restored=True)
    assert (refused.value.code, refused.value.facts["state"]) == ("move_forbidden", state)
    assert refused.value.facts["allowed"]
    assert lite.visit.state == state


@pytest.mark.parametrize("to", ["scheduled", "missed", "cancelled", "", "nonsense", "dispatched"])
def test_steps_that_are_no_technicians_are_refused(lite: Tour, to: str) -> None:
    with pytest.raises(Invalid):
        lite.go(to, reason="x")


def test_two_people_never_make_the_same_step(tour: Tour, app: Flask) -> None:
    begin, outcomes = Barrier(2), []

    def accept() -> None:
        with app.app_context():
            begin.wait()
            try:
                write(lambda: visits.accept(session.get_one(Visit, tour.visit_id), now()))
                outcomes.append("done")
            except Conflict as error:
                outcomes.append(error.code)

    threads = [Thread(target=accept) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["done", "move_forbidden"]
    session.rollback()
    assert session.scalar(select(func.count(Event.id)).where(Event.kind == "visit.accepted")) == 1


# Times ----------------------------------------------------------------------------------------------------


def test_times_may_be_told_later_than_they_happened(tour: Tour, clock: Clock) -> None:
    clock.fix(at_local(DAY, 16, 0))
    for state, minute in (("accepted", 35), ("en_route", 40), ("on_site", 58)):
        tour.do(visits.step, state, at=at_local(DAY, 10, minute))
    assert tour.visit.on_site_at == at_local(DAY, 10, 58)
    assert promise(tour, "arrival").state == "kept"


def test_a_breach_is_taken_back_when_the_report_was_only_late(tour: Tour, clock: Clock) -> None:
    clock.fix(at_local(DAY, 15, 0))  # the arrival was due at half past two
    write(lambda: clocks.tick(now(), 100))
    assert promise(tour, "arrival").state == "breached"
    for state, minute in (("accepted", 35), ("en_route", 40), ("on_site", 58)):
        tour.do(visits.step, state, at=at_local(DAY, 10, minute))
    assert promise(tour, "arrival").state == "kept"


@pytest.mark.parametrize("seconds", [1, 3600, 86400 * 400])
def test_times_from_the_future_are_refused(lite: Tour, seconds: int) -> None:
    with pytest.raises(Invalid) as refused:
        lite.do(visits.accept, at=now() + timedelta(seconds=seconds))
    assert "at" in refused.value.errors


def test_a_step_never_lies_before_the_step_before_it(tour: Tour, clock: Clock) -> None:
    clock.advance(minutes=10)
    tour.go("accepted")
    with pytest.raises(Invalid):
        tour.do(visits.set_off, at=now() - timedelta(minutes=1))


def test_a_tablets_clock_is_corrected_not_believed(tour: Tour, clock: Clock) -> None:
    sent = now()
    clock.advance(minutes=30)
    visit = tour.visit
    assert visits.counted_time(visit, now() + timedelta(days=3)) == now()
    assert visits.counted_time(visit, at_local(DAY, 1) - timedelta(days=20_000)) == sent
    assert visits.counted_time(visit, sent + timedelta(minutes=5)) == sent + timedelta(minutes=5)
    clock.advance(minutes=5)
    tour.at_work().record_all()
    arrived = now()
    clock.advance(minutes=20)
    tour.do(visits.finish, outcome="completed", restored=True)
    assert visits.counted_time(tour.visit, sent, fact=True) == arrived
    assert visits.counted_time(tour.visit, arrived, fact=True) == arrived


# The checklist ----------------------------------------------------------------------------------------------


def test_answers_replace_each_other_and_flag_readings_out_of_tolerance(tour: Tour) -> None:
    tour.at_work()
    assert tour.do(visits.answer, "vibration", 4.9, note="联轴器待复测").out_of_tolerance
    again = tour.do(visits.answer, "vibration", "4.1")
    assert (again.out_of_tolerance, again.note, again.content["value"]) == (False, "", "4.1")
    assert session.scalar(select(func.count()).select_from(type(again))) == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("vibration", "abc"),
        ("vibration", 1e30),
        ("vibration", "NaN"),
        ("vibration", [1]),
        ("leak_point", "nowhere"),
        ("lockout", "maybe"),
        ("no_such_field", 1),
        ("seal_photo", [{}]),
        ("seal_photo", ["a"] * 41),
        ("seal_photo", ["../x"]),
    ],
)
def test_answers_that_do_not_fit_their_field_are_refused(lite: Tour, field: str, value: Any) -> None:
    lite.at_work()
    with pytest.raises(Invalid) as refused:
        lite.do(visits.answer, field, value)
    assert list(refused.value.errors) == [field]


@pytest.mark.parametrize("note", ["x" * 501, "a\x00b", "\ud800"])
def test_hostile_notes_are_refused(lite: Tour, note: str) -> None:
    lite.at_work()
    with pytest.raises(Invalid):
        lite.do(visits.answer, "vibration", 1, note=note)


def test_nothing_is_recorded_before_arrival(tour: Tour) -> None:
    tour.go("accepted", "en_route")
    deeds: list[tuple[Any, ...]] = [
        (visits.answer, "vibration", 1),
        (visits.use_part, tour.part(), Decimal(1)),
        (visits.choose_pattern, "gearbox_output_seal_leak"),
        (visits.set_failure, {"failure_mode": "ELU"}),
        (visits.set_summary, "好了"),
        (visits.sign,),
    ]
    for deed, *args in deeds:
        with pytest.raises(Conflict) as refused:
            tour.do(deed, *args)
        assert refused.value.code == "not_at_work"


def test_a_required_answer_missing_keeps_the_visit_open(tour: Tour) -> None:
    tour.at_work().record_all()
    tour.do(visits.answer, "dry_run", False)
    with pytest.raises(Invalid) as refused:
        tour.do(visits.finish, outcome="completed", restored=True)
    assert (refused.value.code, list(refused.value.errors)) == ("not_finished", ["checklist"])
    assert "试运行" in str(refused.value.errors["checklist"][0]) or "run" in str(refused.value.errors["checklist"][0])
    assert tour.visit.state == "in_progress"


# Words and codes ----------------------------------------------------------------------------------------------


def test_S_13_no_plain_summary_no_finish(tour: Tour) -> None:
    tour.at_work().record_all()
    tour.do(visits.set_summary, "  ")
    with pytest.raises(Invalid) as refused:
        tour.do(visits.finish, outcome="completed", restored=True)
    assert (refused.value.status, list(refused.value.errors)) == (422, ["summary"])
    tour.do(visits.set_summary, "换了油封。", technical_note="轴磨损 0.05 mm")
    tour.do(visits.finish, outcome="completed", restored=True)
    assert tour.order.technical_note == "轴磨损 0.05 mm"


def test_S_13_a_partial_end_needs_the_summary_too(tour: Tour) -> None:
    tour.at_work()
    with pytest.raises(Invalid) as refused:
        tour.do(visits.finish, outcome="partially_completed", restored=False, open_items=["装轴套"])
    assert list(refused.value.errors) == ["summary"]


def test_N_11_a_repair_needs_codes_and_one_pattern_fills_them_all(tour: Tour) -> None:
    tour.at_work().record_all()
    order = tour.order
    codes = (order.failure_mode, order.failure_mechanism, order.failure_cause, order.detection, order.activity)
    assert codes == ("ELU", "mechanical", "operation_maintenance", "observation", "replace")
    assert order.summary


def test_N_11_no_codes_no_finish(tour: Tour) -> None:
    tour.at_work()
    tour.do(visits.set_summary, "好了")
    with pytest.raises(Invalid) as refused:
        tour.do(visits.finish, outcome="completed", restored=True)
    assert {"failure", "checklist"} == set(refused.value.errors)


def test_N_11_unknown_needs_a_reason_and_is_then_enough(tour: Tour) -> None:
    tour.at_work().record_all()
    with pytest.raises(Invalid) as refused:
        tour.do(visits.set_failure, {"failure_mode": "UNK"})
    assert list(refused.value.errors) == ["unknown_reason"]
    tour.do(visits.set_failure, {"failure_mode": "UNK"}, unknown_reason="拆检后仍未找到")
    assert (tour.order.pattern, tour.order.unknown_reason) == (None, "拆检后仍未找到")
    tour.do(visits.finish, outcome="completed", restored=True)


def test_N_11_codes_one_by_one(tour: Tour) -> None:
    tour.at_work()
    tour.do(visits.set_failure, {"failure_mode": "VIB", "failure_mechanism": "mechanical"})
    tour.do(visits.set_failure, {"failure_cause": "design"})
    assert (tour.order.failure_mode, tour.order.failure_cause) == ("VIB", "design")


@pytest.mark.parametrize(
    "codes",
    [
        {},
        {"failure_mode": "XXX"},
        {"failure_mode": 1},
        {"failure_mode": None},
        {"state": "closed"},
        {"failure_mode": ["ELU"]},
    ],
)
def test_unknown_codes_are_refused(lite: Tour, codes: dict[str, Any]) -> None:
    lite.at_work()
    with pytest.raises(Invalid):
        lite.do(visits.set_failure, codes)


def test_planned_work_needs_no_failure_codes(app: Flask) -> None:
    tour = make_tour(kind="preventive")
    tour.at_work().record_all()
    tour.do(visits.set_failure, {"failure_mode": "OTH"})
    write(lambda: setattr(tour.order, "failure_mode", None))
    tour.do(visits.finish, outcome="completed", restored=True)
    assert tour.order.state == "completed"


def test_a_summary_somebody_wrote_is_kept_one_of_a_pattern_is_replaced(tour: Tour) -> None:
    tour.at_work()
    tour.do(visits.choose_pattern, "gearbox_output_seal_leak")
    first = tour.order.summary
    other = "gearbox_input_seal_leak"
    tour.do(visits.choose_pattern, other)
    assert tour.order.summary not in ("", first)
    tour.do(visits.set_summary, "我们换了油封。")
    tour.do(visits.choose_pattern, "gearbox_output_seal_leak")
    assert tour.order.summary == "我们换了油封。"


def test_an_unknown_pattern_is_refused(tour: Tour) -> None:
    tour.at_work()
    with pytest.raises(Invalid):
        tour.do(visits.choose_pattern, "no_such_pattern")


def test_who_signed_is_kept_erasable(tour: Tour) -> None:
    tour.at_work()
    tour.do(visits.sign, name="何建平")
    signed = history(tour.visit)[-1]
    assert signed.kind == "visit.signed"
    assert "何建平" not in str(signed.facts)
    assert notes_of([signed]) == {signed.id: "何建平"}


def test_a_note_for_the_office_may_come_at_any_time(tour: Tour) -> None:
    tour.do(visits.note, "门卫要求提前登记")
    with pytest.raises(Invalid):
        tour.do(visits.note, "  ")


# Parts ----------------------------------------------------------------------------------------------------------


def test_the_van_is_deducted_and_the_planned_part_done(tour: Tour) -> None:
    tour.at_work()
    use = tour.do(visits.use_part, tour.part(), Decimal(1))
    assert tour.in_van() == 1
    planned = next(item for item in tour.order.items if item.part_id == tour.parts[SEAL])
    assert (planned.done_visit_id, planned.done_at) == (tour.visit_id, now())
    write(lambda: visits.return_part(session.get_one(PartUse, use.id), now()))
    assert tour.in_van() == 2
    assert session.get_one(WorkItem, planned.id).done_at is None
    assert session.scalar(select(func.count(PartUse.id))) == 0
    assert unbalanced() == []


def test_a_planned_part_is_done_only_when_all_of_it_is_fitted(tour: Tour) -> None:
    tour.at_work()
    tour.do(visits.use_part, tour.part(OIL), Decimal("12.5"))
    planned = next(item for item in tour.order.items if item.part_id == tour.parts[OIL]).id
    assert session.get_one(WorkItem, planned).done_at is None
    tour.do(visits.use_part, tour.part(OIL), Decimal("7.5"))
    assert session.get_one(WorkItem, planned).done_at is not None


def test_more_than_the_van_holds_is_refused_and_the_station_may_help(tour: Tour) -> None:
    tour.at_work()
    with pytest.raises(Conflict) as refused:
        tour.do(visits.use_part, tour.part(), Decimal(3))
    assert (refused.value.code, refused.value.facts["on_hand"]) == ("part_short", "2")
    assert tour.in_van() == 2
    shelf = session.get_one(StockLocation, tour.warehouse_id)
    tour.do(visits.use_part, tour.part(), Decimal(3), location=shelf)
    assert stock_of([tour.parts[SEAL]], [tour.warehouse_id]) == {(tour.parts[SEAL], tour.warehouse_id): Decimal(0)}


def test_parts_of_other_stations_and_other_peoples_vans_are_refused(tour: Tour) -> None:
    tour.at_work()
    colleague = another_technician(tour)

    def places() -> list[int]:
        elsewhere = make_station("SZYQ")
        foreign = ledger.open_location(kind="warehouse", station_id=elsewhere.id, names={})
        theirs = ledger.open_location(kind="van", station_id=tour.station_id, technician_id=colleague.id, names={})
        for place in (foreign, theirs):
            ledger.receive(tour.part(), place, Decimal(5), at=now())
        return [foreign.id, theirs.id]

    for place in write(places):
        with pytest.raises(Invalid) as refused:
            tour.do(visits.use_part, tour.part(), Decimal(1), location=session.get_one(StockLocation, place))
        assert "location" in refused.value.errors


@pytest.mark.parametrize("quantity", ["0", "-1", "1.5", "100001", "NaN", "Infinity", "1e-9"])
def test_senseless_quantities_are_refused(lite: Tour, quantity: str) -> None:
    lite.at_work()
    with pytest.raises(Invalid) as refused:
        lite.do(visits.use_part, lite.part(), Decimal(quantity))
    assert list(refused.value.errors) == ["quantity"]


def test_liquids_may_be_measured_to_three_decimals(tour: Tour) -> None:
    tour.at_work()
    tour.do(visits.use_part, tour.part(OIL), Decimal("0.125"))
    with pytest.raises(Invalid):
        tour.do(visits.use_part, tour.part(OIL), Decimal("0.0001"))
    assert tour.in_van(OIL) == Decimal("39.875")


# The end --------------------------------------------------------------------------------------------------------


def test_a_partial_end_carries_what_is_left_to_a_new_visit(tour: Tour, clock: Clock) -> None:
    tour.at_work().record_all()
    tour.do(visits.finish, outcome="partially_completed", restored=True, open_items=["装耐磨轴套", " "])
    assert (tour.visit.state, tour.order.state) == ("partially_completed", "ready")
    assert tour.order.request is not None
    assert tour.order.request.state == "restored"  # a workaround meets the 24-hour promise
    left = [item for item in tour.order.items if item.kind == "follow_up"]
    assert [(item.words, item.required, item.done_at) for item in left] == [("装耐磨轴套", True, None)]
    clock.fix(at_local(DAY, 14))

    def again() -> int:
        technician = session.get_one(type(tour.visit.technician), tour.technician_id)
        visit = booking.schedule_visit(tour.order, technician, at_local(DAY, 15))
        booking.send_visit(visit)
        return visit.id

    second = write(again)
    for state in ("accepted", "en_route", "on_site", "in_progress"):
        write(lambda state=state: visits.step(session.get_one(Visit, second), state, now()))  # type: ignore[misc]
    with pytest.raises(Invalid) as refused:
        write(lambda: visits.finish(session.get_one(Visit, second), outcome="completed", restored=True, at=now()))
    assert list(refused.value.errors) == ["open_items"]  # answers of the first visit still count
    item = left[0].id
    write(
        lambda: visits.finish(
            session.get_one(Visit, second), outcome="completed", restored=True, done_items=[item], at=now()
        )
    )
    assert tour.order.state == "completed"
    assert session.get_one(WorkItem, item).done_visit_id == second


def test_a_partial_end_with_nothing_left_is_asked_what_is_left(tour: Tour) -> None:
    tour.at_work().record_all()
    with pytest.raises(Invalid) as refused:
        tour.do(visits.finish, outcome="partially_completed", restored=True)
    assert list(refused.value.errors) == ["open_items"]


def test_a_partial_end_with_answers_missing_needs_no_further_words(tour: Tour) -> None:
    tour.at_work()
    tour.do(visits.set_summary, "先应急堵漏，明天再来。")
    tour.do(visits.finish, outcome="partially_completed", restored=False)
    assert (tour.order.state, promise(tour, "restore").is_open) == ("ready", True)


@pytest.mark.parametrize("reason", ["no_access", "wrong_part", "needs_quote", "unsafe", "other"])
def test_cannot_complete_says_why(tour: Tour, reason: str) -> None:
    tour.go("accepted", "en_route", "on_site")
    tour.do(visits.finish, outcome="cannot_complete", reason=reason)
    assert (tour.visit.state, tour.visit.end_reason, tour.visit.restored) == ("cannot_complete", reason, False)
    assert tour.order.state == "cannot_complete"


@pytest.mark.parametrize("reason", [None, "", "tired", "no_access "])
def test_cannot_complete_takes_known_reasons_only(lite: Tour, reason: str | None) -> None:
    lite.at_work()
    with pytest.raises(Invalid) as refused:
        lite.do(visits.finish, outcome="cannot_complete", reason=reason)
    assert list(refused.value.errors) == ["reason"]


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"restored": False}, "restored"),
        ({"open_items": ["还要再来"]}, "open_items"),
        ({"open_items": ["x"] * 21}, "open_items"),
        ({"open_items": ["x" * 301]}, "open_items"),
        ({"done_items": [10**15]}, "done_items"),
        ({"outcome": "accepted"}, "outcome"),
    ],
)
def test_ends_that_contradict_themselves_are_refused(lite: Tour, facts: dict[str, Any], field: str) -> None:
    lite.at_work().record_all()
    with pytest.raises(Invalid) as refused:
        lite.do(visits.finish, **{"outcome": "completed", **facts})
    assert field in refused.value.errors


def test_restored_is_noted_once(tour: Tour, clock: Clock) -> None:
    tour.at_work().record_all()
    tour.do(visits.finish, outcome="partially_completed", restored=True, open_items=["复测"])
    first = tour.order.restored_at
    clock.advance(hours=2)
    with pytest.raises(DomainError):
        tour.do(visits.finish, outcome="completed", restored=True)
    assert tour.order.restored_at == first


def test_finished_work_takes_late_facts_but_no_second_end(tour: Tour) -> None:
    tour.at_work().record_all()
    tour.do(visits.finish, outcome="completed", restored=True)
    tour.do(visits.answer, "vibration", 3)
    tour.do(visits.sign, name="何工")
    with pytest.raises(Conflict) as refused:
        tour.do(visits.finish, outcome="completed", restored=True)
    assert refused.value.code == "move_forbidden"
