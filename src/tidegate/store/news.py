"""What changed at run time, in the order of its transactions, so that every node of a cluster can follow it.

An item names what changed and not how it is now: who follows reads its row. So an item may be taken twice, and nothing
of a key stands here. On PostgreSQL changes of all nodes are made one at a time (`in_turn`): no number becomes visible
before a smaller one, and who has seen the items up to a number has missed none.
"""

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from sqlalchemy import Connection, delete, func, insert, select, text

from tidegate.model.directory import (
    DRAIN,
    Change,
    Gone,
    PutDrain,
    PutKey,
    PutNamespace,
    PutUser,
    drain_name,
    drained_of,
)
from tidegate.store import drains, identity
from tidegate.store.engine import is_sqlite
from tidegate.store.news_tables import NEWS

NAMESPACE: Final = "namespace"
USER: Final = "user"
KEY: Final = "key"
PURGE: Final = "purge"
MOST: Final = 5_000  # items in one look; who is further behind reads everything instead
_LOCK: Final = 0x7469_6466


class Item(NamedTuple):
    """One of `kind`; `id` is its number."""

    kind: str
    namespace: str
    name: str
    gone: bool = False
    what: str = ""
    origin: str = ""
    id: int = 0


class Behind(Exception):
    """Items that were not seen are not kept any more, or are too many: everything has to be read."""


def in_turn(connection: Connection) -> None:
    """Wait for the changes of other nodes; until this transaction ends, theirs wait. SQLite has one writer anyway."""
    if not is_sqlite(connection):
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})


def tell(connection: Connection, origin: str, items: Iterable[Item], now: int) -> None:
    """Part of the transaction that made the change, which is `in_turn`."""
    rows = [
        {
            "at_us": now,
            "origin": origin,
            "kind": item.kind,
            "namespace": item.namespace,
            "name": item.name,
            "what": item.what,
            "gone": item.gone,
        }
        for item in items
    ]
    if rows:
        connection.execute(insert(NEWS), rows)


def newest(connection: Connection) -> int:
    """The number of the newest item, 0 = there is none."""
    return int(connection.execute(select(func.coalesce(func.max(NEWS.c.id), 0))).scalar_one())


def since(connection: Connection, seen: int) -> list[Item]:
    """The items behind that number, the oldest first. Raises `Behind`."""
    oldest, last = connection.execute(select(func.min(NEWS.c.id), func.max(NEWS.c.id))).one()
    if (last or 0) == seen:
        return []
    if last is None or last < seen or (oldest > seen + 1 and not _kept(connection, seen)):
        raise Behind
    rows = connection.execute(select(NEWS).where(NEWS.c.id > seen).order_by(NEWS.c.id).limit(MOST + 1)).all()
    if len(rows) > MOST:
        raise Behind
    return [Item(row.kind, row.namespace, row.name, row.gone, row.what, row.origin, row.id) for row in rows]


def _kept(connection: Connection, seen: int) -> bool:
    return bool(connection.execute(select(NEWS.c.id).where(NEWS.c.id == seen)).first())


def forget(connection: Connection, before_us: int) -> int:
    """Remove what is older, but the newest; returns how many."""
    last = select(func.max(NEWS.c.id)).scalar_subquery()
    return connection.execute(delete(NEWS).where(NEWS.c.at_us < before_us, NEWS.c.id < last)).rowcount


def items_of(changes: Iterable[Change]) -> Iterator[Item]:
    """The items of changes to the directory."""
    for change in changes:
        match change:
            case PutNamespace(record):
                yield Item(NAMESPACE, record.name, record.name)
            case PutUser(namespace, user):
                yield Item(USER, namespace, user.name)
            case PutKey(namespace, key):
                yield Item(KEY, namespace, key.name)
            case PutDrain(provider, scope, key):
                yield Item(DRAIN, provider, drain_name(scope, key))
            case Gone():
                yield Item(change.kind, change.namespace, change.name, gone=True)


def changes_of(connection: Connection, items: Iterable[Item]) -> list[Change]:
    """What the directory log has to be told of these items: how their rows stand now. O(items) statements."""
    return [change for item in items if item.kind != PURGE for change in _changes(connection, item)]


def _changes(connection: Connection, item: Item) -> Iterator[Change]:
    """What was removed and made again was gone in between, and so was what belonged to it."""
    now = _row(connection, item)
    if item.gone or now is None:
        yield Gone(item.kind, item.namespace, item.name)
    if now is not None:
        yield now


def _row(connection: Connection, item: Item) -> Change | None:
    if item.kind == NAMESPACE:
        namespace = identity.namespace(connection, item.name)
        return None if namespace is None else PutNamespace(namespace.namespace)
    if item.kind == USER:
        user = identity.user(connection, item.namespace, item.name)
        return None if user is None else PutUser(item.namespace, user.user)
    if item.kind == DRAIN:
        drain = drains.drain(connection, item.namespace, *drained_of(item.name))
        return None if drain is None else drain.change
    key = identity.live_key(connection, item.namespace, item.name)
    return None if key is None else PutKey(item.namespace, key.key)
