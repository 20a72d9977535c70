"""Transfers that a neighbouring station is asked for, and what a promise waits for."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)
UNANSWERED = sa.text("state = 'asked'")
WAITING = sa.text("waits_id IS NOT NULL")


def upgrade() -> None:
    op.add_column("transfer", sa.Column("answer_by", MOMENT, nullable=True))
    op.create_index(
        "ix_transfer_asked", "transfer", ["answer_by"], postgresql_where=UNANSWERED, sqlite_where=UNANSWERED
    )
    op.add_column("reservation", sa.Column("waits_type", sa.String(40), nullable=True))
    op.add_column("reservation", sa.Column("waits_id", BIG, nullable=True))
    op.create_index(
        "ix_reservation_waits", "reservation", ["waits_type", "waits_id"], postgresql_where=WAITING,
        sqlite_where=WAITING,
    )  # fmt: skip


def downgrade() -> None:
    op.drop_index("ix_reservation_waits", "reservation")
    op.drop_column("reservation", "waits_id")
    op.drop_column("reservation", "waits_type")
    op.drop_index("ix_transfer_asked", "transfer")
    op.drop_column("transfer", "answer_by")
