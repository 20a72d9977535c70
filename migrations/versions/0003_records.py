"""Records: history of edits, imports, and what master data needs to be matched and drawn.

Revision ID: 0003
Revises: 0002
"""

import json
import re
import unicodedata

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Json = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
Moment = sa.DateTime(timezone=True)
LEGAL = re.compile(
    r"(股份有限公司|有限责任公司|集团有限公司|有限公司|股份公司|集团公司|集团|公司|工厂|总厂|分厂|厂"
    r"|\b(co|company|corp|corporation|inc|ltd|limited|llc|gmbh|group|plc|ag|sa)\b)"
)


def upgrade() -> None:
    op.create_table(
        "import_run",
        sa.Column("id", BigId, nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("file_name", sa.String(120), nullable=False),
        sa.Column("user_id", BigId),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("finished_at", Moment),
        sa.Column("share", sa.Float(), nullable=False),
        sa.Column("counts", Json, nullable=False),
        sa.Column("notes", Json, nullable=False),
        sa.Column("stop_asked", sa.Boolean(), nullable=False),
        sa.Column("error", sa.String(400), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_import_run"),
    )
    op.create_index("ix_import_run_kind", "import_run", ["kind", "id"])
    op.create_table(
        "record_change",
        sa.Column("id", BigId, nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("record_id", BigId, nullable=False),
        sa.Column("import_run_id", BigId),
        sa.Column("actor", sa.String(40), nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("before", Json),
        sa.Column("after", Json),
        sa.Column("undoes_id", BigId),
        sa.PrimaryKeyConstraint("id", name="pk_record_change"),
        sa.ForeignKeyConstraint(["import_run_id"], ["import_run.id"], name="fk_record_change_import_run_id"),
        sa.ForeignKeyConstraint(["undoes_id"], ["record_change.id"], name="fk_record_change_undoes_id"),
        sa.UniqueConstraint("undoes_id", name="uq_record_change_undoes_id"),
    )
    op.create_index("ix_record_change_record", "record_change", ["kind", "record_id", "id"])
    op.create_index("ix_record_change_import", "record_change", ["import_run_id", "id"])
    with op.batch_alter_table("station") as table:
        table.add_column(sa.Column("hours", Json, nullable=False, server_default="{}"))
    with op.batch_alter_table("territory") as table:
        table.add_column(sa.Column("code", sa.String(20)))
        table.add_column(sa.Column("area", Json))
        table.add_column(sa.Column("drawn", sa.Boolean(), nullable=False, server_default=sa.false()))
        table.create_unique_constraint("uq_territory_code", ["code"])
    op.execute(
        "UPDATE territory SET code = (SELECT s.code FROM station s WHERE s.id = territory.station_id) || '-' || id"
    )
    with op.batch_alter_table("technician") as table:
        table.add_column(sa.Column("code", sa.String(40)))
        table.create_unique_constraint("uq_technician_code", ["code"])
    with op.batch_alter_table("customer") as table:
        table.add_column(sa.Column("code", sa.String(40)))
        table.add_column(sa.Column("name_core", sa.String(120), nullable=False, server_default=""))
        table.add_column(sa.Column("merged_into_id", BigId))
        table.create_unique_constraint("uq_customer_code", ["code"])
        table.create_foreign_key("fk_customer_merged_into_id", "customer", ["merged_into_id"], ["id"])
        table.create_index("ix_customer_name_core", ["name_core"])
        table.create_index("ix_customer_merged_into_id", ["merged_into_id"])
    _fill_name_cores()


def _fill_name_cores() -> None:
    """As customers/naming.py had it when this was written."""
    bind = op.get_bind()
    rows = bind.execute(sa.text("SELECT id, names FROM customer")).fetchall()
    filled = [{"id": row.id, "core": _core(row.names)} for row in rows]
    if filled:
        bind.execute(sa.text("UPDATE customer SET name_core = :core WHERE id = :id"), filled)


def _core(names: object) -> str:
    texts = json.loads(names) if isinstance(names, str) else names
    plain = unicodedata.normalize("NFKC", texts.get("zh") or texts.get("en") or "").casefold()
    kept = re.sub(r"[\W_]+", "", LEGAL.sub(" ", plain)) or re.sub(r"[\W_]+", "", plain)
    return kept[:120]


def downgrade() -> None:
    with op.batch_alter_table("customer") as table:
        table.drop_index("ix_customer_merged_into_id")
        table.drop_index("ix_customer_name_core")
        table.drop_constraint("fk_customer_merged_into_id", type_="foreignkey")
        table.drop_constraint("uq_customer_code", type_="unique")
        table.drop_column("merged_into_id")
        table.drop_column("name_core")
        table.drop_column("code")
    with op.batch_alter_table("technician") as table:
        table.drop_constraint("uq_technician_code", type_="unique")
        table.drop_column("code")
    with op.batch_alter_table("territory") as table:
        table.drop_constraint("uq_territory_code", type_="unique")
        table.drop_column("drawn")
        table.drop_column("area")
        table.drop_column("code")
    with op.batch_alter_table("station") as table:
        table.drop_column("hours")
    op.drop_table("record_change")
    op.drop_table("import_run")
