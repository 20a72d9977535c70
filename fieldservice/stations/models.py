"""4S stations and their technicians."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, foreign, mapped_column, relationship

from fieldservice.accounts.models import User
from fieldservice.foundation.db import Base, Id
from fieldservice.mechanisms.lifecycle import Lifecycle, Stateful, table


class Station(Stateful, Base):
    """A regional 4S station: sale, spare part, service, survey."""

    __tablename__ = "station"
    subject_type = "station"
    lifecycle = Lifecycle(
        "station",
        "planned",
        table("""
        planned → open
        open → limited | closed
        limited → open | closed
        """),
    )
    id: Mapped[Id]
    code: Mapped[str] = mapped_column(String(12), unique=True)
    names: Mapped[dict[str, Any]]  # {zh, en}
    phone: Mapped[str] = mapped_column(String(32), default="")
    address: Mapped[str] = mapped_column(String(200), default="")
    division_code: Mapped[str] = mapped_column(String(6))
    latitude: Mapped[float]
    longitude: Mapped[float]
    functions: Mapped[list[str]]  # sale, spare_part, service, survey
    hours: Mapped[dict[str, Any]] = mapped_column(default=dict)  # weekday → "08:30-12:00, 13:00-17:30"; empty: standard

    @property
    def station_id(self) -> int:
        """A station's facts are told at the station itself."""
        return self.id


class Territory(Stateful, Base):
    """What a station serves: divisions, or an area drawn on the map. Active territories never overlap."""

    __tablename__ = "territory"
    subject_type = "territory"
    lifecycle = Lifecycle("territory", "draft", table("draft → active\nactive → retired"))
    id: Mapped[Id]
    station_id: Mapped[int] = mapped_column(ForeignKey("station.id"), index=True)
    code: Mapped[str | None] = mapped_column(String(20), unique=True)
    area: Mapped[list[Any] | None]  # [[latitude, longitude], …] in WGS-84
    drawn: Mapped[bool] = mapped_column(default=False)  # whether it has an area; that goes before divisions
    divisions: Mapped[list["TerritoryDivision"]] = relationship(cascade="all, delete-orphan", lazy="selectin")


class TerritoryDivision(Base):
    """One division (county, prefecture or province) of a territory. The narrowest one wins."""

    __tablename__ = "territory_division"
    id: Mapped[Id]
    territory_id: Mapped[int] = mapped_column(ForeignKey("territory.id", ondelete="CASCADE"))
    code: Mapped[str] = mapped_column(String(6))
    active_code: Mapped[str | None] = mapped_column(String(6), unique=True)  # set while the territory is active
    __table_args__ = (UniqueConstraint("territory_id", "code"),)


class Technician(Stateful, Base):
    """A field engineer with a home station, skills and certificates."""

    __tablename__ = "technician"
    subject_type = "technician"
    lifecycle = Lifecycle(
        "technician",
        "available",
        table("""
        available → on_job | off_duty | leave | suspended
        on_job | off_duty | leave | suspended → available
        """),
    )
    id: Mapped[Id]
    code: Mapped[str | None] = mapped_column(String(40), unique=True)  # the number personnel knows them by
    station_id: Mapped[int] = mapped_column(ForeignKey("station.id"), index=True)
    names: Mapped[dict[str, Any]]  # {zh, en}
    phone: Mapped[str] = mapped_column(String(32), default="")
    latitude: Mapped[float]  # where the day starts and ends
    longitude: Mapped[float]
    skills: Mapped[list["TechnicianSkill"]] = relationship(cascade="all, delete-orphan", lazy="selectin")
    certificates: Mapped[list["Certificate"]] = relationship(cascade="all, delete-orphan", lazy="selectin")
    account: Mapped[User | None] = relationship(
        primaryjoin=lambda: foreign(User.technician_id) == Technician.id, viewonly=True, uselist=False
    )


class TechnicianSkill(Base):
    """A skill (workorders/data/skills.yaml) at a level: 1 helps, 2 works alone, 3 leads."""

    __tablename__ = "technician_skill"
    id: Mapped[Id]
    technician_id: Mapped[int] = mapped_column(ForeignKey("technician.id", ondelete="CASCADE"))
    skill: Mapped[str] = mapped_column(String(32))
    level: Mapped[int]
    __table_args__ = (
        UniqueConstraint("technician_id", "skill"),
        CheckConstraint("level BETWEEN 1 AND 3", name="level"),
    )


class Certificate(Base):
    """A special-operation certificate; it blocks dispatch from the day after `valid_until` (N-15)."""

    __tablename__ = "certificate"
    subject_type = "certificate"
    id: Mapped[Id]
    technician_id: Mapped[int] = mapped_column(ForeignKey("technician.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(32))
    number: Mapped[str] = mapped_column(String(40), default="")
    valid_until: Mapped[date]
    __table_args__ = (UniqueConstraint("technician_id", "kind"),)


class Shift(Stateful, Base):
    """When a technician is on duty, or on call. Only published shifts count."""

    __tablename__ = "shift"
    subject_type = "shift"
    lifecycle = Lifecycle(
        "shift",
        "draft",
        table("""
        draft → published
        published → worked | swapped
        worked → locked
        """),
    )
    id: Mapped[Id]
    technician_id: Mapped[int] = mapped_column(ForeignKey("technician.id", ondelete="CASCADE"))
    station_id: Mapped[int] = mapped_column(ForeignKey("station.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    on_call: Mapped[bool] = mapped_column(default=False)
    __table_args__ = (
        Index("ix_shift_technician", "technician_id", "starts_at"),
        Index("ix_shift_station", "station_id", "starts_at"),
        CheckConstraint("ends_at > starts_at", name="forwards"),
    )
