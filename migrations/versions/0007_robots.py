"""Robots of group chats, and messages that go to them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
CHANNEL = "ck_message_channel"


def upgrade() -> None:
    op.create_table(
        "robot",
        sa.Column("id", BIG, nullable=False),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("provider", sa.String(12), nullable=False),
        sa.Column("key", sa.String(120), nullable=False),
        sa.Column("secret", sa.String(120), nullable=False),
        sa.Column("station_id", BIG, nullable=True),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("news", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.String(40), nullable=True),
        sa.CheckConstraint("provider IN ('wecom', 'dingtalk')", name=op.f("ck_robot_provider")),
        sa.ForeignKeyConstraint(["station_id"], ["station.id"], name=op.f("fk_robot_station_id_station")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_robot")),
    )
    op.create_index(op.f("ix_robot_station_id"), "robot", ["station_id"])
    with op.batch_alter_table("message") as table:
        table.drop_constraint(op.f(CHANNEL), type_="check")
        table.create_check_constraint(op.f(CHANNEL), "channel IN ('email', 'sms', 'robot')")


def downgrade() -> None:
    op.execute("DELETE FROM message WHERE channel = 'robot'")
    with op.batch_alter_table("message") as table:
        table.drop_constraint(op.f(CHANNEL), type_="check")
        table.create_check_constraint(op.f(CHANNEL), "channel IN ('email', 'sms')")
    op.drop_index(op.f("ix_robot_station_id"), "robot")
    op.drop_table("robot")
