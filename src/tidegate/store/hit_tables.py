"""The ledger's tables of the cache: what it answered, what became of answers that were made, and sums by the hour.

A call that the cache answered has a row of `hits` and none of `calls`, but for one that a stale answer stood in for: it
has both. `hourly_hits` counts beside the layers those that were asked for and not there (`miss`), and those that had
nothing to do with the cache for a reason of their own (`bypass`).
"""

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, SmallInteger, String, Table, false, text
from sqlalchemy.sql.schema import SchemaItem

from tidegate.store.metadata import METADATA, NAME

_NUMBER: Final = Integer().with_variant(SmallInteger(), "postgresql")
KEY_DIGITS: Final = 64


def _counts(*names: str) -> list[SchemaItem]:
    return [Column(name, BigInteger, nullable=False, server_default="0") for name in names]


def _word(name: str, length: int, comment: str | None = None) -> Column[str]:
    return Column(name, String(length), nullable=False, server_default="", comment=comment)


def _named(name: str) -> Index:
    """Of those that have one."""
    given = text(f"{name} <> ''")
    return Index(f"ix_hits_{name}", name, sqlite_where=given, postgresql_where=given)


HITS: Final = Table(
    "hits",
    METADATA,
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("journal", _NUMBER, primary_key=True, autoincrement=False),
    Column("call_id", BigInteger, primary_key=True, autoincrement=False),
    Column("at_us", BigInteger, nullable=False, comment="when it was answered"),
    Column("namespace", NAME, nullable=False),
    Column("user", NAME, nullable=False),
    Column("key", NAME, nullable=False),
    Column("tag", NAME, nullable=False, comment="the client's own words, `, ` between"),
    Column("plan", NAME, nullable=False, comment="the strategy or model that was asked for"),
    Column("provider", NAME, nullable=False, comment="that had answered"),
    Column("model", NAME, nullable=False, comment="that had answered"),
    Column("layer", NAME, nullable=False, comment="exact, semantic, stale, joined, inputs"),
    Column("source", BigInteger, nullable=False, comment="the call that made the answer"),
    Column("similarity_permille", Integer, nullable=False, comment="of the questions"),
    Column("charged", Boolean, nullable=False, comment="its tenant was charged as if it had been made"),
    *_counts("prompt_tokens", "completion_tokens", "cost_nano", "age_us"),
    _word("asked", 128, "the model that was asked for"),
    _word("tier", 128),
    _word("trace_id", 32, "of the client's trace"),
    _word("request_id", 128, "the client's own; empty = it has the call's"),
    Column("streamed", Boolean, nullable=False, server_default=false()),
    *_counts("read_us", "duration_us"),
    Index("ix_hits_source", "source"),
    Index("ix_hits_at_us", "at_us"),
    Index("ix_hits_namespace_at_us", "namespace", "at_us"),
    _named("trace_id"),
    _named("request_id"),
    comment="One row a call that the cache answered; tokens and cost are what the answer took when it was made",
    sqlite_with_rowid=False,
    postgresql_partition_by="RANGE (day)",
)

NOTES: Final = Table(
    "cache_notes",
    METADATA,
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("journal", _NUMBER, primary_key=True, autoincrement=False),
    Column("call_id", BigInteger, primary_key=True, autoincrement=False),
    Column("word", NAME, nullable=False, comment="stored, or why not"),
    Column("answer", String(KEY_DIGITS), nullable=False, comment="under which it is kept, hexadecimal"),
    comment="What the cache made of the answer of a call that was made",
    sqlite_with_rowid=False,
    postgresql_partition_by="RANGE (day)",
)

HOURLY_HITS: Final = Table(
    "hourly_hits",
    METADATA,
    Column("hour", Integer, primary_key=True, autoincrement=False),
    *(
        Column(name, NAME, primary_key=True)
        for name in ("namespace", "user", "key", "plan", "provider", "model", "layer")
    ),
    *_counts("calls", "prompt_tokens", "completion_tokens", "cost_nano"),
    *_counts("charged_calls", "charged_tokens", "charged_nano"),
    comment="Sums by the hour: what each layer answered and so saved; of `miss` and `bypass` only the calls",
    sqlite_with_rowid=False,
)
