"""The job that sends queued messages.

Claim a few rows (short write), send them with no transaction open, mark each (short write). A claim
runs out when its worker was killed; the message is then taken again, so it is sent at least once.
"""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import or_, select

from fieldservice.foundation.company import company
from fieldservice.foundation.db import session, write
from fieldservice.foundation.time import now
from fieldservice.foundation.web import settings
from fieldservice.mechanisms import tasks
from fieldservice.mechanisms.lifecycle import move
from fieldservice.mechanisms.messages.channels import ChannelAdapter, DeliveryError, Envelope, Refused, adapters
from fieldservice.mechanisms.messages.models import Message
from fieldservice.mechanisms.messages.robots import RobotChannel, note_outcome
from fieldservice.mechanisms.messages.texts import render, templates
from fieldservice.mechanisms.subjects import OnBehalf, Ref

BATCH = 5  # claimed at once; each may take some answers of TIMEOUT seconds, all within CLAIM
CLAIM = timedelta(minutes=10)
RETRY_AFTER = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120))
MOST_ATTEMPTS = len(RETRY_AFTER) + 1
TOLD_TO_PEOPLE = ("email", "sms")
CALL_WITHIN = timedelta(hours=4)  # then somebody tells the person by phone instead
log = logging.getLogger("fieldservice.messages")


@dataclass(frozen=True)
class Delivered:
    """What became of the messages of one run."""

    sent: int = 0
    retried: int = 0
    failed: int = 0


@dataclass(frozen=True)
class _Claimed:
    """Plain values of a claimed row. `attempt` tells this claim from a later one."""

    id: int
    attempt: int
    key: str
    template: str
    channel: str
    to: str
    language: str
    facts: Mapping[str, Any]


def deliver_queued(limit: int = 100, carriers: Mapping[str, ChannelAdapter] | None = None) -> Delivered:
    """Send up to `limit` due messages. Called outside `write`, by any number of workers at once."""
    templates()  # a broken text file stops the job here, before a message could fail by it
    carriers = carriers or {**adapters(settings()), "robot": RobotChannel()}
    counts = {"sent": 0, "retried": 0, "failed": 0}
    for claimed in _claimed_in_turn(limit):
        failure = _send(claimed, carriers)
        outcome = write(partial(_mark, claimed, failure, now()))
        if outcome in counts:
            counts[outcome] += 1
    return Delivered(**counts)


def _claimed_in_turn(limit: int) -> Iterator[_Claimed]:
    while limit > 0:
        if session.scalar(_due(now()).limit(1)) is None:  # idle: one read, no write lock
            session.rollback()
            return
        batch = write(partial(_claim, min(BATCH, limit), now()))
        limit -= BATCH
        yield from batch


def _due(moment: datetime) -> Any:
    free = or_(Message.claimed_until.is_(None), Message.claimed_until <= moment)
    due = select(Message).where(Message.state == "queued", Message.next_try_at <= moment, free)
    return due.order_by(Message.next_try_at, Message.id)


def _claim(size: int, moment: datetime) -> list[_Claimed]:
    claimed = []
    company()  # read here and remembered: texts are put together with no transaction open
    for message in session.scalars(_due(moment).limit(size).with_for_update(skip_locked=True)).all():
        if message.attempts >= MOST_ATTEMPTS:  # its last worker never came back
            _give_up(message, "never_ended", moment)
            continue
        message.attempts += 1
        message.claimed_until = moment + CLAIM
        claimed.append(
            _Claimed(
                message.id, message.attempts, message.key, message.template, message.channel, message.to,
                message.language, dict(message.facts),
            )
        )  # fmt: skip
    return claimed


def _send(claimed: _Claimed, carriers: Mapping[str, ChannelAdapter]) -> DeliveryError | None:
    """Send with no transaction open; the error instead of an exception, since it is an outcome here."""
    try:
        text = render(claimed.template, claimed.language, claimed.facts, claimed.channel)
    except (KeyError, ValueError, TypeError):
        log.exception("message %s: template %s cannot be filled", claimed.id, claimed.template)
        return Refused("text")
    envelope = Envelope(
        claimed.id,
        claimed.key,
        claimed.template,
        claimed.channel,
        claimed.to,
        claimed.language,
        text.subject,
        text.body,
    )
    try:
        carriers[claimed.channel].send(envelope)
    except DeliveryError as error:
        return error
    return None


def _mark(claimed: _Claimed, failure: DeliveryError | None, moment: datetime) -> str:
    """Write down what became of it. What was sent counts whoever's claim it is now; a failure only for its own."""
    message = session.scalar(select(Message).where(Message.id == claimed.id).with_for_update())
    if message is None or message.state != "queued":
        return "overtaken"
    if message.channel == "robot":
        note_outcome(message.to, failure.code if failure else None, moment)
    if failure is None:
        move(OnBehalf(message), "sent", at=moment, by="system", **_facts(message))
        message.sent_at, message.next_try_at, message.claimed_until, message.error = moment, None, None, None
        return "sent"
    if message.attempts != claimed.attempt:
        return "overtaken"
    message.claimed_until = None
    if isinstance(failure, Refused) or message.attempts >= MOST_ATTEMPTS:
        _give_up(message, failure.code, moment)
        return "failed"
    message.error = failure.code
    message.next_try_at = moment + RETRY_AFTER[message.attempts - 1]
    log.warning("message %s did not leave: %s", message.id, failure.code)
    return "retried"


def _give_up(message: Message, code: str, moment: datetime) -> None:
    """Failed for good: where a customer was to be told, a person takes over."""
    move(OnBehalf(message), "failed", at=moment, by="system", **_facts(message), code=code)
    message.error, message.next_try_at, message.claimed_until = code, None, None
    if message.channel not in TOLD_TO_PEOPLE:
        return
    tasks.open_task(
        "message_failed",
        Ref(message.subject_type, message.subject_id, message.station_id),
        owner_role="agent",
        due_at=moment + CALL_WITHIN,
        facts={"channel": message.channel, "code": code},
        key=f"message_failed:{message.id}",
        at=moment,
    )


def _facts(message: Message) -> dict[str, Any]:
    return {"message": message.id, "template": message.template, "channel": message.channel}
