"""Technicians lent to other stations; those agreed to never overlap, guarded by the database as bookings are."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
MOMENT = sa.DateTime(timezone=True)
CLASH = """
    SELECT RAISE(ABORT, 'lending_no_overlap')
    WHERE EXISTS (
        SELECT 1 FROM lending
        WHERE technician_id = NEW.technician_id AND state IN ('agreed', 'ended') AND id <> coalesce(NEW.id, -1)
          AND starts_at < NEW.ends_at AND ends_at > NEW.starts_at
    );
"""


def upgrade() -> None:
    op.create_table(
        "lending",
        sa.Column("id", BIG, nullable=False),
        sa.Column("station_id", BIG, nullable=False),
        sa.Column("to_station_id", BIG, nullable=False),
        sa.Column("technician_id", BIG, nullable=True),
        sa.Column("starts_at", MOMENT, nullable=False),
        sa.Column("ends_at", MOMENT, nullable=False),
        sa.Column("skills", JSON, nullable=False),
        sa.Column("words", sa.String(300), nullable=False),
        sa.Column("lodges", sa.Boolean(), nullable=False),
        sa.Column("hour_rate", BIG, nullable=False),
        sa.Column("km_rate", BIG, nullable=False),
        sa.Column("night_rate", BIG, nullable=False),
        sa.Column("planned_cost", BIG, nullable=True),
        sa.Column("actual_cost", BIG, nullable=True),
        sa.Column("asked_by", BIG, nullable=True),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("agreed_by", BIG, nullable=True),
        sa.Column("agreed_at", MOMENT, nullable=True),
        sa.Column("state", sa.String(24), nullable=False),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_lending_forwards")),
        sa.CheckConstraint("station_id <> to_station_id", name=op.f("ck_lending_elsewhere")),
        sa.CheckConstraint(
            "state NOT IN ('agreed', 'ended') OR technician_id IS NOT NULL", name=op.f("ck_lending_somebody")
        ),
        sa.ForeignKeyConstraint(["station_id"], ["station.id"], name=op.f("fk_lending_station_id")),
        sa.ForeignKeyConstraint(["to_station_id"], ["station.id"], name=op.f("fk_lending_to_station_id")),
        sa.ForeignKeyConstraint(["technician_id"], ["technician.id"], name=op.f("fk_lending_technician_id")),
        sa.ForeignKeyConstraint(["asked_by"], ["user_account.id"], name=op.f("fk_lending_asked_by")),
        sa.ForeignKeyConstraint(["agreed_by"], ["user_account.id"], name=op.f("fk_lending_agreed_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lending")),
    )
    op.create_index("ix_lending_home", "lending", ["station_id", "state", "id"])
    op.create_index("ix_lending_borrower", "lending", ["to_station_id", "state", "id"])
    op.create_index("ix_lending_technician", "lending", ["technician_id", "ends_at"])
    op.create_index("ix_lending_state", "lending", ["state", "ends_at"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute("""
            ALTER TABLE lending ADD CONSTRAINT lending_no_overlap EXCLUDE USING gist (
                int8range(technician_id, technician_id, '[]') WITH &&,
                tstzrange(starts_at, ends_at) WITH &&
            ) WHERE (state IN ('agreed', 'ended'))
        """)
        return
    op.execute(f"""
        CREATE TRIGGER lending_no_overlap_insert BEFORE INSERT ON lending WHEN NEW.state IN ('agreed', 'ended')
        BEGIN {CLASH} END
    """)
    op.execute(f"""
        CREATE TRIGGER lending_no_overlap_update BEFORE UPDATE OF technician_id, starts_at, ends_at, state ON lending
        WHEN NEW.state IN ('agreed', 'ended')
        BEGIN {CLASH} END
    """)


def downgrade() -> None:
    op.drop_table("lending")
