"""Errors that no single field shows: names given twice, settings that contradict each other.

The rules read raw data and skip what has a wrong type, so that they speak beside the schema's errors, not after them.
"""

from collections.abc import Callable, Iterator

from tidegate.config.findings import Path
from tidegate.config.source import Document, as_list, as_mapping

Refuse = Callable[[Path, str, str], None]


def check_rules(document: Document) -> None:
    """Add to `document` what providers, strategies and the journal break."""
    data, refuse = as_mapping(document.data), document.refuse
    for name, provider in as_mapping(data.get("providers")).items():
        _scopes(as_mapping(provider), ("providers", name), refuse)
    strategies = as_mapping(data.get("strategies"))
    for path, strategy in _strategies(data):
        _fallbacks(strategy, path, refuse)
        _waits(as_mapping(strategy.get("retry_policy")), (*path, "retry_policy"), refuse)
    _waits(as_mapping(as_mapping(data.get("defaults")).get("retry_policy")), ("defaults", "retry_policy"), refuse)
    single = as_mapping(data.get("model_strategy")).get("primary_model")
    if isinstance(single, str) and single in strategies:
        message = "model_strategy is named by its primary model, and has the same name"
        refuse(("strategies", single), message, "rename this strategy")
    _journal(as_mapping(data.get("journal")), refuse)


def _strategies(data: dict[str, object]) -> Iterator[tuple[Path, dict[str, object]]]:
    yield ("model_strategy",), as_mapping(data.get("model_strategy"))
    for name, strategy in as_mapping(data.get("strategies")).items():
        yield ("strategies", name), as_mapping(strategy)


def _number(section: dict[str, object], name: str, default: float) -> float:
    value = section.get(name)
    return value if isinstance(value, (int, float)) else default


def _scopes(provider: dict[str, object], path: Path, refuse: Refuse) -> None:
    names: set[str] = set()
    keys: dict[str, Path] = {}
    for index, item in enumerate(as_list(provider.get("scopes"))):
        scope, at = as_mapping(item), (*path, "scopes", index)
        name = scope.get("name")
        if isinstance(name, str):
            if name in names:
                refuse((*at, "name"), "another scope of this provider has the same name", "give each its own")
            names.add(name)
        _scope_keys(as_list(scope.get("keys")), (*at, "keys"), keys, refuse)


def _scope_keys(items: list[object], path: Path, seen: dict[str, Path], refuse: Refuse) -> None:
    for number, key in enumerate(items):
        if not isinstance(key, str) or not key:
            continue
        at = (*path, number)
        first = seen.setdefault(key, at)
        if first != at:
            message = f"this key stands in scopes[{first[3]}].keys[{first[5]}] already"
            refuse(at, message, "a key belongs to one scope and stands there once: remove one of the two")


def _fallbacks(strategy: dict[str, object], path: Path, refuse: Refuse) -> None:
    primary = strategy.get("primary_model")
    seen: set[str] = set()
    for index, item in enumerate(as_list(strategy.get("fallback_models"))):
        model = as_mapping(item).get("model")
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


def _journal(journal: dict[str, object], refuse: Refuse) -> None:
    segment, keep = _number(journal, "segment_bytes", 4_194_304), _number(journal, "keep_bytes", 1_073_741_824)
    if segment > keep:
        at = "segment_bytes" if "segment_bytes" in journal else "keep_bytes"
        refuse(("journal", at), "segment_bytes is larger than keep_bytes", "keep at least one segment")
