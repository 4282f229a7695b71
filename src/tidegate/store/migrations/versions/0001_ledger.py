"""The ledger: journals, calls, tries and hourly sums."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_NUMBER = sa.Integer().with_variant(sa.SmallInteger(), "postgresql")
_NAME = sa.String(128)


def upgrade() -> None:
    """Make the tables."""
    _calls()
    _hourly()
    _journals()
    _tries()


def _calls() -> None:
    op.create_table(
        "calls",
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("journal", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("call_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False, comment="when it ended"),
        sa.Column("namespace", _NAME, nullable=False),
        sa.Column("user", _NAME, nullable=False),
        sa.Column("key", _NAME, nullable=False),
        sa.Column("tier", _NAME, nullable=False),
        sa.Column("plan", _NAME, nullable=False, comment="the strategy or model that was asked for"),
        sa.Column("model", _NAME, nullable=False, comment="the model that was asked for"),
        sa.Column("provider", _NAME, nullable=False, comment="that answered; empty = none"),
        sa.Column("scope", _NAME, nullable=False),
        sa.Column("served", _NAME, nullable=False, comment="the model that answered"),
        sa.Column("tag", _NAME, nullable=False, comment="the client's own words, `, ` between"),
        sa.Column("degraded", sa.String(length=1024), nullable=False, comment="what it was given less of"),
        sa.Column("status", sa.Integer(), nullable=False, comment="as the client was told; 0 = its end was not seen"),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("streamed", sa.Boolean(), nullable=False),
        sa.Column("estimated", sa.Boolean(), nullable=False, comment="its usage is an estimate"),
        sa.Column("queued_us", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("waited_us", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("first_byte_us", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("duration_us", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("prompt_tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("completion_tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("cached_tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("written_tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("charged_tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("cost_nano", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("day", "journal", "call_id", name=op.f("pk_calls")),
        comment="One row a call, whatever came of it; tokens and cost are those of all its attempts",
        postgresql_partition_by="RANGE (day)",
        sqlite_with_rowid=False,
    )
    op.create_index("ix_calls_call_id", "calls", ["call_id"], unique=False)
    op.create_index("ix_calls_namespace_at_us", "calls", ["namespace", "at_us"], unique=False)


def _hourly() -> None:
    op.create_table(
        "hourly",
        sa.Column("hour", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("namespace", _NAME, nullable=False),
        sa.Column("user", _NAME, nullable=False),
        sa.Column("key", _NAME, nullable=False),
        sa.Column("plan", _NAME, nullable=False),
        sa.Column("model", _NAME, nullable=False),
        sa.Column("provider", _NAME, nullable=False),
        sa.Column("scope", _NAME, nullable=False),
        sa.Column("tag", _NAME, nullable=False),
        sa.Column("calls", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("errors", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("attempts", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("estimated_attempts", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("prompt_tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("completion_tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("cached_tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("written_tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("charged_tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("reserved_tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("cost_nano", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint(
            "hour", "namespace", "user", "key", "plan", "model", "provider", "scope", "tag", name=op.f("pk_hourly")
        ),
        comment="Sums by the hour in which calls ended; calls are counted where they were answered",
        sqlite_with_rowid=False,
    )


def _journals() -> None:
    op.create_table(
        "journals",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("identity", sa.String(length=32), nullable=False, comment="the file `identity` beside its segments"),
        sa.Column("name", _NAME, nullable=False, comment="which worker's"),
        sa.Column("segment", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("position", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("taken_calls", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("damaged_records", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("missed_segments", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journals")),
        sa.UniqueConstraint("identity", name=op.f("uq_journals_identity")),
        comment="How far each journal has been taken: everything before `position` of `segment` is in the tables",
    )


def _tries() -> None:
    op.create_table(
        "tries",
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False, comment="its call's"),
        sa.Column("journal", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("call_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False, comment="from 1"),
        sa.Column("at_us", sa.BigInteger(), nullable=False, comment="when it left"),
        sa.Column("duration_us", sa.BigInteger(), nullable=False),
        sa.Column("provider", _NAME, nullable=False),
        sa.Column("scope", _NAME, nullable=False),
        sa.Column("model", _NAME, nullable=False),
        sa.Column("status", sa.Integer(), nullable=False, comment="the provider's, 0 = none came"),
        sa.Column("reason", _NAME, nullable=False, comment="empty = answered; else how it ended"),
        sa.Column("estimated", sa.Boolean(), nullable=False),
        sa.Column("prompt_tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("completion_tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("cached_tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("written_tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("charged_tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("cost_nano", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("day", "journal", "call_id", "number", name=op.f("pk_tries")),
        comment="One row an attempt that reached a provider, or may have: what its provider billed and charged",
        postgresql_partition_by="RANGE (day)",
        sqlite_with_rowid=False,
    )
