"""The way of a request: answered, helped, restored, closed, reopened, cancelled; and what customers are told."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Conflict, Forbidden, Invalid
from fieldservice.foundation.places import Point
from fieldservice.foundation.time import Clock, now
from fieldservice.intake import services as intake
from fieldservice.intake.models import ServiceRequest
from fieldservice.intake.services import Place
from fieldservice.mechanisms import clocks
from fieldservice.mechanisms.events import history, notes_of
from fieldservice.mechanisms.messages import messages_about, render
from tests import factories as make

SUZHOU = Place("江苏省苏州市昆山市前进路 88 号", "320583", Point(31.38, 120.95), "county")


def report(**facts: Any) -> int:
    """A report on a known machine; its id."""

    def work() -> int:
        if session.query(make.Station).count() == 0:
            make.station(territory=["320214"])
            make.station("SZYQ", point=Point(31.3, 120.62), territory=["320500"])
            make.asset(make.site(make.customer()), serial="MC3-18-1")
        machine = session.query(make.Asset).one() if facts.pop("known", True) else None
        return make.request(machine, **facts).id

    return write(work)


def the(number: int) -> ServiceRequest:
    return session.get_one(ServiceRequest, number)


def do(number: int, deed: Callable[..., Any], *given: Any, **facts: Any) -> ServiceRequest:
    write(lambda: deed(the(number), *given, at=now(), **facts) and None)
    return the(number)


def states(number: int) -> dict[str, str]:
    return {clock.kind: clock.state for clock in clocks.of(the(number))}


# Taking -----------------------------------------------------------------------------------------------


def test_the_machine_brings_customer_site_and_person(app: Flask) -> None:
    found = the(report(serial="mc3 18 1"))
    assert found.customer is not None
    assert (found.customer.names["en"], found.site.names["en"]) == ("Shengyuan Steel", "Hot mill")  # type: ignore[union-attr]
    assert (found.precision, found.division_code, found.address) == (
        "point",
        "320214",
        "江苏省无锡市新吴区长江路 18 号",
    )
    assert found.contact_id is not None
    assert found.station.code == "WXXW"


def test_a_phone_known_at_one_customer_brings_that_customer(app: Flask) -> None:
    known = report(known=False)
    assert the(known).customer is not None
    assert the(report(known=False, contact_phone="13900000000")).customer is None
    write(lambda: make.customer("联创汽配", "Lianchuang Auto"))
    assert the(report(known=False)).customer is None  # two companies share this number: nobody guesses


def test_a_machine_that_was_moved_is_served_where_it_stands(app: Flask) -> None:
    found = the(report(place=SUZHOU))
    assert (found.division_code, found.station.code, found.asset is not None) == ("320583", "SZYQ", True)


def test_an_address_in_the_sites_county_leaves_its_exact_position(app: Flask) -> None:
    near = Place("江苏省无锡市新吴区", "320214", Point(31.49, 120.36), "county")
    found = the(report(place=near))
    assert (found.precision, found.latitude) == ("point", make.AT_THE_CUSTOMER.latitude)


def test_G_15_severity_sets_the_priority_whoever_asks(app: Flask) -> None:
    assert [the(report(severity=code)).priority for code in ("safety", "line_stop", "degraded", "minor")] == [
        "P1", "P1", "P2", "P3",
    ]  # fmt: skip


def test_the_fact_is_told_in_codes_only(app: Flask) -> None:
    number = report(known=False, serial="ZZ-1", place=Place("x", "320214", None, "county", doubt="330106"))
    first = next(event for event in history(the(number)) if event.kind == "service_request.received")
    assert first.facts == {
        "channel": "portal", "severity": "line_stop", "priority": "P1", "asset": None, "precision": "county",
        "serial_unknown": True, "address_names": "330106",
    }  # fmt: skip


def test_an_external_id_is_taken_once(app: Flask) -> None:
    assert report(external_id="A-1") == report(external_id="A-1") != report(external_id="A-2")


# Telling ----------------------------------------------------------------------------------------------


def told(number: int) -> list[tuple[str, str, str]]:
    return [(one.channel, one.to, one.template) for one in messages_about(the(number))]


def test_T_05_the_acknowledgement_tells_number_promises_and_link(app: Flask) -> None:
    found = the(report())
    (message,) = messages_about(found)
    chinese = render(message.template, "zh", message.facts, "sms").body
    assert chinese.startswith(
        f"已收到报修 {found.number}：11月25日 10:45 前答复，11月25日 12:30 前到场，11月26日 10:30 前恢复运行。进度："
    )
    english = render(message.template, "en", message.facts, "email")
    assert english.subject == f"Your report {found.number} has arrived"
    assert "the machine restored by 26 Nov 10:30" in english.body
    assert f"/t/{found.number}." in english.body


@pytest.mark.parametrize(
    ("phone", "email", "channels"),
    [
        ("13912340608", "", ["sms"]),
        ("13912340608", "a@example.com", ["sms", "email"]),
        ("0510-85880000", "a@example.com", ["email"]),
        ("0510-85880000", "", []),
        ("", "a@example.com", ["email"]),
    ],
)
def test_by_sms_to_a_mobile_and_by_e_mail_where_given(
    sqlite_app: Flask, phone: str, email: str, channels: list[str]
) -> None:
    number = report(contact_phone=phone, contact_email=email)
    assert sorted(channel for channel, _to, _template in told(number)) == sorted(channels)


def test_who_speaks_english_is_told_in_english(sqlite_app: Flask) -> None:
    assert messages_about(the(report(language="en")))[0].language == "en"


def test_nobody_is_told_twice_and_an_import_tells_nobody(app: Flask) -> None:
    number = report(external_id="A-1")
    report(external_id="A-1")
    assert len(told(number)) == 1
    assert told(report(tell=False)) == []


def test_our_message_is_told_the_customers_is_not(app: Flask) -> None:
    number = report()
    do(number, intake.write_message, author="customer", words="还在停线")
    assert states(number)["first_answer"] == "running"
    do(number, intake.write_message, author="staff", words="师傅已出发", user_id=1)
    assert states(number)["first_answer"] == "kept"
    assert [template for *_way, template in told(number)].count("message_for_customer") == 1


@pytest.mark.parametrize("words", ["", "   ", "长" * 2001, "a\x07b"])
def test_an_empty_or_senseless_message_is_refused(sqlite_app: Flask, words: str) -> None:
    number = report()
    with pytest.raises(Invalid):
        do(number, intake.write_message, author="customer", words=words)


# Help and repair --------------------------------------------------------------------------------------


def test_J_13_a_remote_fix_closes_the_request_without_a_visit(app: Flask, clock: Clock) -> None:
    number = report()
    clock.advance(minutes=5)
    assert do(number, intake.help_remotely).state == "remote"
    clock.advance(minutes=20)
    assert do(number, intake.fix_remotely).state == "resolved"
    assert states(number) == {"first_answer": "kept", "restore": "kept", "arrival": "void"}
    assert do(number, intake.close, signed_off=True).state == "closed"
    assert the(number).signed_off_at == now()
    assert ("sms", "13912340608", "machine_restored") in told(number)


def test_help_at_once_is_remote_too(app: Flask) -> None:
    assert do(report(), intake.fix_remotely).state == "resolved"


def test_an_arrival_that_never_happened_after_the_repair_is_not_broken(app: Flask, clock: Clock) -> None:
    number = report()
    do(number, intake.help_remotely)
    do(number, intake.note_restored)
    clock.advance(hours=30)
    while write(lambda: clocks.tick(now())):
        pass
    assert states(number)["arrival"] == "void"


def test_restored_is_noted_once_and_only_where_somebody_is_at_it(app: Flask) -> None:
    number = report()
    assert do(number, intake.note_restored).state == "new"
    do(number, intake.help_remotely)
    do(number, intake.note_restored)
    assert do(number, intake.note_restored).state == "restored"
    assert [template for *_way, template in told(number)].count("machine_restored") == 1


# Ends -------------------------------------------------------------------------------------------------


def resolved(clock: Clock) -> int:
    number = report()
    do(number, intake.fix_remotely)
    return number


@pytest.mark.parametrize(
    ("resolved_at", "closes_at"),
    [
        ("2026-11-25T10:30:00+08:00", "2026-11-30T10:30:00+08:00"),  # Wednesday → Monday
        ("2026-09-24T16:30:00+08:00", "2026-09-30T16:30:00+08:00"),  # over the Mid-Autumn holiday
        ("2026-11-28T03:00:00+08:00", "2026-12-02T17:30:00+08:00"),  # a night at the weekend
    ],
)
def test_three_business_days_of_silence_close(
    sqlite_app: Flask, clock: Clock, resolved_at: str, closes_at: str
) -> None:
    clock.fix(datetime.fromisoformat(resolved_at))
    number = resolved(clock)
    clock.fix(datetime.fromisoformat(closes_at) - timedelta(minutes=2))
    assert write(lambda: intake.close_silent(now())) == 0
    clock.advance(minutes=4)
    assert write(lambda: intake.close_silent(now())) == 1
    assert (the(number).state, the(number).signed_off_at) == ("closed", None)


def test_a_word_of_the_customer_begins_the_silence_anew(app: Flask, clock: Clock) -> None:
    number = resolved(clock)
    clock.advance(days=2)
    do(number, intake.write_message, author="customer", words="再观察一天")
    clock.advance(days=4)
    assert write(lambda: intake.close_silent(now())) == 0
    clock.advance(days=2)
    assert write(lambda: intake.close_silent(now())) == 1


def test_silent_requests_close_in_batches(app: Flask, clock: Clock) -> None:
    for _number in range(5):
        resolved(clock)
    clock.advance(days=7)
    assert [write(lambda: intake.close_silent(now(), 2)) for _turn in range(4)] == [2, 2, 1, 0]


def test_reopened_within_30_days_with_new_promises(app: Flask, clock: Clock) -> None:
    number = resolved(clock)
    do(number, intake.close)
    clock.advance(days=29)
    found = do(number, intake.reopen, "又漏油")
    assert (found.state, found.restored_at, found.closed_at) == ("reopened", None, None)
    running = [clock for clock in clocks.of(found) if clock.is_open]
    assert {one.kind: one.started_at for one in running} == dict.fromkeys(("first_answer", "arrival", "restore"), now())
    events = history(found)
    assert "又漏油" in notes_of(events).values()


def test_not_reopened_after_30_days_nor_without_a_reason(app: Flask, clock: Clock) -> None:
    number = resolved(clock)
    do(number, intake.close)
    with pytest.raises(Invalid):
        do(number, intake.reopen, "  ")
    clock.advance(days=31)
    with pytest.raises(Conflict) as refused:
        do(number, intake.reopen, "又漏油")
    assert refused.value.code == "too_late_to_reopen"


def test_cancelled_promises_do_not_count(app: Flask) -> None:
    number = report()
    with pytest.raises(Invalid):
        do(number, intake.cancel, "")
    assert do(number, intake.cancel, "误报").state == "cancelled"
    assert set(states(number).values()) == {"void"}


def test_a_duplicate_leads_to_the_first_report(app: Flask) -> None:
    first, second, third = report(), report(), report()
    found = do(second, intake.mark_duplicate, the(first))
    assert (found.state, found.duplicate_of_id) == ("duplicate", first)
    assert set(states(second).values()) == {"void"}
    for wrong in (third, second):  # itself, and one that is a duplicate
        with pytest.raises(Invalid):
            do(third, intake.mark_duplicate, the(wrong))


def test_Q_08_the_customers_words_are_never_changed(app: Flask) -> None:
    number = report()

    def change() -> None:
        the(number).description = "改写"

    with pytest.raises(Forbidden) as refused:
        write(change)
    assert refused.value.status == 403


def test_old_receipts_are_forgotten(app: Flask, clock: Clock) -> None:
    first = report(receipt_key="k")
    clock.advance(days=8)
    write(lambda: intake.forget_receipts(now()))
    assert report(receipt_key="k") != first
