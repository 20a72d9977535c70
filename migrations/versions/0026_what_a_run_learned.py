"""What a run of all levels learned from the past, and what came of the goal for jobs."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    with op.batch_alter_table("stock_level_run") as table:
        table.add_column(sa.Column("learned", JSON, server_default="{}", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("stock_level_run") as table:
        table.drop_column("learned")
