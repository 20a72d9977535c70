"""Absences are found without reading years of visits."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

ABSENCES = sa.text("cause <> 'visit'")


def upgrade() -> None:
    op.create_index(
        "ix_booking_absence", "booking", ["technician_id", "ends_at"], postgresql_where=ABSENCES, sqlite_where=ABSENCES
    )


def downgrade() -> None:
    op.drop_index("ix_booking_absence", "booking")
