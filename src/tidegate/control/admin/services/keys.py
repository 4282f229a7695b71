"""Keys of a namespace: made, changed, rotated and revoked. A key is shown to who makes it, once."""

import re
from collections.abc import Callable, Iterator

import msgspec
from sqlalchemy import Connection

from tidegate.control.admin.auth.rights import Actor
from tidegate.control.admin.auth.secrets import Secret, client_key
from tidegate.control.admin.problems import refused
from tidegate.control.admin.services import known, users
from tidegate.control.admin.services.changes import Changes, Deed
from tidegate.control.admin.services.patches import patched
from tidegate.control.admin.services.settings import from_moment, key_of, of_key
from tidegate.control.admin.views.directory import KeyView, MadeKey, RotatedKey
from tidegate.control.admin.views.sent import KeySettings, NewKey, Rotation
from tidegate.control.declared import Declared
from tidegate.model.directory import Gone, PutKey
from tidegate.model.entitlements import ClientKey
from tidegate.model.keys import signing_key_of
from tidegate.store import identity
from tidegate.store.identity import StoredKey
from tidegate.units import SECOND_US

_ROUND = re.compile(r"(.*)-r([0-9]{1,6})")
_LONGEST = 128


def everywhere(
    connection: Connection, declared: Declared, reaches: Callable[[str], bool], now: int
) -> Iterator[KeyView]:
    """The keys of all namespaces, those of none too, and of namespaces that are no more."""
    for namespace, key in known.all_declared_keys(declared):
        if reaches(namespace):
            yield known.key_view(namespace, key, now)
    for stored in identity.all_keys(connection):
        if reaches(stored.namespace):
            yield known.key_view(stored.namespace, stored, now)


def listed(connection: Connection, declared: Declared, namespace: str, now: int) -> Iterator[KeyView]:
    """Those of the file in its order, then the others by name with the revoked ones. Raises `Refused`."""
    known.namespace_of(connection, declared, namespace)
    for key in known.declared_keys(declared, namespace):
        yield known.key_view(namespace, key, now)
    for stored in identity.keys(connection, namespace):
        yield known.key_view(namespace, stored, now)


def shown(connection: Connection, declared: Declared, namespace: str, name: str, now: int) -> KeyView:
    """One. Raises `Refused`."""
    for key in known.declared_keys(declared, namespace):
        if key.name == name:
            return known.key_view(namespace, key, now)
    return known.key_view(namespace, _stored(connection, namespace, name), now)


def create(changes: Changes, actor: Actor, namespace: str, said: NewKey) -> MadeKey:
    """Make one; its namespace may be the file's."""
    secret = client_key()
    prefix = f"{namespace}-"
    name = said.name if said.name.startswith(prefix) else prefix + said.name
    if len(name) > _LONGEST:
        raise refused(422, "name", f"is longer than {_LONGEST} characters with `{prefix}` before it", "shorten it")

    def work(connection: Connection, now: int) -> Deed:
        declared = changes.declaration.now
        zone = known.zone_of(connection, declared, namespace)
        _check_user(connection, declared, namespace, said.user)
        _check_name(connection, declared, namespace, name)
        record = key_of(name, said, zone, secret.digest, signing_key_of(secret.text))
        _check_moments(record, now)
        identity.add_key(connection, namespace, record, secret.hint, now)
        return Deed("key.create", namespace, name, None, of_key(record), (PutKey(namespace, record),))

    changes.carry_out(actor, work)
    return _made(changes, namespace, name, secret)


def change(changes: Changes, actor: Actor, namespace: str, name: str, patch: object) -> KeyView:
    """Change one. What signs is derived from the key itself, so a key that took no signatures never will."""

    def work(connection: Connection, now: int) -> Deed:
        declared = changes.declaration.now
        stored = _managed(connection, declared, namespace, name)
        said = patched(KeySettings, of_key(stored.key), patch)
        if said.signing != "off" and not stored.key.signing_key:
            problem = "this key was made without signatures, and what would check them is not kept"
            raise refused(409, "signing", problem, "make or rotate a key with `signing`")
        if said.user != (stored.key.user or None):
            _check_user(connection, declared, namespace, said.user)
        zone = known.zone_of(connection, declared, namespace)
        record = key_of(name, said, zone, stored.key.digest, stored.key.signing_key)
        _check_moments(record, 0)
        identity.change_key(connection, stored, record, now)
        put = (PutKey(namespace, record),)
        return Deed("key.change", namespace, name, of_key(stored.key), of_key(record), put)

    changes.carry_out(actor, work)
    return _after(changes, namespace, name)


def rotate(changes: Changes, actor: Actor, namespace: str, name: str, said: Rotation) -> RotatedKey:
    """Make a key with the same settings; the former one is good for the overlap, and at most as long as it was."""
    secret = client_key()
    names: list[str] = []

    def work(connection: Connection, now: int) -> Deed:
        former = _managed(connection, changes.declaration.now, namespace, name)
        successor = _successor(connection, changes.declaration.now, name)
        names.append(successor)
        signing_key = signing_key_of(secret.text) if former.key.signing != "off" else b""
        zone = known.zone_of(connection, changes.declaration.now, namespace)
        expires_us = from_moment(said.expires, zone) or former.key.expires_us
        made = msgspec.structs.replace(
            former.key, name=successor, digest=secret.digest, signing_key=signing_key, not_before_us=0,
            expires_us=expires_us,
        )  # fmt: skip
        _check_moments(made, now)
        identity.add_key(connection, namespace, made, secret.hint, now)
        told = (PutKey(namespace, made), _retire(connection, former, now, said.overlap_seconds))
        after = {"made": successor, "overlap_seconds": said.overlap_seconds}
        return Deed("key.rotate", namespace, name, of_key(former.key), after, told)

    changes.carry_out(actor, work)
    return RotatedKey(made=_made(changes, namespace, names[0], secret), former=_after(changes, namespace, name))


def revoke(changes: Changes, actor: Actor, namespace: str, name: str) -> KeyView:
    """From now on it opens nothing; streams in flight end or finish as the namespace says."""

    def work(connection: Connection, now: int) -> Deed:
        stored = _managed(connection, changes.declaration.now, namespace, name)
        identity.revoke_key(connection, stored, now)
        return Deed("key.revoke", namespace, name, of_key(stored.key), None, (Gone("key", namespace, name),))

    changes.carry_out(actor, work)
    return _after(changes, namespace, name)


def _retire(connection: Connection, former: StoredKey, now: int, overlap_seconds: int) -> PutKey | Gone:
    if not overlap_seconds:
        identity.revoke_key(connection, former, now)
        return Gone("key", former.namespace, former.key.name)
    until = now + overlap_seconds * SECOND_US
    expires = min(until, former.key.expires_us or until)
    record = msgspec.structs.replace(former.key, expires_us=expires)
    identity.change_key(connection, former, record, now)
    return PutKey(former.namespace, record)


def _successor(connection: Connection, declared: Declared, name: str) -> str:
    match = _ROUND.fullmatch(name)
    stem, number = (match[1], int(match[2])) if match else (name, 1)
    for following in range(number + 1, number + 1_000):
        candidate = f"{stem[: _LONGEST - 8]}-r{following}"
        if not _taken(connection, declared, candidate):
            return candidate
    raise refused(409, "path.key", "no name is left for its successor", "revoke keys that nobody uses any more")


def _check_name(connection: Connection, declared: Declared, namespace: str, name: str) -> None:
    """Of `acme` and `acme-eu` each has names that the other cannot take, nor find out whether they are taken."""
    for at in range(len(namespace) + 1, len(name)):
        if name[at] == "-" and known.is_namespace(connection, declared, name[:at]):
            problem = "begins as the names of another namespace's keys do"
            raise refused(409, "name", problem, "choose another: records and signatures name keys")
    if _taken(connection, declared, name):
        raise refused(409, "name", "a key has this name already", "choose another: records and signatures name keys")


def _taken(connection: Connection, declared: Declared, name: str) -> bool:
    return identity.taken(connection, name) or any(key.name == name for _, key in known.all_declared_keys(declared))


def _check_user(connection: Connection, declared: Declared, namespace: str, user: str | None) -> None:
    if user is not None and not users.exists(connection, declared, namespace, user):
        raise refused(422, "user", "the namespace has no such user", "make the user first, or leave it out")


def _check_moments(record: ClientKey, now: int) -> None:
    if 0 < record.expires_us <= max(now, record.not_before_us):
        raise refused(422, "expires", "is over before the key is good", "name a later moment")


def _managed(connection: Connection, declared: Declared, namespace: str, name: str) -> StoredKey:
    for key in known.declared_keys(declared, namespace):
        if key.name == name:
            raise known.in_file("path.key", f"namespaces.{namespace}.keys")
    stored = _stored(connection, namespace, name)
    if stored.revoked_us:
        raise refused(409, "path.key", "this key is revoked", "make a new one")
    return stored


def _stored(connection: Connection, namespace: str, name: str) -> StoredKey:
    stored = identity.key(connection, namespace, name)
    if stored is None:
        raise known.absent("key", "key")
    return stored


def _made(changes: Changes, namespace: str, name: str, secret: Secret) -> MadeKey:
    with changes.engine.connect() as connection:
        stored = _stored(connection, namespace, name)
    return MadeKey.model_validate({**known.key_fields(namespace, stored, changes.wall()), "key": secret.text})


def _after(changes: Changes, namespace: str, name: str) -> KeyView:
    with changes.engine.connect() as connection:
        return shown(connection, changes.declaration.now, namespace, name, changes.wall())
