"""Robots of group chats: what is kept of an address, what is told, how it is signed, and what their answers mean."""

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Invalid
from fieldservice.foundation.time import Clock, now
from fieldservice.mechanisms import clocks, messages
from fieldservice.mechanisms.messages import robots
from fieldservice.mechanisms.messages.channels import Envelope, Refused, Unreachable
from fieldservice.mechanisms.messages.models import Message
from fieldservice.mechanisms.messages.robots import Robot, RobotChannel
from fieldservice.mechanisms.tasks import Task
from tests import factories as make

WECOM = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=693axxx6-7aoc-4bc4-97a0-0ec2sifa5aaa"
DINGTALK = (
    "https://oapi.dingtalk.com/robot/send?access_token=566cc69da782ec33e42541b09b08551f09fbe864eb8008112e994b43887"
)
ENVELOPE = Envelope(3, "k", "robot_urgent", "robot", "1", "zh", "P1 紧急报修", "停线，无锡站。")
# as both providers' documentation and servers give them
ANSWERS = {
    "wecom": [
        ('{"errcode":0,"errmsg":"ok"}', None),
        ('{"errcode":93000,"errmsg":"invalid webhook url, hint: [1764066600]"}', Refused),
        ('{"errcode":45009,"errmsg":"api freq out of limit, hint: [1764066600]"}', Unreachable),
    ],
    "dingtalk": [
        ('{"errcode":0,"errmsg":"ok"}', None),
        ('{"errcode":310000,"errmsg":"sign not match, more: [https://ding-doc.dingtalk.com]"}', Refused),
        ('{"errcode":300005,"errmsg":"token is not exist"}', Refused),
        ('{"errcode":130101,"errmsg":"send too fast, exceed 20 times per minute"}', Unreachable),
    ],
}


def robot(address: str = WECOM, station: int | None = None, **facts: Any) -> Robot:
    given = {"name": "Wuxi group", "secret": "", "language": "en", "news": list(robots.NEWS), "at": now(), **facts}
    return write(lambda: robots.add_robot(address=address, station_id=station, **given))


# Keeping --------------------------------------------------------------------------------------------------


def test_of_an_address_only_the_key_is_kept(app: Flask) -> None:
    kept = [robot(WECOM), robot(DINGTALK, secret="SEC" + "a" * 61)]
    assert [(one.provider, one.key) for one in kept] == [
        ("wecom", "693axxx6-7aoc-4bc4-97a0-0ec2sifa5aaa"),
        ("dingtalk", "566cc69da782ec33e42541b09b08551f09fbe864eb8008112e994b43887"),
    ]
    assert "693axxx6" not in repr(robots.line_of(f"{kept[0].id}")), "nobody logs a key by accident"


@pytest.mark.parametrize(
    "address",
    [
        "", "x", "https://evil.example/cgi-bin/webhook/send?key=" + "a" * 36, WECOM.replace("https", "http"),
        "https://qyapi.weixin.qq.com@evil.example/cgi-bin/webhook/send?key=" + "a" * 36,
        WECOM.replace("send", "upload"),
        "https://qyapi.weixin.qq.com:8443/cgi-bin/webhook/send?key=" + "a" * 36, "https://[::1/robot/send",
        "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=a%0d%0aHost:evil", WECOM.partition("?")[0],
        "http://169.254.169.254/latest/meta-data?key=" + "a" * 36, DINGTALK.replace("access_token", "key"),
    ],
)  # fmt: skip
def test_no_address_leads_anywhere_but_to_the_providers(app: Flask, address: str) -> None:
    with pytest.raises(Invalid) as refused:
        robot(address)
    assert set(refused.value.errors) == {"address"}


def test_every_field_that_is_wrong_is_named(app: Flask) -> None:
    with pytest.raises(Invalid) as refused:
        robot("x", name=" ", secret="a b", language="fr", news=["gossip"])
    assert set(refused.value.errors) == {"name", "address", "secret", "language", "news"}


# Telling --------------------------------------------------------------------------------------------------


def told() -> list[Message]:
    return list(session.scalars(select(Message).where(Message.channel == "robot").order_by(Message.id)))


def test_an_urgent_report_is_told_to_its_station_and_to_the_house(app: Flask) -> None:
    here, there = write(lambda: (make.station(territory=("320214",)).id, make.station("NJJN").id))
    mine, everywhere = robot(station=here), robot(DINGTALK)
    robot(WECOM.replace("693a", "aaaa"), station=there)
    silent = robot(WECOM.replace("693a", "bbbb"), station=here)
    write(lambda: robots.switch(silent, active=False, at=now()))
    write(lambda: make.request(severity="line_stop"))
    assert {message.to for message in told()} == {f"{mine.id}", f"{everywhere.id}"}
    text = messages.render("robot_urgent", "en", told()[0].facts, "robot")
    assert "P1" in text.subject
    assert "/requests/SR-" in text.body


def test_what_is_told_names_nobody_outside(app: Flask) -> None:
    write(lambda: make.station(territory=("320214",)))
    robot()
    request = write(lambda: make.request(severity="line_stop"))
    (message,) = told()
    for language in ("zh", "en"):
        text = messages.render(message.template, language, message.facts, "robot")
        shown = f"{text.subject} {text.body}"
        assert request.contact_name not in shown
        assert request.contact_phone not in shown


def test_a_promise_is_told_before_and_after_it_breaks_once_each(app: Flask, clock: Clock) -> None:
    write(lambda: make.station(territory=("320214",)))
    robot(news=["at_risk", "broken"])
    write(lambda: make.request(severity="degraded"))
    for _hour in range(30):
        clock.advance(hours=1)
        write(lambda: clocks.tick(now(), 100))
    templates = [message.template for message in told()]
    assert templates.count("robot_broken") == 3, "first answer, arrival and restore"
    assert len({message.key for message in told()}) == len(told())


def test_what_broke_long_ago_is_no_news(app: Flask, clock: Clock) -> None:
    write(lambda: make.station(territory=("320214",)))
    robot()
    write(lambda: make.request(severity="degraded", received_at=now() - timedelta(days=200)))
    write(lambda: clocks.tick(now(), 100))
    assert [message.template for message in told() if message.template == "robot_broken"] == []


# Carrying -------------------------------------------------------------------------------------------------


class Chat:
    """A provider on loopback: the answers it gives in turn, and what it got."""

    def __init__(self, *answers: str, status: int = 200) -> None:
        self.answers, self.status, self.calls = list(answers), status, list[tuple[str, dict[str, Any]]]()
        self.port = 0


@contextmanager
def chat(*answers: str, status: int = 200) -> Iterator[Chat]:
    facts = Chat(*answers, status=status)

    class Handler(BaseHTTPRequestHandler):
        timeout = 5

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            facts.calls.append((self.path, body))
            content = facts.answers.pop(0).encode()
            self.send_response(facts.status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_arguments: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    facts.port = server.server_address[1]
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield facts
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Near(RobotChannel):
    """The real channel, with the provider's host on loopback."""

    def __init__(self, port: int) -> None:
        self.port, self.hosts = port, list[str]()

    def connect(self, host: str) -> http.client.HTTPConnection:
        self.hosts.append(host)
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)


def test_a_message_reaches_the_chat_and_the_page_knows(app: Flask) -> None:
    kept = robot(DINGTALK, secret="SEC" + "b" * 61)
    write(lambda: robots.send_test(kept, at=now()))
    with chat('{"errcode":0,"errmsg":"ok"}') as provider:
        channel = Near(provider.port)
        assert messages.deliver_queued(carriers={"robot": channel}).sent == 1
    ((path, body),) = provider.calls
    assert channel.hosts == ["oapi.dingtalk.com"]
    assert path.startswith("/robot/send?access_token=566c")
    assert "&timestamp=" in path
    assert "&sign=" in path
    assert body["msgtype"] == "markdown"
    assert "The FieldService 360 robot works" in body["markdown"]["text"]
    session.rollback()
    assert (session.get_one(Robot, kept.id).last_error, session.get_one(Robot, kept.id).last_sent_at) == (None, now())


@pytest.mark.parametrize(
    ("provider", "answer", "kind"), [(name, *one) for name, several in ANSWERS.items() for one in several]
)
def test_the_code_in_the_answer_decides(provider: str, answer: str, kind: type[Exception] | None) -> None:
    if kind is None:
        robots.judge(provider, 200, answer.encode())
        return
    with pytest.raises(kind):
        robots.judge(provider, 200, answer.encode())


@pytest.mark.parametrize(
    ("status", "answer", "kind"),
    [
        (404, "", Refused), (502, "", Unreachable), (429, "", Unreachable), (200, "<html>", Unreachable),
        (200, "[]", Unreachable),
    ],
)  # fmt: skip
def test_an_answer_that_is_none(status: int, answer: str, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        robots.judge("wecom", status, answer.encode())


def test_the_signature_is_the_one_of_the_documentation() -> None:
    """HMAC-SHA256 over milliseconds, line feed and secret; the value was made with openssl dgst -hmac."""
    assert robots.sign("SECabc", 1764066600000) == SIGNED


SIGNED = "1GrHnIXS56XMwfTiWQl/HZ14sVlssoUF0ZYBA00NKDA="


def test_a_refused_message_opens_no_task_but_is_seen_on_the_page(app: Flask) -> None:
    kept = robot()
    write(lambda: robots.send_test(kept, at=now()))
    with chat('{"errcode":93000,"errmsg":"invalid webhook url"}') as provider:
        assert messages.deliver_queued(carriers={"robot": Near(provider.port)}).failed == 1
    session.rollback()
    assert session.get_one(Robot, kept.id).last_error == "robot_93000"
    assert session.scalars(select(Task)).all() == []


def test_a_robot_that_was_removed_meanwhile_is_not_called(app: Flask) -> None:
    kept = robot()
    write(lambda: robots.send_test(kept, at=now()))
    write(lambda: robots.remove(session.get_one(Robot, kept.id), at=now()))
    with chat() as provider:
        assert messages.deliver_queued(carriers={"robot": Near(provider.port)}).failed == 1
    assert provider.calls == []
