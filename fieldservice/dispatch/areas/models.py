"""A drawn area: where it lies, how slow it is there, from when until when."""

from datetime import datetime
from typing import Any

from sqlalchemy import Float, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from fieldservice.foundation.db import Base, Id
from fieldservice.foundation.places import Point
from fieldservice.foundation.places.slow_areas import SlowArea


class DrawnArea(Base):
    """Whoever drives through it is slowed, of whatever station; only those who plan its station end it."""

    __tablename__ = "slow_area"
    subject_type = "slow_area"
    id: Mapped[Id]
    station_id: Mapped[int] = mapped_column(ForeignKey("station.id"))  # whose dispatcher drew it
    name: Mapped[str] = mapped_column(String(60))
    corners: Mapped[list[Any]]  # [[latitude, longitude], …]
    factor: Mapped[float] = mapped_column(Float)
    starts_at: Mapped[datetime]
    until: Mapped[datetime]
    ended_at: Mapped[datetime | None]  # before its time
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    drawn_at: Mapped[datetime]
    version: Mapped[int] = mapped_column()
    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (Index("ix_slow_area_until", "until"),)

    def ground(self) -> SlowArea:
        """As travel times are reckoned with it. Raises ValueError for what is no area."""
        points = tuple(Point(latitude, longitude) for latitude, longitude in self.corners)
        return SlowArea(points, self.factor, self.until, self.starts_at, self.name)
