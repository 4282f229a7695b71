"""The ledger's tables: calls, attempts, hourly sums, and how far each journal has been taken.

Two ledgers stand in each row: what a provider's limiter was charged, before an attempt left (`reserved_tokens`) and in
the end (`charged_tokens`), and what is billed (tokens by kind and `cost_nano`). A call with one attempt is one row, and
its attempt is read from it. On PostgreSQL calls and attempts are partitioned by day; SQLite keeps them in the order of
their keys. A row of `hourly` without a call or attempt of its own may hold what was reserved.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    SmallInteger,
    String,
    Table,
    TableClause,
    column,
    text,
)
from sqlalchemy.sql.schema import SchemaItem

from tidegate.store.metadata import METADATA, NAME

# A key that SQLite numbers itself must be its INTEGER.
_NUMBER: Final = Integer().with_variant(SmallInteger(), "postgresql")


# Indexes of some calls only cost the others nothing. A query must repeat their condition, word for word.
FAILED: Final = "(status >= 400 OR status = 0)"
SLOW: Final = "duration_us >= 10000000"
WAITED: Final = "queued_us + waited_us >= 1000000"
SLOW_US: Final = 10_000_000
WAITED_US: Final = 1_000_000


def some(name: str, condition: str, *columns: str) -> Index:
    """An index of the calls of which this is true."""
    given = text(condition)
    return Index(f"ix_calls_{name}", *(columns or (name,)), sqlite_where=given, postgresql_where=given)


def _word(name: str, length: int, comment: str) -> Column[str]:
    return Column(name, String(length), nullable=False, server_default="", comment=comment)


def _counts(*names: str) -> list[SchemaItem]:
    return [Column(name, BigInteger, nullable=False, server_default="0") for name in names]


JOURNALS: Final = Table(
    "journals",
    METADATA,
    Column("id", _NUMBER, primary_key=True),
    Column("identity", String(32), nullable=False, unique=True, comment="the file `identity` beside its segments"),
    Column("name", NAME, nullable=False, comment="which worker's"),
    *_counts("segment", "position", "taken_calls", "damaged_records", "missed_segments"),
    comment="How far each journal has been taken: everything before `position` of `segment` is in the tables",
)

CALLS: Final = Table(
    "calls",
    METADATA,
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("journal", _NUMBER, primary_key=True, autoincrement=False),
    Column("call_id", BigInteger, primary_key=True, autoincrement=False),
    Column("at_us", BigInteger, nullable=False, comment="when it ended"),
    Column("namespace", NAME, nullable=False),
    Column("user", NAME, nullable=False),
    Column("key", NAME, nullable=False),
    Column("tier", NAME, nullable=False),
    Column("plan", NAME, nullable=False, comment="the strategy or model that was asked for"),
    Column("model", NAME, nullable=False, comment="the model that was asked for"),
    Column("provider", NAME, nullable=False, comment="that answered; empty = none"),
    Column("scope", NAME, nullable=False),
    Column("served", NAME, nullable=False, comment="the model that answered"),
    Column("tag", NAME, nullable=False, comment="the client's own words, `, ` between"),
    Column("degraded", String(1_024), nullable=False, comment="what it was given less of"),
    Column("status", Integer, nullable=False, comment="as the client was told; 0 = its end was not seen"),
    Column("attempts", Integer, nullable=False),
    Column("streamed", Boolean, nullable=False),
    Column("estimated", Boolean, nullable=False, comment="its usage is an estimate"),
    *_counts("queued_us", "waited_us", "first_byte_us", "duration_us"),
    *_counts("prompt_tokens", "completion_tokens", "cached_tokens", "written_tokens", "charged_tokens", "cost_nano"),
    Column("cache", NAME, nullable=False, server_default="", comment="what the cache said; empty = it was not asked"),
    Column(
        "job",
        NAME,
        nullable=False,
        server_default="",
        comment="the job that it was made for, and for the how manieth time: ID#N",
    ),
    Column("trace_id", String(32), nullable=False, server_default="", comment="of the client's trace"),
    Column(
        "request_id", NAME, nullable=False, server_default="", comment="the client's own; empty = it has the call's"
    ),
    Column(
        "account", String(16), nullable=False, server_default="", comment="fingerprint of the key that was answered"
    ),
    *_counts("read_us", "first_token_us", "request_bytes", "answer_bytes", "most_tokens", "deadline_us"),
    Column("why", String(256), nullable=False, server_default="", comment="what befell it, in words; empty = nothing"),
    *_counts("reserved_tokens"),
    Index("ix_calls_namespace_at_us", "namespace", "at_us"),
    Index("ix_calls_at_us", "at_us"),
    some("job", "job <> ''"),
    some("trace_id", "trace_id <> ''"),
    some("request_id", "request_id <> ''"),
    some("failed", FAILED, "at_us", "namespace", "status"),
    some("slow", SLOW, "at_us", "namespace", "duration_us"),
    some("waited", WAITED, "at_us", "namespace", "queued_us", "waited_us"),
    some("why", "why <> ''", "at_us", "namespace", "why"),
    comment="One row a call, whatever came of it; tokens and cost are those of all its attempts",
    sqlite_with_rowid=False,
    postgresql_partition_by="RANGE (day)",
)

ATTEMPTS: Final = Table(
    "attempts",
    METADATA,
    Column("day", Integer, primary_key=True, autoincrement=False, comment="its call's"),
    Column("journal", _NUMBER, primary_key=True, autoincrement=False),
    Column("call_id", BigInteger, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False, comment="from 1"),
    Column("at_us", BigInteger, nullable=False, comment="when it left"),
    Column("duration_us", BigInteger, nullable=False),
    Column("provider", NAME, nullable=False),
    Column("scope", NAME, nullable=False),
    Column("model", NAME, nullable=False),
    Column("status", Integer, nullable=False, comment="the provider's, 0 = none came"),
    Column("reason", NAME, nullable=False, comment="empty = answered; else how it ended"),
    Column("estimated", Boolean, nullable=False),
    *_counts("prompt_tokens", "completion_tokens", "cached_tokens", "written_tokens", "charged_tokens", "cost_nano"),
    _word("account", 16, "fingerprint of the provider's key"),
    _word("headers", 4_096, "that mattered, of a reply that did not end well: `name: value` a line"),
    Column("first_byte_us", BigInteger, nullable=False, server_default="0", comment="since it left, 0 = none came"),
    *_counts("reserved_tokens"),
    comment="The attempts of calls whose own row does not tell them: of several, or of one that did not answer",
    sqlite_with_rowid=False,
    postgresql_partition_by="RANGE (day)",
)

POSTINGS: Final = Table(
    "postings",
    METADATA,
    Column("day", Integer, primary_key=True, autoincrement=False, comment="its minute's"),
    Column("field", String(16), primary_key=True, comment="user, plan, tag …"),
    Column("value", NAME, primary_key=True, comment="of a duration or wait: how many bits the longest has"),
    Column("minute", Integer, primary_key=True, autoincrement=False, comment="since 1970"),
    comment="In which minutes calls ended that have a value: all that a search by it looks into",
    sqlite_with_rowid=False,
    postgresql_partition_by="RANGE (day)",
)

# A view, made by revision 0016: the rows of `attempts`, and the one attempt of each call that has none there.
TRIES: Final = TableClause("tries", *(column(one.name, one.type) for one in ATTEMPTS.columns))

HOURLY: Final = Table(
    "hourly",
    METADATA,
    Column("hour", Integer, primary_key=True, autoincrement=False),
    *(
        Column(name, NAME, primary_key=True)
        for name in ("namespace", "user", "key", "plan", "model", "provider", "scope", "tag")
    ),
    *_counts("calls", "errors", "attempts", "estimated_attempts"),
    *_counts("prompt_tokens", "completion_tokens", "cached_tokens", "written_tokens"),
    *_counts("charged_tokens", "reserved_tokens", "cost_nano"),
    comment="Sums by the hour in which calls ended; calls are counted where they were answered",
    sqlite_with_rowid=False,
)
