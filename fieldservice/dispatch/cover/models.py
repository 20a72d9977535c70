"""Swaps: a technician's shift goes to a colleague, by itself or for one of the colleague's."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from fieldservice.foundation.db import Base, Id
from fieldservice.mechanisms.lifecycle import Lifecycle, Stateful, table
from fieldservice.stations.models import Shift, Technician

OPEN = ("asked", "accepted")


class ShiftSwap(Stateful, Base):
    """Asked by the giver, accepted by the receiver, agreed by the manager; or done by the manager at once.

    A shift is offered to one colleague at a time: `offered_shift_id` is set while the swap is open.
    """

    __tablename__ = "shift_swap"
    subject_type = "shift_swap"
    lifecycle = Lifecycle(
        "shift_swap",
        "asked",
        table("""
        asked → accepted | agreed | declined | withdrawn
        accepted → agreed | declined | withdrawn
        """),
    )
    id: Mapped[Id]
    station_id: Mapped[int] = mapped_column(ForeignKey("station.id"))  # of the shift: whose manager agrees
    shift_id: Mapped[int] = mapped_column(ForeignKey("shift.id"))
    return_shift_id: Mapped[int | None] = mapped_column(ForeignKey("shift.id"))  # what the giver takes for it
    giver_id: Mapped[int] = mapped_column(ForeignKey("technician.id"))
    receiver_id: Mapped[int] = mapped_column(ForeignKey("technician.id"))
    offered_shift_id: Mapped[int | None] = mapped_column(unique=True)
    by_manager: Mapped[bool] = mapped_column(default=False)
    words: Mapped[str] = mapped_column(String(300), default="")
    asked_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    shift: Mapped[Shift] = relationship(foreign_keys=[shift_id])
    return_shift: Mapped[Shift | None] = relationship(foreign_keys=[return_shift_id])
    giver: Mapped[Technician] = relationship(foreign_keys=[giver_id])
    receiver: Mapped[Technician] = relationship(foreign_keys=[receiver_id])
    __table_args__ = (
        Index("ix_shift_swap_station", "station_id", "state"),
        Index("ix_shift_swap_giver", "giver_id", "id"),
        Index("ix_shift_swap_receiver", "receiver_id", "id"),
        Index("ix_shift_swap_shift", "shift_id"),
        Index("ix_shift_swap_return", "return_shift_id"),
    )
