"""What can be done with messages. Nothing here commits, and nothing here sends."""

import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError

from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Invalid
from fieldservice.foundation.time import now
from fieldservice.mechanisms.events import Subject, record
from fieldservice.mechanisms.lifecycle import move
from fieldservice.mechanisms.messages.models import Channel, Message
from fieldservice.mechanisms.messages.texts import LANGUAGES, template
from fieldservice.mechanisms.subjects import OnBehalf

MOST_TO = 254


def queue(
    template_code: str,
    *,
    to: str,
    channel: Channel,
    language: str,
    facts: Mapping[str, Any],
    subject: Subject,
    key: str,
    at: datetime | None = None,
    station_id: int | None = None,
) -> Message:
    """Have somebody told, once this transaction is committed. A second asking with the same key gives the first row.

    Facts are JSON values or times; a link is declared in the template, never given here. Raises Invalid
    for an address no channel could take, ValueError when a fact of the template is missing.
    """
    known = session.scalar(select(Message).where(Message.key == key))
    if known is not None:
        return known
    missing = template(template_code).needs - facts.keys()
    if missing:
        raise ValueError(f"message {template_code} needs {sorted(missing)}")
    moment = at or now()
    message = Message(
        template=template_code,
        channel=channel,
        to=_address(to),
        language=language if language in LANGUAGES else LANGUAGES[0],
        facts={name: fact.isoformat() if isinstance(fact, datetime) else fact for name, fact in facts.items()},
        subject_type=subject.subject_type,
        subject_id=subject.id,
        station_id=station_id if station_id is not None else getattr(subject, "station_id", None),
        key=key,
        queued_at=moment,
        next_try_at=moment,
        attempts=0,
    )
    try:
        with session.begin_nested():
            session.add(message)
    except IntegrityError:  # queued at the same moment elsewhere; that must not cost the caller's work
        return session.scalars(select(Message).where(Message.key == key)).one()
    told = {"message": message.id, "template": template_code, "channel": channel}
    record("message.queued", subject, told, station_id=message.station_id, at=moment)
    return message


def withdraw(subject: Subject, key_start: str) -> int:
    """Take back what is queued about `subject` under keys that begin so, as far as nobody sends it yet; how many."""
    unsent = _about(subject, key_start).where(Message.state == "queued", Message.attempts == 0)
    rows = session.scalars(unsent.with_for_update(skip_locked=True)).all()
    for message in rows:
        told = {"message": message.id, "template": message.template, "channel": message.channel}
        session.delete(message)
        record("message.withdrawn", subject, told, station_id=message.station_id)
    return len(rows)


def send_again(message: Message, *, at: datetime) -> None:
    """Queue a failed message once more, with all its attempts. The task to call instead stays."""
    move(OnBehalf(message), "queued", at=at, message=message.id, template=message.template, channel=message.channel)
    message.attempts, message.next_try_at, message.claimed_until, message.error = 0, at, None, None


def last_about(subject: Subject, key_start: str) -> Message | None:
    """The newest message about `subject` under keys that begin so, sent or still queued."""
    return session.scalar(_about(subject, key_start).order_by(Message.id.desc()).limit(1))


def _about(subject: Subject, key_start: str) -> Select[Message]:
    return select(Message).where(
        Message.subject_type == subject.subject_type,
        Message.subject_id == subject.id,
        Message.key.startswith(key_start, autoescape=True),
    )


def _address(to: str) -> str:
    """Bounded, and free of the control characters that would let it add headers to an e-mail."""
    address = to.strip()
    if not address or len(address) > MOST_TO or any(unicodedata.category(sign) in ("Cc", "Cs") for sign in address):
        raise Invalid({"to": [_l("This address cannot be used.")]})
    return address


def messages_about(subject: Subject, limit: int = 50) -> Sequence[Message]:
    """What people were told about a subject, newest first."""
    about = select(Message).where(Message.subject_type == subject.subject_type, Message.subject_id == subject.id)
    return session.scalars(about.order_by(Message.id.desc()).limit(limit)).all()
