"""Whose installation this is and how far its set-up came; what the hints of triage learned.

An installation that people work with already needs no set-up: its row says that it is over.
"""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    installation = op.create_table(
        "installation",
        sa.Column("id", ID, nullable=False),
        sa.Column("names", JSON, nullable=False),
        sa.Column("short_names", JSON, nullable=False),
        sa.Column("hotline", sa.String(length=32), nullable=False),
        sa.Column("default_language", sa.String(length=2), nullable=False),
        sa.Column("timezone", sa.String(length=64), nullable=False),
        sa.Column("steps", JSON, nullable=False),
        sa.Column("results", JSON, nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=True),
        sa.Column("code_tries", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_installation")),
    )
    op.create_table(
        "hint_model",
        sa.Column("id", ID, nullable=False),
        sa.Column("trained_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("jobs", sa.Integer(), nullable=False),
        sa.Column("facts", JSON, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hint_model")),
    )
    people = op.get_bind().execute(sa.text("SELECT count(*) FROM user_account")).scalar()
    if people:
        at = datetime.now(UTC)
        at = at.replace(tzinfo=None) if op.get_bind().dialect.name == "sqlite" else at
        row = {
            "id": 1, "names": {}, "short_names": {}, "hotline": "", "default_language": "", "timezone": "",
            "steps": [], "results": {}, "code_hash": None, "code_tries": 0, "created_at": at, "finished_at": at,
        }  # fmt: skip
        op.bulk_insert(installation, [row])


def downgrade() -> None:
    op.drop_table("hint_model")
    op.drop_table("installation")
