"""Substitutes, kits, suppliers and their offers."""

from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from fieldservice.foundation.db import Base, Id
from fieldservice.mechanisms.lifecycle import Lifecycle, Stateful, table


class Substitute(Base):
    """Another part that may be taken instead, under a condition. A successor is no substitute: see Part."""

    __tablename__ = "part_substitute"
    subject_type = "part_substitute"
    id: Mapped[Id]
    part_id: Mapped[int] = mapped_column(ForeignKey("part.id"))
    other_id: Mapped[int] = mapped_column(ForeignKey("part.id"), index=True)
    ratio: Mapped[Decimal] = mapped_column(default=Decimal(1))  # units of the other part for one of this
    both_ways: Mapped[bool] = mapped_column(default=False)  # then also this one instead of the other, at 1 ÷ ratio
    conditions: Mapped[dict[str, Any]] = mapped_column(default=dict)  # {zh, en}
    models: Mapped[list[str]] = mapped_column(default=list)  # only in machines of these models; empty: in all
    __table_args__ = (
        UniqueConstraint("part_id", "other_id"),
        CheckConstraint("part_id <> other_id", name="another"),
        CheckConstraint("ratio > 0", name="ratio"),
    )


class Kit(Stateful, Base):
    """Parts that are needed together for a kind of work on some models of machines."""

    __tablename__ = "part_kit"
    subject_type = "part_kit"
    lifecycle = Lifecycle("part_kit", "active", table("active → retired\nretired → active"))
    id: Mapped[Id]
    code: Mapped[str] = mapped_column(String(40), unique=True)
    names: Mapped[dict[str, Any]]  # {zh, en}
    work_type: Mapped[str] = mapped_column(String(40), default="", index=True)  # code of a work type; empty: any
    models: Mapped[list[str]] = mapped_column(default=list)  # of machines; empty: all


class KitLine(Base):
    """So much of a part belongs to a kit."""

    __tablename__ = "part_kit_line"
    subject_type = "part_kit_line"
    id: Mapped[Id]
    kit_id: Mapped[int] = mapped_column(ForeignKey("part_kit.id"))
    part_id: Mapped[int] = mapped_column(ForeignKey("part.id"), index=True)
    quantity: Mapped[Decimal]
    __table_args__ = (UniqueConstraint("kit_id", "part_id"), CheckConstraint("quantity > 0", name="positive"))


class Supplier(Stateful, Base):
    """Who delivers parts to us."""

    __tablename__ = "supplier"
    subject_type = "supplier"
    lifecycle = Lifecycle("supplier", "active", table("active → retired\nretired → active"))
    id: Mapped[Id]
    code: Mapped[str] = mapped_column(String(40), unique=True)
    names: Mapped[dict[str, Any]]  # {zh, en}
    phone: Mapped[str] = mapped_column(String(32), default="")
    email: Mapped[str] = mapped_column(String(120), default="")


class SupplierOffer(Base):
    """What a supplier asks for a part and how fast he delivers, from a day on."""

    __tablename__ = "supplier_offer"
    subject_type = "supplier_offer"
    id: Mapped[Id]
    supplier_id: Mapped[int] = mapped_column(ForeignKey("supplier.id"))
    part_id: Mapped[int] = mapped_column(ForeignKey("part.id"))
    their_number: Mapped[str] = mapped_column(String(60), default="")
    lead_days: Mapped[int]  # calendar days from order to delivery
    on_time_percent: Mapped[int | None]  # share of deliveries on the day told; None: not known yet
    price: Mapped[int]  # minor units for one unit of the part
    currency: Mapped[str] = mapped_column(String(3), default="CNY")
    minimum: Mapped[Decimal] = mapped_column(default=Decimal(1))  # least quantity of an order
    pack: Mapped[Decimal] = mapped_column(default=Decimal(1))  # orders are multiples of it
    valid_from: Mapped[date]
    valid_until: Mapped[date | None]
    __table_args__ = (
        UniqueConstraint("supplier_id", "part_id", "valid_from"),
        Index("ix_supplier_offer_part", "part_id"),
        CheckConstraint("lead_days >= 0 AND price >= 0", name="never_negative"),
        CheckConstraint("on_time_percent BETWEEN 0 AND 100", name="share"),
        CheckConstraint("minimum > 0 AND pack > 0", name="positive"),
    )
