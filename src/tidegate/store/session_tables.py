"""The table of who is signed in to the control room."""

from typing import Final

from sqlalchemy import BigInteger, Column, LargeBinary, String, Table

from tidegate.store.metadata import METADATA, NAME

AGENT: Final = 200  # characters

SESSIONS: Final = Table(
    "sessions",
    METADATA,
    Column("digest", LargeBinary(32), primary_key=True, comment="SHA-256 of what the browser keeps"),
    Column("name", NAME, nullable=False, index=True, comment="whom the audit names"),
    Column("token", NAME, nullable=False, comment="whose it is; empty: an identity provider's"),
    Column("basis", LargeBinary(32), nullable=False, comment="digest of the token, or of the settings"),
    Column("subject", String(255), nullable=False, comment="as the identity provider names it"),
    Column("role", String(16), nullable=False),
    Column("namespace", NAME, nullable=False),
    Column("address", String(64), nullable=False),
    Column("agent", String(AGENT), nullable=False, comment="what the browser says that it is"),
    Column("created_us", BigInteger, nullable=False),
    Column("expires_us", BigInteger, nullable=False),
    Column("seen_us", BigInteger, nullable=False, comment="the last use, to the minute"),
    comment="Who is signed in to the control room",
)
