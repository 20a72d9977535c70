"""Plans of days, kept with what came out of them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "dispatch_plan",
        sa.Column("id", BIG, nullable=False),
        sa.Column("station_id", BIG, nullable=False),
        sa.Column("station_ids", JSON, nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("days", BIG, nullable=False),
        sa.Column("objective", sa.String(20), nullable=False),
        sa.Column("weights", JSON, nullable=False),
        sa.Column("seed", BIG, nullable=False),
        sa.Column("effort", BIG, nullable=False),
        sa.Column("user_id", BIG, nullable=True),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("finished_at", MOMENT, nullable=True),
        sa.Column("applied_at", MOMENT, nullable=True),
        sa.Column("applied", JSON, nullable=False),
        sa.Column("share", sa.Float(), nullable=False),
        sa.Column("stop", sa.String(8), nullable=False),
        sa.Column("score", sa.Float(), nullable=True),
        sa.Column("before", sa.Float(), nullable=True),
        sa.Column("jobs", BIG, nullable=False),
        sa.Column("placed", BIG, nullable=False),
        sa.Column("figures", JSON, nullable=False),
        sa.Column("outcome", JSON, nullable=False),
        sa.Column("version", BIG, nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.ForeignKeyConstraint(["station_id"], ["station.id"], name=op.f("fk_dispatch_plan_station_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_dispatch_plan_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dispatch_plan")),
    )
    op.create_index("ix_dispatch_plan_station", "dispatch_plan", ["station_id", "id"])


def downgrade() -> None:
    op.drop_index("ix_dispatch_plan_station", "dispatch_plan")
    op.drop_table("dispatch_plan")
