"""Parts, where they lie, and the ledger of their moves (docs/decisions/0027)."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from fieldservice.foundation.db import Base, Id
from fieldservice.mechanisms.lifecycle import Lifecycle, Stateful, table

WITHOUT_BATCH = text("batch_id IS NULL")
WHOLE = ("pcs", "set")  # units nobody can halve


class Part(Stateful, Base):
    """A spare part or consumable. Its pictures are stored files about it."""

    __tablename__ = "part"
    subject_type = "part"
    lifecycle = Lifecycle("part", "draft", table("draft → active\nactive → superseded | obsolete"))
    id: Mapped[Id]
    number: Mapped[str] = mapped_column(String(40), unique=True)
    names: Mapped[dict[str, Any]]  # {zh, en}
    unit: Mapped[str] = mapped_column(String(8))
    price: Mapped[int]  # minor units
    currency: Mapped[str] = mapped_column(String(3), default="CNY")
    criticality: Mapped[str] = mapped_column(String(8), default="C")  # A, B, C, safety
    industry: Mapped[str] = mapped_column(String(20), default="general")
    serial_tracked: Mapped[bool] = mapped_column(default=False)  # each piece has a serial number
    batch_tracked: Mapped[bool] = mapped_column(default=False)  # delivered in batches that have a number
    gtin: Mapped[str] = mapped_column(String(14), default="")  # GS1 number on the maker's label, fourteen digits
    wears: Mapped[bool] = mapped_column(default=False)  # a wear part, which no warranty covers
    pack_size: Mapped[int] = mapped_column(default=1)  # units in one pack
    shelf_life_days: Mapped[int | None]  # from making to expiry
    hazard: Mapped[str] = mapped_column(String(20), default="")  # words.yaml hazard_class; empty: none
    lead_days: Mapped[int | None]  # from order to delivery where no supplier's offer says
    certificate_needed: Mapped[bool] = mapped_column(default=False)  # without one, goods go to quarantine (O-04)
    notes: Mapped[dict[str, Any]] = mapped_column(default=dict)  # {zh, en}
    superseded_by_id: Mapped[int | None] = mapped_column(ForeignKey("part.id"), index=True)
    __table_args__ = (
        Index("ix_part_gtin", "gtin"),
        CheckConstraint("pack_size > 0", name="pack_size"),
        CheckConstraint("superseded_by_id <> id", name="not_itself"),
    )


class StockLocation(Stateful, Base):
    """A place where parts lie."""

    __tablename__ = "stock_location"
    subject_type = "stock_location"
    lifecycle = Lifecycle(
        "stock_location",
        "active",
        table("""
        active → counting | closed
        counting → active | closed
        """),
    )
    id: Mapped[Id]
    code: Mapped[str | None] = mapped_column(String(40), unique=True)  # on its label; given when it is opened
    kind: Mapped[str] = mapped_column(String(12))  # words.yaml place_kind
    station_id: Mapped[int] = mapped_column(ForeignKey("station.id"))  # whose stock it is
    technician_id: Mapped[int | None] = mapped_column(ForeignKey("technician.id"), unique=True)  # of a van
    site_id: Mapped[int | None] = mapped_column(ForeignKey("site.id"), index=True)  # of a customer's stock
    names: Mapped[dict[str, Any]]
    __table_args__ = (Index("ix_stock_location_station", "station_id", "kind"),)


class StockBatch(Base):
    """A batch of a part as its maker numbered it, with expiry and certificate."""

    __tablename__ = "stock_batch"
    subject_type = "stock_batch"
    id: Mapped[Id]
    part_id: Mapped[int] = mapped_column(ForeignKey("part.id"))
    number: Mapped[str] = mapped_column(String(60))
    expires_on: Mapped[date | None]  # the last day on which it may be used
    certificate: Mapped[str] = mapped_column(String(80), default="")  # its number; a file may be stored about the batch
    first_seen_at: Mapped[datetime]
    __table_args__ = (UniqueConstraint("part_id", "number"),)


class SerialUnit(Stateful, Base):
    """One piece with a serial number, from receipt to scrap. Where it is follows from its last move."""

    __tablename__ = "serial_unit"
    subject_type = "serial_unit"
    lifecycle = Lifecycle(
        "serial_unit",
        "in_stock",
        table("""
        in_stock → fitted | sent_back | scrapped | missing
        fitted → in_stock | scrapped
        sent_back | missing → in_stock
        """),
    )
    id: Mapped[Id]
    part_id: Mapped[int] = mapped_column(ForeignKey("part.id"))
    serial: Mapped[str] = mapped_column(String(60))
    batch_id: Mapped[int | None] = mapped_column(ForeignKey("stock_batch.id"))
    location_id: Mapped[int | None] = mapped_column(ForeignKey("stock_location.id"))  # None: not in our stock
    condition: Mapped[str] = mapped_column(String(12), default="good")
    asset_id: Mapped[int | None] = mapped_column(ForeignKey("asset.id"))  # the machine it is fitted in
    __table_args__ = (
        UniqueConstraint("part_id", "serial"),
        Index("ix_serial_unit_place", "location_id", "part_id"),
        Index("ix_serial_unit_asset", "asset_id"),
    )


class StockBalance(Base):
    """What lies where, of each batch. Changed by posted moves alone; equals their replay.

    `set_aside` is part of `on_hand` and lies picked in trays. What is promised, on its way or on order is reckoned from
    reservations, transfers and supply orders (`availability/reading.py`), so that it cannot differ from them.
    """

    __tablename__ = "stock_balance"
    id: Mapped[Id]
    part_id: Mapped[int] = mapped_column(ForeignKey("part.id"))
    location_id: Mapped[int] = mapped_column(ForeignKey("stock_location.id"))
    condition: Mapped[str] = mapped_column(String(12), default="good")  # good, defective
    batch_id: Mapped[int | None] = mapped_column(ForeignKey("stock_batch.id"))
    on_hand: Mapped[Decimal]
    set_aside: Mapped[Decimal] = mapped_column(default=Decimal(0))
    __table_args__ = (
        Index(
            "uq_stock_balance_place", "location_id", "part_id", "condition", unique=True,
            postgresql_where=WITHOUT_BATCH, sqlite_where=WITHOUT_BATCH,
        ),
        Index("uq_stock_balance_batch", "location_id", "part_id", "condition", "batch_id", unique=True),
        Index("ix_stock_balance_part", "part_id"),
        CheckConstraint("on_hand >= 0", name="never_negative"),
        CheckConstraint("set_aside >= 0 AND set_aside <= on_hand", name="set_aside"),
    )  # fmt: skip


class StockMove(Base):
    """A posted move; the database refuses to change it, another reverses it. An empty side is outside our stock."""

    __tablename__ = "stock_move"
    subject_type = "stock_move"
    id: Mapped[Id]
    part_id: Mapped[int] = mapped_column(ForeignKey("part.id"))
    from_id: Mapped[int | None] = mapped_column(ForeignKey("stock_location.id"))
    to_id: Mapped[int | None] = mapped_column(ForeignKey("stock_location.id"))
    quantity: Mapped[Decimal]
    condition: Mapped[str] = mapped_column(String(12), default="good")  # in which it left
    becomes: Mapped[str | None] = mapped_column(String(12))  # in which it arrived, where that differs
    cause: Mapped[str] = mapped_column(String(20))  # words.yaml move_cause
    for_type: Mapped[str | None] = mapped_column(String(40))  # what it was for: visit, goods_receipt, …
    for_id: Mapped[int | None]
    station_id: Mapped[int] = mapped_column(ForeignKey("station.id"))
    serial: Mapped[str | None] = mapped_column(String(60))  # as somebody read it, where it is one piece
    actor: Mapped[str] = mapped_column(String(40))
    at: Mapped[datetime]
    reverses_id: Mapped[int | None] = mapped_column(ForeignKey("stock_move.id"), unique=True)
    __table_args__ = (
        Index("ix_stock_move_part", "part_id", "id"),
        Index("ix_stock_move_subject", "for_type", "for_id"),
        CheckConstraint("quantity > 0", name="positive"),
        CheckConstraint("from_id IS NOT NULL OR to_id IS NOT NULL", name="somewhere"),
    )


class StockMovePiece(Base):
    """Which batch or which piece a move carried, and how much of it. What no line names has neither."""

    __tablename__ = "stock_move_piece"
    id: Mapped[Id]
    move_id: Mapped[int] = mapped_column(ForeignKey("stock_move.id"), index=True)
    batch_id: Mapped[int | None] = mapped_column(ForeignKey("stock_batch.id"), index=True)
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("serial_unit.id"), index=True)
    quantity: Mapped[Decimal]
    __table_args__ = (
        UniqueConstraint("move_id", "unit_id"),
        CheckConstraint("quantity > 0", name="positive"),
        CheckConstraint("batch_id IS NOT NULL OR unit_id IS NOT NULL", name="named"),
    )
