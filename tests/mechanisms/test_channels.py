"""Channels against real servers on loopback: what leaves, what may be tried again, and what is never told."""

import json
import logging
import socket
from dataclasses import replace

import pytest

from config import Settings
from fieldservice.mechanisms.messages.channels import (
    Console,
    Envelope,
    Refused,
    SmsGateway,
    Smtp,
    Unreachable,
    adapters,
)
from tests.mechanisms.other_side import mail_server, sms_server

ENVELOPE = Envelope(
    id=17,
    key="request:5:received",
    template="request_received",
    channel="email",
    to="li@customer.test",
    language="zh",
    subject="已收到您的报修 SR-2026-000005",
    body="尊敬的客户：\n我们已收到您的报修。",
)
SMS = replace(ENVELOPE, channel="sms", to="13812345678", subject="")


def closed_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


# E-mail ---------------------------------------------------------------------------------------------


def test_an_email_arrives_as_it_was_written() -> None:
    with mail_server() as server:
        Smtp.from_url(f"smtp://user%40x:p%3Ass@127.0.0.1:{server.port}", "service@station.test").send(ENVELOPE)
    (mail,) = server.mails
    assert server.envelopes == [("service@station.test", "li@customer.test")]
    assert server.signed_in_as == [("user@x", "p:ss")]
    assert mail["Subject"] == ENVELOPE.subject
    assert (mail["From"], mail["To"]) == ("service@station.test", "li@customer.test")
    assert mail["Message-ID"] == "<message-17@station.test>"
    assert (mail["Content-Language"], mail["Auto-Submitted"]) == ("zh", "auto-generated")
    assert mail.get_content().replace("\r\n", "\n") == ENVELOPE.body + "\n"


def test_an_open_server_needs_no_sign_in() -> None:
    with mail_server() as server:
        Smtp.from_url(f"smtp://127.0.0.1:{server.port}", "Station <service@station.test>").send(ENVELOPE)
    assert "AUTH" not in server.commands
    assert server.envelopes == [("service@station.test", "li@customer.test")]
    assert server.mails[0]["Message-ID"] == "<message-17@station.test>"


@pytest.mark.parametrize(
    ("command", "answer", "kind", "code"),
    [
        ("RCPT", "550 no such user", Refused, "smtp_550"),
        ("RCPT", "450 busy", Unreachable, "smtp_450"),
        ("MAIL", "553 not you", Refused, "smtp_553"),
        ("MAIL", "451 later", Unreachable, "smtp_451"),
        ("DATA", "554 looks like spam", Refused, "smtp_554"),
        ("DATA", "452 full", Unreachable, "smtp_452"),
        ("AUTH", "535 wrong password", Unreachable, "smtp_535"),  # our set-up; somebody may mend it
        ("greeting", "554 closed", Unreachable, "smtp_554"),
        ("greeting", "", Unreachable, "smtp_unreachable"),
        ("RCPT", "", Unreachable, "smtp_unreachable"),
    ],
)
def test_what_the_mail_server_says_decides(command: str, answer: str, kind: type[Exception], code: str) -> None:
    with mail_server(answers={command: answer}) as server:
        adapter = Smtp.from_url(f"smtp://user:secret@127.0.0.1:{server.port}", "service@station.test")
        with pytest.raises(kind) as failed:
            adapter.send(ENVELOPE)
    assert getattr(failed.value, "code", None) == code
    assert str(failed.value) == code  # never the server's words
    assert server.mails == []


def test_no_server_at_all_is_tried_again() -> None:
    with pytest.raises(Unreachable) as failed:
        Smtp.from_url(f"smtp://127.0.0.1:{closed_port()}", "service@station.test").send(ENVELOPE)
    assert failed.value.code == "smtp_unreachable"


def test_nothing_is_sent_in_the_open_when_encryption_is_wanted() -> None:
    with mail_server() as server:  # offers no STARTTLS
        adapter = Smtp.from_url(f"smtp://user:secret@127.0.0.1:{server.port}?starttls=1", "service@station.test")
        with pytest.raises((Refused, Unreachable)):
            adapter.send(ENVELOPE)
    assert "AUTH" not in server.commands
    assert "MAIL" not in server.commands


@pytest.mark.parametrize("to", ["李四@customer.test", "li@customer.test\r\nBcc: all@customer.test", "a b", "@", "<>"])
def test_an_address_that_is_none_is_refused(to: str) -> None:
    with mail_server(answers={"RCPT": "501 bad address"}) as server:
        adapter = Smtp.from_url(f"smtp://127.0.0.1:{server.port}", "service@station.test")
        with pytest.raises(Refused):
            adapter.send(replace(ENVELOPE, to=to))
    assert server.mails == []


@pytest.mark.parametrize(
    ("url", "port", "tls", "starttls"),
    [
        ("smtp://127.0.0.1", 25, False, False),
        ("smtp://mail.test?starttls=1", 587, False, True),
        ("smtp://user:secret@mail.test:2525?starttls=1", 2525, False, True),
        ("smtps://user:secret@mail.test", 465, True, False),
    ],
)
def test_settings_of_the_mail_server(url: str, port: int, *, tls: bool, starttls: bool) -> None:
    adapter = Smtp.from_url(url, "service@station.test")
    assert (adapter.port, adapter.tls, adapter.starttls) == (port, tls, starttls)
    assert "secret" not in repr(adapter)


@pytest.mark.parametrize("url", ["mail.test", "http://mail.test", "smtp://", "smtp://user:secret@mail.test:25"])
def test_a_mail_server_that_cannot_be_used_is_named_without_its_password(url: str) -> None:
    with pytest.raises(ValueError, match="SMTP_URL") as refused:
        Smtp.from_url(url, "service@station.test")
    assert "secret" not in str(refused.value)


# SMS ------------------------------------------------------------------------------------------------


def test_an_sms_is_posted_with_token_and_key() -> None:
    with sms_server() as server:
        SmsGateway.from_url(f"http://127.0.0.1:{server.port}/send?sign=station", "t0ken").send(SMS)
    ((path, headers, content),) = server.calls
    assert path == "/send?sign=station"
    assert headers["Authorization"] == "Bearer t0ken"
    assert headers["Idempotency-Key"] == "17"
    assert content == {"to": "13812345678", "text": SMS.body, "id": "request:5:received"}


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Refused), (404, Refused), (422, Refused),
        (401, Unreachable), (403, Unreachable), (408, Unreachable), (429, Unreachable),
        (500, Unreachable), (503, Unreachable), (301, Unreachable), (302, Unreachable), (307, Unreachable),
    ],
)  # fmt: skip
def test_what_the_sms_service_answers_decides(status: int, kind: type[Exception]) -> None:
    with sms_server(statuses=[status]) as server:
        with pytest.raises(kind) as failed:
            SmsGateway.from_url(f"http://127.0.0.1:{server.port}", "t0ken").send(SMS)
        assert str(failed.value) == f"sms_{status}"
    assert len(server.calls) == 1  # a redirect is not followed: the token is for one host


def test_no_sms_service_or_none_that_speaks_http_is_tried_again() -> None:
    with pytest.raises(Unreachable):
        SmsGateway.from_url(f"http://127.0.0.1:{closed_port()}", None).send(SMS)
    with sms_server(garbage=True) as server, pytest.raises(Unreachable):
        SmsGateway.from_url(f"http://127.0.0.1:{server.port}", None).send(SMS)


@pytest.mark.parametrize("url", ["sms.test", "ftp://sms.test", "https://", "http://sms.test/send"])
def test_an_sms_service_that_cannot_be_used_is_named(url: str) -> None:
    with pytest.raises(ValueError, match="SMS_URL") as refused:
        SmsGateway.from_url(url, "t0ken")
    assert "t0ken" not in str(refused.value)
    assert "t0ken" not in repr(SmsGateway.from_url("https://sms.test", "t0ken"))


# The log --------------------------------------------------------------------------------------------


def test_the_console_tells_that_a_message_goes_but_not_what_or_whom(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "fieldservice.messages"):
        Console().send(replace(ENVELOPE, body="https://service.test/t/SR-2026-000005.secret"))
    (line,) = caplog.messages
    facts = json.loads(line.removeprefix("message "))
    assert facts == {"message": 17, "template": "request_received", "channel": "email", "language": "zh"}


def test_settings_choose_the_adapters(settings: Settings) -> None:
    assert all(isinstance(adapter, Console) for adapter in adapters(settings).values())
    both = adapters(
        replace(
            settings, smtp_url="smtp://127.0.0.1", sms_url="https://sms.test", sms_token="t0ken", mail_from="a@b.test"
        )
    )
    assert isinstance(both["email"], Smtp)
    assert both["email"].sender == "a@b.test"
    assert isinstance(both["sms"], SmsGateway)
