"""The tables of jobs. `*_us` are wall-clock microseconds since 1970, 0 = none; what is true is 1.

What scans and turns read stands in `jobs`; what a job asks and was answered is apart, so that those stay lean.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    text,
)

from tidegate.store.metadata import METADATA as _STORE
from tidegate.store.metadata import NAME

VERSION: Final = "alembic_version_jobs"
METADATA: Final = MetaData(naming_convention=_STORE.naming_convention)

# `phase`: what is to be done with a job; each has a partial index, so that a look costs no more than what it finds.
OVER: Final = 0  # it has ended
LATER: Final = 1  # queued, and not due when somebody looked last
READY: Final = 2  # queued and due
SENT: Final = 3  # queued, and its broker has been told
HELD: Final = 4  # it runs

_SERIAL: Final = BigInteger().with_variant(Integer(), "sqlite")  # SQLite counts up only what it calls INTEGER
BACKEND: Final = String(512)
LONG: Final = String(1024)
WORD: Final = String(16)

JOBS: Final = Table(
    "jobs",
    METADATA,
    Column("number", _SERIAL, primary_key=True, autoincrement=True),  # in order of acceptance
    Column("id", NAME, nullable=False),
    Column("tenant", Integer, nullable=False),  # of `job_tenants`
    Column("namespace", NAME, nullable=False),
    Column("client", NAME, nullable=False),
    Column("user", NAME, nullable=False),
    Column("path", Text, nullable=False),
    Column("model", NAME, nullable=False),
    Column("backend", BACKEND, nullable=False),  # without credentials
    Column("state", WORD, nullable=False),
    Column("reason", LONG, nullable=False),
    Column("phase", SmallInteger, nullable=False),
    Column("rank", SmallInteger, nullable=False),  # priority, the other way round: lower first
    Column("not_before_us", BigInteger, nullable=False),
    Column("deadline_us", BigInteger, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("started_us", BigInteger, nullable=False),
    Column("finished_us", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("crashes", Integer, nullable=False),
    Column("fence", Integer, nullable=False),
    Column("runner", NAME, nullable=False),
    Column("leased_us", BigInteger, nullable=False),
    Column("until_us", BigInteger, nullable=False),  # of the lease
    Column("sent_us", BigInteger, nullable=False),  # to its broker, the last time
    Column("tags", Text, nullable=False),  # JSON
    Column("webhook", Text, nullable=False),
    Column("hook_state", WORD, nullable=False),  # "" | due | sent | given_up
    Column("hook_next_us", BigInteger, nullable=False),
    Column("hook_attempts", Integer, nullable=False),
    Column("stream", Integer, nullable=False),
    Column("batch", NAME, nullable=False),
    Column("line", Integer, nullable=False),
    Column("custom_id", Text, nullable=False),
    Column("once", String(64)),  # SHA-256, hexadecimal, of its Idempotency-Key, null = none
    Column("digest", LargeBinary, nullable=False),
    Column("status", Integer, nullable=False),
    Column("prompt_tokens", BigInteger, nullable=False),
    Column("completion_tokens", BigInteger, nullable=False),
    Column("cancelling", Integer, nullable=False),
    Column("version", Integer, nullable=False),
)


def _index(name: str, where: str, *columns: str, unique: bool = False) -> None:
    condition = text(where) if where else None
    found = [JOBS.c[column] for column in columns]
    Index(f"ix_jobs_{name}", *found, unique=unique, sqlite_where=condition, postgresql_where=condition)


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

BODIES: Final = Table(
    "job_bodies",
    METADATA,
    Column("number", _SERIAL, primary_key=True, autoincrement=False),
    Column("headers", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

ANSWERS: Final = Table(
    "job_answers",
    METADATA,
    Column("number", _SERIAL, primary_key=True, autoincrement=False),
    Column("status", Integer, nullable=False),
    Column("head", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

ATTEMPTS: Final = Table(  # that have ended; the one that runs stands in `jobs`
    "job_attempts",
    METADATA,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("fence", Integer, primary_key=True, autoincrement=False),
    Column("runner", NAME, nullable=False),
    Column("began_us", BigInteger, nullable=False),
    Column("ended_us", BigInteger, nullable=False),
    Column("outcome", WORD, nullable=False),
    Column("reason", LONG, nullable=False),
    Column("status", Integer, nullable=False),
    Column("call_id", NAME, nullable=False),
    sqlite_with_rowid=False,
)

TENANTS: Final = Table(
    "job_tenants",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("name", String(160), nullable=False, unique=True),
)

# Counts are sums of a few parts: transactions that end at the same time seldom wait for each other's row.
OPEN: Final = Table(  # jobs of a tenant that have not ended
    "job_open",
    METADATA,
    Column("tenant", Integer, primary_key=True, autoincrement=False),
    Column("part", Integer, primary_key=True, autoincrement=False),
    Column("jobs", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

ENDED: Final = Table(  # how many have, ever
    "job_ends",
    METADATA,
    Column("backend", BACKEND, primary_key=True),
    Column("state", WORD, primary_key=True),
    Column("part", Integer, primary_key=True, autoincrement=False),
    Column("jobs", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

TURNS: Final = Table(  # whose turn it was last
    "job_turns",
    METADATA,
    Column("backend", BACKEND, primary_key=True),
    Column("tenant", Integer, nullable=False),
)

SECRETS: Final = Table(
    "job_secrets",
    METADATA,
    Column("name", WORD, primary_key=True),
    Column("secret", LargeBinary, nullable=False),
)
