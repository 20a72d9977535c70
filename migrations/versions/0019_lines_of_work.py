"""Lines of work: who pays each and why, extra work the customer approved, batches, and the serial of what came out."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("part", sa.Column("batch_tracked", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("part", sa.Column("wears", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("part", sa.Column("gtin", sa.String(14), server_default="", nullable=False))
    op.add_column("part_use", sa.Column("removed_serial", sa.String(60), nullable=True))
    op.add_column("part_use", sa.Column("batch", sa.String(60), nullable=True))
    op.add_column("part_use", sa.Column("command_id", sa.String(40), nullable=True))
    op.add_column("work_item", sa.Column("command_id", sa.String(40), nullable=True))
    op.create_table(
        "line_choice",
        sa.Column("id", BIG, nullable=False),
        sa.Column("work_order_id", BIG, nullable=False),
        sa.Column("visit_id", BIG, nullable=False),
        sa.Column("line", sa.String(60), nullable=False),
        sa.Column("coverage", sa.String(12), nullable=False),
        sa.Column("reason", sa.String(300), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["work_order_id"], ["work_order.id"], name=op.f("fk_line_choice_work_order_id")),
        sa.ForeignKeyConstraint(["visit_id"], ["visit.id"], name=op.f("fk_line_choice_visit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_line_choice")),
        sa.UniqueConstraint("work_order_id", "line", name=op.f("uq_line_choice_work_order_id_line")),
    )
    op.create_table(
        "extra_work",
        sa.Column("id", BIG, nullable=False),
        sa.Column("extra_id", sa.String(40), nullable=False),
        sa.Column("work_order_id", BIG, nullable=False),
        sa.Column("visit_id", BIG, nullable=False),
        sa.Column("words", sa.String(300), nullable=False),
        sa.Column("lines", JSON, nullable=False),
        sa.Column("total", BIG, nullable=False),
        sa.Column("decision", sa.String(12), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["work_order_id"], ["work_order.id"], name=op.f("fk_extra_work_work_order_id")),
        sa.ForeignKeyConstraint(["visit_id"], ["visit.id"], name=op.f("fk_extra_work_visit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_extra_work")),
        sa.UniqueConstraint("work_order_id", "extra_id", name=op.f("uq_extra_work_work_order_id_extra_id")),
    )


def downgrade() -> None:
    op.drop_table("extra_work")
    op.drop_table("line_choice")
    with op.batch_alter_table("work_item") as table:
        table.drop_column("command_id")
    with op.batch_alter_table("part_use") as table:
        for name in ("command_id", "batch", "removed_serial"):
            table.drop_column(name)
    with op.batch_alter_table("part") as table:
        for name in ("gtin", "wears", "batch_tracked"):
            table.drop_column(name)
