"""Robots in the group chats of WeCom and DingTalk: they tell a station's people what cannot wait.

A robot is written to by one POST. The address that the chat gives out is checked and taken apart: only its key is
kept, and calls go to the provider's own host, whatever somebody pasted. Neither customers' names nor telephone
numbers are told there: a chat is outside the house.

Formats: https://developer.work.weixin.qq.com/document/path/91770,
https://open.dingtalk.com/document/robots/custom-robot-access
"""

import base64
import hashlib
import hmac
import http.client
import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote_plus, urlencode, urlsplit

from flask_babel import lazy_gettext as _l
from sqlalchemy import CheckConstraint, ForeignKey, String, or_, select
from sqlalchemy.orm import Mapped, mapped_column

from fieldservice.foundation.db import Base, Id, session
from fieldservice.foundation.errors import Invalid
from fieldservice.mechanisms.events import Subject, record
from fieldservice.mechanisms.messages.channels import TIMEOUT, WORTH_RETRYING, Envelope, Refused, Unreachable
from fieldservice.mechanisms.messages.services import queue
from fieldservice.mechanisms.messages.texts import register_templates

NEWS = ("urgent", "approval", "at_risk", "broken")  # what a robot may be told
TEST = "robot_test"
register_templates(Path(__file__).parent / "data" / "messages.yaml")
KEY = re.compile(r"[0-9A-Za-z_-]{10,120}")
BUSY = {"wecom": (45009, -1), "dingtalk": (130101, -1)}  # their codes for "too often" and "we are busy"


@dataclass(frozen=True)
class Provider:
    """Where a chat's robots are reached."""

    host: str
    path: str
    key_name: str


PROVIDERS = {
    "wecom": Provider("qyapi.weixin.qq.com", "/cgi-bin/webhook/send", "key"),
    "dingtalk": Provider("oapi.dingtalk.com", "/robot/send", "access_token"),
}


class Robot(Base):
    """A robot of a station's chat, or (without station) of the whole house. Key and secret are never shown again."""

    __tablename__ = "robot"
    subject_type = "robot"
    id: Mapped[Id]
    name: Mapped[str] = mapped_column(String(60))
    provider: Mapped[str] = mapped_column(String(12))
    key: Mapped[str] = mapped_column(String(120))
    secret: Mapped[str] = mapped_column(String(120), default="")  # DingTalk signs with it, where the chat asks for it
    station_id: Mapped[int | None] = mapped_column(ForeignKey("station.id"), index=True)
    language: Mapped[str] = mapped_column(String(2))
    news: Mapped[list[str]]
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]
    last_sent_at: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(String(40))
    __table_args__ = (CheckConstraint("provider IN ('wecom', 'dingtalk')", name="provider"),)

    @property
    def key_end(self) -> str:
        """What may be shown of the key, to tell robots apart."""
        return self.key[-4:]


# Keeping ------------------------------------------------------------------------------------------


def add_robot(
    *, name: str, address: str, secret: str, station_id: int | None, language: str, news: Sequence[str], at: datetime
) -> Robot:
    """Keep a robot. Raises Invalid naming every field that cannot be used."""
    errors: dict[str, list[Any]] = {}
    provider, key = _taken_apart(address.strip())
    if not name.strip() or len(name.strip()) > 60:
        errors["name"] = [_l("Give the robot a name of at most 60 characters.")]
    if not key:
        errors["address"] = [
            _l("Paste the whole address that WeCom or DingTalk shows. It begins with %(wecom)s or %(dingtalk)s.",
               **{code: f"https://{one.host}/" for code, one in PROVIDERS.items()})
        ]  # fmt: skip
    if secret and not KEY.fullmatch(secret.strip()):
        errors["secret"] = [
            _l("This is no signing secret. Copy it from DingTalk's security settings, or leave it empty.")
        ]
    if not news or not set(news) <= set(NEWS):
        errors["news"] = [_l("Choose at least one kind of news.")]
    if language not in ("zh", "en"):
        errors["language"] = [_l("Choose one of the options.")]
    if errors:
        raise Invalid(errors)
    robot = Robot(
        name=name.strip(), provider=provider, key=key, secret=secret.strip() if provider == "dingtalk" else "",
        station_id=station_id, language=language, news=sorted(set(news)), active=True, created_at=at,
    )  # fmt: skip
    session.add(robot)
    session.flush()
    record("robot.added", robot, {"provider": provider, "news": robot.news}, at=at)
    return robot


def _taken_apart(address: str) -> tuple[str, str]:
    """(provider, key) of a pasted address; empty where it is no robot's."""
    try:
        parts = urlsplit(address)
        given = parse_qs(parts.query)
    except ValueError:
        return "", ""
    for code, provider in PROVIDERS.items():
        if (parts.scheme, parts.netloc.lower(), parts.path) == ("https", provider.host, provider.path):
            key = given.get(provider.key_name, [""])[0]
            return (code, key) if KEY.fullmatch(key) else ("", "")
    return "", ""


def switch(robot: Robot, *, active: bool, at: datetime) -> None:
    """Silence a robot, or let it speak again."""
    if robot.active != active:
        robot.active = active
        record("robot.switched_on" if active else "robot.switched_off", robot, at=at)


def remove(robot: Robot, *, at: datetime) -> None:
    """Forget a robot with its key; what it was told stays in the trail."""
    record("robot.removed", robot, {"provider": robot.provider}, at=at)
    session.delete(robot)


# Telling ------------------------------------------------------------------------------------------


def announce(
    news: str, subject: Subject, station_id: int | None, facts: dict[str, Any], *, key: str, at: datetime
) -> int:
    """Queue a piece of news for every robot that wants it; how many there are. The same key tells once."""
    wanted = select(Robot).where(Robot.active, or_(Robot.station_id.is_(None), Robot.station_id == station_id))
    robots = [robot for robot in session.scalars(wanted.order_by(Robot.id)) if news in robot.news]
    for robot in robots:
        _tell(robot, f"robot_{news}", subject, facts, f"{key}:robot{robot.id}", at)
    return len(robots)


def send_test(robot: Robot, *, at: datetime) -> None:
    """Have the robot say that it works."""
    _tell(robot, TEST, robot, {"name": robot.name}, f"{TEST}:{robot.id}:{at.isoformat()}", at)


def _tell(robot: Robot, template: str, subject: Subject, facts: dict[str, Any], key: str, at: datetime) -> None:
    queue(
        template, to=f"{robot.id}", channel="robot", language=robot.language, facts=facts, subject=subject, key=key,
        at=at, station_id=robot.station_id,
    )  # fmt: skip


# Carrying -----------------------------------------------------------------------------------------


def note_outcome(robot_id: str, code: str | None, at: datetime) -> None:
    """What became of the last message; the page of robots shows it."""
    robot = session.get(Robot, int(robot_id))
    if robot is not None:
        robot.last_error = code
        robot.last_sent_at = robot.last_sent_at if code else at


@dataclass(frozen=True)
class Line:
    """How a robot is reached, as plain values: it is called with no transaction open."""

    provider: str
    key: str = field(repr=False)
    secret: str = field(repr=False)


def line_of(robot_id: str) -> Line | None:
    """The way to a robot; None when it was removed or silenced meanwhile."""
    robot = session.get(Robot, int(robot_id))
    found = Line(robot.provider, robot.key, robot.secret) if robot is not None and robot.active else None
    session.rollback()
    return found


class RobotChannel:
    """Carries a message into a chat."""

    def send(self, envelope: Envelope) -> None:
        line = line_of(envelope.to)
        if line is None:
            raise Refused("robot_silent")
        provider = PROVIDERS[line.provider]
        connection = self.connect(provider.host)
        try:
            body = json.dumps(content(line.provider, envelope), ensure_ascii=False).encode()
            connection.request("POST", path(line, time.time()), body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            answer = response.read(10_000)
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable("robot_unreachable") from error
        finally:
            connection.close()
        judge(line.provider, response.status, answer)

    def connect(self, host: str) -> http.client.HTTPConnection:
        """A connection to the provider. http.client follows no redirect, so the key goes nowhere else."""
        return http.client.HTTPSConnection(host, timeout=TIMEOUT)


def path(line: Line, at: float) -> str:
    """Path and query of a call at a time (seconds since 1970, as DingTalk's signature wants the real one)."""
    provider = PROVIDERS[line.provider]
    query = urlencode({provider.key_name: line.key})
    if line.secret:
        moment = round(at * 1000)
        query += f"&timestamp={moment}&sign={quote_plus(sign(line.secret, moment))}"
    return f"{provider.path}?{query}"


def sign(secret: str, moment: int) -> str:
    """DingTalk's signature: HMAC-SHA256 of '<milliseconds>\\n<secret>' with the secret as key, in base64."""
    told = hmac.new(secret.encode(), f"{moment}\n{secret}".encode(), hashlib.sha256).digest()
    return base64.b64encode(told).decode()


def content(provider: str, envelope: Envelope) -> dict[str, Any]:
    """The message as the provider wants it."""
    text = f"**{envelope.subject}**\n\n{envelope.body}"
    if provider == "wecom":
        return {"msgtype": "markdown", "markdown": {"content": text}}
    return {"msgtype": "markdown", "markdown": {"title": envelope.subject, "text": text.replace("\n", "\n\n")}}


def judge(provider: str, status: int, answer: bytes) -> None:
    """Both answer 200 with an `errcode`; only 0 means that the message stands in the chat."""
    if status != 200:
        raise (Refused if 400 <= status < 500 and status not in WORTH_RETRYING else Unreachable)(f"robot_http_{status}")
    try:
        code = int(json.loads(answer)["errcode"])
    except (ValueError, KeyError, TypeError) as error:
        raise Unreachable("robot_answer") from error
    if code in BUSY[provider]:
        raise Unreachable(f"robot_{code}")
    if code != 0:
        raise Refused(f"robot_{code}")
