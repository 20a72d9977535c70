"""Numbers of fitted parts and of what is missing are never given twice on SQLite, as PostgreSQL does by itself.

Tablets and lines name them by number (`use-7`, `item-7`) hours after they were taken back.
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

# The highest number that may have been given before: each use has a stock move of its own, which stays; each item that
# was taken back had been asked for by a command, which stays, too.
GIVEN = {
    "part_use": "SELECT max(id) FROM stock_move",
    "work_item": "SELECT max(json_extract(detail, '$.item')) FROM tablet_command WHERE kind = 'need'",
}


def upgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name != "sqlite":
        return
    for name, given in GIVEN.items():
        with op.batch_alter_table(name, recreate="always", table_kwargs={"sqlite_autoincrement": True}):
            pass
        highest = f"max(coalesce((SELECT max(id) FROM {name}), 0), coalesce(({given}), 0))"  # nosec B608
        connection.execute(sa.text(f"DELETE FROM sqlite_sequence WHERE name = '{name}'"))  # nosec B608
        connection.execute(sa.text(f"INSERT INTO sqlite_sequence (name, seq) SELECT '{name}', {highest}"))  # nosec B608


def downgrade() -> None:
    if op.get_bind().dialect.name != "sqlite":
        return
    for name in GIVEN:
        with op.batch_alter_table(name, recreate="always", table_kwargs={"sqlite_autoincrement": False}):
            pass
