"""Sessions of the control room: kept as SHA-256, and good while what they were begun with is.

One that a token began ends with that token: when it is revoked, expires, or is made anew with another role.
"""

import hmac
from dataclasses import dataclass

from sqlalchemy import Connection, Row, Select, and_, delete, insert, or_, select, update

from tidegate.store.identity_tables import TOKENS
from tidegate.store.session_tables import SESSIONS


@dataclass(frozen=True, slots=True)
class Session:
    """`token` is the name of the token that began it, "" = an identity provider's `subject` did.

    `basis` is the token's digest, or that of the provider's settings. Moments are wall-clock microseconds.
    """

    digest: bytes
    name: str
    token: str
    basis: bytes
    role: str
    namespace: str
    created_us: int
    expires_us: int
    seen_us: int
    subject: str = ""
    address: str = ""
    agent: str = ""


def add(connection: Connection, made: Session) -> None:
    """Add it."""
    connection.execute(
        insert(SESSIONS).values(
            digest=made.digest, name=made.name, token=made.token, basis=made.basis, subject=made.subject,
            role=made.role, namespace=made.namespace, address=made.address, agent=made.agent,
            created_us=made.created_us, expires_us=made.expires_us, seen_us=made.seen_us,
        )
    )  # fmt: skip


def holder(connection: Connection, digest: bytes, now: int, idle_us: int) -> Session | None:
    """Whose session has this digest, unless it has ended. The time it takes tells nothing of other digests."""
    row = connection.execute(_good(now, idle_us).where(SESSIONS.c.digest == digest)).one_or_none()
    if row is None or not hmac.compare_digest(row.digest, digest):
        return None
    return _session(row)


def sessions(connection: Connection, now: int, idle_us: int) -> list[Session]:
    """All that are good, the last used first."""
    query = _good(now, idle_us).order_by(SESSIONS.c.seen_us.desc(), SESSIONS.c.digest)
    return [_session(row) for row in connection.execute(query)]


def seen(connection: Connection, digest: bytes, now: int) -> None:
    """Note its last use."""
    connection.execute(update(SESSIONS).where(SESSIONS.c.digest == digest).values(seen_us=now))


def drop(connection: Connection, digest: bytes) -> None:
    """It opens nothing any more."""
    connection.execute(delete(SESSIONS).where(SESSIONS.c.digest == digest))


def drop_of(connection: Connection, name: str) -> int:
    """None of this name opens anything any more; "" = of nobody's. Returns how many they were."""
    query = delete(SESSIONS)
    return connection.execute(query.where(SESSIONS.c.name == name) if name else query).rowcount


def forget(connection: Connection, now: int, idle_us: int) -> None:
    """Remove those that expired or were idle for too long."""
    over = or_(SESSIONS.c.expires_us <= now, SESSIONS.c.seen_us <= now - idle_us)
    connection.execute(delete(SESSIONS).where(over))


def _good(now: int, idle_us: int) -> Select[tuple[object, ...]]:
    same = and_(TOKENS.c.name == SESSIONS.c.token, TOKENS.c.digest == SESSIONS.c.basis)
    held = and_(
        TOKENS.c.name.is_not(None),
        TOKENS.c.role == SESSIONS.c.role,
        TOKENS.c.namespace == SESSIONS.c.namespace,
        or_(TOKENS.c.expires_us == 0, TOKENS.c.expires_us > now),
    )
    return (
        select(SESSIONS)
        .select_from(SESSIONS.outerjoin(TOKENS, same))
        .where(SESSIONS.c.expires_us > now, SESSIONS.c.seen_us > now - idle_us, or_(SESSIONS.c.token == "", held))
    )


def _session(row: Row[tuple[object, ...]]) -> Session:
    return Session(
        row.digest, row.name, row.token, row.basis, row.role, row.namespace, row.created_us, row.expires_us,
        row.seen_us, row.subject, row.address, row.agent,
    )  # fmt: skip
