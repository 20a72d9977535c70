"""Swaps of shifts between technicians."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)
INDEXES = {
    "ix_shift_swap_station": ["station_id", "state"],
    "ix_shift_swap_giver": ["giver_id", "id"],
    "ix_shift_swap_receiver": ["receiver_id", "id"],
    "ix_shift_swap_shift": ["shift_id"],
    "ix_shift_swap_return": ["return_shift_id"],
}


def upgrade() -> None:
    op.create_table(
        "shift_swap",
        sa.Column("id", BIG, nullable=False),
        sa.Column("station_id", BIG, nullable=False),
        sa.Column("shift_id", BIG, nullable=False),
        sa.Column("return_shift_id", BIG, nullable=True),
        sa.Column("giver_id", BIG, nullable=False),
        sa.Column("receiver_id", BIG, nullable=False),
        sa.Column("offered_shift_id", BIG, nullable=True),
        sa.Column("by_manager", sa.Boolean(), nullable=False),
        sa.Column("words", sa.String(300), nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("state", sa.String(24), nullable=False),
        sa.ForeignKeyConstraint(["station_id"], ["station.id"], name=op.f("fk_shift_swap_station_id")),
        sa.ForeignKeyConstraint(["shift_id"], ["shift.id"], name=op.f("fk_shift_swap_shift_id")),
        sa.ForeignKeyConstraint(["return_shift_id"], ["shift.id"], name=op.f("fk_shift_swap_return_shift_id")),
        sa.ForeignKeyConstraint(["giver_id"], ["technician.id"], name=op.f("fk_shift_swap_giver_id")),
        sa.ForeignKeyConstraint(["receiver_id"], ["technician.id"], name=op.f("fk_shift_swap_receiver_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shift_swap")),
        sa.UniqueConstraint("offered_shift_id", name=op.f("uq_shift_swap_offered_shift_id")),
    )
    for name, columns in INDEXES.items():
        op.create_index(name, "shift_swap", columns)


def downgrade() -> None:
    for name in INDEXES:
        op.drop_index(name, "shift_swap")
    op.drop_table("shift_swap")
