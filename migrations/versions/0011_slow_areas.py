"""Areas where driving is slow for a while."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "slow_area",
        sa.Column("id", BIG, nullable=False),
        sa.Column("station_id", BIG, nullable=False),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("corners", JSON, nullable=False),
        sa.Column("factor", sa.Float(), nullable=False),
        sa.Column("starts_at", MOMENT, nullable=False),
        sa.Column("until", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("user_id", BIG, nullable=True),
        sa.Column("drawn_at", MOMENT, nullable=False),
        sa.Column("version", BIG, nullable=False),
        sa.ForeignKeyConstraint(["station_id"], ["station.id"], name=op.f("fk_slow_area_station_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_slow_area_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_slow_area")),
    )
    op.create_index("ix_slow_area_until", "slow_area", ["until"])


def downgrade() -> None:
    op.drop_index("ix_slow_area_until", "slow_area")
    op.drop_table("slow_area")
