"""Findings, follow-up work, corrected times, arrivals, consent to location; before and after of a picture."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "finding",
        sa.Column("id", BIG, nullable=False),
        sa.Column("visit_id", BIG, nullable=False),
        sa.Column("work_order_id", BIG, nullable=False),
        sa.Column("station_id", BIG, nullable=False),
        sa.Column("asset_id", BIG, nullable=True),
        sa.Column("field", sa.String(60), nullable=False),
        sa.Column("content", JSON, nullable=False),
        sa.Column("note", sa.String(500), nullable=False),
        sa.Column("raised_at", MOMENT, nullable=False),
        sa.Column("settled_at", MOMENT, nullable=True),
        sa.Column("state", sa.String(24), nullable=False),
        sa.ForeignKeyConstraint(["visit_id"], ["visit.id"], name=op.f("fk_finding_visit_id")),
        sa.ForeignKeyConstraint(["work_order_id"], ["work_order.id"], name=op.f("fk_finding_work_order_id")),
        sa.ForeignKeyConstraint(["station_id"], ["station.id"], name=op.f("fk_finding_station_id")),
        sa.ForeignKeyConstraint(["asset_id"], ["asset.id"], name=op.f("fk_finding_asset_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_finding")),
    )
    op.create_index("ix_finding_visit_id", "finding", ["visit_id"])
    op.create_index("ix_finding_order", "finding", ["work_order_id", "field"])
    op.create_index("ix_finding_asset", "finding", ["asset_id", "raised_at"])
    op.create_table(
        "follow_up",
        sa.Column("id", BIG, nullable=False),
        sa.Column("visit_id", BIG, nullable=False),
        sa.Column("work_order_id", BIG, nullable=False),
        sa.Column("finding_id", BIG, nullable=True),
        sa.Column("words", sa.String(300), nullable=False),
        sa.Column("urgency", sa.String(8), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["visit_id"], ["visit.id"], name=op.f("fk_follow_up_visit_id")),
        sa.ForeignKeyConstraint(["work_order_id"], ["work_order.id"], name=op.f("fk_follow_up_work_order_id")),
        sa.ForeignKeyConstraint(["finding_id"], ["finding.id"], name=op.f("fk_follow_up_finding_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_follow_up")),
        sa.UniqueConstraint("work_order_id", name=op.f("uq_follow_up_work_order_id")),
        sa.UniqueConstraint("finding_id", name=op.f("uq_follow_up_finding_id")),
    )
    op.create_index("ix_follow_up_visit_id", "follow_up", ["visit_id"])
    op.create_table(
        "time_correction",
        sa.Column("id", BIG, nullable=False),
        sa.Column("visit_id", BIG, nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("minutes", BIG, nullable=False),
        sa.Column("recorded", BIG, nullable=True),
        sa.Column("reason", sa.String(300), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.CheckConstraint("minutes BETWEEN 0 AND 1440", name=op.f("ck_time_correction_minutes")),
        sa.ForeignKeyConstraint(["visit_id"], ["visit.id"], name=op.f("fk_time_correction_visit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_time_correction")),
        sa.UniqueConstraint("visit_id", "kind", name=op.f("uq_time_correction_visit_id_kind")),
    )
    op.create_table(
        "arrival",
        sa.Column("id", BIG, nullable=False),
        sa.Column("visit_id", BIG, nullable=False),
        sa.Column("check_in", sa.String(8), nullable=False),
        sa.Column("reason", sa.String(300), nullable=False),
        sa.Column("distance_m", BIG, nullable=True),
        sa.Column("latitude", sa.Float(), nullable=True),
        sa.Column("longitude", sa.Float(), nullable=True),
        sa.Column("accuracy_m", BIG, nullable=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["visit_id"], ["visit.id"], name=op.f("fk_arrival_visit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_arrival")),
        sa.UniqueConstraint("visit_id", name=op.f("uq_arrival_visit_id")),
    )
    op.create_index("ix_arrival_at", "arrival", ["at"])
    op.create_table(
        "location_consent",
        sa.Column("id", BIG, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("version", BIG, nullable=False),
        sa.Column("given_at", MOMENT, nullable=False),
        sa.Column("withdrawn_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_location_consent_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_location_consent")),
    )
    op.create_index("ix_location_consent_user_id", "location_consent", ["user_id"])
    op.add_column("tablet_upload", sa.Column("moment", sa.String(8), nullable=True))


def downgrade() -> None:
    op.drop_column("tablet_upload", "moment")
    for name in ("location_consent", "arrival", "time_correction", "follow_up", "finding"):
        op.drop_table(name)
