"""What of a configuration only an administrator may change: whoever changes it could make himself one. Pure.

Who may come in and as what (`admin`), where that is kept (`ledger.database`), programs that the gate runs, files that
become part of the configuration, and where runners show their tokens (`jobs.gate_url`).

And where secrets are sent. A text that somebody sends has secrets that he may not know: as a mask, or as a reference to
the environment. Each may stand only where it goes to the same place as before: else he would have it sent to a host of
his own. A secret that he writes himself he knows, and may send wherever he likes.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from tidegate.config.edit.masks import MASK
from tidegate.config.fields import field_at, general
from tidegate.config.findings import Path
from tidegate.config.schema.base import only_inside
from tidegate.config.source import Document, as_mapping

_MOST: Final = 20
_ABSENT: Final = object()
_WHOLE: Final[tuple[Path, ...]] = (
    ("admin",), ("ledger", "database"), ("clients", "keys_file"), ("profiles",), ("jobs", "gate_url"),
)  # fmt: skip
_VARIABLE: Final = re.compile(r"\$?\$\{([A-Za-z_][A-Za-z0-9_]*)")
_WITHIN: Final = re.compile(
    r"(?P<user>//)[^@/\s]*@|(?P<query>[?&][^=&\s]*(?:pass|pwd|token|secret)[^=&\s]*=)[^&#\s]*", re.IGNORECASE
)
_SENT: Final[Mapping[tuple[str, ...], tuple[str, ...]]] = {  # what says where secrets of a section go, and how
    ("providers", "*"): ("base_url", "proxy", "ca_file", "profile", "dialect"),
    ("alerts", "channels", "*"): ("kind", "url", "proxy"),
    ("telemetry",): ("endpoint",),
}
_SHOWN: Final = (("clients", "keys"), ("namespaces", "*", "keys"))  # keys that callers show: they go nowhere


class _Bound(NamedTuple):
    """A secret, and where it goes: equal where it goes to the same place."""

    secret: str
    where: tuple[object, ...]


def reserved(before: Document, after: Document) -> list[Path]:
    """Where two files, as they are written into their place, differ in such a way; at most 20 places."""
    old, new = as_mapping(before.data), as_mapping(after.data)
    found: list[Path] = []
    for path in _WHOLE:
        found += _differ(path, _at(old, path) or {}, _at(new, path) or {})
    found += _programs(_channels(old), _channels(new))
    return found[:_MOST]


def rebound(before: Document, after: Document) -> list[Path]:
    """Where a text has masks or references that go to another place than in the text before; at most 20 places.

    Both texts with masks in the place of secrets. What changes where a secret goes is told, else where the secret is.
    """
    had = {bound for path, written in _leaves(before) for bound in _bounds(before, path, written)}
    known = {bound.secret for bound in had}
    found: dict[Path, None] = {}
    for path, written in _leaves(after):
        for bound in _bounds(after, path, written):
            if bound not in had and (bound.secret in known or not MASK.fullmatch(bound.secret)):
                found.update(dict.fromkeys(_blamed(before, after, path, bound)))
    was = {name for written in before.names.values() for name in _variables(written)}
    new = {name for name, written in after.names.items() if not was.issuperset(_variables(written))}
    first: dict[str | int, Path] = {}
    for path in filter(None, after.places if new else ()):
        first.setdefault(path[-1], path)
    found.update(dict.fromkeys(first.get(name, ()) for name in after.names if name in new))
    return list(found)[:_MOST]


def bent(sent: Document, filled: Document) -> Path | None:
    """Where a text means something else once its masks are filled, than that a secret stands there; None: nowhere."""
    there = dict(_leaves(filled))
    for path, written in _leaves(sent):
        full = there.pop(path, _ABSENT)
        if full != written and not (isinstance(written, str) and isinstance(full, str) and MASK.search(written)):
            return path
    return next(iter(there), None)


def _blamed(before: Document, after: Document, path: Path, bound: _Bound) -> Iterator[Path]:
    """The fields by which what stands at `path` now goes elsewhere; the path itself where the secret is new there."""
    stood = {one.secret for one in _bounds(before, path, _written(before, path))}
    differ = [field for field in _fields(path, general(path)) if _written(before, field) != _written(after, field)]
    yield from differ if bound.secret in stood and differ else [path]


def _bounds(document: Document, path: Path, written: object) -> Iterator[_Bound]:
    if isinstance(written, str) and ("${" in written or "«" in written):
        where = _where(document, path, written)
        for secret in (*(found[0] for found in MASK.finditer(written)), *_variables(written)):
            yield _Bound(secret, where)


def _variables(written: str) -> Iterator[str]:
    return (found[1] for found in _VARIABLE.finditer(written) if not found[0].startswith("$$"))


def _where(document: Document, path: Path, written: str) -> tuple[object, ...]:
    """Where a secret at `path` goes."""
    at = general(path)
    kind = _kind(at)
    if kind == "inside":
        return ("url", path[-1], _bare(written))
    if kind == "all" and any(at[: len(one)] == one for one in _SHOWN):
        return ("shown",)
    fields = _fields(path, at) if kind == "all" else ()
    if fields:
        return ("sent", at[: len(fields[0]) - 1], *(_bare(_written(document, field)) for field in fields))
    return ("field", at)


def _fields(path: Path, at: Path) -> tuple[Path, ...]:
    """What says where secrets at `path` go, whose general path is `at`."""
    for section, fields in _SENT.items():
        if at[: len(section)] == section:
            return tuple((*path[: len(section)], field) for field in fields)
    return ()


def _bare(value: object) -> str:
    """An address without the password in it."""
    if not isinstance(value, str):
        return repr(value)
    return _WITHIN.sub(lambda found: found["user"] or found["query"], value)


@lru_cache(maxsize=4_096)
def _kind(path: Path) -> str:
    """`all` of what stands at such a path is secret, a password `inside`, or nothing."""
    for length in range(len(path), 0, -1):
        field = field_at(path[:length])
        if field is not None:
            secret = not field.repr or path[:length] in _SHOWN
            return "" if not secret else "inside" if only_inside(field) else "all"
    return ""


def _leaves(document: Document) -> Iterator[tuple[Path, object]]:
    """Every value that is neither mapping nor list, as it is written."""

    def below(path: Path, value: object) -> Iterator[tuple[Path, object]]:
        if path in document.substituted:
            yield path, document.substituted[path]
        elif isinstance(value, dict):
            for name, item in value.items():
                yield from below((*path, name), item)
        elif isinstance(value, list):
            for index, item in enumerate(value):
                yield from below((*path, index), item)
        else:
            yield path, value

    return below((), document.data)


def _written(document: Document, path: Path) -> object:
    return document.substituted.get(path) or _at(document.data, path)


def _at(data: object, path: Path) -> object:
    for part in path:
        if isinstance(part, int):
            data = data[part] if isinstance(data, list) and part < len(data) else None
        else:
            data = as_mapping(data).get(part)
    return data


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
