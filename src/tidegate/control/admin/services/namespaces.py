"""Namespaces: made, changed and removed."""

from collections.abc import Callable, Iterator
from typing import TypeAlias

from sqlalchemy import Connection

from tidegate.control.admin.auth.rights import Actor
from tidegate.control.admin.problems import refused
from tidegate.control.admin.services import known
from tidegate.control.admin.services.changes import Changes, Deed
from tidegate.control.admin.services.patches import patched
from tidegate.control.admin.services.settings import namespace_of, of_namespace
from tidegate.control.admin.views.directory import NamespaceView
from tidegate.control.admin.views.sent import NamespaceSettings, NewNamespace
from tidegate.control.declared import Declared
from tidegate.model.directory import Gone, PutNamespace
from tidegate.model.entitlements import Namespace
from tidegate.store import identity, tokens

Clear: TypeAlias = Callable[[str], None]
"""Take its patient work away from whoever had this name; see `leaving`."""


def listed(connection: Connection, declared: Declared, reaches: Callable[[str], bool]) -> Iterator[NamespaceView]:
    """Those of the file in its order, then the others by name."""
    for item in declared.namespaces:
        if reaches(item.name):
            yield known.namespace_view(item)
    for stored in identity.namespaces(connection):
        if reaches(stored.namespace.name) and declared.namespace(stored.namespace.name) is None:
            yield known.namespace_view(stored)


def shown(connection: Connection, declared: Declared, name: str) -> NamespaceView:
    """One. Raises `Refused`."""
    in_file = declared.namespace(name)
    if in_file is not None:
        return known.namespace_view(in_file)
    stored = identity.namespace(connection, name)
    if stored is None:
        raise known.absent("namespace", "namespace")
    return known.namespace_view(stored)


def create(changes: Changes, actor: Actor, said: NewNamespace, clear: Clear) -> NamespaceView:
    """Make one, and leave it nothing of who had its name before. Raises `Refused`."""
    record = namespace_of(said.name, said)

    def work(connection: Connection, now: int) -> Deed:
        declared = changes.declaration.now
        _check_name(connection, declared, said.name)
        _check_tier(declared, record.tier)
        clear(record.name)
        identity.put_namespace(connection, record, now)
        return _deed("namespace.create", None, record)

    changes.carry_out(actor, work)
    return _after(changes, record.name)


def change(changes: Changes, actor: Actor, name: str, patch: object) -> NamespaceView:
    """Change one."""

    def work(connection: Connection, now: int) -> Deed:
        before = _managed(connection, changes.declaration.now, name)
        record = namespace_of(name, patched(NamespaceSettings, of_namespace(before), patch))
        _check_tier(changes.declaration.now, record.tier)
        identity.put_namespace(connection, record, now)
        return _deed("namespace.change", before, record)

    changes.carry_out(actor, work)
    return _after(changes, name)


def remove(changes: Changes, actor: Actor, name: str, clear: Clear) -> None:
    """Remove one with its users, its keys, its owners' tokens and its patient work. Raises `Refused`.

    Most of that work goes before anybody else's change has to wait, and what came meanwhile with the namespace itself.
    """

    def work(connection: Connection, _now: int) -> Deed:
        before = _managed(connection, changes.declaration.now, name)
        clear(name)
        identity.drop_namespace(connection, name)
        tokens.drop_owners(connection, name)
        gone = (Gone("namespace", name, name),)
        return Deed("namespace.delete", name, name, of_namespace(before), None, gone)

    with changes.engine.connect() as connection:
        _managed(connection, changes.declaration.now, name)
    clear(name)
    changes.carry_out(actor, work)


def _check_name(connection: Connection, declared: Declared, name: str) -> None:
    if declared.namespace(name) is not None:
        raise known.in_file("name", f"namespaces.{name}")
    if any(tier.name == name for tier in declared.tiers):
        raise refused(409, "name", "a tier has this name", "choose another: a pool may name either")
    if any(key.name == name for key in declared.clients):
        raise refused(409, "name", "a client of the configuration file has this name", "choose another name")
    if identity.namespace(connection, name) is not None:
        raise refused(409, "name", "a namespace has this name already", "change it, or choose another name")


def _check_tier(declared: Declared, tier: str) -> None:
    names = [item.name for item in declared.tiers]
    if tier not in names:
        raise refused(422, "tier", "there is no such tier", f"one of {', '.join(names)}")


def _managed(connection: Connection, declared: Declared, name: str) -> Namespace:
    if declared.namespace(name) is not None:
        raise known.in_file("path.namespace", f"namespaces.{name}")
    return known.namespace_of(connection, declared, name)


def _deed(action: str, before: Namespace | None, record: Namespace) -> Deed:
    was = None if before is None else of_namespace(before)
    return Deed(action, record.name, record.name, was, of_namespace(record), (PutNamespace(record),))


def _after(changes: Changes, name: str) -> NamespaceView:
    with changes.engine.connect() as connection:
        return shown(connection, changes.declaration.now, name)
