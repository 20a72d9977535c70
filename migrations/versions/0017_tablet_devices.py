"""Tablets as devices, both clocks of a command, and what the office decided about it."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)
UNSEEN = sa.text("review IS NULL AND status <> 'accepted'")
SEEN = sa.text("review IS NOT NULL")
HOME = """
    UPDATE tablet_command SET station_id = (
        SELECT technician.station_id FROM technician
        JOIN user_account ON user_account.technician_id = technician.id
        WHERE user_account.id = tablet_command.user_id
    ) WHERE station_id IS NULL
"""


def upgrade() -> None:
    op.create_table(
        "tablet_device",
        sa.Column("id", BIG, nullable=False),
        sa.Column("device_id", sa.String(64), nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("technician_id", BIG, nullable=False),
        sa.Column("station_id", BIG, nullable=False),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("agent", sa.String(200), nullable=False),
        sa.Column("client", BIG, nullable=False),
        sa.Column("first_seen_at", MOMENT, nullable=False),
        sa.Column("last_seen_at", MOMENT, nullable=False),
        sa.Column("last_sync_at", MOMENT, nullable=True),
        sa.Column("waiting_commands", BIG, nullable=True),
        sa.Column("waiting_uploads", BIG, nullable=True),
        sa.Column("held_items", BIG, nullable=True),
        sa.Column("oldest_waiting_at", MOMENT, nullable=True),
        sa.Column("persisted", sa.Boolean(), nullable=True),
        sa.Column("usage", BIG, nullable=True),
        sa.Column("quota", BIG, nullable=True),
        sa.Column("offset_ms", BIG, nullable=True),
        sa.Column("sign_in_id", BIG, nullable=True),
        sa.Column("token_id", BIG, nullable=True),
        sa.Column("state", sa.String(24), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_tablet_device_user_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["technician_id"], ["technician.id"], name=op.f("fk_tablet_device_technician_id")),
        sa.ForeignKeyConstraint(["station_id"], ["station.id"], name=op.f("fk_tablet_device_station_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tablet_device")),
        sa.UniqueConstraint("device_id", "user_id", name=op.f("uq_tablet_device_device_id_user_id")),
    )
    op.create_index("ix_tablet_device_list", "tablet_device", ["station_id", "id"])
    for column in (
        sa.Column("device_at", MOMENT, nullable=True),
        sa.Column("offset_ms", BIG, nullable=True),
        sa.Column("counted_at", MOMENT, nullable=True),
        sa.Column("client", BIG, nullable=False, server_default="1"),
        sa.Column("review", sa.String(12), nullable=True),
        sa.Column("reviewed_by", BIG, nullable=True),
        sa.Column("reviewed_at", MOMENT, nullable=True),
        sa.Column("review_reason", sa.String(300), nullable=False, server_default=""),
    ):
        op.add_column("tablet_command", column)
    # what concerns no visit is looked at by the technician's own station
    op.execute(HOME)
    for name, where in (("ix_tablet_command_unseen", UNSEEN), ("ix_tablet_command_seen", SEEN)):
        op.create_index(name, "tablet_command", ["station_id", "id"], postgresql_where=where, sqlite_where=where)


def downgrade() -> None:
    for name in ("ix_tablet_command_seen", "ix_tablet_command_unseen"):
        op.drop_index(name, "tablet_command")
    with op.batch_alter_table("tablet_command") as batch:
        for column in (
            "review_reason",
            "reviewed_at",
            "reviewed_by",
            "review",
            "client",
            "counted_at",
            "offset_ms",
            "device_at",
        ):
            batch.drop_column(column)
    op.drop_table("tablet_device")
