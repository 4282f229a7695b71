"""The tables by which the nodes of a cluster know of each other's work: what changed, and who has which duty."""

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, Integer, String, Table

from tidegate.store.metadata import METADATA, NAME

NEWS: Final = Table(
    "news",
    METADATA,
    Column("id", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True),
    Column("at_us", BigInteger, nullable=False),
    Column("origin", String(32), nullable=False, comment="the process that brought it about"),
    Column("kind", String(16), nullable=False, comment="namespace, user, key: see its row. purge: of kept answers"),
    Column("namespace", NAME, nullable=False),
    Column("name", String(4_096), nullable=False, comment="purge: the value that is purged"),
    Column("what", String(16), nullable=False, comment="purge: what is purged; else empty"),
    Column("gone", Boolean, nullable=False, comment="it was removed, if only to be made again"),
    comment="What changed at run time, in the order of its transactions: every node follows it",
    sqlite_autoincrement=True,
)

DUTIES: Final = Table(
    "duties",
    METADATA,
    Column("name", String(32), primary_key=True),
    Column("holder", String(160), nullable=False, comment="node and process"),
    Column("fence", BigInteger, nullable=False, comment="grows with every holder"),
    Column("until_us", BigInteger, nullable=False, comment="the database's clock"),
    comment="What one process of a cluster does for all",
)
