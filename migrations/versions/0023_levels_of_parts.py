"""Levels of parts at places, and the runs that reckon them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
QUANTITY = sa.Numeric(14, 3).with_variant(sa.BigInteger(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "stock_level_run",
        sa.Column("id", BIG, nullable=False),
        sa.Column("asked_by", sa.String(40), nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("finished_at", MOMENT, nullable=True),
        sa.Column("share", sa.Double(), nullable=False),
        sa.Column("stop", sa.Boolean(), nullable=False),
        sa.Column("levels", BIG, nullable=False),
        sa.Column("changed", BIG, nullable=False),
        sa.Column("months", BIG, nullable=False),
        sa.Column("rate_of_money", sa.Double(), nullable=True),
        sa.Column("achieved", sa.Double(), nullable=True),
        sa.Column("state", sa.String(24), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_level_run")),
    )
    op.create_table(
        "stock_level",
        sa.Column("id", BIG, nullable=False),
        sa.Column("part_id", BIG, nullable=False),
        sa.Column("location_id", BIG, nullable=False),
        sa.Column("station_id", BIG, nullable=False),
        sa.Column("level", QUANTITY, nullable=False),
        sa.Column("reorder_at", QUANTITY, nullable=False),
        sa.Column("least", QUANTITY, nullable=True),
        sa.Column("most", QUANTITY, nullable=True),
        sa.Column("typed_by", sa.String(40), nullable=True),
        sa.Column("typed_at", MOMENT, nullable=True),
        sa.Column("floor", sa.Double(), nullable=True),
        sa.Column("explanation", JSON, nullable=False),
        sa.Column("computed_at", MOMENT, nullable=True),
        sa.Column("run_id", BIG, nullable=True),
        sa.CheckConstraint("level >= 0 AND reorder_at >= 0", name=op.f("ck_stock_level_never_negative")),
        sa.CheckConstraint("least IS NULL OR least >= 0", name=op.f("ck_stock_level_least")),
        sa.CheckConstraint("most IS NULL OR most >= 0", name=op.f("ck_stock_level_most")),
        sa.CheckConstraint("least IS NULL OR most IS NULL OR least <= most", name=op.f("ck_stock_level_limits")),
        sa.ForeignKeyConstraint(["location_id"], ["stock_location.id"], name=op.f("fk_stock_level_location_id")),
        sa.ForeignKeyConstraint(["part_id"], ["part.id"], name=op.f("fk_stock_level_part_id")),
        sa.ForeignKeyConstraint(["run_id"], ["stock_level_run.id"], name=op.f("fk_stock_level_run_id")),
        sa.ForeignKeyConstraint(["station_id"], ["station.id"], name=op.f("fk_stock_level_station_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_level")),
        sa.UniqueConstraint("location_id", "part_id", name=op.f("uq_stock_level_location_id_part_id")),
    )
    op.create_index(op.f("ix_stock_level_part_id"), "stock_level", ["part_id"])
    op.create_index(op.f("ix_stock_level_run_id"), "stock_level", ["run_id"])
    op.create_index("ix_stock_level_station", "stock_level", ["station_id", "id"])


def downgrade() -> None:
    op.drop_table("stock_level")
    op.drop_table("stock_level_run")
