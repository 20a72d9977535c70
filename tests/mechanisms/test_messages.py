"""Messages: queued with their cause, told in the reader's language, sent at least once, given to a person at last."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from fieldservice.foundation.db import ReadOnly, session, write, writing
from fieldservice.foundation.errors import Invalid
from fieldservice.foundation.time import Clock, now
from fieldservice.foundation.tokens import link_token
from fieldservice.mechanisms.events import Event, history
from fieldservice.mechanisms.messages import (
    Delivered,
    Message,
    Text,
    deliver_queued,
    delivery,
    messages_about,
    queue,
    register_templates,
    render,
    texts,
)
from fieldservice.mechanisms.messages.channels import Envelope, Refused, Unreachable
from fieldservice.mechanisms.tasks import Task, tasks_about, title_text
from tests.mechanisms.other_side import mail_server, sms_server
from tests.mechanisms.people_and_things import PUMP, statements, threads

TEXTS = """
received:
  subject: {zh: "已收到您的报修 {number}", en: "Your report {number} has arrived"}
  body:
    zh: |
      我们已收到您的报修（{severity}）。
      最迟 {due_at} 到场，约 {wait}。进度：{link}
    en: |
      Your report ({severity}) has arrived.
      We will be there by {due_at}, in about {wait}. Progress: {link}
  sms: {zh: "已收到报修 {number}，{link}", en: "Report {number} received, {link}"}
  show: {severity: word severity, due_at: moment, wait: minutes}
  links: {link: {path: /t/, purpose: track, of: number}}
plain:
  subject: {zh: 您好, en: Hello}
  body: {zh: "费用 {price}", en: "Price {price}"}
  show: {price: money}
"""
FACTS = {
    "number": "SR-2026-000005",
    "severity": "line_stop",
    "due_at": datetime(2026, 11, 25, 6, 30, tzinfo=UTC),
    "wait": 134,
}


@pytest.fixture(autouse=True)
def _texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Messages of these tests alone."""
    file = tmp_path / "messages.yaml"
    file.write_text(TEXTS, encoding="utf-8")
    monkeypatch.setattr(texts, "_files", [])
    register_templates(file)
    yield
    texts.templates.cache_clear()


def tell(key: str = "k1", **facts: Any) -> Message:
    """A committed message to a customer about the pump."""
    values = {"to": "li@customer.test", "channel": "email", "language": "zh", "facts": FACTS, "subject": PUMP}
    return write(lambda: queue("received", **{**values, "key": key, **facts}))


class Carrier:
    """A channel that does as told: outcomes in turn, the last one for ever."""

    def __init__(self, *outcomes: Exception | None) -> None:
        self.outcomes = list(outcomes) or [None]
        self.sent: list[Envelope] = []
        self.tries = 0
        self._one = Lock()

    def send(self, envelope: Envelope) -> None:
        assert not writing()
        assert not session().in_transaction()  # the other side may take its time; nobody waits for it
        with self._one:
            self.tries += 1
            outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
            if outcome is None:
                self.sent.append(envelope)
        if outcome is not None:
            raise outcome


def deliver(carrier: Carrier, limit: int = 100) -> tuple[int, int, int]:
    done = deliver_queued(limit, {"email": carrier, "sms": carrier})
    return done.sent, done.retried, done.failed


# Texts ----------------------------------------------------------------------------------------------


def test_a_message_speaks_the_readers_language(sqlite_app: Flask) -> None:
    stored = {**FACTS, "due_at": FACTS["due_at"].isoformat()}  # type: ignore[attr-defined]  # as the row keeps it
    link = f"http://localhost/t/{link_token('track', 'SR-2026-000005')}"
    assert render("received", "en", stored, "email") == Text(
        "Your report SR-2026-000005 has arrived",
        "Your report (Line stopped) has arrived.\n"
        f"We will be there by 25 Nov 14:30, in about 2 h 14 min. Progress: {link}",
    )
    assert render("received", "zh", stored, "email") == Text(
        "已收到您的报修 SR-2026-000005",
        f"我们已收到您的报修（停线）。\n最迟 11月25日 14:30 到场，约 2 小时 14 分。进度：{link}",
    )
    assert render("received", "zh", stored, "sms") == Text("", f"已收到报修 SR-2026-000005，{link}")
    assert (
        render("received", "en", {**stored, "number": "SR-1\n2"}, "email").subject == "Your report SR-1 2 has arrived"
    )
    assert render("plain", "en", {"price": 860000}, "sms").body == "Price CN¥8,600.00"
    assert render("plain", "zh", {"price": None}, "sms").body == "费用"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a: {body: {zh: 好, en: x}}", "subject needs zh and en"),
        ("a: {subject: {zh: 好, en: x}, body: {zh: 好}}", "body needs zh and en"),
        ("a: {subject: {zh: 好, en: x}, body: {zh: '好 {n}', en: x}}", "in one language only"),
        ("a: {subject: {zh: 好, en: x}, body: {zh: 好, en: x}, show: {n: moment}}", "shown nowhere"),
        ("a: {subject: {zh: 好, en: x}, body: {zh: '{n}', en: '{n}'}, show: {n: loudly}}", "cannot be shown"),
        ("plain: {subject: {zh: 好, en: x}, body: {zh: 好, en: x}}", "there twice"),
    ],
)
def test_a_text_that_cannot_be_told_is_found_when_read(
    sqlite_app: Flask, tmp_path: Path, text: str, complaint: str
) -> None:
    file = tmp_path / "more.yaml"
    file.write_text(text, encoding="utf-8")
    register_templates(file)
    with pytest.raises(ValueError, match=complaint):
        texts.templates()


def test_facts_cannot_reach_into_the_program(sqlite_app: Flask) -> None:
    """Facts are put in as they are; braces in them are just braces."""
    assert "{link}" in render("received", "en", {**FACTS, "due_at": None, "number": "{link}"}, "sms").body


# Queue ----------------------------------------------------------------------------------------------


def test_a_message_goes_with_its_cause(app: Flask) -> None:
    def lose() -> None:
        queue("received", to="a@b.test", channel="email", language="zh", facts=FACTS, subject=PUMP, key="k1")
        raise RuntimeError("the request could not be saved")

    with pytest.raises(RuntimeError):
        write(lose)
    assert messages_about(PUMP) == []
    assert deliver(Carrier()) == (0, 0, 0)
    with pytest.raises(ReadOnly):
        queue("received", to="a@b.test", channel="email", language="zh", facts=FACTS, subject=PUMP, key="k1")


def test_the_same_cause_tells_once(app: Flask) -> None:
    ids = threads(app, lambda _number: tell("race").id, 5)
    assert len({*ids, tell("race").id}) == 1
    assert tell("another").id not in ids
    assert [event.kind for event in history(PUMP)] == ["message.queued"] * 2


def test_the_timeline_tells_of_the_message_without_address_or_text(app: Flask) -> None:
    message = tell()
    deliver(Carrier())
    told = session.scalars(select(Event).order_by(Event.id)).all()
    assert [event.kind for event in told] == ["message.queued", "message.sent"]
    facts = {"message": message.id, "template": "received", "channel": "email"}
    assert [event.facts for event in told] == [facts, {**facts, "from": "queued"}]


@pytest.mark.parametrize("to", ["", "  ", "a@b.test\r\nBcc: c@d.test", "x" * 255, "a\x00b", "\ud800@b.test"])
def test_an_address_no_channel_could_take_is_refused(app: Flask, to: str) -> None:
    with pytest.raises(Invalid) as refused:
        tell(to=to)
    assert list(refused.value.errors) == ["to"]


def test_a_fact_that_is_missing_is_found_at_once(app: Flask) -> None:
    with pytest.raises(ValueError, match="severity"):
        tell(facts={"number": "SR-1", "due_at": None, "wait": 1})


def test_an_unknown_language_becomes_the_first(app: Flask) -> None:
    assert tell(language="fr").language == "zh"


# Delivery -------------------------------------------------------------------------------------------


def test_what_is_queued_is_sent_once(app: Flask) -> None:
    message, carrier = tell(), Carrier()
    assert deliver(carrier) == (1, 0, 0)
    assert deliver(carrier) == (0, 0, 0)
    (envelope,) = carrier.sent
    assert (envelope.to, envelope.key, envelope.id) == ("li@customer.test", "k1", message.id)
    assert envelope.subject == "已收到您的报修 SR-2026-000005"
    assert (message.state, message.sent_at, message.attempts) == ("sent", now(), 1)
    assert message.next_try_at is None


def test_oldest_first_and_no_more_than_asked(app: Flask, clock: Clock) -> None:
    for n in range(12):
        tell(f"k{n}")
        clock.advance(seconds=1)
    carrier = Carrier()
    assert deliver(carrier, limit=7) == (7, 0, 0)
    assert deliver(carrier, limit=100) == (5, 0, 0)
    assert [envelope.key for envelope in carrier.sent] == [f"k{n}" for n in range(12)]


def test_an_idle_run_takes_no_write_lock(app: Flask) -> None:
    session.rollback()
    with statements() as sent:
        assert deliver(Carrier()) == (0, 0, 0)
    assert len(sent) == 1
    assert sent[0].startswith("SELECT")


def test_trying_again_backs_off_and_ends_with_a_person(app: Flask, clock: Clock) -> None:
    message, carrier = tell(), Carrier(Unreachable("smtp_450"))
    waited = []
    for _ in range(4):
        assert deliver(carrier) == (0, 1, 0)
        assert deliver(carrier) == (0, 0, 0)  # not before its time
        assert message.next_try_at is not None
        waited.append((message.next_try_at - now()).total_seconds() / 60)
        clock.fix(message.next_try_at)
    assert waited == [1, 5, 30, 120]
    assert (message.state, message.error) == ("queued", "smtp_450")
    assert deliver(carrier) == (0, 0, 1)
    assert (message.state, message.attempts, carrier.tries) == ("failed", 5, 5)
    (task,) = tasks_about(PUMP)
    assert (task.title, task.owner_role, task.station_id) == ("message_failed", "agent", 3)
    assert task.due_at == now() + timedelta(hours=4)
    assert title_text(task) == "消息未送达（邮件），请改用电话告知客户"
    clock.advance(days=9)
    assert deliver(carrier) == (0, 0, 0)


def test_a_refused_address_goes_to_a_person_at_once(app: Flask) -> None:
    message = tell()
    assert deliver(Carrier(Refused("smtp_550"))) == (0, 0, 1)
    assert (message.state, message.error, message.attempts) == ("failed", "smtp_550", 1)
    assert len(tasks_about(PUMP)) == 1


def test_one_that_fails_does_not_hold_up_the_others(app: Flask) -> None:
    for n in range(8):
        tell(f"k{n}")
    carrier = Carrier(Refused("smtp_550"), Unreachable("smtp_450"), None)
    assert deliver(carrier) == (6, 1, 1)


def test_success_after_a_failure_leaves_no_error(app: Flask, clock: Clock) -> None:
    message, carrier = tell(), Carrier(Unreachable("sms_503"), None)
    deliver(carrier)
    clock.advance(minutes=1)
    assert deliver(carrier) == (1, 0, 0)
    assert (message.state, message.error, message.attempts) == ("sent", None, 2)


class Killed(BaseException):
    """The process ends in the middle of it."""


def test_a_killed_workers_message_is_taken_again(app: Flask, clock: Clock) -> None:
    message = tell()
    with pytest.raises(Killed):
        deliver(Carrier(Killed()))  # type: ignore[arg-type]  # no Exception, on purpose
    assert (message.state, message.attempts) == ("queued", 1)
    carrier = Carrier()
    assert deliver(carrier) == (0, 0, 0)  # its claim still holds
    clock.advance(minutes=10)
    assert deliver(carrier) == (1, 0, 0)
    assert (message.state, message.attempts) == ("sent", 2)


def test_a_message_that_kills_every_worker_is_given_up(app: Flask, clock: Clock) -> None:
    message = tell()
    for _ in range(delivery.MOST_ATTEMPTS):
        with pytest.raises(Killed):
            deliver(Carrier(Killed()))  # type: ignore[arg-type]  # no Exception, on purpose
        clock.advance(minutes=11)
    carrier = Carrier()
    deliver(carrier)
    assert (message.state, message.error, carrier.tries) == ("failed", "never_ended", 0)
    assert len(tasks_about(PUMP)) == 1


class Slow(Carrier):
    """A worker believed dead: while it sends, its claim runs out and another one sends too."""

    def __init__(self, clock: Clock, other: Carrier, *outcomes: Exception | None) -> None:
        super().__init__(*outcomes)
        self.clock, self.other = clock, other

    def send(self, envelope: Envelope) -> None:
        self.clock.advance(minutes=11)
        deliver(self.other)
        super().send(envelope)


def test_a_worker_that_was_overtaken_changes_nothing_more(app: Flask, clock: Clock) -> None:
    message = tell()
    assert deliver(Slow(clock, Carrier())) == (0, 0, 0)
    assert (message.state, message.attempts) == ("sent", 2)
    assert [event.kind for event in history(PUMP)] == ["message.queued", "message.sent"]


def test_an_overtaken_failure_does_not_undo_the_other_claim(app: Flask, clock: Clock) -> None:
    message = tell()
    assert deliver(Slow(clock, Carrier(Unreachable("sms_503")), Refused("smtp_550"))) == (0, 0, 0)
    assert (message.state, message.error, message.attempts) == ("queued", "sms_503", 2)


def test_an_overtaken_success_counts(app: Flask, clock: Clock) -> None:
    """It did leave; sending it a third time would be worse."""
    message = tell()
    assert deliver(Slow(clock, Carrier(Unreachable("sms_503")))) == (1, 0, 0)
    assert message.state == "sent"


def test_many_workers_at_once_send_each_message_once(app: Flask) -> None:
    write(lambda: [queue(
        "received", to="li@customer.test", channel="sms", language="en", facts=FACTS, subject=PUMP, key=f"k{n}"
    ) for n in range(40)] and None)  # fmt: skip
    carrier = Carrier()
    done = threads(app, lambda _number: deliver(carrier)[0], 4)
    assert sum(done) == 40
    assert sorted(envelope.key for envelope in carrier.sent) == sorted(f"k{n}" for n in range(40))
    assert session.scalar(select(func.count(Message.id)).where(Message.state == "sent")) == 40


def test_a_text_that_cannot_be_filled_goes_to_a_person(app: Flask) -> None:
    message = tell(facts={**FACTS, "due_at": "no time at all"})
    other = tell("k2")
    carrier = Carrier()
    assert deliver(carrier) == (1, 0, 1)
    assert (message.state, message.error, other.state) == ("failed", "text", "sent")


def test_a_broken_text_file_stops_the_job_and_fails_no_message(app: Flask, tmp_path: Path) -> None:
    message = tell()
    broken = tmp_path / "broken.yaml"
    broken.write_text("a: {body: {zh: 好, en: x}}", encoding="utf-8")
    register_templates(broken)
    with pytest.raises(ValueError, match="needs zh and en"):
        deliver(Carrier())
    assert (message.state, message.attempts) == ("queued", 0)


def test_messages_leave_through_the_servers_that_are_set_up(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    tell("mail", language="en")
    tell("sms", channel="sms", to="13812345678")
    kept = app.extensions["fieldservice.settings"]
    with mail_server() as mail, sms_server() as sms, caplog.at_level(logging.DEBUG):
        app.extensions["fieldservice.settings"] = replace(
            kept,
            smtp_url=f"smtp://user:s3cret@127.0.0.1:{mail.port}",
            sms_url=f"http://127.0.0.1:{sms.port}/send",
            sms_token="t0ken",
            mail_from="service@station.test",
        )
        try:
            assert deliver_queued() == Delivered(sent=2)
        finally:
            app.extensions["fieldservice.settings"] = kept
    assert mail.mails[0]["Subject"] == "Your report SR-2026-000005 has arrived"
    ((_path, _headers, content),) = sms.calls
    assert content["text"].startswith("已收到报修 SR-2026-000005，http://localhost/t/SR-2026-000005.")
    assert not any(secret in caplog.text for secret in ("s3cret", "t0ken", "13812345678", "li@customer.test"))


def test_without_servers_messages_go_to_the_log(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    message = tell()
    with caplog.at_level(logging.INFO, "fieldservice.messages"):
        assert deliver_queued() == Delivered(sent=1)
    assert message.state == "sent"
    assert caplog.messages == [
        f'message {{"message": {message.id}, "template": "received", "channel": "email", "language": "zh"}}'
    ]


def test_a_failed_attempt_is_logged_without_address(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    tell()
    deliver(Carrier(Unreachable("smtp_450")))
    assert "smtp_450" in caplog.text
    assert "customer.test" not in caplog.text


def test_no_task_is_opened_twice(app: Flask) -> None:
    tell("one")
    tell("two")
    deliver(Carrier(Refused("smtp_550")))
    assert session.scalar(select(func.count(Task.id))) == 2
