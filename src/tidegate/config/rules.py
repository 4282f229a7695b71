"""Errors that no single field shows: names given twice, settings that contradict each other, files that are missing.

The rules read raw data and skip what has a wrong type, so that they speak beside the schema's errors, not after them.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path as FilePath

from tidegate.config.findings import Finding, Path
from tidegate.config.keys_file import BadLine, read_keys
from tidegate.config.source import Document

Refuse = Callable[[Path, str, str], None]


def check_rules(document: Document, folder: FilePath) -> None:
    """Add to `document` everything that the rules find. Paths in the file are relative to `folder`."""
    data, refuse = _mapping(document.data), document.refuse
    for name, provider in _mapping(data.get("providers")).items():
        _scopes(_mapping(provider), ("providers", name), refuse)
    strategies = _mapping(data.get("strategies"))
    for path, strategy in _strategies(data):
        _fallbacks(strategy, path, refuse)
        _waits(_mapping(strategy.get("retry_policy")), (*path, "retry_policy"), refuse)
    _waits(_mapping(_mapping(data.get("defaults")).get("retry_policy")), ("defaults", "retry_policy"), refuse)
    single = _mapping(data.get("model_strategy")).get("primary_model")
    if isinstance(single, str) and single in strategies:
        message = "model_strategy is named by its primary model, and has the same name"
        refuse(("strategies", single), message, "rename this strategy")
    _client_keys(_mapping(data.get("clients")), refuse)
    _journal(_mapping(data.get("journal")), refuse)
    _files(data, document, folder)


def _mapping(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _strategies(data: dict[str, object]) -> Iterator[tuple[Path, dict[str, object]]]:
    yield ("model_strategy",), _mapping(data.get("model_strategy"))
    for name, strategy in _mapping(data.get("strategies")).items():
        yield ("strategies", name), _mapping(strategy)


def _number(section: dict[str, object], name: str, default: float) -> float:
    value = section.get(name)
    return value if isinstance(value, (int, float)) else default


def _scopes(provider: dict[str, object], path: Path, refuse: Refuse) -> None:
    names: set[str] = set()
    keys: dict[str, int] = {}
    for index, item in enumerate(_list(provider.get("scopes"))):
        scope, at = _mapping(item), (*path, "scopes", index)
        name = scope.get("name")
        if isinstance(name, str):
            if name in names:
                refuse((*at, "name"), "another scope of this provider has the same name", "give each its own")
            names.add(name)
        for number, key in enumerate(_list(scope.get("keys"))):
            if not isinstance(key, str) or not key:
                continue
            if (first := keys.setdefault(key, index)) != index or _list(scope.get("keys")).index(key) != number:
                message = "this key is given twice" if first == index else f"this key is in scopes[{first}] already"
                refuse((*at, "keys", number), message, "a key belongs to one scope: remove one of the two")


def _fallbacks(strategy: dict[str, object], path: Path, refuse: Refuse) -> None:
    primary = strategy.get("primary_model")
    seen: set[str] = set()
    for index, item in enumerate(_list(strategy.get("fallback_models"))):
        model = _mapping(item).get("model")
        if not isinstance(model, str):
            continue
        at = (*path, "fallback_models", index, "model")
        if model == primary:
            refuse(at, "the primary model cannot be its own fallback", "remove it, or name another model")
        elif model in seen:
            refuse(at, "this fallback is given twice", "remove one of the two")
        seen.add(model)


def _waits(policy: dict[str, object], path: Path, refuse: Refuse) -> None:
    base, cap = _number(policy, "base_seconds", 0.5), _number(policy, "cap_seconds", 60)
    if base > cap > 0:
        at = "base_seconds" if "base_seconds" in policy else "cap_seconds"
        refuse((*path, at), "base_seconds is longer than cap_seconds", "make it the shorter of the two")


def _client_keys(clients: dict[str, object], refuse: Refuse) -> None:
    seen: set[str] = set()
    for index, item in enumerate(_list(clients.get("keys"))):
        key = item if isinstance(item, str) else _mapping(item).get("key")
        if isinstance(key, str) and key:
            if key in seen:
                refuse(("clients", "keys", index), "this key is given twice", "give each client its own key")
            seen.add(key)


def _journal(journal: dict[str, object], refuse: Refuse) -> None:
    segment, keep = _number(journal, "segment_bytes", 4_194_304), _number(journal, "keep_bytes", 1_073_741_824)
    if segment > keep:
        at = "segment_bytes" if "segment_bytes" in journal else "keep_bytes"
        refuse(("journal", at), "segment_bytes is larger than keep_bytes", "keep at least one segment")


def _files(data: dict[str, object], document: Document, folder: FilePath) -> None:
    """Files that the configuration names can be read, and that of the client keys is well-formed."""
    tls = _mapping(_mapping(data.get("server")).get("tls"))
    named: list[tuple[Path, object]] = [(("server", "tls", name), tls.get(name)) for name in ("certificate", "key")]
    for name, provider in _mapping(data.get("providers")).items():
        named.append((("providers", name, "ca_file"), _mapping(provider).get("ca_file")))
    for path, value in named:
        if isinstance(value, str):
            _readable(path, folder / value, document)
    keys_file = _mapping(data.get("clients")).get("keys_file")
    if isinstance(keys_file, str) and (raw := _readable(("clients", "keys_file"), folder / keys_file, document)):
        try:
            read_keys(raw)
        except BadLine as error:
            document.findings.append(Finding(error.line, 1, "", error.message, error.remedy, str(folder / keys_file)))


def _readable(path: Path, file: FilePath, document: Document) -> bytes | None:
    try:
        return file.read_bytes()
    except (OSError, ValueError) as error:
        reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else "not a usable path"
        remedy = "name a file that exists; a relative path starts at the configuration file's folder"
        document.refuse(path, f"the file cannot be read ({reason})", remedy)
        return None
