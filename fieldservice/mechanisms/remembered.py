"""What was read once in a transaction need not be read again: it cannot change before the next one."""

from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import event
from sqlalchemy.orm import Session, SessionTransaction, SessionTransactionOrigin

from fieldservice.foundation.db import session

T = TypeVar("T")
KEY = "remembered"


def remembered(topic: str, key: object, read: Callable[[], T]) -> T:
    """The answer of `read`, kept until this transaction ends or somebody says `forget(topic)`."""
    session.connection()  # a transaction must have begun, or nothing would end what is kept
    kept: dict[str, dict[object, Any]] = session.info.setdefault(KEY, {})
    topics = kept.setdefault(topic, {})
    if key in topics:
        known: T = topics[key]
        return known
    topics[key] = answer = read()
    return answer


def forget(topic: str) -> None:
    """Called by whoever changes what others may have read in this transaction."""
    session.info.get(KEY, {}).pop(topic, None)


@event.listens_for(Session, "after_transaction_end")
def _forget_all(ended: Session, transaction: SessionTransaction) -> None:
    """Savepoints too: what was read inside one may have been rolled back with it. The end of a flush is none."""
    if transaction.origin is not SessionTransactionOrigin.SUBTRANSACTION:
        ended.info.pop(KEY, None)
