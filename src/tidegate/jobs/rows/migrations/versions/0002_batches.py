"""Files and batches."""

import sqlalchemy as sa
from alembic import op

revision = "0002_batches"
down_revision = "0001_jobs"
branch_labels = None
depends_on = None

_NAME = sa.String(128)
_WORD = sa.String(16)
_OF_BATCHES = "batch <> ''"


def upgrade() -> None:
    """Files, batches, lines that are no requests, and what batches ask of jobs."""
    _partial("ix_jobs_batch_custom_id", "jobs", ["batch", "custom_id"], _OF_BATCHES, unique=True)
    _partial("ix_jobs_batch_state", "jobs", ["batch", "state"], _OF_BATCHES)
    _files()
    _batches()
    op.create_table(
        "job_batch_faults",
        sa.Column("batch", _NAME, primary_key=True),
        sa.Column("line", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("custom_id", sa.Text, nullable=False),
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("param", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )


def _files() -> None:
    op.create_table(
        "job_files",
        sa.Column("id", _NAME, primary_key=True),
        *(sa.Column(name, _NAME, nullable=False) for name in ("namespace", "client", "user")),
        sa.Column("purpose", _WORD, nullable=False),
        sa.Column("filename", sa.Text, nullable=False),
        sa.Column("place", _NAME, nullable=False),
        sa.Column("batch", _NAME, nullable=False),
        *_numbers("size", "created_us", "expires_us"),
    )
    op.create_index("ix_job_files_owner", "job_files", ["namespace", "client", "id"])
    op.create_index("ix_job_files_expires", "job_files", ["expires_us"])
    op.create_index("ix_job_files_batch", "job_files", ["batch"])


def _batches() -> None:
    op.create_table(
        "job_batches",
        sa.Column("id", _NAME, primary_key=True),
        sa.Column("kind", _WORD, nullable=False),
        *(sa.Column(name, _NAME, nullable=False) for name in ("namespace", "client", "user", "endpoint")),
        sa.Column("headers", sa.LargeBinary, nullable=False),
        *(sa.Column(name, _NAME, nullable=False) for name in ("input_file", "place")),
        sa.Column("metadata", sa.LargeBinary, nullable=False),
        sa.Column("webhook", sa.Text, nullable=False),
        *(sa.Column(name, _WORD, nullable=False) for name in ("state", "ending")),
        sa.Column("model", _NAME, nullable=False),
        sa.Column("faults", sa.LargeBinary, nullable=False),
        *(sa.Column(name, _NAME, nullable=False) for name in ("output_file", "error_file")),
        *(sa.Column(name, sa.Integer, nullable=False) for name in ("fed", "clean", "version")),
        *_numbers("output_seconds", "created_us", "expires_us", "in_progress_us", "finalizing_us", "cancelling_us"),
        *_numbers("ended_us", "total", "bad", "position", "line", "prompt_tokens", "completion_tokens"),
        *_numbers("succeeded", "failed", "cancelled", "expired"),
    )
    op.create_index("ix_job_batches_owner", "job_batches", ["kind", "namespace", "client", "id"])
    op.create_index("ix_job_batches_ended", "job_batches", ["ended_us"])
    _partial("ix_job_batches_work", "job_batches", ["place", "id"], "clean = 0")


def _numbers(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=False, server_default="0") for name in names]


def _partial(name: str, table: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, unique=unique, sqlite_where=condition, postgresql_where=condition)


def downgrade() -> None:
    """As they were."""
    for name in ("job_batch_faults", "job_batches", "job_files"):
        op.drop_table(name)
    for name in ("ix_jobs_batch_state", "ix_jobs_batch_custom_id"):
        op.drop_index(name, "jobs")
