"""Whom customers want to be sent, or not."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ACTIVE = sa.text("state = 'active'")


def upgrade() -> None:
    op.create_table(
        "technician_wish",
        sa.Column("id", BIG, nullable=False),
        sa.Column("customer_id", BIG, nullable=False),
        sa.Column("technician_id", BIG, nullable=False),
        sa.Column("wish", sa.String(12), nullable=False),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_technician_wish_customer_id")),
        sa.ForeignKeyConstraint(["technician_id"], ["technician.id"], name=op.f("fk_technician_wish_technician_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_technician_wish")),
    )
    op.create_index(
        "uq_technician_wish_active", "technician_wish", ["customer_id", "technician_id"], unique=True,
        postgresql_where=ACTIVE, sqlite_where=ACTIVE,
    )  # fmt: skip


def downgrade() -> None:
    op.drop_index("uq_technician_wish_active", "technician_wish")
    op.drop_table("technician_wish")
