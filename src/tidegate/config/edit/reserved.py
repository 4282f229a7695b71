"""What of a configuration only an administrator may change: whoever changes it could make himself one. Pure.

Who may come in and as what (`admin`), where that is kept (`ledger.database`), and programs that the gate runs.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from tidegate.config.findings import Path
from tidegate.config.source import as_mapping

_MOST: Final = 20
_ABSENT: Final = object()


def reserved(before: object, after: object) -> list[Path]:
    """Where two parsed files differ in such a way, at most 20 places."""
    old, new = as_mapping(before), as_mapping(after)
    found = [*_differ(("admin",), old.get("admin") or {}, new.get("admin") or {})]
    places = (as_mapping(one.get("ledger")).get("database") for one in (old, new))
    found += _differ(("ledger", "database"), *places)
    found += _programs(_channels(old), _channels(new))
    return found[:_MOST]


def _channels(data: Mapping[str, object]) -> Mapping[str, object]:
    return as_mapping(as_mapping(data.get("alerts")).get("channels"))


def _programs(old: Mapping[str, object], new: Mapping[str, object]) -> Iterator[Path]:
    """Channels that run a program, and are new or others than before; one that is taken out runs nothing."""
    for name, channel in new.items():
        about = as_mapping(channel)
        if (about.get("kind") == "command" or about.get("command")) and channel != old.get(name):
            yield ("alerts", "channels", name)


def _differ(path: Path, old: object, new: object) -> Iterator[Path]:
    """The innermost names under which they differ."""
    if isinstance(old, dict) and isinstance(new, dict):
        for name in sorted(old.keys() | new.keys()):
            yield from _differ((*path, name), old.get(name, _ABSENT), new.get(name, _ABSENT))
    elif type(old) is not type(new) or old != new:
        yield path
