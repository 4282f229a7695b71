"""How two policies differ, in words: one line for each field of their snapshots that a call may notice."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from tidegate.model.snapshot import Snapshot

# Of no call's business; and what is secret, of which it is only said that it is another.
_LEFT_OUT: Final = frozenset({"version", "warnings", "shared_version"})
_SECRET: Final = frozenset({"keys", "digest", "signing_key", "proxy", "url", "redis_url", "database"})
_MOST: Final = 1_000
_LONGEST: Final = 80  # characters of a value


class Difference(msgspec.Struct, frozen=True):
    """A field that is another one. `before`, `after`: "" where it is not there, or not to be shown."""

    field: str
    text: str
    before: str = ""
    after: str = ""


def differences(old: Snapshot, new: Snapshot) -> tuple[Difference, ...]:
    """In the order of the file's sections. O(both)."""
    before, after = msgspec.to_builtins(old), msgspec.to_builtins(new)
    found = []
    for name in before:
        if name not in _LEFT_OUT:
            found += list(_between(name, before[name], after.get(name), name))
        if len(found) > _MOST:
            break
    return tuple(found[:_MOST])


def _between(where: str, before: Any, after: Any, name: str) -> Iterator[Difference]:
    if before == after:
        return
    if name in _SECRET:
        yield Difference(where, f"{where} is another one")
    elif isinstance(before, dict) and isinstance(after, dict):
        yield from _fields(where, before, after)
    elif _named(before) and _named(after):
        olds, news = _by_name(before), _by_name(after)
        yield from _fields(where, olds, news)
        same = [name for name in olds if name in news] == [name for name in news if name in olds]
        if not same:
            yield Difference(where, f"{where}: the same in another order")
    else:
        yield Difference(where, f"{where}: {_shown(before)} → {_shown(after)}", _shown(before), _shown(after))


def _fields(where: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    for name in (*before, *(name for name in after if name not in before)):
        inner = f"{where}.{name}"
        if name not in after:
            yield Difference(inner, f"{inner} is gone", before=_shown(before[name]))
        elif name not in before:
            yield Difference(inner, f"{inner} is new", after=_shown(after[name]))
        else:
            yield from _between(inner, before[name], after[name], name)


def _named(value: Any) -> bool:
    """Whether it is a list of records that have names."""
    return (
        isinstance(value, Sequence)
        and not isinstance(value, str)
        and all(isinstance(one, dict) and "name" in one for one in value)
    )


def _by_name(value: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {one["name"]: {name: part for name, part in one.items() if name != "name"} for one in value}


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return "set"
    if isinstance(value, (list, tuple)) and any(isinstance(one, dict) for one in value):
        return f"{len(value)} of them"
    if isinstance(value, (list, tuple)):
        value = ", ".join(map(str, value)) or "none"
    text = "none" if value in (None, "") else str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
