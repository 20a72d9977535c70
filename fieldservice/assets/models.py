"""Installed machines, and the brands they carry."""

from datetime import date
from typing import Any

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from fieldservice.foundation.db import Base, Id
from fieldservice.mechanisms.lifecycle import Lifecycle, Stateful, table


class Asset(Stateful, Base):
    """A machine at a customer's site; its QR code leads to `/a/<token>`."""

    __tablename__ = "asset"
    subject_type = "asset"
    lifecycle = Lifecycle(
        "asset",
        "planned",
        table("""
        planned → installed
        installed → in_service | retired
        in_service → down | retired
        down → in_service | retired
        """),
    )
    id: Mapped[Id]
    serial: Mapped[str] = mapped_column(String(40))
    serial_key: Mapped[str] = mapped_column(String(40), unique=True)  # upper case, letters and digits only
    names: Mapped[dict[str, Any]]  # {zh, en}: '3# 线加工中心'
    model: Mapped[str] = mapped_column(String(80))
    brand: Mapped[str] = mapped_column(String(80), default="")
    industry: Mapped[str] = mapped_column(String(20), default="general")
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), index=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"), index=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("asset.id"))
    installed_on: Mapped[date | None]
    warranty_until: Mapped[date | None]
    loss_per_hour: Mapped[int | None]  # minor units of CNY while the machine stands still
    __table_args__ = (
        Index(
            "ix_asset_parent",
            "parent_id",
            sqlite_where=text("parent_id IS NOT NULL"),
            postgresql_where=text("parent_id IS NOT NULL"),
        ),
    )


class Brand(Base):
    """A brand that machines carry, ours or another maker's; machines name it in any of its spellings."""

    __tablename__ = "brand"
    subject_type = "brand"
    id: Mapped[Id]
    name: Mapped[str] = mapped_column(String(80), unique=True)
    also: Mapped[str] = mapped_column(String(200), default="")  # other spellings, between semicolons
    own: Mapped[bool] = mapped_column(default=False)
