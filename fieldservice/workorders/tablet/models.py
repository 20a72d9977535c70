"""Devices: which tablets are in use, by whom, and how they fare."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from fieldservice.foundation.db import Base, Id
from fieldservice.mechanisms.lifecycle import Lifecycle, Stateful, table
from fieldservice.stations.models import Station, Technician


class TabletDevice(Stateful, Base):
    """A tablet in one person's hands, as its last exchange told. A shared tablet is one row for each person.

    It is known by the name that its browser gave itself; what it may do hangs on the sign-in or token it used.
    """

    __tablename__ = "tablet_device"
    subject_type = "tablet_device"
    lifecycle = Lifecycle(
        "tablet_device",
        "active",
        table("""
        active → sign_out_asked | revoked
        sign_out_asked → active | signed_out | revoked
        signed_out → active
        revoked → active
        """),
        reason_for=frozenset({"revoked"}),
    )
    id: Mapped[Id]
    device_id: Mapped[str] = mapped_column(String(64))
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"))
    technician_id: Mapped[int] = mapped_column(ForeignKey("technician.id"))
    station_id: Mapped[int] = mapped_column(ForeignKey("station.id"))  # the technician's home
    name: Mapped[str] = mapped_column(String(60), default="")  # given when signing in; else the browser is named
    agent: Mapped[str] = mapped_column(String(200), default="")
    client: Mapped[int] = mapped_column(default=1)  # version of its page
    first_seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    last_sync_at: Mapped[datetime | None]  # the last exchange with nothing left waiting
    waiting_commands: Mapped[int | None]  # as the tablet told; a page of version 1 does not tell
    waiting_uploads: Mapped[int | None]
    held_items: Mapped[int | None]  # set aside on the tablet, to be looked at there
    oldest_waiting_at: Mapped[datetime | None]
    persisted: Mapped[bool | None]  # the browser promised to keep what is stored
    usage: Mapped[int | None]  # bytes
    quota: Mapped[int | None]
    offset_ms: Mapped[int | None]  # how far its clock is behind ours
    sign_in_id: Mapped[int | None]  # how it came in last: a signed-in browser, or a token
    token_id: Mapped[int | None]
    __table_args__ = (
        UniqueConstraint("device_id", "user_id"),
        Index("ix_tablet_device_list", "station_id", "id"),
    )
    station: Mapped[Station] = relationship()
    technician: Mapped[Technician] = relationship()

    @property
    def waiting(self) -> int | None:
        """Items that were not sent yet when it was heard last, if it told."""
        if self.waiting_commands is None:
            return None
        return self.waiting_commands + (self.waiting_uploads or 0) + (self.held_items or 0)
