"""Two people on one board: a step taken on what is no longer so is refused, saying what changed and by whom."""

from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select

from fieldservice.accounts.models import User
from fieldservice.foundation import display
from fieldservice.foundation.db import session
from fieldservice.foundation.errors import PreconditionFailed
from fieldservice.foundation.words import pick, word
from fieldservice.mechanisms.events import history
from fieldservice.workorders.models import Visit, WorkOrder


def require_version(subject: Visit | WorkOrder, version: int | None) -> None:
    """Refuse a step on another version than the present one. Raises PreconditionFailed telling what changed."""
    if version is not None and subject.version != version:
        raise PreconditionFailed(what_changed(subject), current=str(subject.version))


def what_changed(subject: Visit | WorkOrder) -> str:
    """'Changed by Zhou Min at 10:34: now Chen Zhiyuan, 11:20, Planned. Your step was not done.'"""
    facts: dict[str, Any] = {"now": _present(subject)}
    last = history(subject, limit=1)
    if not last:
        return str(_("This is now %(now)s. Your step was not done.", **facts))
    facts |= {"name": name_of(last[0].actor), "time": display.datetime_short(last[0].at)}
    return str(_("Changed by %(name)s at %(time)s: now %(now)s. Your step was not done.", **facts))


def _present(subject: Visit | WorkOrder) -> str:
    state = word("state", subject.state)
    if isinstance(subject, WorkOrder):
        return state
    parts = (pick(subject.technician.names), display.datetime_short(subject.starts_at), state)
    return str(_(", ")).join(parts)


def name_of(actor: str) -> str:
    """The person behind an actor code."""
    kind, _colon, number = actor.partition(":")
    if kind == "user" and number.isdigit():
        found = session.scalar(select(User.name).where(User.id == int(number)))
        if found:
            return found
    return str(_("the customer") if kind == "customer" else _("the system"))
