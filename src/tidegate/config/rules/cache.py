"""Errors of the cache that no single field shows: groups of namespaces that are not there, or that stand in two."""

from collections.abc import Collection, Iterator

from tidegate.config.findings import Path
from tidegate.config.rules.tenants import ANYBODY
from tidegate.config.source import Document, as_list, as_mapping


def check_cache(document: Document, filed: Collection[str] = ()) -> None:
    """Add to `document` what is wrong; `filed` are the names in the file of client keys."""
    data = as_mapping(document.data)
    named = (as_mapping(item).get("name") for item in as_list(as_mapping(data.get("clients")).get("keys")))
    clients = [name for name in named if isinstance(name, str)]
    known = dict.fromkeys([*as_mapping(data.get("namespaces")), *clients])
    seen: dict[str, Path] = {}
    for path, name in _members(data):
        if name not in known and name not in filed and filed is not ANYBODY:
            document.refuse(path, "no such namespace in this file", document.choice(name, known))
        first = seen.setdefault(name, path)
        if first != path:
            message = f"this namespace stands in {document.label(first)} already"
            document.refuse(path, message, "it shares answers with one group: remove one of the two")


def _members(data: dict[str, object]) -> Iterator[tuple[Path, str]]:
    for group, item in as_mapping(as_mapping(data.get("cache")).get("groups")).items():
        for index, name in enumerate(as_list(as_mapping(item).get("namespaces"))):
            if isinstance(name, str):
                yield ("cache", "groups", group, "namespaces", index), name
