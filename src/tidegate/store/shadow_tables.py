"""The table of what came of shadow traffic."""

from typing import Final

from sqlalchemy import BigInteger, Column, Integer, String, Table

from tidegate.store.metadata import METADATA, NAME

COUNTS: Final = (
    "calls", "answered", "failed", "unasked", "agreed", "permille", "primary_us", "candidate_us", "primary_nano",
    "candidate_nano", "primary_chars", "candidate_chars",
)  # fmt: skip

SHADOWS: Final = Table(
    "shadow_days",
    METADATA,
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("strategy", NAME, primary_key=True),
    Column("candidate", String(256), primary_key=True, comment="the model"),
    Column("calls", BigInteger, nullable=False, comment="of the sample, for which there was a place"),
    Column("answered", BigInteger, nullable=False),
    Column("failed", BigInteger, nullable=False),
    Column("unasked", BigInteger, nullable=False, comment="no money was left for the day, or no quota"),
    Column("agreed", BigInteger, nullable=False),
    Column("permille", BigInteger, nullable=False, comment="of those answered, how much alike the answers are"),
    Column("primary_us", BigInteger, nullable=False, comment="of those answered, as all sums below"),
    Column("candidate_us", BigInteger, nullable=False),
    Column("primary_nano", BigInteger, nullable=False),
    Column("candidate_nano", BigInteger, nullable=False, comment="of all, also of those that failed"),
    Column("primary_chars", BigInteger, nullable=False),
    Column("candidate_chars", BigInteger, nullable=False),
    comment="What candidates answered beside strategies, by day",
)
