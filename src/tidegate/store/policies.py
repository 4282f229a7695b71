"""Configurations that were in force: who changed what, and the text without its secrets."""

import zlib
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, delete, insert, select

from tidegate.store.policy_tables import COMMENT, POLICIES
from tidegate.store.rows import name

KEEP: Final = 500  # versions of a node, or of a cluster
_SHOWN: Final = (
    POLICIES.c.id, POLICIES.c.at_us, POLICIES.c.node, POLICIES.c.actor, POLICIES.c.comment, POLICIES.c.digest,
    POLICIES.c.added, POLICIES.c.removed,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Version:
    """One of them; `actor` "" = changed outside of the gate. `added` and `removed` count lines."""

    id: int
    at_us: int
    node: str
    actor: str
    comment: str
    digest: str
    added: int
    removed: int


def add(connection: Connection, version: Version, text: str) -> int:
    """Keep one more, and forget what is too old; returns its number, whatever `version` says. `text` has no secret."""
    values = {
        "at_us": version.at_us,
        "node": name(version.node),
        "actor": name(version.actor),
        "comment": version.comment.replace("\0", "")[:COMMENT],
        "digest": version.digest,
        "added": version.added,
        "removed": version.removed,
        "text": zlib.compress(text.encode(errors="replace")),
    }
    made = connection.execute(insert(POLICIES).values(values)).inserted_primary_key
    kept = select(POLICIES.c.id).where(POLICIES.c.node == values["node"]).order_by(POLICIES.c.id.desc()).offset(KEEP)
    oldest = connection.execute(kept.limit(1)).scalar()
    if oldest is not None:
        connection.execute(delete(POLICIES).where(POLICIES.c.node == values["node"], POLICIES.c.id <= oldest))
    return int(made[0]) if made is not None else 0


def versions(connection: Connection, node: str, before: int, limit: int) -> list[Version]:
    """The newest first; before a number, 0 = all."""
    wanted = select(*_SHOWN).where(POLICIES.c.node == name(node)).order_by(POLICIES.c.id.desc()).limit(limit)
    return [Version(*row) for row in connection.execute(wanted.where(POLICIES.c.id < before) if before else wanted)]


def version(connection: Connection, node: str, number: int) -> tuple[Version, str, str] | None:
    """One with its text, and the text before it ("" = there is none); None: it is not there, or not there any more."""
    table = POLICIES.c
    wanted = select(*_SHOWN, table.text).where(table.node == name(node), table.id <= number)
    rows = connection.execute(wanted.order_by(table.id.desc()).limit(2)).all()
    if not rows or rows[0].id != number:
        return None
    former = _text(rows[1].text) if len(rows) > 1 else ""
    return Version(*rows[0][:-1]), _text(rows[0].text), former


def newest(connection: Connection, node: str) -> tuple[Version, str] | None:
    """The last one with its text."""
    wanted = select(*_SHOWN, POLICIES.c.text).where(POLICIES.c.node == name(node))
    row = connection.execute(wanted.order_by(POLICIES.c.id.desc()).limit(1)).first()
    return None if row is None else (Version(*row[:-1]), _text(row.text))


def _text(packed: bytes) -> str:
    return zlib.decompress(packed).decode()
