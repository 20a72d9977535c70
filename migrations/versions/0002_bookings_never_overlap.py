"""Held bookings of a technician never overlap, guarded by the database itself.

PostgreSQL has an exclusion constraint, deferrable so that applying a plan can swap visits inside one
transaction. SQLite has triggers; there the swap releases all bookings before it holds new ones.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

CLASH = """
    SELECT RAISE(ABORT, 'booking_no_overlap')
    WHERE EXISTS (
        SELECT 1 FROM booking
        WHERE technician_id = NEW.technician_id AND state = 'held' AND id <> coalesce(NEW.id, -1)
          AND starts_at < NEW.ends_at AND ends_at > NEW.starts_at
    );
"""


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("""
            ALTER TABLE booking ADD CONSTRAINT booking_no_overlap EXCLUDE USING gist (
                int8range(technician_id, technician_id, '[]') WITH &&,
                tstzrange(starts_at, ends_at) WITH &&
            ) WHERE (state = 'held') DEFERRABLE INITIALLY IMMEDIATE
        """)
        return
    op.execute(f"""
        CREATE TRIGGER booking_no_overlap_insert BEFORE INSERT ON booking WHEN NEW.state = 'held'
        BEGIN {CLASH} END
    """)
    op.execute(f"""
        CREATE TRIGGER booking_no_overlap_update BEFORE UPDATE OF technician_id, starts_at, ends_at, state ON booking
        WHEN NEW.state = 'held'
        BEGIN {CLASH} END
    """)


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE booking DROP CONSTRAINT booking_no_overlap")
        return
    op.execute("DROP TRIGGER booking_no_overlap_insert")
    op.execute("DROP TRIGGER booking_no_overlap_update")
