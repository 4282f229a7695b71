"""Errors of who may call that no single field shows: names of keys, their users, their moments, isolated namespaces."""

from collections.abc import Collection, Iterator
from datetime import UTC, tzinfo

from pydantic_core import PydanticCustomError

from tidegate.config.findings import Path
from tidegate.config.schema.access import check_zone, moment_us
from tidegate.config.source import Document, as_list, as_mapping
from tidegate.zones import zone_of


def check_access(document: Document, filed: Collection[str] = ()) -> None:
    """Add to `document` what is wrong; `filed` are the names in the file of client keys."""
    data = as_mapping(document.data)
    namespaces = {name: as_mapping(item) for name, item in as_mapping(data.get("namespaces")).items()}
    _names(data, document, filed)
    for path, key in _keys(data):
        _user(path, key, namespaces, document)
        _period(path, key, namespaces, document)
    _isolation(data, namespaces, document)


def _keys(data: dict[str, object]) -> Iterator[tuple[Path, dict[str, object]]]:
    """All keys of the file; bare ones are empty."""
    for index, item in enumerate(as_list(as_mapping(data.get("clients")).get("keys"))):
        yield ("clients", "keys", index), as_mapping(item)
    for name, namespace in as_mapping(data.get("namespaces")).items():
        for index, item in enumerate(as_list(as_mapping(namespace).get("keys"))):
            yield ("namespaces", name, "keys", index), as_mapping(item)


def name_of(path: Path, key: dict[str, object]) -> str:
    """What a key is called, also where it has no name of its own."""
    number = int(path[-1]) + 1
    own = key.get("name")
    return own if isinstance(own, str) else f"{path[1] if path[0] == 'namespaces' else 'key'}-{number}"


def _names(data: dict[str, object], document: Document, filed: Collection[str]) -> None:
    """A key's name stands in records and signatures, and means one key; a file's may stand for several."""
    seen: dict[str, Path] = {}
    for path, key in _keys(data):
        name = name_of(path, key)
        first = seen.setdefault(name, path)
        at = (*path, "name") if "name" in key else path
        if first != path:
            message = f"{document.label(first)} has the same name"
            document.refuse(at, message, "give each key its own: it stands in records and signatures")
        elif name in filed and (path[0] == "namespaces" or key.get("signing", "off") != "off"):
            document.refuse(at, "a key in the file of client keys has the same name", "rename this one")


def _namespace_of(path: Path, key: dict[str, object]) -> str:
    return str(path[1]) if path[0] == "namespaces" else name_of(path, key)


def _user(path: Path, key: dict[str, object], namespaces: dict[str, dict[str, object]], document: Document) -> None:
    user = key.get("user")
    if not isinstance(user, str):
        return
    users = as_mapping(namespaces.get(_namespace_of(path, key), {}).get("users"))
    if user in users:
        return
    if users:
        remedy = document.choice(user, users, ", or add it under users")
    else:
        remedy = f"add it under `users` of {_home(path, document)}"
    document.refuse((*path, "user"), "no such user in its namespace", remedy)


def _home(path: Path, document: Document) -> str:
    """Where the users of a key's namespace stand."""
    return document.label(path[:2]) if path[0] == "namespaces" else "a namespace, and move the key there"


def _period(path: Path, key: dict[str, object], namespaces: dict[str, dict[str, object]], document: Document) -> None:
    first, last = key.get("not_before"), key.get("expires")
    if not isinstance(first, str) or not isinstance(last, str):
        return
    zone = _zone(namespaces.get(_namespace_of(path, key), {}).get("timezone") if path[0] == "namespaces" else None)
    try:
        empty = moment_us(last, zone) <= moment_us(first, zone)
    except (ValueError, OverflowError, TypeError):
        return
    if empty:
        document.refuse((*path, "expires"), "not after not_before, so the key is never valid", "make it the later one")


def _zone(name: object) -> tzinfo:
    try:
        return zone_of(check_zone(name)) if isinstance(name, str) else UTC
    except PydanticCustomError:
        return UTC


def _isolation(data: dict[str, object], namespaces: dict[str, dict[str, object]], document: Document) -> None:
    """A port is one worker's, and a namespace that is alone owns scopes."""
    kept = [as_list(as_mapping(pool).get("only")) for pool in as_mapping(data.get("pools")).values()]
    owners = {only[0] for only in kept if len(only) == 1 and isinstance(only[0], str)}
    ports: dict[object, Path] = {}
    for name, namespace in namespaces.items():
        path: Path = ("namespaces", name, "isolation")
        isolation = namespace.get("isolation")
        if not isinstance(isolation, dict):
            continue
        port = isolation.get("port")
        first = ports.setdefault(port, path)
        if first != path and isinstance(port, int):
            message = f"{document.label((*first, 'port'))} is the same"
            document.refuse((*path, "port"), message, "give each namespace a port of its own")
        if name not in owners:
            remedy = f"add a pool with `only: [{document.said(name)}]` and scopes for it"
            document.refuse(path, "its worker needs scopes that nobody else draws on", remedy)
