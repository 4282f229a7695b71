"""The tables of files and batches, beside those of jobs. `*_us` are wall-clock microseconds since 1970, 0 = none."""

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, Text, text
from sqlalchemy.sql.schema import SchemaItem

from tidegate.jobs.rows.tables import JOBS, METADATA, WORD
from tidegate.store.metadata import NAME

_OF_BATCHES: Final = text("batch <> ''")


def _owner() -> list[SchemaItem]:
    return [Column(name, NAME, nullable=False) for name in ("namespace", "client", "user")]


def _numbers(*names: str) -> list[SchemaItem]:
    return [Column(name, BigInteger, nullable=False, server_default="0") for name in names]


# One job for each name of a batch; a line has one by its id. And how many of a batch stand so, without a look at them.
Index(
    "ix_jobs_batch_custom_id",
    JOBS.c.batch,
    JOBS.c.custom_id,
    unique=True,
    sqlite_where=_OF_BATCHES,
    postgresql_where=_OF_BATCHES,
)
Index("ix_jobs_batch_state", JOBS.c.batch, JOBS.c.state, sqlite_where=_OF_BATCHES, postgresql_where=_OF_BATCHES)

FILES: Final = Table(
    "job_files",
    METADATA,
    Column("id", NAME, primary_key=True),
    *_owner(),
    Column("purpose", WORD, nullable=False),
    Column("filename", Text, nullable=False),
    Column("place", NAME, nullable=False),  # the folder that it is in
    Column("batch", NAME, nullable=False),  # that it is of, "" = uploaded
    *_numbers("size", "created_us", "expires_us"),
    Index("ix_job_files_owner", "namespace", "client", "id"),
    Index("ix_job_files_expires", "expires_us"),
    Index("ix_job_files_batch", "batch"),
)

BATCHES: Final = Table(
    "job_batches",
    METADATA,
    Column("id", NAME, primary_key=True),
    Column("kind", WORD, nullable=False),  # openai | anthropic
    *_owner(),
    Column("endpoint", NAME, nullable=False),
    Column("headers", LargeBinary, nullable=False),
    Column("input_file", NAME, nullable=False),
    Column("place", NAME, nullable=False),
    Column("metadata", LargeBinary, nullable=False),  # JSON
    Column("webhook", Text, nullable=False),
    Column("state", WORD, nullable=False),
    Column("ending", WORD, nullable=False),  # what it becomes, "" = completed
    Column("model", NAME, nullable=False),
    Column("faults", LargeBinary, nullable=False),  # JSON: of the file as a whole
    Column("output_file", NAME, nullable=False),
    Column("error_file", NAME, nullable=False),
    Column("fed", Integer, nullable=False),  # 1: all lines are jobs or faults
    Column("clean", Integer, nullable=False),  # 1: ended, and nothing of what was asked and answered is kept in rows
    Column("version", Integer, nullable=False),
    *_numbers("output_seconds", "created_us", "expires_us", "in_progress_us", "finalizing_us", "cancelling_us"),
    *_numbers("ended_us", "total", "bad", "position", "line", "prompt_tokens", "completion_tokens"),
    *_numbers("succeeded", "failed", "cancelled", "expired"),  # once it has ended
    Index("ix_job_batches_owner", "kind", "namespace", "client", "id"),
    Index("ix_job_batches_work", "place", "id", sqlite_where=text("clean = 0"), postgresql_where=text("clean = 0")),
    Index("ix_job_batches_ended", "ended_us"),
)

FAULTS: Final = Table(  # lines that never became a job
    "job_batch_faults",
    METADATA,
    Column("batch", NAME, primary_key=True),
    Column("line", Integer, primary_key=True, autoincrement=False),
    Column("custom_id", Text, nullable=False),
    Column("code", String(64), nullable=False),
    Column("message", Text, nullable=False),
    Column("param", Text, nullable=False),
    sqlite_with_rowid=False,
)
