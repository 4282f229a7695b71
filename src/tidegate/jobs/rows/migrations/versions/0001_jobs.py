"""Jobs, what they ask and were answered, who ran them, and how many of them there are."""

import sqlalchemy as sa
from alembic import op

revision = "0001_jobs"
down_revision = None
branch_labels = None
depends_on = None

_NAME = sa.String(128)
_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Tables of jobs."""
    _jobs()
    _indexes()
    _beside()
    _counts()


def _jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("number", _SERIAL, primary_key=True, autoincrement=True),
        sa.Column("id", _NAME, nullable=False),
        sa.Column("tenant", sa.Integer, nullable=False),
        *(sa.Column(name, _NAME, nullable=False) for name in ("namespace", "client", "user")),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("model", _NAME, nullable=False),
        sa.Column("backend", sa.String(512), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(1024), nullable=False),
        *_counted(sa.SmallInteger, "phase", "rank"),
        *_counted(sa.BigInteger, "not_before_us", "deadline_us", "created_us", "started_us", "finished_us"),
        *_counted(sa.Integer, "attempts", "crashes", "fence"),
        sa.Column("runner", _NAME, nullable=False),
        *_counted(sa.BigInteger, "leased_us", "until_us", "sent_us"),
        sa.Column("tags", sa.Text, nullable=False),
        sa.Column("webhook", sa.Text, nullable=False),
        sa.Column("hook_state", sa.String(16), nullable=False),
        sa.Column("hook_next_us", sa.BigInteger, nullable=False),
        *_counted(sa.Integer, "hook_attempts", "stream"),
        sa.Column("batch", _NAME, nullable=False),
        sa.Column("line", sa.Integer, nullable=False),
        sa.Column("custom_id", sa.Text, nullable=False),
        sa.Column("once", sa.String(64)),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        *_counted(sa.BigInteger, "prompt_tokens", "completion_tokens"),
        *_counted(sa.Integer, "cancelling", "version"),
        # A queue leaves many dead rows, which every look at an index has to step over.
        postgresql_with={"autovacuum_vacuum_scale_factor": 0.02, "autovacuum_analyze_scale_factor": 0.02},
    )


def _indexes() -> None:
    _index("id", "", "id", unique=True)
    _index("once", "once IS NOT NULL", "tenant", "once", unique=True)
    _index("tenant", "", "tenant", "number")
    _index("later", "phase = 1", "not_before_us", "backend")
    _index("ready", "phase = 2", "backend", "tenant", "rank", "number", "deadline_us")
    _index("sent", "phase = 3", "backend", "sent_us")
    _index("held", "phase = 4", "until_us")
    _index("late", "phase > 0 AND phase < 4", "deadline_us")
    _index("over", "phase = 0", "finished_us")
    _index("amiss", "phase = 0 AND state <> 'done'", "state", "number")
    _index("batch", "batch <> ''", "batch", "line")
    _index("hooks", "hook_state = 'due'", "hook_next_us")


def _index(name: str, where: str, *columns: str, unique: bool = False) -> None:
    condition = sa.text(where) if where else None
    op.create_index(
        f"ix_jobs_{name}", "jobs", columns, unique=unique, sqlite_where=condition, postgresql_where=condition
    )


def _beside() -> None:
    op.create_table(
        "job_bodies",
        sa.Column("number", _SERIAL, primary_key=True, autoincrement=False),
        sa.Column("headers", sa.LargeBinary, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "job_answers",
        sa.Column("number", _SERIAL, primary_key=True, autoincrement=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("head", sa.LargeBinary, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "job_attempts",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("fence", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("runner", _NAME, nullable=False),
        sa.Column("began_us", sa.BigInteger, nullable=False),
        sa.Column("ended_us", sa.BigInteger, nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(1024), nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("call_id", _NAME, nullable=False),
        sqlite_with_rowid=False,
    )


def _counts() -> None:
    op.create_table(
        "job_tenants",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("name", sa.String(160), nullable=False, unique=True),
    )
    op.create_table(
        "job_open",
        sa.Column("tenant", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("part", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("jobs", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "job_ends",
        sa.Column("backend", sa.String(512), primary_key=True),
        sa.Column("state", sa.String(16), primary_key=True),
        sa.Column("part", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("jobs", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "job_turns",
        sa.Column("backend", sa.String(512), primary_key=True),
        sa.Column("tenant", sa.Integer, nullable=False),
    )
    op.create_table(
        "job_secrets",
        sa.Column("name", sa.String(16), primary_key=True),
        sa.Column("secret", sa.LargeBinary, nullable=False),
    )


def _counted(kind: type[sa.Integer], *names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, kind, nullable=False) for name in names]


def downgrade() -> None:
    """Take them away."""
    for name in ("job_secrets", "job_turns", "job_ends", "job_open", "job_tenants"):
        op.drop_table(name)
    for name in ("job_attempts", "job_answers", "job_bodies", "jobs"):
        op.drop_table(name)
