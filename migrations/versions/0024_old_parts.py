"""Old parts that have to come back, and claims against suppliers."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
QUANTITY = sa.Numeric(14, 3).with_variant(sa.BigInteger(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    # uses of before want nothing back
    op.add_column("part_use", sa.Column("wants_old", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "supplier_claim",
        sa.Column("id", BIG, nullable=False),
        sa.Column("number", sa.String(20), nullable=False),
        sa.Column("supplier_id", BIG, nullable=False),
        sa.Column("station_id", BIG, nullable=False),
        sa.Column("their_number", sa.String(60), nullable=False),
        sa.Column("carrier", sa.String(60), nullable=False),
        sa.Column("tracking", sa.String(60), nullable=False),
        sa.Column("credit_note", sa.String(60), nullable=False),
        sa.Column("opened_by", sa.String(40), nullable=False),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("answer_due_at", MOMENT, nullable=True),
        sa.Column("sent_at", MOMENT, nullable=True),
        sa.Column("answered_at", MOMENT, nullable=True),
        sa.Column("settled_at", MOMENT, nullable=True),
        sa.Column("state", sa.String(24), nullable=False),
        sa.ForeignKeyConstraint(["station_id"], ["station.id"], name=op.f("fk_supplier_claim_station_id")),
        sa.ForeignKeyConstraint(["supplier_id"], ["supplier.id"], name=op.f("fk_supplier_claim_supplier_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_supplier_claim")),
        sa.UniqueConstraint("number", name=op.f("uq_supplier_claim_number")),
    )
    op.create_index("ix_supplier_claim_station", "supplier_claim", ["station_id", "state", "id"])
    op.create_index("ix_supplier_claim_supplier", "supplier_claim", ["supplier_id"])
    op.create_index("ix_supplier_claim_sent", "supplier_claim", ["sent_at"])
    op.create_table(
        "old_part",
        sa.Column("id", BIG, nullable=False),
        sa.Column("use_id", BIG, nullable=True),
        sa.Column("part_id", BIG, nullable=False),
        sa.Column("quantity", QUANTITY, nullable=False),
        sa.Column("removed_serial", sa.String(60), nullable=True),
        sa.Column("fitted_serial", sa.String(60), nullable=True),
        sa.Column("asset_id", BIG, nullable=True),
        sa.Column("work_order_id", BIG, nullable=True),
        sa.Column("technician_id", BIG, nullable=True),
        sa.Column("station_id", BIG, nullable=False),
        sa.Column("reasons", JSON, nullable=False),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("dropped_at", MOMENT, nullable=True),
        sa.Column("place_id", BIG, nullable=True),
        sa.Column("finding", sa.String(12), nullable=True),
        sa.Column("words", sa.String(500), nullable=False),
        sa.Column("inspected_at", MOMENT, nullable=True),
        sa.Column("supplier_id", BIG, nullable=True),
        sa.Column("claim_id", BIG, nullable=True),
        sa.Column("claimed", sa.BigInteger(), nullable=False),
        sa.Column("result", sa.String(12), nullable=True),
        sa.Column("credited", sa.BigInteger(), nullable=False),
        sa.Column("cost", sa.BigInteger(), nullable=False),
        sa.Column("settled_at", MOMENT, nullable=True),
        sa.Column("state", sa.String(24), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_old_part_positive")),
        sa.CheckConstraint("claimed >= 0 AND credited >= 0 AND cost >= 0", name=op.f("ck_old_part_amounts")),
        sa.ForeignKeyConstraint(["asset_id"], ["asset.id"], name=op.f("fk_old_part_asset_id")),
        sa.ForeignKeyConstraint(["claim_id"], ["supplier_claim.id"], name=op.f("fk_old_part_claim_id")),
        sa.ForeignKeyConstraint(["part_id"], ["part.id"], name=op.f("fk_old_part_part_id")),
        sa.ForeignKeyConstraint(["place_id"], ["stock_location.id"], name=op.f("fk_old_part_place_id")),
        sa.ForeignKeyConstraint(["station_id"], ["station.id"], name=op.f("fk_old_part_station_id")),
        sa.ForeignKeyConstraint(["supplier_id"], ["supplier.id"], name=op.f("fk_old_part_supplier_id")),
        sa.ForeignKeyConstraint(["technician_id"], ["technician.id"], name=op.f("fk_old_part_technician_id")),
        sa.ForeignKeyConstraint(["use_id"], ["part_use.id"], name=op.f("fk_old_part_use_id")),
        sa.ForeignKeyConstraint(["work_order_id"], ["work_order.id"], name=op.f("fk_old_part_work_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_old_part")),
        sa.UniqueConstraint("use_id", name=op.f("uq_old_part_use_id")),
    )
    op.create_index("ix_old_part_station", "old_part", ["station_id", "state", "due_at", "id"])
    op.create_index("ix_old_part_due", "old_part", ["state", "due_at", "id"])
    op.create_index("ix_old_part_technician", "old_part", ["technician_id", "state"])
    op.create_index("ix_old_part_serial", "old_part", ["removed_serial"])
    for column in ("part_id", "asset_id", "work_order_id", "claim_id"):
        op.create_index(op.f(f"ix_old_part_{column}"), "old_part", [column])


def downgrade() -> None:
    op.drop_table("old_part")
    op.drop_table("supplier_claim")
    with op.batch_alter_table("part_use") as batch:
        batch.drop_column("wants_old")
