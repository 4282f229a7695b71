"""The table of configurations that were in force."""

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table

from tidegate.store.metadata import METADATA, NAME

COMMENT: Final = 500  # characters

POLICIES: Final = Table(
    "policies",
    METADATA,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("at_us", BigInteger, nullable=False),
    Column("node", NAME, nullable=False, comment="whose file it was, empty: that of all nodes of the cluster"),
    Column("actor", NAME, nullable=False, comment="empty: it was changed outside of the gate"),
    Column("comment", String(COMMENT), nullable=False),
    Column("digest", String(64), nullable=False, comment="of the text with its secrets, keyed"),
    Column("added", Integer, nullable=False, comment="lines"),
    Column("removed", Integer, nullable=False, comment="lines"),
    Column("text", LargeBinary, nullable=False, comment="zlib, UTF-8, with masks in the place of secrets"),
    Index("ix_policies_node_id", "node", "id"),
    comment="Configurations that were in force",
)
