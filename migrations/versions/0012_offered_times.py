"""Time that is held for a customer to choose from."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
OFFERS = sa.text("work_order_id IS NOT NULL")


def upgrade() -> None:
    # in place, so without a foreign key: made anew, the table would lose the triggers that refuse overlaps (0002)
    op.add_column("booking", sa.Column("work_order_id", sa.BigInteger(), nullable=True))
    op.add_column("booking", sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("booking", sa.Column("terms", JSON, nullable=True))
    op.create_index("ix_booking_offer", "booking", ["work_order_id"], postgresql_where=OFFERS, sqlite_where=OFFERS)


def downgrade() -> None:
    op.drop_index("ix_booking_offer", "booking")
    for column in ("terms", "expires_at", "work_order_id"):
        op.drop_column("booking", column)
