"""A technician lent to another station for a while: the record, and what it makes of a roster.

Nothing is copied: shifts stay as they were published, at home. Whoever reads duties reads the lendings over them, so
that one that is agreed, or ended early, holds from that moment on for bookings, suggestions, plans and boards alike.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, Select, String, select
from sqlalchemy.orm import Mapped, mapped_column, relationship

from fieldservice.foundation.access import Person
from fieldservice.foundation.db import Base, Id, among, session
from fieldservice.foundation.places import Point
from fieldservice.mechanisms.lifecycle import Lifecycle, Stateful, table
from fieldservice.stations.models import Station, Technician

HOLDS = ("agreed", "ended")  # what was agreed to holds until it ended; nothing else makes anybody lent
Spans = Sequence[tuple[datetime, datetime]]


class Lending(Stateful, Base):
    """Asked for by the station that borrows, agreed to by the one that lends. Those agreed to never overlap (0016)."""

    __tablename__ = "lending"
    subject_type = "lending"
    lifecycle = Lifecycle(
        "lending",
        "asked",
        table("""
        asked → agreed | refused | withdrawn | expired
        agreed → ended | withdrawn
        """),
        reason_for=frozenset({"refused"}),
    )
    id: Mapped[Id]
    station_id: Mapped[int] = mapped_column(ForeignKey("station.id"))  # the technician's home, which lends
    to_station_id: Mapped[int] = mapped_column(ForeignKey("station.id"))  # which borrows
    technician_id: Mapped[int | None] = mapped_column(ForeignKey("technician.id"))  # None: whoever has the skills
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]  # when it ended, where that was early
    skills: Mapped[dict[str, Any]]  # {skill: least level} asked for
    words: Mapped[str] = mapped_column(String(300), default="")  # why
    lodges: Mapped[bool] = mapped_column(default=False)  # sleeps near the borrowing station, and sets off there
    hour_rate: Mapped[int] = mapped_column(default=0)  # minor units, as agreed
    km_rate: Mapped[int] = mapped_column(default=0)
    night_rate: Mapped[int] = mapped_column(default=0)
    planned_cost: Mapped[int | None]  # minor units; when it was agreed to
    actual_cost: Mapped[int | None]  # once it is over
    asked_by: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    asked_at: Mapped[datetime]
    agreed_by: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    agreed_at: Mapped[datetime | None]
    __table_args__ = (
        Index("ix_lending_home", "station_id", "state", "id"),
        Index("ix_lending_borrower", "to_station_id", "state", "id"),
        Index("ix_lending_technician", "technician_id", "ends_at"),
        Index("ix_lending_state", "state", "ends_at"),
        CheckConstraint("ends_at > starts_at", name="forwards"),
        CheckConstraint("station_id <> to_station_id", name="elsewhere"),
        CheckConstraint("state NOT IN ('agreed', 'ended') OR technician_id IS NOT NULL", name="somebody"),
    )
    station: Mapped[Station] = relationship(foreign_keys=[station_id])
    to_station: Mapped[Station] = relationship(foreign_keys=[to_station_id])
    technician: Mapped[Technician | None] = relationship()

    @classmethod
    def assigned_to(cls, somebody: Person) -> Any:
        """Those of the stations that borrow are theirs as well."""
        stations = somebody.stations("dispatcher", "station_manager", "director")
        return cls.to_station_id.in_(sorted(stations or ()))


@dataclass(frozen=True)
class Lent:
    """[starts_at, ends_at) in which somebody belongs to another station, as planning sees it: plain values."""

    station_id: int
    starts_at: datetime
    ends_at: datetime
    names: Mapping[str, str] = field(default_factory=dict)  # of the station
    lodging: Point | None = None  # where a day begins and ends meanwhile; None: at home
    hour_rate: int = 0  # minor units
    lending_id: int = 0

    def touches(self, starts_at: datetime, ends_at: datetime) -> bool:
        return starts_at < self.ends_at and ends_at > self.starts_at


def lent_of(technician_ids: Collection[int], start: datetime, end: datetime) -> dict[int, list[Lent]]:
    """technician → lendings that touch [start, end), by start; one query."""
    grouped: dict[int, list[Lent]] = {}
    if not technician_ids:
        return grouped
    rows = session.execute(
        select(
            Lending.id, Lending.technician_id, Lending.to_station_id, Lending.starts_at, Lending.ends_at,
            Lending.lodges, Lending.hour_rate, Station.names, Station.latitude, Station.longitude,
        )
        .join(Station, Station.id == Lending.to_station_id)
        .where(among(Lending.technician_id, technician_ids), Lending.state.in_(HOLDS))
        .where(Lending.starts_at < end, Lending.ends_at > start)
        .order_by(Lending.starts_at)
    )  # fmt: skip
    for row in rows:
        lodging = Point(row.latitude, row.longitude) if row.lodges else None
        lent = Lent(row.to_station_id, row.starts_at, row.ends_at, row.names, lodging, row.hour_rate, row.id)
        grouped.setdefault(row.technician_id, []).append(lent)
    return grouped


def borrowed_by(station_ids: Collection[int], start: datetime, end: datetime) -> Select[Any]:
    """Technicians of other stations who are lent to these at some time of [start, end)."""
    rows = select(Lending.technician_id).where(Lending.state.in_(HOLDS))
    rows = rows.where(Lending.starts_at < end, Lending.ends_at > start)
    return rows.where(Lending.to_station_id.in_(station_ids), Lending.station_id.not_in(station_ids))


# Pure ---------------------------------------------------------------------------------------------


def stretches(
    starts_at: datetime, ends_at: datetime, lents: Sequence[Lent]
) -> list[tuple[datetime, datetime, Lent | None]]:
    """[starts_at, ends_at) cut at the edges of lendings (by start, never overlapping), each piece with its lending."""
    found: list[tuple[datetime, datetime, Lent | None]] = []
    begins = starts_at
    for lent in lents:
        if not lent.touches(begins, ends_at):
            continue
        if lent.starts_at > begins:
            found.append((begins, lent.starts_at, None))
        begins, until = max(begins, lent.starts_at), min(ends_at, lent.ends_at)
        found.append((begins, until, lent))
        begins = until
    if begins < ends_at:
        found.append((begins, ends_at, None))
    return found


def spans_for(station_id: int, spans: Spans, lents: Sequence[Lent]) -> Spans:
    """What is left of these spans for work of a station: what is lent to it, and what is lent to nobody."""
    if not lents:
        return spans
    return [
        (starts_at, ends_at)
        for span in spans
        for starts_at, ends_at, lent in stretches(*span, lents)
        if lent is None or lent.station_id == station_id
    ]
