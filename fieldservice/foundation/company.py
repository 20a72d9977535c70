"""Whose installation this is: the company's names, hotline, language and time zone, one stored row.

Written by the set-up (or by the demo loader); read by public pages, messages and reports. Before the set-up the
environment's settings count alone.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask, current_app, g
from sqlalchemy import Integer, String, inspect, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Mapped, mapped_column

from config import Settings
from fieldservice.foundation.db import Base, Id, UtcDateTime, db, session
from fieldservice.foundation.time import clock
from fieldservice.foundation.words import pick

log = logging.getLogger(__name__)
ONLY = 1  # the id of the only row
SPOKEN = "fieldservice.default_language"


class Installation(Base):
    """The only row: who runs this installation, and how far its set-up came."""

    __tablename__ = "installation"
    subject_type = "installation"
    id: Mapped[Id]
    names: Mapped[dict[str, Any]] = mapped_column(default=dict)  # {zh, en}
    short_names: Mapped[dict[str, Any]] = mapped_column(default=dict)  # {zh, en}
    hotline: Mapped[str] = mapped_column(String(32), default="")
    default_language: Mapped[str] = mapped_column(String(2), default="")  # empty: as the settings say
    timezone: Mapped[str] = mapped_column(String(64), default="")  # empty: as the settings say
    steps: Mapped[list[str]] = mapped_column(default=list)  # of the set-up, done or passed over
    results: Mapped[dict[str, Any]] = mapped_column(default=dict)  # {check: {ok, at, code}}, what tests answered
    code_hash: Mapped[str | None] = mapped_column(String(64))  # of the one-time code; empty: none may be used
    code_tries: Mapped[int] = mapped_column(Integer, default=0)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # the set-up is over


@dataclass(frozen=True)
class Company:
    """Whose pages these are. Empty names mean that nobody has said so."""

    names: Mapping[str, str] = field(default_factory=dict)
    short_names: Mapping[str, str] = field(default_factory=dict)
    hotline: str = ""

    def name(self, language: str | None = None) -> str:
        """The full name in a language (the current one)."""
        return pick(self.names, language)

    def short(self, language: str | None = None) -> str:
        """The short name, else the full one."""
        return pick(self.short_names, language) or self.name(language)


def company() -> Company:
    """The stored company, read once in each request or job; none is an empty one."""
    if "company" not in g:
        row = session.execute(
            select(Installation.names, Installation.short_names, Installation.hotline).where(Installation.id == ONLY)
        ).one_or_none()
        g.company = Company(*row) if row else Company()
    found: Company = g.company
    return found


def changed() -> None:
    """Forget what was read: the row was written."""
    g.pop("company", None)


def default_language() -> str:
    """The language of whoever said nothing. No database is asked: pages about failures need it too."""
    settings: Settings = current_app.extensions["fieldservice.settings"]
    return str(current_app.extensions.get(SPOKEN) or settings.default_language)


def speak(language: str, timezone: str) -> None:
    """From now on this process speaks so and shows that time; empty texts change nothing."""
    if language:
        current_app.extensions[SPOKEN] = language
    if timezone:
        clock.zone = ZoneInfo(timezone)


def follow(app: Flask) -> None:
    """At the start of a process: language and clock as they are stored, if they are.

    A command may come before its database (`--help`, `db upgrade`), so one that does not answer is told, not raised.
    """
    with app.app_context():
        try:
            if inspect(db.engine).has_table(Installation.__tablename__):
                stored = select(Installation.default_language, Installation.timezone).where(Installation.id == ONLY)
                row = session.execute(stored).one_or_none()
                speak(*(row or ("", "")))
        except OperationalError as error:
            log.warning("the database does not answer: %s", error.orig)
        finally:
            session.remove()
