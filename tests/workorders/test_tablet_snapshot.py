"""The snapshot: everything a technician needs for three days, in a fixed number of statements, sent once."""

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event

from fieldservice.assets.models import Asset
from fieldservice.foundation.db import db, session, write
from fieldservice.foundation.time import Clock, at_local, now
from fieldservice.intake.models import ServiceRequest, ThreadMessage
from fieldservice.parts.availability.services import reserve
from fieldservice.parts.models import StockLocation
from fieldservice.stations.models import Certificate, Technician
from fieldservice.workorders import booking, visits
from fieldservice.workorders.models import Visit, WorkItem, WorkOrder
from fieldservice.workorders.phrases import PLACES
from tests.workorders.cast import DAY
from tests.workorders.on_tour import SEAL, START, Tour, another_technician, make_tour
from tests.workorders.scene import make_order, make_request
from tests.workorders.test_tablet_commands import Tablet


@pytest.fixture
def tablet(app: Flask) -> Tablet:
    return Tablet(app, make_tour())


def get(tablet: Tablet, since: str = "", lang: str = "zh", **headers: str) -> Any:
    return tablet.http.get(
        f"/api/v1/tablet/snapshot?lang={lang}&since={since}",
        headers={"Authorization": f"Bearer {tablet.token}", **headers},
    )


def shown(tablet: Tablet, **facts: Any) -> dict[str, Any]:
    answer = get(tablet, **facts)
    assert answer.status_code == 200, answer.text
    content: dict[str, Any] = answer.json
    return content


@contextmanager
def statements() -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.lstrip().upper().startswith("SELECT"):
            seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    yield seen
    event.remove(db.engine, "before_cursor_execute", note)


def hold_at_store(tour: Tour) -> None:
    """Two seals wait for the technician at the station."""

    def hold() -> None:
        place = session.get_one(StockLocation, tour.warehouse_id)
        reserve(tour.part(), place, Decimal(2), need_at=tour.visit.starts_at, about=tour.order, at=now())

    write(hold)


def more_visits(tour: Tour, how_many: int) -> list[int]:
    """Further jobs of the same technician, each with a request, a machine, parts and a conversation."""

    def build() -> list[int]:
        first, made = tour.order, []
        for number in range(how_many):
            request = make_request(
                first.station, first.customer, asset_id=first.asset_id, site_id=first.site_id, address="无锡"
            )
            order = make_order(
                first.station, request=request, customer=first.customer, asset_id=first.asset_id, duration_min=30
            )
            order.items.append(WorkItem(kind="part", part_id=tour.parts[SEAL], quantity=Decimal(1), opened_at=now()))
            session.add(ThreadMessage(request_id=request.id, author="customer", words=f"请带手套 {number}", at=now()))
            day = DAY + timedelta(days=1 + number % 2)
            start = at_local(day, 9) + timedelta(minutes=75 * (number // 2))
            visit = booking.schedule_visit(order, session.get_one(Technician, tour.technician_id), start)
            booking.send_visit(visit)
            made.append(visit.id)
        return made

    return write(build)


def test_everything_about_the_next_job(tablet: Tablet) -> None:
    content = shown(tablet)
    [visit] = content["visits"]
    assert (visit["id"], visit["state"], visit["number"]) == (
        tablet.tour.visit_id,
        "dispatched",
        tablet.tour.order.number,
    )
    assert visit["customer"] == {"name": "盛源特钢", "tier": "vip"}
    assert visit["site"]["address"] == "无锡市锡山区热轧路 18 号 3 号门"
    assert visit["site"]["access"] == "门卫登记，戴反光背心"
    assert visit["site"]["point"] == [31.52, 120.40]
    assert visit["contact"]["phone_text"] == "139 1234 0608"
    assert visit["words"] == "减速机漏油"
    assert visit["asset"]["serial"] == "MC3-18-20457"
    assert visit["work_type"] == "减速机换油封"
    assert {one["kind"] for one in visit["clocks"]} == {"arrival", "restore"}
    assert [(one["part"], one["quantity"], one["done"]) for one in visit["planned"]] == [
        (tablet.tour.parts[SEAL], 1, False), (tablet.tour.parts["GO-320-20"], 20, False),
    ]  # fmt: skip
    fields = content["forms"][visit["form"]]
    assert [field["code"] for field in fields][:2] == ["lockout", "leak_point"]
    assert (fields[2]["unit"], fields[2]["high"]) == ("mm", 0.1)
    assert [place["kind"] for place in content["stock"]] == ["van", "warehouse"]
    assert content["stock"][0]["on_hand"] == {str(tablet.tour.parts[SEAL]): 2, str(tablet.tour.parts["GO-320-20"]): 40}
    assert len(content["catalogue"]["patterns"]) >= 120
    assert {"failure_mode", "failure_cause", "cannot_complete_reason"} <= content["catalogue"]["codes"].keys()


def test_T_05_a_stop_at_the_store_stands_before_its_job_with_a_way_to_it(tablet: Tablet) -> None:
    """Nothing while all is in the van; what is held in the store is collected ten minutes before the way to the job."""
    assert shown(tablet)["visits"][0]["pickup"] is None
    hold_at_store(tablet.tour)
    visit = shown(tablet, lang="en")["visits"][0]
    pickup = visit["pickup"]
    assert (pickup["name"], pickup["parts"]) == ("Wuxi Xinwu", ["Oil seal ×2"])
    assert pickup["ends_at"] <= visit["starts_at"]
    assert len(pickup["point"]) == 2
    assert shown(tablet, lang="zh")["visits"][0]["pickup"]["parts"] == ["骨架油封 ×2"]


def test_it_speaks_the_readers_language(tablet: Tablet) -> None:
    content = shown(tablet, lang="en")
    [visit] = content["visits"]
    assert (visit["customer"]["name"], visit["site"]["access"]) == ("Shengyuan Steel", "Sign in at gate, hi-vis vest")
    assert content["forms"][visit["form"]][0]["label"] == "Stop, tag and lock out"
    pattern = content["catalogue"]["patterns"][0]
    assert pattern["remedy"].keys() == {"zh", "en"}  # the customer may speak the other language
    assert content["catalogue"]["version"].startswith("en.")


def test_what_was_recorded_comes_back(tablet: Tablet) -> None:
    tablet.go("accepted", "en_route", "on_site", "in_progress")
    use = tablet.command("part", part=SEAL, quantity=1)
    tablet.post(
        tablet.command("answer", field="vibration", value=4.9, note="复测"),
        use,
        tablet.command("photo", upload="up-1", field="seal_photo"),
        tablet.command("signature", upload="s", name="何建平"),
        tablet.command("summary", summary="好了", technical_note="0.05"),
        tablet.command("failure", pattern="gearbox_output_seal_leak"),
    )
    [visit] = shown(tablet)["visits"]
    assert visit["answers"]["vibration"] == {
        "value": "4.9",
        "out": True,
        "note": "复测",
        "at": visit["answers"]["vibration"]["at"],
        "mine": True,
    }
    assert visit["answers"]["seal_photo"]["value"] == ["up-1"]
    assert [(one["upload"], one["state"], one["field"]) for one in visit["photos"]] == [
        ("up-1", "waiting", "seal_photo")
    ]
    assert (visit["signature"]["name"], visit["signature"]["file"]) == ("何建平", None)
    assert [(one["quantity"], one["location"], one["mine"]) for one in visit["used"]] == [(1, tablet.tour.van_id, True)]
    assert (visit["summary"], visit["failure"]["failure_mode"]) == ("好了", "ELU")
    assert visit["times"]["started_at"] == "2026-11-25T10:30:00+08:00"
    assert tablet.send("part", returns=visit["used"][0]["id"])["status"] == "accepted"


def test_history_of_the_machine_newest_first(tablet: Tablet) -> None:
    def past() -> None:
        order = tablet.tour.order
        for days, note in ((400, "轴磨损 0.03"), (200, "轴磨损 0.05"), (30, "油样报警")):
            make_order(
                order.station, asset_id=order.asset_id, technical_note=note, failure_mode="ELU", state="closed",
                completed_at=now() - timedelta(days=days),
            )  # fmt: skip

    write(past)
    [visit] = shown(tablet)["visits"]
    assert [one["note"] for one in visit["asset"]["history"]] == ["油样报警", "轴磨损 0.05", "轴磨损 0.03"]


def test_only_own_visits_of_the_next_three_days_and_open_ones_from_before(tablet: Tablet, clock: Clock) -> None:
    tour = tablet.tour
    write(lambda: setattr(tour.visit, "technician_id", another_technician(tour).id))
    assert shown(tablet)["visits"] == []
    write(lambda: setattr(tour.visit, "technician_id", tour.technician_id))
    assert len(shown(tablet)["visits"]) == 1
    clock.advance(days=2)
    assert len(shown(tablet)["visits"]) == 1  # sent and never done: still to do
    write(lambda: booking.cancel_visit(tour.visit, "客户停产"))
    assert shown(tablet)["visits"] == []


def test_a_visit_beyond_the_third_day_waits(app: Flask) -> None:
    tour = make_tour()
    write(lambda: booking.reschedule_visit(tour.visit, starts_at=at_local(DAY + timedelta(days=3), 9)))
    assert shown(Tablet(app, tour))["visits"] == []


def test_N_15_certificates_with_their_last_day(app: Flask) -> None:
    tour = make_tour()

    def demand() -> None:
        tour.order.certificates = ["hoisting", "lv_electrician"]
        technician = session.get_one(Technician, tour.technician_id)
        technician.certificates.append(Certificate(kind="hoisting", valid_until=DAY - timedelta(days=1)))
        technician.certificates.append(Certificate(kind="lv_electrician", valid_until=DAY))

    write(demand)
    [visit] = shown(Tablet(app, tour))["visits"]
    assert [(one["valid"], one["until"]) for one in visit["certificates"]] == [
        (False, "2026-11-24"),
        (True, "2026-11-25"),
    ]


# Sent once ------------------------------------------------------------------------------------------------


def test_nothing_new_is_told_in_a_few_bytes(tablet: Tablet, clock: Clock) -> None:
    stamp = shown(tablet)["stamp"]
    clock.advance(minutes=1)
    answer = get(tablet, since=stamp)
    assert (answer.json["unchanged"], answer.json["now"]) == (True, "2026-11-25T10:31:00+08:00")
    assert len(answer.data) < 200
    assert answer.headers["X-Server-Time"] == answer.json["now"]


def test_a_change_is_sent_without_the_catalogue(tablet: Tablet) -> None:
    first = shown(tablet)
    tablet.go("accepted")
    second = shown(tablet, since=first["stamp"])
    assert (second["unchanged"], second["catalogue"], second["visits"][0]["state"]) == (False, None, "accepted")
    assert second["stamp"] != first["stamp"]


def test_another_language_brings_its_catalogue(tablet: Tablet) -> None:
    stamp = shown(tablet)["stamp"]
    other = shown(tablet, since=stamp, lang="en")
    assert other["catalogue"]["version"].startswith("en.")


def test_the_etag_answers_304_until_something_changes(tablet: Tablet, clock: Clock) -> None:
    first = get(tablet)
    etag = first.headers["ETag"]
    clock.advance(minutes=1)
    assert get(tablet, **{"If-None-Match": etag}).status_code == 304
    tablet.go("accepted")
    assert get(tablet, **{"If-None-Match": etag}).status_code == 200


def test_a_whole_snapshot_goes_packed_over_a_thin_link(sqlite_app: Flask) -> None:
    tablet = Tablet(sqlite_app, make_tour())
    plain, packed = get(tablet), get(tablet, **{"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in packed.headers["Vary"]
    assert gzip.decompress(packed.data) == plain.data
    assert len(packed.data) < len(plain.data) / 2
    assert packed.headers["ETag"] != plain.headers["ETag"]  # two forms of the same are two things to a cache
    same = get(tablet, since=plain.json["stamp"], **{"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in same.headers  # a few bytes


@pytest.mark.parametrize("since", ["", "x", "x-", "-", "a" * 200, "％", "0-zh.000000000000"])
def test_senseless_stamps_get_everything(sqlite_app: Flask, clock: Clock, since: str) -> None:
    tablet = Tablet(sqlite_app, make_tour())
    answer = get(tablet, since=since)
    if len(since) > 120:
        assert answer.status_code == 422
    else:
        assert answer.json["catalogue"]["patterns"]


# How it is fetched --------------------------------------------------------------------------------------------


def test_the_number_of_statements_does_not_grow_with_the_visits(tablet: Tablet) -> None:
    """Ten more where parts wait for the technician at a store."""
    shown(tablet)
    with statements() as none:
        assert len(shown(tablet)["visits"]) == 1
    hold_at_store(tablet.tour)
    with statements() as few:
        assert shown(tablet)["visits"][0]["pickup"]
    more_visits(tablet.tour, 8)
    with statements() as many:
        content = shown(tablet)
    assert len(content["visits"]) == 9
    assert len(many) == len(few), set(many) - set(few)
    assert len(none) <= 34
    assert len(many) <= len(none) + 10
    assert content["visits"][1]["messages"][0]["words"].startswith("请带手套")


def test_a_day_of_work_stays_small(tablet: Tablet) -> None:
    more_visits(tablet.tour, 8)
    content = shown(tablet)
    catalogue = len(json.dumps(content.pop("catalogue"), ensure_ascii=False).encode())
    rest = len(json.dumps(content, ensure_ascii=False).encode())
    assert (catalogue < 400_000, rest < 100_000) == (True, True)


def test_a_visit_without_request_machine_or_place_is_shown_too(app: Flask) -> None:
    tour = make_tour()

    def bare() -> None:
        order = make_order(tour.order.station, place=None)
        technician = session.get_one(Technician, tour.technician_id)
        visit = booking.schedule_visit(order, technician, START + timedelta(hours=3))
        booking.send_visit(visit)

    write(bare)
    second = shown(Tablet(app, tour))["visits"][1]
    assert (second["asset"], second["contact"], second["site"]["point"], second["clocks"]) == (None, None, None, [])


def test_earlier_visits_of_the_same_order_are_told(tablet: Tablet, clock: Clock) -> None:
    tour = tablet.tour
    tour.at_work().record_all()
    tour.do(visits.finish, outcome="partially_completed", restored=True, open_items=["装轴套"])
    clock.fix(at_local(DAY, 14))

    def again() -> None:
        technician = session.get_one(Technician, tour.technician_id)
        booking.send_visit(
            booking.schedule_visit(session.get_one(WorkOrder, tour.order_id), technician, at_local(DAY, 15))
        )

    write(again)
    done, new = shown(tablet)["visits"]
    assert (done["state"], new["state"]) == ("partially_completed", "dispatched")
    assert [(one["state"], one["technician"]) for one in new["before"]] == [("partially_completed", "陆建国")]
    assert [(one["words"], one["required"], one["done"]) for one in new["open_items"]] == [("装轴套", True, False)]
    assert new["answers"]["lockout"]["mine"] is False
    assert session.get(ServiceRequest, tour.order.request_id) is not None
    assert session.get(Visit, tour.visit_id) is not None


def test_the_whole_machine_comes_with_its_history(tablet: Tablet) -> None:
    """The job is at a gearbox of a mill: the mill, its other parts and what was done to them are there too."""

    def build() -> None:
        tour = tablet.tour
        gearbox = session.get_one(Asset, tour.order.asset_id)
        facts = {"customer_id": gearbox.customer_id, "site_id": gearbox.site_id, "state": "in_service"}
        mill = Asset(serial="MILL-2", serial_key="MILL2", names={"zh": "2# 轧机", "en": "Mill 2"}, model="M", **facts)
        session.add(mill)
        session.flush()
        gearbox.parent_id = mill.id
        motor = Asset(
            serial="MOT-2",
            serial_key="MOT2",
            names={"zh": "主电机", "en": "Motor"},
            model="D",
            parent_id=mill.id,
            **facts,
        )
        session.add(motor)
        session.flush()
        done = make_order(tour.order.station, asset_id=motor.id, state="closed", completed_at=now() - timedelta(days=9))
        done.summary = "换了碳刷"

    write(build)
    machine = shown(tablet)["visits"][0]["asset"]
    assert [(one["depth"], one["name"], one["here"]) for one in machine["tree"]] == [
        (0, "2# 轧机", False), (1, "2# 轧机主减速机", True), (1, "主电机", False),
    ]  # fmt: skip
    assert [past["note"] for past in machine["tree"][2]["history"]] == ["换了碳刷"]


def test_a_machine_that_stands_alone_has_no_tree(tablet: Tablet) -> None:
    assert shown(tablet)["visits"][0]["asset"]["tree"] == []


def test_phrases_come_in_both_languages(tablet: Tablet) -> None:
    given = shown(tablet)["catalogue"]["phrases"]
    assert set(given) == set(PLACES)
    for place in PLACES:
        assert len(given[place]) >= 4
        assert all(one["zh"] and one["en"] for one in given[place])
