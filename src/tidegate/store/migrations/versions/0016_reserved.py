"""What was reserved for a call, and for each of its attempts, before it left; the view has what its tables have."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_TELLS = "that mattered, of a reply that did not end well: `name: value` a line"
_TOLD = "of a refusal: `name: value` a line"
_USED = "prompt_tokens, completion_tokens, cached_tokens, written_tokens, charged_tokens, cost_nano"
_LASTED = "duration_us - queued_us - waited_us"
_FIRST = "first_byte_us - queued_us - waited_us"


def _view(more: str) -> str:
    """`more`: what both tables have besides."""
    return f"""
CREATE VIEW tries AS
SELECT day, journal, call_id, number, at_us, duration_us, provider, scope, model, status, reason, estimated, {_USED},
    account, first_byte_us, headers{more}
FROM attempts
UNION ALL
SELECT day, journal, call_id, 1, at_us - ({_LASTED}), CASE WHEN {_LASTED} > 0 THEN {_LASTED} ELSE 0 END,
    provider, scope, served, CASE WHEN status IN (499, 502) THEN 200 ELSE status END,
    CASE status WHEN 0 THEN 'lost' WHEN 499 THEN 'stopped' WHEN 502 THEN 'cut' ELSE '' END, estimated, {_USED},
    account, CASE WHEN {_FIRST} > 0 THEN {_FIRST} ELSE 0 END, ''{more}
FROM calls
WHERE provider <> '' AND NOT EXISTS (
    SELECT 1 FROM attempts
    WHERE attempts.day = calls.day AND attempts.journal = calls.journal AND attempts.call_id = calls.call_id
)
"""  # noqa: S608 - nothing comes from outside


def upgrade() -> None:
    """Each with a default: what is there already has them at once, without being written anew."""
    op.execute("DROP VIEW tries")
    for table in ("calls", "attempts"):
        op.add_column(table, sa.Column("reserved_tokens", sa.BigInteger(), nullable=False, server_default="0"))
    op.execute(_view(", reserved_tokens"))
    _say(_TELLS)


def downgrade() -> None:
    """As it was."""
    op.execute("DROP VIEW tries")
    for table in ("calls", "attempts"):
        op.drop_column(table, "reserved_tokens")
    op.execute(_view(""))
    _say(_TOLD)


def _say(what: str) -> None:
    """What `attempts.headers` is, where a database keeps that."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"COMMENT ON COLUMN attempts.headers IS '{what}'")
