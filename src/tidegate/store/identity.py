"""Namespaces, users and keys as they are managed at run time. Every function works within its caller's transaction.

Of a key its digest and what its signatures are made with are kept, never the key. Times are wall-clock microseconds.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec
from sqlalchemy import Connection, Row, Table, delete, exists, func, insert, select, update

from tidegate.model.directory import Change, PutKey, PutNamespace, PutUser
from tidegate.model.entitlements import ClientKey, Namespace, User
from tidegate.store import drains
from tidegate.store.drains import DRAINS
from tidegate.store.identity_tables import KEYS, NAMESPACES, USERS

_BIT_BY_BIT = {"yield_per": 1_000}  # PostgreSQL's driver would hold all rows else
_NAMESPACE = msgspec.json.Decoder(Namespace)
_USER = msgspec.json.Decoder(User)
_KEY = msgspec.json.Decoder(ClientKey)


@dataclass(frozen=True, slots=True)
class Times:
    """When a record was made and last changed."""

    created_us: int
    changed_us: int


@dataclass(frozen=True, slots=True)
class StoredNamespace:
    """A namespace; its keys and users are rows of their own."""

    namespace: Namespace
    times: Times


@dataclass(frozen=True, slots=True)
class StoredUser:
    """A user of a namespace."""

    namespace: str
    user: User
    times: Times


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key of a namespace. `hint` is how the key begins; `revoked_us` 0 = it is not revoked."""

    id: int
    namespace: str
    key: ClientKey
    hint: str
    revoked_us: int
    times: Times


# Namespaces


def namespaces(connection: Connection) -> list[StoredNamespace]:
    """All, by name."""
    return [_stored_namespace(row) for row in connection.execute(select(NAMESPACES).order_by(NAMESPACES.c.name))]


def namespace(connection: Connection, name: str) -> StoredNamespace | None:
    """The one of that name."""
    row = connection.execute(select(NAMESPACES).where(NAMESPACES.c.name == name)).one_or_none()
    return None if row is None else _stored_namespace(row)


def put_namespace(connection: Connection, record: Namespace, now: int) -> None:
    """Add it, or put it in the place of the one of its name."""
    values = {"entry": _text(msgspec.structs.replace(record, clients=(), users=())), "changed_us": now}
    changed = connection.execute(update(NAMESPACES).where(NAMESPACES.c.name == record.name).values(values))
    if not changed.rowcount:
        connection.execute(insert(NAMESPACES).values(name=record.name, created_us=now, **values))


def drop_namespace(connection: Connection, name: str) -> None:
    """Remove it with its users and keys."""
    connection.execute(delete(KEYS).where(KEYS.c.namespace == name))
    connection.execute(delete(USERS).where(USERS.c.namespace == name))
    connection.execute(delete(NAMESPACES).where(NAMESPACES.c.name == name))


# Users


def users(connection: Connection, namespace: str) -> list[StoredUser]:
    """Those of a namespace, by name."""
    rows = connection.execute(select(USERS).where(USERS.c.namespace == namespace).order_by(USERS.c.name))
    return [_stored_user(row) for row in rows]


def user(connection: Connection, namespace: str, name: str) -> StoredUser | None:
    """The one of that name."""
    wanted = select(USERS).where(USERS.c.namespace == namespace, USERS.c.name == name)
    row = connection.execute(wanted).one_or_none()
    return None if row is None else _stored_user(row)


def put_user(connection: Connection, namespace: str, record: User, now: int) -> None:
    """Add it, or put it in the place of the one of its name."""
    here = (USERS.c.namespace == namespace) & (USERS.c.name == record.name)
    values = {"entry": _text(record), "changed_us": now}
    if not connection.execute(update(USERS).where(here).values(values)).rowcount:
        fresh = {"namespace": namespace, "name": record.name, "created_us": now}
        connection.execute(insert(USERS).values(**fresh, **values))


def drop_user(connection: Connection, namespace: str, name: str) -> None:
    """Remove it; its keys stay."""
    connection.execute(delete(USERS).where(USERS.c.namespace == namespace, USERS.c.name == name))


# Keys


def keys(connection: Connection, namespace: str) -> list[StoredKey]:
    """Those of a namespace with the revoked ones, by name, the newest of a name first."""
    wanted = select(KEYS).where(KEYS.c.namespace == namespace).order_by(KEYS.c.name, KEYS.c.id.desc())
    return [_stored_key(row) for row in connection.execute(wanted)]


def all_keys(connection: Connection) -> Iterator[StoredKey]:
    """Those of all namespaces with the revoked ones, by namespace and name. A row at a time."""
    order = (KEYS.c.namespace, KEYS.c.name, KEYS.c.id.desc())
    for row in connection.execute(select(KEYS).order_by(*order), execution_options=_BIT_BY_BIT):
        yield _stored_key(row)


def key(connection: Connection, namespace: str, name: str) -> StoredKey | None:
    """The newest of that name, perhaps revoked."""
    wanted = select(KEYS).where(KEYS.c.namespace == namespace, KEYS.c.name == name).order_by(KEYS.c.id.desc()).limit(1)
    row = connection.execute(wanted).one_or_none()
    return None if row is None else _stored_key(row)


def live_key(connection: Connection, namespace: str, name: str) -> StoredKey | None:
    """The one of that name that is not revoked."""
    here = (KEYS.c.namespace == namespace) & (KEYS.c.name == name) & (KEYS.c.revoked_us == 0)
    row = connection.execute(select(KEYS).where(here)).one_or_none()
    return None if row is None else _stored_key(row)


def taken(connection: Connection, name: str) -> bool:
    """Has a live key of any namespace this name?"""
    wanted = select(1).where(KEYS.c.name == name, KEYS.c.revoked_us == 0)
    return bool(connection.execute(select(exists(wanted))).scalar())


def keys_of(connection: Connection, namespace: str, user: str) -> list[str]:
    """The names of the live keys that name this user. O(keys of the namespace)."""
    return [item.key.name for item in keys(connection, namespace) if item.key.user == user and not item.revoked_us]


def add_key(connection: Connection, namespace: str, record: ClientKey, hint: str, now: int) -> None:
    """Add it. A name may be used again once its key is revoked: the caller sees to that."""
    values = {"namespace": namespace, "hint": hint, "created_us": now, "changed_us": now, "revoked_us": 0}
    connection.execute(insert(KEYS).values(**values, **_key_values(record)))


def change_key(connection: Connection, stored: StoredKey, record: ClientKey, now: int) -> None:
    """Put `record` in the place of a stored key, perhaps under another name."""
    values = _key_values(record)
    connection.execute(update(KEYS).where(KEYS.c.id == stored.id).values(changed_us=now, **values))


def revoke_key(connection: Connection, stored: StoredKey, now: int) -> None:
    """From now on it is one that was. Its row stays, so that it can be told what it was; it cannot sign any more."""
    values = {"revoked_us": now, "changed_us": now, "signing_key": b""}
    connection.execute(update(KEYS).where(KEYS.c.id == stored.id).values(values))


def forget_keys(connection: Connection, before_us: int) -> int:
    """Remove the rows of keys that were revoked before a moment; returns how many."""
    gone = delete(KEYS).where(KEYS.c.revoked_us > 0, KEYS.c.revoked_us < before_us)
    return connection.execute(gone).rowcount


def anything(connection: Connection) -> bool:
    """Is any namespace, user or key managed at run time, or any account?"""
    tables: Sequence[Table] = (NAMESPACES, USERS, KEYS, DRAINS)
    return any(connection.execute(select(exists(select(1).select_from(table)))).scalar() for table in tables)


def live_keys(connection: Connection) -> int:
    """How many keys are managed and not revoked."""
    counted = select(func.count()).select_from(KEYS).where(KEYS.c.revoked_us == 0)
    return int(connection.execute(counted).scalar_one())


def names(connection: Connection) -> tuple[set[str], set[tuple[str, str]], set[str]]:
    """The names of all namespaces, users (with their namespace) and live keys."""
    namespaces = {row.name for row in connection.execute(select(NAMESPACES.c.name))}
    users = {(row.namespace, row.name) for row in connection.execute(select(USERS.c.namespace, USERS.c.name))}
    keys = {row.name for row in connection.execute(select(KEYS.c.name).where(KEYS.c.revoked_us == 0))}
    return namespaces, users, keys


def changes(connection: Connection) -> Iterator[Change]:
    """What the directory log has to say: everything as it stands now, namespaces first. O(rows), a row at a time."""
    for row in connection.execute(select(NAMESPACES).order_by(NAMESPACES.c.name)):
        yield PutNamespace(_NAMESPACE.decode(row.entry))
    for row in connection.execute(select(USERS).order_by(USERS.c.namespace, USERS.c.name)):
        yield PutUser(row.namespace, _USER.decode(row.entry))
    live = select(KEYS).where(KEYS.c.revoked_us == 0).order_by(KEYS.c.id)
    for row in connection.execute(live, execution_options=_BIT_BY_BIT):
        yield PutKey(row.namespace, _stored_key(row).key)
    for one in drains.all_of(connection):
        yield one.change


def _text(record: msgspec.Struct) -> str:
    return msgspec.json.encode(record).decode()


def _key_values(record: ClientKey) -> dict[str, object]:
    entry = msgspec.structs.replace(record, digest=b"", signing_key=b"")
    return {"name": record.name, "digest": record.digest, "signing_key": record.signing_key, "entry": _text(entry)}


def _stored_namespace(row: Row[tuple[object, ...]]) -> StoredNamespace:
    return StoredNamespace(_NAMESPACE.decode(row.entry), Times(row.created_us, row.changed_us))


def _stored_user(row: Row[tuple[object, ...]]) -> StoredUser:
    return StoredUser(row.namespace, _USER.decode(row.entry), Times(row.created_us, row.changed_us))


def _stored_key(row: Row[tuple[object, ...]]) -> StoredKey:
    record = msgspec.structs.replace(_KEY.decode(row.entry), digest=row.digest, signing_key=row.signing_key)
    times = Times(row.created_us, row.changed_us)
    return StoredKey(row.id, row.namespace, record, row.hint, row.revoked_us, times)
