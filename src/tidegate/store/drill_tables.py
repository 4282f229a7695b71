"""The table of drills' runs."""

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text

from tidegate.store.metadata import METADATA, NAME

MODEL: Final = String(256)

RUNS: Final = Table(
    "drill_runs",
    METADATA,
    Column("id", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True),
    Column("at_us", BigInteger, nullable=False, comment="when it ended"),
    Column("drill", NAME, nullable=False),
    Column("strategy", MODEL, nullable=False),
    Column("target", MODEL, nullable=False, comment="the model that was asked"),
    Column("state", String(16), nullable=False, comment="passed, failed or not_judged"),
    Column("permille", Integer, nullable=False, comment="the score, the least that it can be"),
    Column("until_us", BigInteger, nullable=False, comment="so long it is a proof; 0 = it is none"),
    Column("asked", Integer, nullable=False, comment="questions"),
    Column("tokens", BigInteger, nullable=False),
    Column("cost_nano", BigInteger, nullable=False),
    Column("why", String(1_024), nullable=False, comment="what was not as expected"),
    Column("detail", Text, nullable=False, comment="verdicts on its answers, JSON; no answers"),
    Column("digest", String(64), nullable=False, comment="of the drill as it was"),
    Column("cause", String(16), nullable=False, comment="schedule or demand"),
    Index("ix_drill_runs_drill_strategy_target", "drill", "strategy", "target", "id"),
    comment="What drills found out of the targets of strategies",
    sqlite_autoincrement=True,
)
