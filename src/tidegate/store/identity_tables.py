"""The tables of who may call, who may manage, and who changed what. `entry`, `before` and `after` are JSON."""

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, Text

from tidegate.store.metadata import METADATA, NAME

_SERIAL: Final = BigInteger().with_variant(Integer(), "sqlite")  # SQLite counts up only what it calls INTEGER

NAMESPACES: Final = Table(
    "namespaces",
    METADATA,
    Column("name", NAME, primary_key=True),
    Column("entry", Text, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("changed_us", BigInteger, nullable=False),
)

USERS: Final = Table(
    "users",
    METADATA,
    Column("namespace", NAME, primary_key=True),
    Column("name", NAME, primary_key=True),
    Column("entry", Text, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("changed_us", BigInteger, nullable=False),
)

KEYS: Final = Table(
    "keys",
    METADATA,
    Column("id", _SERIAL, primary_key=True, autoincrement=True),
    Column("namespace", NAME, nullable=False),
    Column("name", NAME, nullable=False),
    Column("digest", LargeBinary(32), nullable=False, unique=True),
    Column("signing_key", LargeBinary(32), nullable=False),
    Column("entry", Text, nullable=False),
    Column("hint", String(16), nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("changed_us", BigInteger, nullable=False),
    Column("revoked_us", BigInteger, nullable=False),  # 0 = it is not
    Index("ix_keys_namespace_name", "namespace", "name"),
)
Index(
    "ix_keys_live",
    KEYS.c.name,
    unique=True,
    sqlite_where=KEYS.c.revoked_us == 0,
    postgresql_where=KEYS.c.revoked_us == 0,
)

TOKENS: Final = Table(
    "tokens",
    METADATA,
    Column("name", NAME, primary_key=True),
    Column("digest", LargeBinary(32), nullable=False, unique=True),
    Column("role", String(16), nullable=False),
    Column("namespace", NAME, nullable=False),  # of an owner, else ""
    Column("created_us", BigInteger, nullable=False),
    Column("expires_us", BigInteger, nullable=False),  # 0 = never
    Column("used_us", BigInteger, nullable=False),  # the last use, to the minute; 0 = none
)

AUDIT: Final = Table(
    "audit",
    METADATA,
    Column("id", _SERIAL, primary_key=True, autoincrement=True),
    Column("at_us", BigInteger, nullable=False, index=True),
    Column("actor", NAME, nullable=False),
    Column("role", String(16), nullable=False),
    Column("address", String(64), nullable=False),
    Column("action", String(32), nullable=False),
    Column("namespace", NAME, nullable=False),
    Column("target", NAME, nullable=False),
    Column("before", Text, nullable=False),  # JSON, "" = it was not there
    Column("after", Text, nullable=False),
)
