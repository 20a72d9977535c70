"""Runs of the backup, and when each slow schedule last ran."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "backup_run",
        sa.Column("id", BIG, nullable=False),
        sa.Column("cause", sa.String(12), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(12), nullable=False),
        sa.Column("detail", sa.String(200), nullable=True),
        sa.Column("done", BIG, nullable=False),
        sa.Column("total", BIG, nullable=False),
        sa.Column("cancel_asked", sa.Boolean(), nullable=False),
        sa.Column("file", sa.String(200), nullable=True),
        sa.Column("bytes", BIG, nullable=True),
        sa.Column("sha256", sa.String(64), nullable=True),
        sa.Column("restore_tested_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("restore_outcome", sa.String(12), nullable=True),
        sa.Column("restore_detail", sa.String(200), nullable=True),
        sa.CheckConstraint("cause IN ('nightly', 'asked', 'command')", name=op.f("ck_backup_run_cause")),
        sa.CheckConstraint(
            "outcome IN ('queued', 'running', 'testing', 'done', 'failed', 'cancelled', 'cut_off')",
            name=op.f("ck_backup_run_outcome"),
        ),
        sa.CheckConstraint("restore_outcome IN ('passed', 'failed')", name=op.f("ck_backup_run_restore_outcome")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_backup_run")),
    )
    op.create_index("ix_backup_run_outcome", "backup_run", ["outcome", "id"])
    op.create_table(
        "schedule_run",
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failures", BIG, nullable=False),
        sa.Column("error", sa.String(200), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_schedule_run")),
    )


def downgrade() -> None:
    op.drop_table("schedule_run")
    op.drop_index("ix_backup_run_outcome", "backup_run")
    op.drop_table("backup_run")
