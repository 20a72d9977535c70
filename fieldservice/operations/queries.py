"""What health and metrics ask. Each reads one range of an index or one row."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select

from fieldservice.foundation.db import session
from fieldservice.foundation.time import now
from fieldservice.mechanisms.events import Event, EventPending
from fieldservice.mechanisms.messages import Message
from fieldservice.operations.models import RUNNING, BackupRun

MOST = 1001


def outbox_age() -> timedelta:
    """How long the message that waits longest has been due."""
    due = select(Message.next_try_at).where(Message.state == "queued", Message.next_try_at <= now())
    return _since(session.scalar(due.order_by(Message.next_try_at).limit(1)))


def relay_lag() -> timedelta:
    """How old the oldest event is that the log lacks."""
    first = select(EventPending.event_id).order_by(EventPending.event_id).limit(1).scalar_subquery()
    return _since(session.scalar(select(Event.at).where(Event.id == first)))


def _since(moment: datetime | None) -> timedelta:
    return max(timedelta(0), now() - moment) if moment is not None else timedelta(0)


def failed_messages(limit: int = 20) -> Sequence[Message]:
    """Given up, newest first."""
    return session.scalars(
        select(Message).where(Message.state == "failed").order_by(Message.id.desc()).limit(limit)
    ).all()


def failed_message_count() -> int:
    """At most 1,001."""
    some = select(Message.id).where(Message.state == "failed").limit(MOST).subquery()
    return session.scalar(select(func.count()).select_from(some)) or 0


def backup_runs(limit: int = 20) -> Sequence[BackupRun]:
    """Newest first."""
    return session.scalars(select(BackupRun).order_by(BackupRun.id.desc()).limit(limit)).all()


def running_backup() -> BackupRun | None:
    return session.scalar(select(BackupRun).where(BackupRun.outcome.in_(RUNNING)).limit(1))


def last_backup() -> BackupRun | None:
    """The last one that ended well."""
    return session.scalar(select(BackupRun).where(BackupRun.outcome == "done").order_by(BackupRun.id.desc()).limit(1))


def last_restore_test() -> BackupRun | None:
    return session.scalar(
        select(BackupRun).where(BackupRun.restore_outcome.is_not(None)).order_by(BackupRun.id.desc()).limit(1)
    )
