"""Stock at customers: agreements, readings and refill orders."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
QUANTITY = sa.Numeric(14, 3).with_variant(sa.BigInteger(), "sqlite")
MOMENT = sa.DateTime(timezone=True)

STILL_OPEN = sa.text("state IN ('proposed', 'confirmed', 'shipped', 'part_delivered')")


def upgrade() -> None:
    op.create_table(
        "consignment_line",
        sa.Column("id", BIG, nullable=False),
        sa.Column("location_id", BIG, nullable=False),
        sa.Column("part_id", BIG, nullable=False),
        sa.Column("station_id", BIG, nullable=False),
        sa.Column("baseline_days", BIG, nullable=False),
        sa.Column("target_days", BIG, nullable=False),
        sa.Column("safety_days", BIG, nullable=False),
        sa.Column("price", BIG, nullable=True),
        sa.Column("billing", sa.String(12), nullable=False),
        sa.Column("active_from", sa.Date(), nullable=False),
        sa.Column("active_to", sa.Date(), nullable=True),
        sa.Column("stock", QUANTITY, nullable=False),
        sa.Column("daily_use", sa.Double(), nullable=False),
        sa.Column("deviation", sa.Double(), nullable=False),
        sa.Column("days_left", sa.Double(), nullable=True),
        sa.Column("runs_out_on", sa.Date(), nullable=False),
        sa.Column("contact_on", sa.Date(), nullable=False),
        sa.Column("reorder_at", QUANTITY, nullable=False),
        sa.Column("released", BIG, nullable=False),
        sa.Column("read_on", sa.Date(), nullable=True),
        sa.Column("reckoned_at", MOMENT, nullable=True),
        sa.Column("state", sa.String(24), nullable=False),
        sa.CheckConstraint("active_to IS NULL OR active_to >= active_from", name=op.f("ck_consignment_line_active")),
        sa.CheckConstraint(
            "baseline_days >= 0 AND target_days > 0 AND safety_days >= 0", name=op.f("ck_consignment_line_days")
        ),
        sa.CheckConstraint("price IS NULL OR price >= 0", name=op.f("ck_consignment_line_price")),
        sa.ForeignKeyConstraint(["location_id"], ["stock_location.id"], name=op.f("fk_consignment_line_location_id")),
        sa.ForeignKeyConstraint(["part_id"], ["part.id"], name=op.f("fk_consignment_line_part_id")),
        sa.ForeignKeyConstraint(["station_id"], ["station.id"], name=op.f("fk_consignment_line_station_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consignment_line")),
        sa.UniqueConstraint("location_id", "part_id", name=op.f("uq_consignment_line_location_id_part_id")),
    )
    op.create_index("ix_consignment_line_list", "consignment_line", ["station_id", "state", "runs_out_on", "id"])
    op.create_index(op.f("ix_consignment_line_part_id"), "consignment_line", ["part_id"])
    op.create_table(
        "consignment_reading",
        sa.Column("id", BIG, nullable=False),
        sa.Column("line_id", BIG, nullable=False),
        sa.Column("station_id", BIG, nullable=False),
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column("counted", QUANTITY, nullable=False),
        sa.Column("expected", QUANTITY, nullable=False),
        sa.Column("used", QUANTITY, nullable=False),
        sa.Column("source", sa.String(12), nullable=False),
        sa.Column("read_by", sa.String(40), nullable=False),
        sa.Column("read_at", MOMENT, nullable=False),
        sa.Column("move_id", BIG, nullable=True),
        sa.Column("state", sa.String(24), nullable=False),
        sa.CheckConstraint("counted >= 0 AND used >= 0", name=op.f("ck_consignment_reading_never_negative")),
        sa.ForeignKeyConstraint(["line_id"], ["consignment_line.id"], name=op.f("fk_consignment_reading_line_id")),
        sa.ForeignKeyConstraint(["move_id"], ["stock_move.id"], name=op.f("fk_consignment_reading_move_id")),
        sa.ForeignKeyConstraint(["station_id"], ["station.id"], name=op.f("fk_consignment_reading_station_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consignment_reading")),
        sa.UniqueConstraint("line_id", "on_day", name=op.f("uq_consignment_reading_line_id_on_day")),
    )
    op.create_index("ix_consignment_reading_state", "consignment_reading", ["station_id", "state", "id"])
    op.create_table(
        "refill_order",
        sa.Column("id", BIG, nullable=False),
        sa.Column("number", sa.String(20), nullable=False),
        sa.Column("line_id", BIG, nullable=False),
        sa.Column("station_id", BIG, nullable=False),
        sa.Column("quantity", QUANTITY, nullable=False),
        sa.Column("delivered", QUANTITY, nullable=False),
        sa.Column("runs_out_on", sa.Date(), nullable=False),
        sa.Column("transfer_id", BIG, nullable=True),
        sa.Column("proposed_by", sa.String(40), nullable=False),
        sa.Column("proposed_at", MOMENT, nullable=False),
        sa.Column("confirmed_at", MOMENT, nullable=True),
        sa.Column("due_at", MOMENT, nullable=True),
        sa.Column("delivered_at", MOMENT, nullable=True),
        sa.Column("received_by", sa.String(80), nullable=False),
        sa.Column("proof", sa.String(12), nullable=False),
        sa.Column("kept", sa.Boolean(), nullable=True),
        sa.Column("state", sa.String(24), nullable=False),
        sa.CheckConstraint("delivered >= 0 AND delivered <= quantity", name=op.f("ck_refill_order_delivered")),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_refill_order_positive")),
        sa.ForeignKeyConstraint(["line_id"], ["consignment_line.id"], name=op.f("fk_refill_order_line_id")),
        sa.ForeignKeyConstraint(["station_id"], ["station.id"], name=op.f("fk_refill_order_station_id")),
        sa.ForeignKeyConstraint(["transfer_id"], ["transfer.id"], name=op.f("fk_refill_order_transfer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refill_order")),
        sa.UniqueConstraint("number", name=op.f("uq_refill_order_number")),
        sa.UniqueConstraint("transfer_id", name=op.f("uq_refill_order_transfer_id")),
    )
    op.create_index("ix_refill_order_delivered", "refill_order", ["station_id", "delivered_at"])
    op.create_index("ix_refill_order_line", "refill_order", ["line_id", "id"])
    op.create_index("ix_refill_order_list", "refill_order", ["station_id", "state", "id"])
    op.create_index(
        "uq_refill_order_open",
        "refill_order",
        ["line_id"],
        unique=True,
        postgresql_where=STILL_OPEN,
        sqlite_where=STILL_OPEN,
    )


def downgrade() -> None:
    op.drop_table("refill_order")
    op.drop_table("consignment_reading")
    op.drop_table("consignment_line")
