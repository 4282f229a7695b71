"""What the cache answered, what it kept, and what calls were told of it."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_NAME = sa.String(128)
_NUMBER = sa.Integer().with_variant(sa.SmallInteger(), "postgresql")


def upgrade() -> None:
    """Three tables, and a column of calls."""
    words = "what the cache said; empty = it was not asked"
    op.add_column("calls", sa.Column("cache", _NAME, server_default="", nullable=False, comment=words))
    _hits()
    _notes()
    _sums()


def _hits() -> None:
    op.create_table(
        "hits",
        *_keys(),
        sa.Column("at_us", sa.BigInteger(), nullable=False, comment="when it was answered"),
        sa.Column("namespace", _NAME, nullable=False),
        sa.Column("user", _NAME, nullable=False),
        sa.Column("key", _NAME, nullable=False),
        sa.Column("tag", _NAME, nullable=False, comment="the client's own words, `, ` between"),
        sa.Column("plan", _NAME, nullable=False, comment="the strategy or model that was asked for"),
        sa.Column("provider", _NAME, nullable=False, comment="that had answered"),
        sa.Column("model", _NAME, nullable=False, comment="that had answered"),
        sa.Column("layer", _NAME, nullable=False, comment="exact, semantic, stale, joined, inputs"),
        sa.Column("source", sa.BigInteger(), nullable=False, comment="the call that made the answer"),
        sa.Column("similarity_permille", sa.Integer(), nullable=False, comment="of the questions"),
        sa.Column("charged", sa.Boolean(), nullable=False, comment="its tenant was charged as if it had been made"),
        *_counts("prompt_tokens", "completion_tokens", "cost_nano", "age_us"),
        sa.PrimaryKeyConstraint("day", "journal", "call_id", name=op.f("pk_hits")),
        comment="One row a call that the cache answered; tokens and cost are what the answer took when it was made",
        postgresql_partition_by="RANGE (day)",
        sqlite_with_rowid=False,
    )
    op.create_index("ix_hits_call_id", "hits", ["call_id"])
    op.create_index("ix_hits_source", "hits", ["source"])


def _notes() -> None:
    op.create_table(
        "cache_notes",
        *_keys(),
        sa.Column("word", _NAME, nullable=False, comment="stored, or why not"),
        sa.Column("answer", sa.String(64), nullable=False, comment="under which it is kept, hexadecimal"),
        sa.PrimaryKeyConstraint("day", "journal", "call_id", name=op.f("pk_cache_notes")),
        comment="What the cache made of the answer of a call that was made",
        postgresql_partition_by="RANGE (day)",
        sqlite_with_rowid=False,
    )
    op.create_index("ix_cache_notes_call_id", "cache_notes", ["call_id"])


def _sums() -> None:
    keys = ("namespace", "user", "key", "plan", "provider", "model", "layer")
    op.create_table(
        "hourly_hits",
        sa.Column("hour", sa.Integer(), autoincrement=False, nullable=False),
        *(sa.Column(name, _NAME, nullable=False) for name in keys),
        *_counts("calls", "prompt_tokens", "completion_tokens", "cost_nano"),
        *_counts("charged_calls", "charged_tokens", "charged_nano"),
        sa.PrimaryKeyConstraint("hour", *keys, name=op.f("pk_hourly_hits")),
        comment="Sums by the hour: what each layer answered and so saved; of `miss` and `bypass` only the calls",
        sqlite_with_rowid=False,
    )


def _keys() -> list[sa.Column[int]]:
    return [
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("journal", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("call_id", sa.BigInteger(), autoincrement=False, nullable=False),
    ]


def _counts(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger(), server_default="0", nullable=False) for name in names]


def downgrade() -> None:
    """Take them away."""
    for name in ("hourly_hits", "cache_notes", "hits"):
        op.drop_table(name)
