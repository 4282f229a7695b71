"""The tokens of those who manage the gate: kept as SHA-256, with role, namespace and expiry."""

import hmac
from dataclasses import dataclass

from sqlalchemy import Connection, Row, delete, exists, insert, select, update

from tidegate.store.identity_tables import TOKENS

ROLES = ("admin", "operator", "viewer", "debugger", "owner")


@dataclass(frozen=True, slots=True)
class Token:
    """`namespace` is an owner's, else "". Moments are wall-clock microseconds; 0 = never."""

    name: str
    digest: bytes
    role: str
    namespace: str
    created_us: int
    expires_us: int
    used_us: int


def tokens(connection: Connection) -> list[Token]:
    """All, by name."""
    return [_token(row) for row in connection.execute(select(TOKENS).order_by(TOKENS.c.name))]


def token(connection: Connection, name: str) -> Token | None:
    """The one of that name."""
    row = connection.execute(select(TOKENS).where(TOKENS.c.name == name)).one_or_none()
    return None if row is None else _token(row)


def holder(connection: Connection, digest: bytes, now: int) -> Token | None:
    """Whose token has this digest, unless it has expired. The time it takes tells nothing of other digests."""
    row = connection.execute(select(TOKENS).where(TOKENS.c.digest == digest)).one_or_none()
    found = None if row is None else _token(row)
    if found is None or not hmac.compare_digest(found.digest, digest):
        return None
    return None if 0 < found.expires_us <= now else found


def any_token(connection: Connection) -> bool:
    """Was any token made yet?"""
    return bool(connection.execute(select(exists(select(1).select_from(TOKENS)))).scalar())


def add_token(connection: Connection, made: Token) -> None:
    """Add it. Raises `sqlalchemy.exc.IntegrityError` when its name is taken."""
    connection.execute(
        insert(TOKENS).values(
            name=made.name,
            digest=made.digest,
            role=made.role,
            namespace=made.namespace,
            created_us=made.created_us,
            expires_us=made.expires_us,
            used_us=made.used_us,
        )
    )


def used(connection: Connection, name: str, now: int) -> None:
    """Note its last use."""
    connection.execute(update(TOKENS).where(TOKENS.c.name == name).values(used_us=now))


def drop_token(connection: Connection, name: str) -> None:
    """Remove it: from now on it opens nothing."""
    connection.execute(delete(TOKENS).where(TOKENS.c.name == name))


def drop_owners(connection: Connection, namespace: str) -> None:
    """Remove the tokens of a namespace that is no more."""
    connection.execute(delete(TOKENS).where(TOKENS.c.namespace == namespace))


def other_admins(connection: Connection, name: str, now: int) -> bool:
    """Is there a valid admin token besides this one?"""
    valid = (TOKENS.c.expires_us == 0) | (TOKENS.c.expires_us > now)
    wanted = select(1).where(TOKENS.c.role == "admin", TOKENS.c.name != name, valid)
    return bool(connection.execute(select(exists(wanted))).scalar())


def _token(row: Row[tuple[object, ...]]) -> Token:
    return Token(row.name, row.digest, row.role, row.namespace, row.created_us, row.expires_us, row.used_us)
