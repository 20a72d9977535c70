"""Work orders are found by words without reading all of them.

PostgreSQL only, and with nothing that a server may lack: an inverted index over the pieces of two and three signs of
number and title. Chinese has no blanks between words, and people look for the middle of a number.
"""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

PIECES = """
CREATE FUNCTION work_order_pieces(number text, titles jsonb) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT array_agg(DISTINCT substr(words, place, size))
  FROM (SELECT lower(number || ' ' || coalesce(titles ->> 'zh', '') || ' ' || coalesce(titles ->> 'en', ''))) AS w(words),
       generate_series(2, 3) AS size, generate_series(1, length(words) - size + 1) AS place
$$
"""


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(PIECES)
        op.execute("CREATE INDEX ix_work_order_words ON work_order USING gin (work_order_pieces(number, titles))")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP INDEX ix_work_order_words")
        op.execute("DROP FUNCTION work_order_pieces(text, jsonb)")
