"""Reservations of parts, transfers between places, orders to suppliers."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
QUANTITY = sa.Numeric(14, 3).with_variant(sa.BigInteger(), "sqlite")
MOMENT = sa.DateTime(timezone=True)
OPEN = sa.text("state IN ('requested', 'reserved', 'picked')")
TABLES = ("transfer_line", "supply_order_line", "transfer", "supply_order", "reservation")


def upgrade() -> None:
    _reservations()
    _supply_orders()
    _transfers()


def _reservations() -> None:
    op.create_table(
        "reservation",
        sa.Column("id", BIG, nullable=False),
        sa.Column("part_id", BIG, nullable=False),
        sa.Column("location_id", BIG, nullable=False),
        sa.Column("quantity", QUANTITY, nullable=False),
        sa.Column("need_at", MOMENT, nullable=False),
        sa.Column("for_type", sa.String(40), nullable=False),
        sa.Column("for_id", BIG, nullable=False),
        sa.Column("priority", sa.String(4), nullable=False),
        sa.Column("station_id", BIG, nullable=False),
        sa.Column("asked_by", sa.String(40), nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=True),
        sa.Column("lots", JSON, nullable=False),
        sa.Column("taken_for_id", BIG, nullable=True),
        sa.Column("state", sa.String(24), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_reservation_positive")),
        sa.ForeignKeyConstraint(["location_id"], ["stock_location.id"], name=op.f("fk_reservation_location_id")),
        sa.ForeignKeyConstraint(["part_id"], ["part.id"], name=op.f("fk_reservation_part_id")),
        sa.ForeignKeyConstraint(["station_id"], ["station.id"], name=op.f("fk_reservation_station_id")),
        sa.ForeignKeyConstraint(["taken_for_id"], ["reservation.id"], name=op.f("fk_reservation_taken_for_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reservation")),
    )
    op.create_index("ix_reservation_expiry", "reservation", ["expires_at"], postgresql_where=OPEN, sqlite_where=OPEN)
    op.create_index(
        "ix_reservation_open", "reservation", ["part_id", "location_id"], postgresql_where=OPEN, sqlite_where=OPEN
    )
    op.create_index("ix_reservation_subject", "reservation", ["for_type", "for_id"])


def _supply_orders() -> None:
    op.create_table(
        "supply_order",
        sa.Column("id", BIG, nullable=False),
        sa.Column("number", sa.String(20), nullable=False),
        sa.Column("supplier_id", BIG, nullable=False),
        sa.Column("location_id", BIG, nullable=False),
        sa.Column("station_id", BIG, nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("asked_by", sa.String(40), nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("approved_by", sa.String(40), nullable=True),
        sa.Column("sent_at", MOMENT, nullable=True),
        sa.Column("state", sa.String(24), nullable=False),
        sa.ForeignKeyConstraint(["location_id"], ["stock_location.id"], name=op.f("fk_supply_order_location_id")),
        sa.ForeignKeyConstraint(["station_id"], ["station.id"], name=op.f("fk_supply_order_station_id")),
        sa.ForeignKeyConstraint(["supplier_id"], ["supplier.id"], name=op.f("fk_supply_order_supplier_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_supply_order")),
        sa.UniqueConstraint("number", name=op.f("uq_supply_order_number")),
    )
    op.create_index("ix_supply_order_list", "supply_order", ["station_id", "state", "id"])
    op.create_index(op.f("ix_supply_order_supplier_id"), "supply_order", ["supplier_id"])
    op.create_table(
        "supply_order_line",
        sa.Column("id", BIG, nullable=False),
        sa.Column("order_id", BIG, nullable=False),
        sa.Column("part_id", BIG, nullable=False),
        sa.Column("quantity", QUANTITY, nullable=False),
        sa.Column("received", QUANTITY, nullable=False),
        sa.Column("price", BIG, nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_supply_order_line_positive")),
        sa.CheckConstraint("received >= 0 AND received <= quantity", name=op.f("ck_supply_order_line_received")),
        sa.ForeignKeyConstraint(
            ["order_id"], ["supply_order.id"], name=op.f("fk_supply_order_line_order_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["part_id"], ["part.id"], name=op.f("fk_supply_order_line_part_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_supply_order_line")),
        sa.UniqueConstraint("order_id", "part_id", name=op.f("uq_supply_order_line_order_id_part_id")),
    )
    op.create_index(op.f("ix_supply_order_line_part_id"), "supply_order_line", ["part_id"])


def _transfers() -> None:
    op.create_table(
        "transfer",
        sa.Column("id", BIG, nullable=False),
        sa.Column("number", sa.String(20), nullable=False),
        sa.Column("from_id", BIG, nullable=False),
        sa.Column("to_id", BIG, nullable=False),
        sa.Column("station_id", BIG, nullable=False),
        sa.Column("to_station_id", BIG, nullable=False),
        sa.Column("carrier", sa.String(60), nullable=False),
        sa.Column("tracking", sa.String(60), nullable=False),
        sa.Column("expected_at", MOMENT, nullable=False),
        sa.Column("shipped_at", MOMENT, nullable=True),
        sa.Column("received_at", MOMENT, nullable=True),
        sa.Column("asked_by", sa.String(40), nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.CheckConstraint("from_id <> to_id", name=op.f("ck_transfer_elsewhere")),
        sa.ForeignKeyConstraint(["from_id"], ["stock_location.id"], name=op.f("fk_transfer_from_id")),
        sa.ForeignKeyConstraint(["station_id"], ["station.id"], name=op.f("fk_transfer_station_id")),
        sa.ForeignKeyConstraint(["to_id"], ["stock_location.id"], name=op.f("fk_transfer_to_id")),
        sa.ForeignKeyConstraint(["to_station_id"], ["station.id"], name=op.f("fk_transfer_to_station_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfer")),
        sa.UniqueConstraint("number", name=op.f("uq_transfer_number")),
    )
    op.create_index("ix_transfer_from", "transfer", ["station_id", "state", "id"])
    op.create_index("ix_transfer_to", "transfer", ["to_station_id", "state", "id"])
    op.create_table(
        "transfer_line",
        sa.Column("id", BIG, nullable=False),
        sa.Column("transfer_id", BIG, nullable=False),
        sa.Column("part_id", BIG, nullable=False),
        sa.Column("quantity", QUANTITY, nullable=False),
        sa.Column("received", QUANTITY, nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_transfer_line_positive")),
        sa.CheckConstraint("received >= 0 AND received <= quantity", name=op.f("ck_transfer_line_received")),
        sa.ForeignKeyConstraint(["part_id"], ["part.id"], name=op.f("fk_transfer_line_part_id")),
        sa.ForeignKeyConstraint(
            ["transfer_id"], ["transfer.id"], name=op.f("fk_transfer_line_transfer_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfer_line")),
        sa.UniqueConstraint("transfer_id", "part_id", name=op.f("uq_transfer_line_transfer_id_part_id")),
    )
    op.create_index(op.f("ix_transfer_line_part_id"), "transfer_line", ["part_id"])


def downgrade() -> None:
    for name in TABLES:
        op.drop_table(name)
