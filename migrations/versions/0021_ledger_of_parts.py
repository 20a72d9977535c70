"""The catalogue of parts, places, batches, serial numbers, goods receipts and counts; posted moves stay as they are.

Stock that lay there before has neither batch nor number: its balances go on without one. PostgreSQL and SQLite refuse
to change a posted move by a trigger each; rows taken away are found by the replay (`verify`).
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
MOMENT = sa.DateTime(timezone=True)
QUANTITY = sa.Numeric(14, 3).with_variant(sa.BigInteger(), "sqlite")
WITHOUT_BATCH = sa.text("batch_id IS NULL")
POSTED = ("stock_move", "stock_move_piece")
TABLES = (
    "stock_move_piece", "stock_count_line", "goods_receipt_line", "stock_count", "goods_receipt", "serial_unit",
    "supplier_offer", "stock_batch", "part_substitute", "part_kit_line", "supplier", "part_kit",
)  # fmt: skip
PLACES = {"warehouse": "W", "van": "V", "customer": "K", "transit": "T", "quarantine": "Q"}  # and central, defective


def upgrade() -> None:
    _catalogue()
    _kits()
    _batches_and_pieces()
    _receipts()
    _counts()
    _widen_part()
    _widen_places_and_balances()
    op.add_column("stock_move", sa.Column("becomes", sa.String(12), nullable=True))
    _keep_posted()


def _catalogue() -> None:
    op.create_table(
        "supplier",
        sa.Column("id", BIG, nullable=False),
        sa.Column("code", sa.String(40), nullable=False),
        sa.Column("names", JSON, nullable=False),
        sa.Column("phone", sa.String(32), nullable=False),
        sa.Column("email", sa.String(120), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_supplier")),
        sa.UniqueConstraint("code", name=op.f("uq_supplier_code")),
    )
    op.create_table(
        "supplier_offer",
        sa.Column("id", BIG, nullable=False),
        sa.Column("supplier_id", BIG, nullable=False),
        sa.Column("part_id", BIG, nullable=False),
        sa.Column("their_number", sa.String(60), nullable=False),
        sa.Column("lead_days", BIG, nullable=False),
        sa.Column("on_time_percent", BIG, nullable=True),
        sa.Column("price", BIG, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("minimum", QUANTITY, nullable=False),
        sa.Column("pack", QUANTITY, nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.CheckConstraint("lead_days >= 0 AND price >= 0", name=op.f("ck_supplier_offer_never_negative")),
        sa.CheckConstraint("minimum > 0 AND pack > 0", name=op.f("ck_supplier_offer_positive")),
        sa.CheckConstraint("on_time_percent BETWEEN 0 AND 100", name=op.f("ck_supplier_offer_share")),
        sa.ForeignKeyConstraint(["part_id"], ["part.id"], name=op.f("fk_supplier_offer_part_id")),
        sa.ForeignKeyConstraint(["supplier_id"], ["supplier.id"], name=op.f("fk_supplier_offer_supplier_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_supplier_offer")),
        sa.UniqueConstraint(
            "supplier_id", "part_id", "valid_from", name=op.f("uq_supplier_offer_supplier_id_part_id_valid_from")
        ),
    )
    op.create_index("ix_supplier_offer_part", "supplier_offer", ["part_id"])
    op.create_table(
        "part_substitute",
        sa.Column("id", BIG, nullable=False),
        sa.Column("part_id", BIG, nullable=False),
        sa.Column("other_id", BIG, nullable=False),
        sa.Column("ratio", QUANTITY, nullable=False),
        sa.Column("both_ways", sa.Boolean(), nullable=False),
        sa.Column("conditions", JSON, nullable=False),
        sa.Column("models", JSON, nullable=False),
        sa.CheckConstraint("part_id <> other_id", name=op.f("ck_part_substitute_another")),
        sa.CheckConstraint("ratio > 0", name=op.f("ck_part_substitute_ratio")),
        sa.ForeignKeyConstraint(["other_id"], ["part.id"], name=op.f("fk_part_substitute_other_id")),
        sa.ForeignKeyConstraint(["part_id"], ["part.id"], name=op.f("fk_part_substitute_part_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_part_substitute")),
        sa.UniqueConstraint("part_id", "other_id", name=op.f("uq_part_substitute_part_id_other_id")),
    )
    op.create_index("ix_part_substitute_other_id", "part_substitute", ["other_id"])


def _kits() -> None:
    op.create_table(
        "part_kit",
        sa.Column("id", BIG, nullable=False),
        sa.Column("code", sa.String(40), nullable=False),
        sa.Column("names", JSON, nullable=False),
        sa.Column("work_type", sa.String(40), nullable=False),
        sa.Column("models", JSON, nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_part_kit")),
        sa.UniqueConstraint("code", name=op.f("uq_part_kit_code")),
    )
    op.create_index("ix_part_kit_work_type", "part_kit", ["work_type"])
    op.create_table(
        "part_kit_line",
        sa.Column("id", BIG, nullable=False),
        sa.Column("kit_id", BIG, nullable=False),
        sa.Column("part_id", BIG, nullable=False),
        sa.Column("quantity", QUANTITY, nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_part_kit_line_positive")),
        sa.ForeignKeyConstraint(["kit_id"], ["part_kit.id"], name=op.f("fk_part_kit_line_kit_id")),
        sa.ForeignKeyConstraint(["part_id"], ["part.id"], name=op.f("fk_part_kit_line_part_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_part_kit_line")),
        sa.UniqueConstraint("kit_id", "part_id", name=op.f("uq_part_kit_line_kit_id_part_id")),
    )
    op.create_index("ix_part_kit_line_part_id", "part_kit_line", ["part_id"])


def _batches_and_pieces() -> None:
    op.create_table(
        "stock_batch",
        sa.Column("id", BIG, nullable=False),
        sa.Column("part_id", BIG, nullable=False),
        sa.Column("number", sa.String(60), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("certificate", sa.String(80), nullable=False),
        sa.Column("first_seen_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["part_id"], ["part.id"], name=op.f("fk_stock_batch_part_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_batch")),
        sa.UniqueConstraint("part_id", "number", name=op.f("uq_stock_batch_part_id_number")),
    )
    op.create_table(
        "serial_unit",
        sa.Column("id", BIG, nullable=False),
        sa.Column("part_id", BIG, nullable=False),
        sa.Column("serial", sa.String(60), nullable=False),
        sa.Column("batch_id", BIG, nullable=True),
        sa.Column("location_id", BIG, nullable=True),
        sa.Column("condition", sa.String(12), nullable=False),
        sa.Column("asset_id", BIG, nullable=True),
        sa.Column("state", sa.String(24), nullable=False),
        sa.ForeignKeyConstraint(["asset_id"], ["asset.id"], name=op.f("fk_serial_unit_asset_id")),
        sa.ForeignKeyConstraint(["batch_id"], ["stock_batch.id"], name=op.f("fk_serial_unit_batch_id")),
        sa.ForeignKeyConstraint(["location_id"], ["stock_location.id"], name=op.f("fk_serial_unit_location_id")),
        sa.ForeignKeyConstraint(["part_id"], ["part.id"], name=op.f("fk_serial_unit_part_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_serial_unit")),
        sa.UniqueConstraint("part_id", "serial", name=op.f("uq_serial_unit_part_id_serial")),
    )
    op.create_index("ix_serial_unit_asset", "serial_unit", ["asset_id"])
    op.create_index("ix_serial_unit_place", "serial_unit", ["location_id", "part_id"])
    op.create_table(
        "stock_move_piece",
        sa.Column("id", BIG, nullable=False),
        sa.Column("move_id", BIG, nullable=False),
        sa.Column("batch_id", BIG, nullable=True),
        sa.Column("unit_id", BIG, nullable=True),
        sa.Column("quantity", QUANTITY, nullable=False),
        sa.CheckConstraint("batch_id IS NOT NULL OR unit_id IS NOT NULL", name=op.f("ck_stock_move_piece_named")),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_stock_move_piece_positive")),
        sa.ForeignKeyConstraint(["batch_id"], ["stock_batch.id"], name=op.f("fk_stock_move_piece_batch_id")),
        sa.ForeignKeyConstraint(["move_id"], ["stock_move.id"], name=op.f("fk_stock_move_piece_move_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["serial_unit.id"], name=op.f("fk_stock_move_piece_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_move_piece")),
        sa.UniqueConstraint("move_id", "unit_id", name=op.f("uq_stock_move_piece_move_id_unit_id")),
    )
    op.create_index("ix_stock_move_piece_batch_id", "stock_move_piece", ["batch_id"])
    op.create_index("ix_stock_move_piece_move_id", "stock_move_piece", ["move_id"])
    op.create_index("ix_stock_move_piece_unit_id", "stock_move_piece", ["unit_id"])


def _receipts() -> None:
    op.create_table(
        "goods_receipt",
        sa.Column("id", BIG, nullable=False),
        sa.Column("number", sa.String(20), nullable=False),
        sa.Column("station_id", BIG, nullable=False),
        sa.Column("location_id", BIG, nullable=False),
        sa.Column("supplier_id", BIG, nullable=False),
        sa.Column("delivery_note", sa.String(60), nullable=True),
        sa.Column("opened_by", sa.String(40), nullable=False),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("posted_at", MOMENT, nullable=True),
        sa.Column("state", sa.String(24), nullable=False),
        sa.ForeignKeyConstraint(["location_id"], ["stock_location.id"], name=op.f("fk_goods_receipt_location_id")),
        sa.ForeignKeyConstraint(["station_id"], ["station.id"], name=op.f("fk_goods_receipt_station_id")),
        sa.ForeignKeyConstraint(["supplier_id"], ["supplier.id"], name=op.f("fk_goods_receipt_supplier_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_goods_receipt")),
        sa.UniqueConstraint("number", name=op.f("uq_goods_receipt_number")),
        sa.UniqueConstraint("supplier_id", "delivery_note", name=op.f("uq_goods_receipt_supplier_id_delivery_note")),
    )
    op.create_index("ix_goods_receipt_list", "goods_receipt", ["station_id", "state", "id"])
    op.create_table(
        "goods_receipt_line",
        sa.Column("id", BIG, nullable=False),
        sa.Column("receipt_id", BIG, nullable=False),
        sa.Column("station_id", BIG, nullable=False),
        sa.Column("part_id", BIG, nullable=False),
        sa.Column("quantity", QUANTITY, nullable=False),
        sa.Column("batch", sa.String(60), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("certificate", sa.String(80), nullable=False),
        sa.Column("serials", JSON, nullable=False),
        sa.Column("move_id", BIG, nullable=True),
        sa.Column("decided_by", sa.String(40), nullable=True),
        sa.Column("decided_at", MOMENT, nullable=True),
        sa.Column("state", sa.String(24), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_goods_receipt_line_positive")),
        sa.ForeignKeyConstraint(["move_id"], ["stock_move.id"], name=op.f("fk_goods_receipt_line_move_id")),
        sa.ForeignKeyConstraint(["part_id"], ["part.id"], name=op.f("fk_goods_receipt_line_part_id")),
        sa.ForeignKeyConstraint(
            ["receipt_id"], ["goods_receipt.id"], name=op.f("fk_goods_receipt_line_receipt_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["station_id"], ["station.id"], name=op.f("fk_goods_receipt_line_station_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_goods_receipt_line")),
    )
    op.create_index("ix_goods_receipt_line_list", "goods_receipt_line", ["station_id", "state", "id"])
    op.create_index("ix_goods_receipt_line_receipt_id", "goods_receipt_line", ["receipt_id"])


def _counts() -> None:
    op.create_table(
        "stock_count",
        sa.Column("id", BIG, nullable=False),
        sa.Column("number", sa.String(20), nullable=False),
        sa.Column("station_id", BIG, nullable=False),
        sa.Column("location_id", BIG, nullable=False),
        sa.Column("whole", sa.Boolean(), nullable=False),
        sa.Column("opened_by", sa.String(40), nullable=False),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("decided_by", sa.String(40), nullable=True),
        sa.Column("posted_at", MOMENT, nullable=True),
        sa.Column("state", sa.String(24), nullable=False),
        sa.ForeignKeyConstraint(["location_id"], ["stock_location.id"], name=op.f("fk_stock_count_location_id")),
        sa.ForeignKeyConstraint(["station_id"], ["station.id"], name=op.f("fk_stock_count_station_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_count")),
        sa.UniqueConstraint("number", name=op.f("uq_stock_count_number")),
    )
    op.create_index("ix_stock_count_list", "stock_count", ["station_id", "state", "id"])
    op.create_index("ix_stock_count_location_id", "stock_count", ["location_id"])
    op.create_table(
        "stock_count_line",
        sa.Column("id", BIG, nullable=False),
        sa.Column("count_id", BIG, nullable=False),
        sa.Column("part_id", BIG, nullable=False),
        sa.Column("batch_id", BIG, nullable=True),
        sa.Column("expected", QUANTITY, nullable=True),
        sa.Column("counted", QUANTITY, nullable=True),
        sa.Column("serials", JSON, nullable=False),
        sa.Column("missing", JSON, nullable=False),
        sa.Column("counted_by", sa.String(40), nullable=True),
        sa.Column("counted_at", MOMENT, nullable=True),
        sa.Column("move_id", BIG, nullable=True),
        sa.CheckConstraint("counted >= 0", name=op.f("ck_stock_count_line_never_negative")),
        sa.ForeignKeyConstraint(["batch_id"], ["stock_batch.id"], name=op.f("fk_stock_count_line_batch_id")),
        sa.ForeignKeyConstraint(
            ["count_id"], ["stock_count.id"], name=op.f("fk_stock_count_line_count_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["move_id"], ["stock_move.id"], name=op.f("fk_stock_count_line_move_id")),
        sa.ForeignKeyConstraint(["part_id"], ["part.id"], name=op.f("fk_stock_count_line_part_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_count_line")),
    )
    op.create_index("ix_stock_count_line_count", "stock_count_line", ["count_id", "part_id"])


def _widen_part() -> None:
    with op.batch_alter_table("part") as table:
        table.add_column(sa.Column("pack_size", BIG, server_default="1", nullable=False))
        table.add_column(sa.Column("shelf_life_days", BIG, nullable=True))
        table.add_column(sa.Column("hazard", sa.String(20), server_default="", nullable=False))
        table.add_column(sa.Column("lead_days", BIG, nullable=True))
        table.add_column(sa.Column("certificate_needed", sa.Boolean(), server_default=sa.false(), nullable=False))
        table.add_column(sa.Column("notes", JSON, server_default="{}", nullable=False))
        table.add_column(sa.Column("superseded_by_id", BIG, nullable=True))
        table.create_foreign_key("fk_part_superseded_by_id", "part", ["superseded_by_id"], ["id"])
        table.create_check_constraint(op.f("ck_part_pack_size"), "pack_size > 0")
        table.create_check_constraint(op.f("ck_part_not_itself"), "superseded_by_id <> id")
        table.create_index("ix_part_gtin", ["gtin"])
        table.create_index("ix_part_superseded_by_id", ["superseded_by_id"])


def _widen_places_and_balances() -> None:
    with op.batch_alter_table("stock_location") as table:
        table.add_column(sa.Column("code", sa.String(40), nullable=True))
        table.add_column(sa.Column("site_id", BIG, nullable=True))
        table.create_unique_constraint("uq_stock_location_code", ["code"])
        table.create_foreign_key("fk_stock_location_site_id", "site", ["site_id"], ["id"])
        table.create_index("ix_stock_location_site_id", ["site_id"])
    letters = " ".join(f"WHEN '{kind}' THEN '{letter}'" for kind, letter in PLACES.items())
    op.execute(f"UPDATE stock_location SET code = CASE kind {letters} ELSE 'P' END || id")
    with op.batch_alter_table("stock_balance") as table:
        table.add_column(sa.Column("batch_id", BIG, nullable=True))
        table.add_column(sa.Column("set_aside", QUANTITY, server_default="0", nullable=False))
        table.drop_constraint("uq_stock_balance_location_id_part_id_condition", type_="unique")
        table.create_foreign_key("fk_stock_balance_batch_id", "stock_batch", ["batch_id"], ["id"])
        table.create_check_constraint(op.f("ck_stock_balance_set_aside"), "set_aside >= 0 AND set_aside <= on_hand")
    op.create_index(
        "uq_stock_balance_place", "stock_balance", ["location_id", "part_id", "condition"], unique=True,
        postgresql_where=WITHOUT_BATCH, sqlite_where=WITHOUT_BATCH,
    )  # fmt: skip
    op.create_index(
        "uq_stock_balance_batch", "stock_balance", ["location_id", "part_id", "condition", "batch_id"], unique=True
    )


def _keep_posted() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("""
            CREATE FUNCTION stock_move_stays() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN RAISE EXCEPTION 'stock_move_stays' USING ERRCODE = 'integrity_constraint_violation'; END $$
        """)
    for name in POSTED:
        body = "EXECUTE FUNCTION stock_move_stays()"
        if op.get_bind().dialect.name == "sqlite":
            body = "BEGIN SELECT RAISE(ABORT, 'stock_move_stays'); END"
        op.execute(f"CREATE TRIGGER {name}_stays BEFORE UPDATE ON {name} FOR EACH ROW {body}")


def downgrade() -> None:
    for name in POSTED:
        postgres = op.get_bind().dialect.name == "postgresql"
        op.execute(f"DROP TRIGGER {name}_stays" + (f" ON {name}" if postgres else ""))
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION stock_move_stays()")
    op.drop_column("stock_move", "becomes")
    op.drop_index("uq_stock_balance_batch", "stock_balance")
    op.drop_index("uq_stock_balance_place", "stock_balance")
    with op.batch_alter_table("stock_balance") as table:
        table.drop_constraint(op.f("ck_stock_balance_set_aside"), type_="check")
        table.drop_constraint("fk_stock_balance_batch_id", type_="foreignkey")
        table.create_unique_constraint(
            "uq_stock_balance_location_id_part_id_condition", ["location_id", "part_id", "condition"]
        )
        for name in ("set_aside", "batch_id"):
            table.drop_column(name)
    with op.batch_alter_table("stock_location") as table:
        table.drop_index("ix_stock_location_site_id")
        table.drop_constraint("fk_stock_location_site_id", type_="foreignkey")
        table.drop_constraint("uq_stock_location_code", type_="unique")
        table.drop_column("site_id")
        table.drop_column("code")
    with op.batch_alter_table("part") as table:
        table.drop_index("ix_part_superseded_by_id")
        table.drop_index("ix_part_gtin")
        for name in ("not_itself", "pack_size"):
            table.drop_constraint(op.f(f"ck_part_{name}"), type_="check")
        table.drop_constraint("fk_part_superseded_by_id", type_="foreignkey")
        for name in (
            "superseded_by_id", "notes", "certificate_needed", "lead_days", "hazard", "shelf_life_days", "pack_size",
        ):  # fmt: skip
            table.drop_column(name)
    for name in TABLES:
        op.drop_table(name)
