"""What is known of namespaces, users and keys: what the file declares, and what the store holds beside it."""

from collections.abc import Iterator

from sqlalchemy import Connection

from tidegate.control.admin.problems import Refused, refused
from tidegate.control.admin.services.settings import as_moment, of_key, of_namespace, of_user
from tidegate.control.admin.views.directory import KeyView, NamespaceView, UserView
from tidegate.control.declared import Declared
from tidegate.model.entitlements import ClientKey, Namespace, User
from tidegate.store import identity
from tidegate.store.identity import StoredKey, StoredNamespace, StoredUser, Times

_NONE = Times(0, 0)


def absent(field: str, kind: str) -> Refused:
    """There is no such thing, or not for who asks."""
    return refused(404, f"path.{field}", f"there is no such {kind}", f"list the {kind}s to see their names")


def in_file(field: str, where: str) -> Refused:
    """What the file declares, only the file changes."""
    problem = "is declared in the configuration file, which alone changes it"
    return refused(409, field, problem, f"change `{where}` there: a running gate takes it over within seconds")


def zone_of(connection: Connection, declared: Declared, name: str) -> str:
    """The time zone of a namespace. Raises `Refused` when it is known nowhere."""
    return namespace_of(connection, declared, name).timezone


def namespace_of(connection: Connection, declared: Declared, name: str) -> Namespace:
    """A namespace, the file's first. Raises `Refused`."""
    found = declared.namespace(name)
    if found is None:
        stored = identity.namespace(connection, name)
        found = stored.namespace if stored is not None else None
    if found is None:
        raise absent("namespace", "namespace")
    return found


def is_namespace(connection: Connection, declared: Declared, name: str) -> bool:
    """Whether one has this name, in the file or beside it."""
    return declared.namespace(name) is not None or identity.namespace(connection, name) is not None


def declared_users(declared: Declared, namespace: str) -> tuple[User, ...]:
    """Those of the file."""
    found = declared.namespace(namespace)
    return () if found is None else found.users


def declared_keys(declared: Declared, namespace: str) -> Iterator[ClientKey]:
    """Those of the file: the namespace's own, and others of its name; "" = of no namespace."""
    names = {item.name for item in declared.namespaces}
    for key in declared.clients:
        if (key.name if key.name in names else "") == namespace:
            yield key
    found = declared.namespace(namespace)
    if found is not None:
        yield from found.clients


def all_declared_keys(declared: Declared) -> Iterator[tuple[str, ClientKey]]:
    """Every key of the file with its namespace. O(keys)."""
    names = {item.name for item in declared.namespaces}
    for key in declared.clients:
        yield key.name if key.name in names else "", key
    for item in declared.namespaces:
        for key in item.clients:
            yield item.name, key


def namespace_view(item: Namespace | StoredNamespace) -> NamespaceView:
    """A namespace as it is shown."""
    record, times = (item, _NONE) if isinstance(item, Namespace) else (item.namespace, item.times)
    return NamespaceView.model_validate({
        **of_namespace(record), "name": record.name, **_origin(isinstance(item, Namespace), times),
    })  # fmt: skip


def user_view(namespace: str, item: User | StoredUser) -> UserView:
    """A user as it is shown."""
    record, times = (item, _NONE) if isinstance(item, User) else (item.user, item.times)
    return UserView.model_validate({
        **of_user(record), "name": record.name, "namespace": namespace, **_origin(isinstance(item, User), times),
    })  # fmt: skip


def key_view(namespace: str, item: ClientKey | StoredKey, now: int) -> KeyView:
    """A key as it is shown, at a wall-clock moment in microseconds."""
    return KeyView.model_validate(key_fields(namespace, item, now))


def key_fields(namespace: str, item: ClientKey | StoredKey, now: int) -> dict[str, object]:
    """The fields of `key_view`."""
    if isinstance(item, ClientKey):
        record, times, revoked, hint = item, _NONE, 0, ""
    else:
        record, times, revoked, hint = item.key, item.times, item.revoked_us, item.hint
    return {
        **of_key(record),
        "name": record.name,
        "namespace": namespace,
        "hint": hint,
        "state": _state(record, revoked, now),
        "revoked": as_moment(revoked),
        **_origin(isinstance(item, ClientKey), times),
    }


def _state(record: ClientKey, revoked_us: int, now: int) -> str:
    if revoked_us:
        return "revoked"
    if 0 < record.expires_us <= now:
        return "expired"
    return "not_yet" if record.not_before_us > now else "active"


def _origin(declared: bool, times: Times) -> dict[str, object]:
    return {
        "declared": "file" if declared else "managed",
        "created": as_moment(times.created_us),
        "changed": as_moment(times.changed_us),
    }
