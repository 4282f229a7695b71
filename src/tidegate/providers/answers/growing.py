"""What a stream says bit by bit, put together: texts are joined, lists go on, numbered entries grow where they are.

As the makers' SDKs do it, but in one pass, and forgiving what some providers say anew with every bit. O(bytes).
"""

from typing import Final

from tidegate.providers.answers.fields import Fields, number_of

# Names and marks, not texts that grow: what is said of them again replaces what was said.
_MARKS: Final = frozenset({"id", "type", "role", "name", "format", "signature", "object", "model", "call_id", "status"})
_UNNUMBERED: Final = frozenset({"tool_calls", "thinking_blocks"})  # lists whose index is the stream's, not the answer's


class _Text(list[str]):
    """The parts of a text."""

    __slots__ = ()


class _List:
    """Entries in the order of their index; without one they follow each other."""

    __slots__ = ("entries", "latest")

    def __init__(self) -> None:
        self.entries: list[tuple[int, object]] = []
        self.latest: dict[int, Fields] = {}


def grow(into: Fields, more: Fields) -> None:
    """Add what a piece of a stream says. Raises `ValueError` where it goes on as something else than it began."""
    for name, value in more.items():
        known = into.get(name)
        if type(known) is _Text and isinstance(value, str):
            known.append(value)
        elif isinstance(value, list):
            into[name] = _go_on(known, value, numbered=name == "tool_calls")
        elif value is None or (value == "" and known is not None):
            into.setdefault(name, value)
        elif isinstance(known, (_Text, _List)):
            raise ValueError(f"'{name}' goes on as something else")
        elif isinstance(value, dict):
            inner = into[name] = known if isinstance(known, dict) else {}
            grow(inner, value)
        else:
            into[name] = _Text((value,)) if isinstance(value, str) and name not in _MARKS else value


def grown(fields: Fields) -> Fields:
    """The whole that came of it."""
    return {name: _settled(name, value) for name, value in fields.items()}


def _settled(name: str, value: object) -> object:
    if isinstance(value, _Text):
        return "".join(value)
    if isinstance(value, dict):
        return grown(value)
    if not isinstance(value, _List):
        return value
    entries = [_settled("", entry) for _, entry in sorted(value.entries, key=lambda entry: entry[0])]
    if name in _UNNUMBERED:
        for entry in entries:
            if isinstance(entry, dict):
                entry.pop("index", None)
    return entries


def _go_on(known: object, more: list[object], *, numbered: bool) -> _List:
    """`numbered`: the place of an entry is its index where it states none."""
    if known is not None and not isinstance(known, _List):
        raise ValueError("a list goes on what is none")
    into = known if known is not None else _List()
    for place, entry in enumerate(more):
        if not isinstance(entry, dict):
            into.entries.append((len(into.entries), entry))
            continue
        index = number_of(entry.get("index"), place if numbered else -1)
        if index < 0:
            into.entries.append((len(into.entries), entry))
            continue
        latest = into.latest.get(index)
        if latest is None or _is_another(entry, latest):
            latest = into.latest[index] = {}
            into.entries.append((index, latest))
        grow(latest, entry)
    return into


def _is_another(entry: Fields, known: Fields) -> bool:
    """Some providers do not count: another id or type at a known index is another entry."""
    for mark in ("id", "type"):
        stated = entry.get(mark)
        if stated and known.get(mark) and known[mark] != stated:
            return True
    return False
