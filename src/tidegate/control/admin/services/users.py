"""Users of a namespace: made, changed and removed."""

from collections.abc import Iterator

from sqlalchemy import Connection

from tidegate.control.admin.auth.rights import Actor
from tidegate.control.admin.problems import refused
from tidegate.control.admin.services import known
from tidegate.control.admin.services.changes import Changes, Deed
from tidegate.control.admin.services.patches import patched
from tidegate.control.admin.services.settings import of_user, user_of
from tidegate.control.admin.views.directory import UserView
from tidegate.control.admin.views.sent import NewUser, UserSettings
from tidegate.control.declared import Declared
from tidegate.model.directory import Gone, PutUser
from tidegate.model.entitlements import User
from tidegate.store import identity


def listed(connection: Connection, declared: Declared, namespace: str) -> Iterator[UserView]:
    """Those of the file in its order, then the others by name. Raises `Refused`."""
    known.namespace_of(connection, declared, namespace)
    in_file = known.declared_users(declared, namespace)
    for user in in_file:
        yield known.user_view(namespace, user)
    names = {user.name for user in in_file}
    for stored in identity.users(connection, namespace):
        if stored.user.name not in names:
            yield known.user_view(namespace, stored)


def shown(connection: Connection, declared: Declared, namespace: str, name: str) -> UserView:
    """One. Raises `Refused`."""
    for user in known.declared_users(declared, namespace):
        if user.name == name:
            return known.user_view(namespace, user)
    stored = identity.user(connection, namespace, name)
    if stored is None:
        raise known.absent("user", "user")
    return known.user_view(namespace, stored)


def exists(connection: Connection, declared: Declared, namespace: str, name: str) -> bool:
    """Does anybody of this namespace have the name?"""
    in_file = known.declared_users(declared, namespace)
    return any(user.name == name for user in in_file) or identity.user(connection, namespace, name) is not None


def create(changes: Changes, actor: Actor, namespace: str, said: NewUser) -> UserView:
    """Make one; its namespace may be the file's."""
    record = user_of(said.name, said)

    def work(connection: Connection, now: int) -> Deed:
        declared = changes.declaration.now
        known.namespace_of(connection, declared, namespace)
        _refuse_declared(declared, namespace, said.name, "name")
        if exists(connection, declared, namespace, said.name):
            raise refused(409, "name", "a user of the namespace has this name already", "change it, or choose another")
        identity.put_user(connection, namespace, record, now)
        return _deed("user.create", namespace, None, record)

    changes.carry_out(actor, work)
    return _after(changes, namespace, said.name)


def change(changes: Changes, actor: Actor, namespace: str, name: str, patch: object) -> UserView:
    """Change one."""

    def work(connection: Connection, now: int) -> Deed:
        before = _managed(connection, changes.declaration.now, namespace, name)
        record = user_of(name, patched(UserSettings, of_user(before), patch))
        identity.put_user(connection, namespace, record, now)
        return _deed("user.change", namespace, before, record)

    changes.carry_out(actor, work)
    return _after(changes, namespace, name)


def remove(changes: Changes, actor: Actor, namespace: str, name: str) -> None:
    """Remove one that no key names any more."""

    def work(connection: Connection, _now: int) -> Deed:
        before = _managed(connection, changes.declaration.now, namespace, name)
        keys = identity.keys_of(connection, namespace, name)
        if keys:
            some = ", ".join(keys[:5])
            raise refused(409, "path.user", f"keys name this user: {some}", "revoke them, or give them another user")
        identity.drop_user(connection, namespace, name)
        return Deed("user.delete", namespace, name, of_user(before), None, (Gone("user", namespace, name),))

    changes.carry_out(actor, work)


def _refuse_declared(declared: Declared, namespace: str, name: str, field: str) -> None:
    if any(user.name == name for user in known.declared_users(declared, namespace)):
        raise known.in_file(field, f"namespaces.{namespace}.users.{name}")


def _managed(connection: Connection, declared: Declared, namespace: str, name: str) -> User:
    _refuse_declared(declared, namespace, name, "path.user")
    stored = identity.user(connection, namespace, name)
    if stored is None:
        raise known.absent("user", "user")
    return stored.user


def _deed(action: str, namespace: str, before: User | None, record: User) -> Deed:
    was = None if before is None else of_user(before)
    return Deed(action, namespace, record.name, was, of_user(record), (PutUser(namespace, record),))


def _after(changes: Changes, namespace: str, name: str) -> UserView:
    with changes.engine.connect() as connection:
        return shown(connection, changes.declaration.now, namespace, name)
