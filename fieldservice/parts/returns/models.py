"""Old parts on their way back, and claims against suppliers."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from fieldservice.foundation.db import Base, Id
from fieldservice.mechanisms.lifecycle import Lifecycle, Stateful, table
from fieldservice.parts.catalogue.models import Supplier
from fieldservice.parts.models import Part, StockLocation
from fieldservice.stations.models import Technician

LYING = ("dropped_off", "inspected")  # in the station's place of defective goods
OPEN = ("expected", *LYING, "claimed", "in_repair", "scrapped")
FINDINGS = ("claim", "repair", "scrap", "sound")  # words.yaml old_part_finding
RESULTS = ("credit", "replacement", "refused")  # words.yaml claim_result


class OldPart(Stateful, Base):
    """A piece that came out of a machine, or was bad when it came out of its box, and has to come back."""

    __tablename__ = "old_part"
    subject_type = "old_part"
    lifecycle = Lifecycle(
        "old_part",
        "expected",
        table("""
        expected → dropped_off | not_returned | cancelled
        not_returned → dropped_off
        dropped_off → inspected
        inspected → claimed | in_repair | scrapped | settled
        claimed → settled | inspected
        in_repair → settled | scrapped
        scrapped → settled
        """),
        reason_for=frozenset({"not_returned"}),
    )
    id: Mapped[Id]
    use_id: Mapped[int | None] = mapped_column(ForeignKey("part_use.id"), unique=True)  # None: never fitted, or undone
    part_id: Mapped[int] = mapped_column(ForeignKey("part.id"), index=True)
    quantity: Mapped[Decimal]
    removed_serial: Mapped[str | None] = mapped_column(String(60))
    fitted_serial: Mapped[str | None] = mapped_column(String(60))
    asset_id: Mapped[int | None] = mapped_column(ForeignKey("asset.id"), index=True)
    work_order_id: Mapped[int | None] = mapped_column(ForeignKey("work_order.id"), index=True)
    technician_id: Mapped[int | None] = mapped_column(ForeignKey("technician.id"))
    station_id: Mapped[int] = mapped_column(ForeignKey("station.id"))  # where it has to come to
    reasons: Mapped[list[str]]  # words.yaml old_part_reason: why it is wanted
    opened_at: Mapped[datetime]
    due_at: Mapped[datetime]
    dropped_at: Mapped[datetime | None]
    place_id: Mapped[int | None] = mapped_column(ForeignKey("stock_location.id"))  # where it was dropped off
    finding: Mapped[str | None] = mapped_column(String(12))
    words: Mapped[str] = mapped_column(String(500), default="")  # what whoever looked at it saw
    inspected_at: Mapped[datetime | None]
    supplier_id: Mapped[int | None] = mapped_column(ForeignKey("supplier.id"))  # who is claimed from, or repairs it
    claim_id: Mapped[int | None] = mapped_column(ForeignKey("supplier_claim.id"), index=True)
    claimed: Mapped[int] = mapped_column(BigInteger, default=0)  # minor units
    result: Mapped[str | None] = mapped_column(String(12))
    credited: Mapped[int] = mapped_column(BigInteger, default=0)  # minor units
    cost: Mapped[int] = mapped_column(BigInteger, default=0)  # of its repair, minor units
    settled_at: Mapped[datetime | None]
    part: Mapped[Part] = relationship()
    technician: Mapped[Technician | None] = relationship()
    supplier: Mapped[Supplier | None] = relationship()
    place: Mapped[StockLocation | None] = relationship()
    __table_args__ = (
        Index("ix_old_part_station", "station_id", "state", "due_at", "id"),
        Index("ix_old_part_due", "state", "due_at", "id"),
        Index("ix_old_part_technician", "technician_id", "state"),
        Index("ix_old_part_serial", "removed_serial"),
        CheckConstraint("quantity > 0", name="positive"),
        CheckConstraint("claimed >= 0 AND credited >= 0 AND cost >= 0", name="amounts"),
    )


class SupplierClaim(Stateful, Base):
    """Several old parts claimed from their supplier at once, under one number of ours and one of his."""

    __tablename__ = "supplier_claim"
    subject_type = "supplier_claim"
    lifecycle = Lifecycle(
        "supplier_claim",
        "draft",
        table("""
        draft → sent | cancelled
        sent → accepted | partly_accepted | refused
        accepted | partly_accepted | refused → settled
        """),
    )
    id: Mapped[Id]
    number: Mapped[str] = mapped_column(String(20), unique=True)
    supplier_id: Mapped[int] = mapped_column(ForeignKey("supplier.id"))
    station_id: Mapped[int] = mapped_column(ForeignKey("station.id"))
    their_number: Mapped[str] = mapped_column(String(60), default="")
    carrier: Mapped[str] = mapped_column(String(60), default="")
    tracking: Mapped[str] = mapped_column(String(60), default="")
    credit_note: Mapped[str] = mapped_column(String(60), default="")
    opened_by: Mapped[str] = mapped_column(String(40))
    opened_at: Mapped[datetime]
    answer_due_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
    supplier: Mapped[Supplier] = relationship()
    lines: Mapped[list[OldPart]] = relationship(order_by=OldPart.id, viewonly=True)
    __table_args__ = (
        Index("ix_supplier_claim_station", "station_id", "state", "id"),
        Index("ix_supplier_claim_supplier", "supplier_id"),
        Index("ix_supplier_claim_sent", "sent_at"),
    )
