"""Rescues of other makers' machines, the opportunities they open, and whose brands are whose."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "brand",
        sa.Column("id", BIG, nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("also", sa.String(200), nullable=False),
        sa.Column("own", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_brand")),
        sa.UniqueConstraint("name", name=op.f("uq_brand_name")),
    )
    op.create_table(
        "rescue",
        sa.Column("id", BIG, nullable=False),
        sa.Column("work_order_id", BIG, nullable=False),
        sa.Column("station_id", BIG, nullable=False),
        sa.Column("brand", sa.String(80), nullable=False),
        sa.Column("their_minutes", sa.Integer(), nullable=True),
        sa.Column("asked_by", sa.String(40), nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("decided_by", sa.String(40), nullable=True),
        sa.Column("decided_at", MOMENT, nullable=True),
        sa.Column("estimate", BIG, nullable=True),
        sa.Column("waiver", sa.Text(), nullable=False),
        sa.Column("reason", sa.String(300), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.CheckConstraint("their_minutes > 0", name=op.f("ck_rescue_their_minutes")),
        sa.CheckConstraint("estimate > 0", name=op.f("ck_rescue_estimate")),
        sa.ForeignKeyConstraint(["station_id"], ["station.id"], name=op.f("fk_rescue_station_id")),
        sa.ForeignKeyConstraint(["work_order_id"], ["work_order.id"], name=op.f("fk_rescue_work_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rescue")),
        sa.UniqueConstraint("work_order_id", name=op.f("uq_rescue_work_order_id")),
    )
    op.create_index("ix_rescue_station", "rescue", ["station_id", "state"])
    op.create_table(
        "opportunity",
        sa.Column("id", BIG, nullable=False),
        sa.Column("number", sa.String(20), nullable=False),
        sa.Column("station_id", BIG, nullable=False),
        sa.Column("origin", sa.String(12), nullable=False),
        sa.Column("work_order_id", BIG, nullable=False),
        sa.Column("customer_id", BIG, nullable=True),
        sa.Column("value", BIG, nullable=True),
        sa.Column("reason", sa.String(300), nullable=False),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("decided_at", MOMENT, nullable=True),
        sa.Column("version", BIG, nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.CheckConstraint("value >= 0", name=op.f("ck_opportunity_value")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_opportunity_customer_id")),
        sa.ForeignKeyConstraint(["station_id"], ["station.id"], name=op.f("fk_opportunity_station_id")),
        sa.ForeignKeyConstraint(["work_order_id"], ["work_order.id"], name=op.f("fk_opportunity_work_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_opportunity")),
        sa.UniqueConstraint("number", name=op.f("uq_opportunity_number")),
        sa.UniqueConstraint("work_order_id", name=op.f("uq_opportunity_work_order_id")),
    )
    op.create_index("ix_opportunity_list", "opportunity", ["station_id", "state", "id"])
    op.create_index("ix_opportunity_decided", "opportunity", ["decided_at"])
    op.create_index("ix_opportunity_customer_id", "opportunity", ["customer_id"])


def downgrade() -> None:
    op.drop_table("opportunity")
    op.drop_table("rescue")
    op.drop_table("brand")
