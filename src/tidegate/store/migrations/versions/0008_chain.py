"""The call chain: a call's trace, account, sizes and times; its story; indexes by which one is found among many."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_NUMBER = sa.Integer().with_variant(sa.SmallInteger(), "postgresql")
_USED = "prompt_tokens, completion_tokens, cached_tokens, written_tokens, charged_tokens, cost_nano"
_LASTED = "duration_us - queued_us - waited_us"
_FIRST = "first_byte_us - queued_us - waited_us"
_VIEW = f"""
CREATE VIEW tries AS
SELECT day, journal, call_id, number, at_us, duration_us, provider, scope, model, status, reason, estimated, {_USED},
    account, first_byte_us, headers
FROM attempts
UNION ALL
SELECT day, journal, call_id, 1, at_us - ({_LASTED}), CASE WHEN {_LASTED} > 0 THEN {_LASTED} ELSE 0 END,
    provider, scope, served, CASE WHEN status IN (499, 502) THEN 200 ELSE status END,
    CASE status WHEN 0 THEN 'lost' WHEN 499 THEN 'stopped' WHEN 502 THEN 'cut' ELSE '' END, estimated, {_USED},
    account, CASE WHEN {_FIRST} > 0 THEN {_FIRST} ELSE 0 END, ''
FROM calls
WHERE provider <> '' AND NOT EXISTS (
    SELECT 1 FROM attempts
    WHERE attempts.day = calls.day AND attempts.journal = calls.journal AND attempts.call_id = calls.call_id
)
"""  # noqa: S608 - nothing comes from outside
_WORDS = (
    ("calls", "trace_id", 32, "of the client's trace"),
    ("calls", "request_id", 128, "the client's own; empty = it has the call's"),
    ("calls", "account", 16, "fingerprint of the key that was answered"),
    ("calls", "why", 256, "what befell it, in words; empty = nothing"),
    ("attempts", "account", 16, "fingerprint of the provider's key"),
    ("attempts", "headers", 4_096, "of a refusal: `name: value` a line"),
)
_SOME = (
    ("trace_id", "trace_id <> ''", ("trace_id",)),
    ("request_id", "request_id <> ''", ("request_id",)),
    ("failed", "(status >= 400 OR status = 0)", ("at_us", "namespace", "status")),
    ("slow", "duration_us >= 10000000", ("at_us", "namespace", "duration_us")),
    ("waited", "queued_us + waited_us >= 1000000", ("at_us", "namespace", "queued_us", "waited_us")),
    ("why", "why <> ''", ("at_us", "namespace", "why")),
)


def upgrade() -> None:
    """Columns, a table, indexes; the view has what its tables have."""
    op.execute("DROP VIEW tries")
    _columns()
    op.create_table(
        "stories",
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False, comment="its call's"),
        sa.Column("journal", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("call_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("steps", sa.LargeBinary(), nullable=False, comment="0 and msgpack, or 1 and the same compressed"),
        sa.PrimaryKeyConstraint("day", "journal", "call_id", name=op.f("pk_stories")),
        comment="What happened to a call besides the obvious; most calls have none",
        postgresql_partition_by="RANGE (day)",
        sqlite_with_rowid=False,
    )
    op.create_index("ix_calls_at_us", "calls", ["at_us"])
    for name, condition, columns in _SOME:
        given = sa.text(condition)
        op.create_index(f"ix_calls_{name}", "calls", columns, sqlite_where=given, postgresql_where=given)
    op.execute(_VIEW)


def _columns() -> None:
    """Each with a default: what is there already has them at once, without being written anew."""
    for table, name, length, comment in _WORDS:
        op.add_column(table, sa.Column(name, sa.String(length), nullable=False, server_default="", comment=comment))
    for name in ("read_us", "first_token_us", "request_bytes", "answer_bytes", "most_tokens", "deadline_us"):
        op.add_column("calls", sa.Column(name, sa.BigInteger(), nullable=False, server_default="0"))
    first = sa.Column(
        "first_byte_us", sa.BigInteger(), nullable=False, server_default="0", comment="since it left, 0 = none came"
    )
    op.add_column("attempts", first)
