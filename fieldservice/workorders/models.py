"""Work orders, visits, bookings, and what is recorded at the machine."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    and_,
    false,
    literal_column,
    or_,
    select,
    text,
    true,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from fieldservice.assets.models import Asset
from fieldservice.customers.models import Customer, Site
from fieldservice.foundation.access import READS_ALL_WORK, Person
from fieldservice.foundation.db import Base, Id, touching
from fieldservice.foundation.words import pick
from fieldservice.intake.models import ServiceRequest
from fieldservice.mechanisms.lifecycle import Lifecycle, Stateful, table
from fieldservice.stations.models import Station, Technician


class WorkOrder(Stateful, Base):
    """Work to do on a machine. From *ready* to *completed* the state is derived (derivation.py), never typed."""

    __tablename__ = "work_order"
    subject_type = "work_order"
    lifecycle = Lifecycle(
        "work_order",
        "draft",
        table("""
        draft → ready | cancelled
        ready → on_hold | scheduled | dispatched | in_progress | cancelled | cannot_complete
        on_hold → ready | in_progress | cancelled | cannot_complete
        scheduled → dispatched | in_progress | ready | cancelled
        dispatched → in_progress | scheduled | ready | cancelled
        in_progress → on_hold | completed | ready | scheduled | dispatched | cannot_complete
        completed → closed | ready
        cannot_complete → closed | ready
        """),
        reason_for=frozenset({"on_hold", "cancelled", "cannot_complete"}),
    )
    id: Mapped[Id]
    number: Mapped[str] = mapped_column(String(20), unique=True)
    station_id: Mapped[int] = mapped_column(ForeignKey("station.id"))
    request_id: Mapped[int | None] = mapped_column(ForeignKey("service_request.id"), index=True)
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customer.id"), index=True)
    site_id: Mapped[int | None] = mapped_column(ForeignKey("site.id"))
    asset_id: Mapped[int | None] = mapped_column(ForeignKey("asset.id"))
    titles: Mapped[dict[str, Any]]  # {zh, en}: machine and work
    work_type: Mapped[str] = mapped_column(String(40))  # template code, workorders/data/work_types
    work_type_version: Mapped[int]
    kind: Mapped[str] = mapped_column(String(24))  # EN 13306, words.yaml work_kind
    priority: Mapped[str] = mapped_column(String(2))
    priority_reason: Mapped[str] = mapped_column(String(300), default="")
    duration_min: Mapped[int]
    skills: Mapped[dict[str, Any]]  # {skill: least level}
    certificates: Mapped[list[str]]
    latitude: Mapped[float | None]  # of the site, or of the report
    longitude: Mapped[float | None]
    precision: Mapped[str] = mapped_column(String(12), default="none")
    coverage: Mapped[str] = mapped_column(String(12), default="billable")  # warranty, billable
    pattern: Mapped[str | None] = mapped_column(String(60))  # the fault pattern that filled the codes
    failure_mode: Mapped[str | None] = mapped_column(String(24))
    failure_mechanism: Mapped[str | None] = mapped_column(String(24))
    failure_cause: Mapped[str | None] = mapped_column(String(32))
    detection: Mapped[str | None] = mapped_column(String(32))
    activity: Mapped[str | None] = mapped_column(String(16))
    unknown_reason: Mapped[str | None] = mapped_column(String(300))  # why codes are UNK (N-11)
    summary: Mapped[str] = mapped_column(Text, default="")  # for the customer, plain (S-13)
    technical_note: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime]
    restored_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column()
    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        Index("ix_work_order_list", "station_id", "state", "id"),
        Index("ix_work_order_state", "state", "id"),
        Index("ix_work_order_asset", "asset_id", "failure_mode", "completed_at"),
        CheckConstraint("duration_min BETWEEN 5 AND 1440", name="duration"),
    )
    station: Mapped[Station] = relationship()
    request: Mapped[ServiceRequest | None] = relationship()
    customer: Mapped[Customer | None] = relationship()
    site: Mapped[Site | None] = relationship()
    asset: Mapped[Asset | None] = relationship()
    visits: Mapped[list["Visit"]] = relationship(back_populates="work_order", order_by="Visit.starts_at, Visit.id")
    items: Mapped[list["WorkItem"]] = relationship(back_populates="work_order", order_by="WorkItem.id")

    @classmethod
    def assigned_to(cls, somebody: Person) -> ColumnElement[bool]:
        """Orders with a visit of this technician, or of a technician lent by one of the person's stations."""
        return cls.id.in_(select(Visit.work_order_id).where(Visit.assigned_to(somebody)))

    @property
    def title(self) -> str:
        """Machine and work in the reader's language."""
        return pick(self.titles)


# Tablets name these rows by number (`use-7`, `item-7`) hours after they were taken back: nothing else may have it then.
NEVER_TWICE = {"sqlite_autoincrement": True}


class WorkItem(Base):
    """Something the order needs: a planned part, or what an earlier visit left open."""

    __tablename__ = "work_item"
    id: Mapped[Id]
    work_order_id: Mapped[int] = mapped_column(ForeignKey("work_order.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(12))  # part, follow_up
    part_id: Mapped[int | None] = mapped_column(ForeignKey("part.id"))
    quantity: Mapped[Decimal | None]
    words: Mapped[str] = mapped_column(String(300), default="")
    required: Mapped[bool] = mapped_column(default=False)  # the order cannot complete while it is open
    opened_visit_id: Mapped[int | None] = mapped_column(ForeignKey("visit.id"))
    done_visit_id: Mapped[int | None] = mapped_column(ForeignKey("visit.id"))
    opened_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    command_id: Mapped[str | None] = mapped_column(String(40))  # of the tablet that asked for it
    work_order: Mapped[WorkOrder] = relationship(back_populates="items")
    __table_args__ = NEVER_TWICE


class Visit(Stateful, Base):
    """One appointment. It belongs to the order's station; the technician's time is a booking at home."""

    __tablename__ = "visit"
    subject_type = "visit"
    lifecycle = Lifecycle(
        "visit",
        "scheduled",
        table("""
        proposed → scheduled | cancelled
        scheduled → dispatched | missed | cancelled
        dispatched → accepted | declined | scheduled | missed | cancelled
        accepted → en_route | scheduled | missed | cancelled
        declined → scheduled | cancelled
        en_route → on_site | missed | cancelled
        on_site → in_progress | cannot_complete
        in_progress → paused | completed | partially_completed | cannot_complete
        paused → in_progress | completed | partially_completed | cannot_complete
        """),
        reason_for=frozenset({"declined", "missed", "cancelled", "cannot_complete", "paused"}),
    )
    id: Mapped[Id]
    work_order_id: Mapped[int] = mapped_column(ForeignKey("work_order.id"), index=True)
    station_id: Mapped[int] = mapped_column(ForeignKey("station.id"))
    technician_id: Mapped[int] = mapped_column(ForeignKey("technician.id"))
    home_station_id: Mapped[int] = mapped_column(ForeignKey("station.id"))  # of the technician, who may be lent
    starts_at: Mapped[datetime]  # scheduled
    ends_at: Mapped[datetime]
    window_starts_at: Mapped[datetime]  # told to the customer
    window_ends_at: Mapped[datetime]
    travel_min: Mapped[int] = mapped_column(default=0)  # from the stop before
    confirmed_at: Mapped[datetime | None]  # by the customer
    dispatched_at: Mapped[datetime | None]
    accepted_at: Mapped[datetime | None]
    en_route_at: Mapped[datetime | None]
    eta_at: Mapped[datetime | None]
    on_site_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    paused_at: Mapped[datetime | None]
    paused_min: Mapped[int] = mapped_column(default=0)
    finished_at: Mapped[datetime | None]
    restored: Mapped[bool | None]  # said when finishing
    end_reason: Mapped[str | None] = mapped_column(String(24))  # no_access, wrong_part, needs_quote, unsafe, other
    version: Mapped[int] = mapped_column()
    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        Index("ix_visit_technician", "technician_id", "starts_at"),
        Index("ix_visit_station", "station_id", "starts_at"),
        Index("ix_visit_home", "home_station_id", "starts_at"),
        CheckConstraint("ends_at > starts_at", name="forwards"),
    )
    work_order: Mapped[WorkOrder] = relationship(back_populates="visits")
    technician: Mapped[Technician] = relationship()

    @classmethod
    def assigned_to(cls, somebody: Person) -> ColumnElement[bool]:
        """The technician's own visits, and those of technicians lent by the person's stations."""
        stations = somebody.stations(*READS_ALL_WORK)
        lent = true() if stations is None else cls.home_station_id.in_(sorted(stations)) if stations else false()
        own = cls.technician_id == somebody.technician_id if somebody.technician_id is not None else false()
        return or_(own, lent)


AWAY = ("sick", "leave", "training", "travel")  # causes of a technician's absence
ABSENCES = text("cause <> 'visit'")  # and the few times that are offered: as the index says
OFFERS = text("work_order_id IS NOT NULL")


class Booking(Stateful, Base):
    """A technician's time, held. Held bookings of a technician never overlap, on either database (0002)."""

    __tablename__ = "booking"
    subject_type = "booking"
    lifecycle = Lifecycle("booking", "held", table("held → released"))
    id: Mapped[Id]
    technician_id: Mapped[int] = mapped_column(ForeignKey("technician.id"))
    station_id: Mapped[int] = mapped_column(ForeignKey("station.id"))  # the technician's home
    visit_id: Mapped[int | None] = mapped_column(ForeignKey("visit.id"), index=True)
    cause: Mapped[str] = mapped_column(String(12))  # visit; leave, sick, training, travel; offer
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    # an offer only: the order whose customer may choose this time, until when, and what would be told
    work_order_id: Mapped[int | None] = mapped_column(BigInteger)  # orders are never deleted
    expires_at: Mapped[datetime | None]
    terms: Mapped[dict[str, Any] | None]

    @classmethod
    def counts(cls, at: datetime) -> ColumnElement[bool]:
        """Held, and if offered to somebody, not for too long."""
        return and_(cls.state == "held", or_(cls.expires_at.is_(None), cls.expires_at > at))

    @classmethod
    def away(cls) -> ColumnElement[bool]:
        """The technician is away: neither a visit nor time offered for one."""
        return and_(cls.cause != literal_column("'visit'"), cls.cause.in_(AWAY))

    @classmethod
    def touching(cls, start: datetime, end: datetime) -> ColumnElement[bool]:
        """Time held in [start, end). Leave may last for weeks, visits do not: years of them stay unread."""
        visit, absence = (
            and_(cls.cause == "visit", *touching(cls, start, end)),
            cls.cause != literal_column("'visit'"),
        )  # as the index says
        return or_(visit, and_(absence, cls.starts_at < end, cls.ends_at > start))

    __table_args__ = (
        Index("ix_booking_technician", "technician_id", "state", "starts_at"),
        Index("ix_booking_absence", "technician_id", "ends_at", postgresql_where=ABSENCES, sqlite_where=ABSENCES),
        Index("ix_booking_offer", "work_order_id", postgresql_where=OFFERS, sqlite_where=OFFERS),
        CheckConstraint("ends_at > starts_at", name="forwards"),
    )


class Answer(Base):
    """An answered checklist field."""

    __tablename__ = "answer"
    id: Mapped[Id]
    visit_id: Mapped[int] = mapped_column(ForeignKey("visit.id"))
    work_order_id: Mapped[int] = mapped_column(ForeignKey("work_order.id"), index=True)
    field: Mapped[str] = mapped_column(String(60))
    content: Mapped[dict[str, Any]]  # {value, unit?}
    out_of_tolerance: Mapped[bool] = mapped_column(default=False)
    note: Mapped[str] = mapped_column(String(500), default="")
    at: Mapped[datetime]
    __table_args__ = (UniqueConstraint("visit_id", "field"),)


class PartUse(Base):
    """A part fitted at a visit, with the stock move that took it."""

    __tablename__ = "part_use"
    id: Mapped[Id]
    visit_id: Mapped[int] = mapped_column(ForeignKey("visit.id"), index=True)
    work_order_id: Mapped[int] = mapped_column(ForeignKey("work_order.id"), index=True)
    part_id: Mapped[int] = mapped_column(ForeignKey("part.id"))
    quantity: Mapped[Decimal]
    move_id: Mapped[int] = mapped_column(ForeignKey("stock_move.id"))
    serial: Mapped[str | None] = mapped_column(String(60))
    removed_serial: Mapped[str | None] = mapped_column(String(60))  # of the piece that came out
    batch: Mapped[str | None] = mapped_column(String(60))
    command_id: Mapped[str | None] = mapped_column(String(40))  # of the tablet that fitted it
    wants_old: Mapped[bool] = mapped_column(default=False)  # the piece that came out has to come back
    at: Mapped[datetime]
    __table_args__ = NEVER_TWICE


class LineChoice(Base):
    """Who pays for one line of an order, where the technician decided otherwise than the rules (coverage.py)."""

    __tablename__ = "line_choice"
    id: Mapped[Id]
    work_order_id: Mapped[int] = mapped_column(ForeignKey("work_order.id"))
    visit_id: Mapped[int] = mapped_column(ForeignKey("visit.id"))
    line: Mapped[str] = mapped_column(String(60))  # use-<id>, labour-<visit>, travel-<visit>
    coverage: Mapped[str] = mapped_column(String(12))  # words.yaml coverage
    reason: Mapped[str] = mapped_column(String(300))  # for the customer to read
    at: Mapped[datetime]
    __table_args__ = (UniqueConstraint("work_order_id", "line"),)


class ExtraWork(Base):
    """Work beyond the order, with its price, as the customer decided about it on the screen (I-19)."""

    __tablename__ = "extra_work"
    id: Mapped[Id]
    extra_id: Mapped[str] = mapped_column(String(40))  # the tablet's name for it
    work_order_id: Mapped[int] = mapped_column(ForeignKey("work_order.id"))
    visit_id: Mapped[int] = mapped_column(ForeignKey("visit.id"))
    words: Mapped[str] = mapped_column(String(300))
    lines: Mapped[list[Any]]  # {words, part: number or null, quantity: text, price: minor units for one}
    total: Mapped[int] = mapped_column(BigInteger)  # minor units
    decision: Mapped[str] = mapped_column(String(12))  # approved, declined
    at: Mapped[datetime]
    __table_args__ = (UniqueConstraint("work_order_id", "extra_id"),)


UNSEEN = text("review IS NULL AND status <> 'accepted'")  # rejected or flagged, and nobody looked at it yet
SEEN = text("review IS NOT NULL")


class TabletCommand(Base):
    """A command of a tablet with its stored result: a replay gets the same answer, once applied.

    `review` is what somebody in the office decided about one that was rejected or flagged; the result stays.
    """

    __tablename__ = "tablet_command"
    subject_type = "tablet_command"
    id: Mapped[Id]
    command_id: Mapped[str] = mapped_column(String(40), unique=True)
    device_id: Mapped[str] = mapped_column(String(64))
    seq: Mapped[int]
    user_id: Mapped[int]
    station_id: Mapped[int | None]
    visit_id: Mapped[int | None]
    kind: Mapped[str] = mapped_column(String(16))
    payload: Mapped[dict[str, Any]]
    at: Mapped[datetime]  # the tablet's time, corrected by the offset it measured
    device_at: Mapped[datetime | None]  # as its clock showed it
    offset_ms: Mapped[int | None]  # what was added to it
    counted_at: Mapped[datetime | None]  # the time it was taken for, once it was applied
    client: Mapped[int] = mapped_column(default=1)  # version of the page that sent it
    received_at: Mapped[datetime]
    status: Mapped[str] = mapped_column(String(20))  # accepted, accepted_with_flag, rejected
    detail: Mapped[dict[str, Any]]
    review: Mapped[str | None] = mapped_column(String(12))  # applied, dismissed, noted
    reviewed_by: Mapped[int | None]
    reviewed_at: Mapped[datetime | None]
    review_reason: Mapped[str] = mapped_column(String(300), default="")
    __table_args__ = (
        Index("ix_tablet_command_device", "device_id", "seq"),
        Index("ix_tablet_command_status", "status", "id"),
        Index("ix_tablet_command_unseen", "station_id", "id", postgresql_where=UNSEEN, sqlite_where=UNSEEN),
        Index("ix_tablet_command_seen", "station_id", "id", postgresql_where=SEEN, sqlite_where=SEEN),
    )


class TabletUpload(Base):
    """A picture sent by a tablet in parts. What it is for and its bytes may arrive in either order."""

    __tablename__ = "tablet_upload"
    id: Mapped[Id]
    user_id: Mapped[int]
    upload_id: Mapped[str] = mapped_column(String(64))  # the tablet's name for it
    visit_id: Mapped[int | None] = mapped_column(ForeignKey("visit.id"), index=True)  # once a command said so
    kind: Mapped[str] = mapped_column(String(12), default="photo")  # photo, signature
    field: Mapped[str | None] = mapped_column(String(60))  # the checklist field it answers
    moment: Mapped[str | None] = mapped_column(String(8))  # before or after the work, where it matters
    taken_at: Mapped[datetime | None]
    received: Mapped[dict[str, Any]]  # what mechanisms.files took in; empty until the bytes are here
    file_id: Mapped[int | None] = mapped_column(ForeignKey("stored_file.id"))  # once both are known
    refusal: Mapped[str | None] = mapped_column(String(24))  # why its bytes cannot be used
    at: Mapped[datetime]
    __table_args__ = (UniqueConstraint("user_id", "upload_id"),)


class HintModel(Base):
    """What closed work taught, by version: the newest one is used (hint_learning.py)."""

    __tablename__ = "hint_model"
    id: Mapped[Id]
    trained_at: Mapped[datetime]
    jobs: Mapped[int] = mapped_column(Integer)
    facts: Mapped[dict[str, Any]]  # digest, number of texts and work types
    content: Mapped[bytes] = mapped_column(LargeBinary)
