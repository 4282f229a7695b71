"""A streamed answer as it is read: the pieces of its texts joined, and of its events those that say something new.

Joined before anything is looked for in it: what is to be taken out lies across events more often than in one. Without
knowing a maker's API: strings below a `delta`, and the `text` of a choice, are pieces; `index` tells whose.
"""

import json
from collections.abc import Iterator
from typing import Any, Final

MOST_EVENTS: Final = 64  # that are kept beside the texts
TAIL: Final = 64  # characters at the end of a text that was cut: a part of what is to be taken out may stand there
_BEGINNINGS: Final = (b"data:", b"event:", b":", b"id:", b"retry:")
_INDICES: Final = ("output_index", "content_index", "summary_index", "index")
# What tells events apart and nothing else: numbers, and the padding against guesses by length.
_NOISE: Final = frozenset({"sequence_number", "obfuscation"})
_WORDS: Final = frozenset({
    "type", "role", "id", "item_id", "call_id", "name", "object", "model", "stop_reason", "finish_reason",
})  # fmt: skip


def is_stream(body: bytes) -> bool:
    """Does it look like events (WHATWG HTML, server-sent events)?"""
    return body.startswith(_BEGINNINGS)


def joined(body: bytes, *, cut: bool) -> dict[str, Any]:
    """Texts by where they stood, the events that differ without them, and how many events there were. O(bytes).

    `cut`: it goes on behind its end. Events that are not whole are counted as `unread`, and left out.
    """
    texts: dict[str, list[str]] = {}
    others: list[Any] = []
    seen: set[str] = set()
    count = unread = 0
    for data in _data(body.decode("utf-8", "replace")):
        if data == "[DONE]":
            continue
        count += 1
        try:
            event = json.loads(data)
        except (ValueError, RecursionError):
            if data.startswith("{"):
                unread += 1
            else:
                texts.setdefault("data", []).append(data)
            continue
        rest = _without_texts(event, _home(event), texts, inside=False)
        shape = json.dumps(rest, sort_keys=True)
        if shape not in seen and len(others) < MOST_EVENTS:
            seen.add(shape)
            others.append(rest)
    tail = TAIL if cut else 0
    told = {where: "".join(pieces) for where, pieces in texts.items()}
    found: dict[str, Any] = {"texts": {where: text[: len(text) - tail] for where, text in told.items()}}
    return found | {"events": others, "count": count} | ({"unread": unread} if unread else {})


def _data(text: str) -> Iterator[str]:
    """The data of each event."""
    for event in text.replace("\r\n", "\n").split("\n\n"):
        lines = [line[5:].removeprefix(" ") for line in event.split("\n") if line.startswith("data:")]
        if lines:
            yield "\n".join(lines)


def _home(event: Any) -> str:
    """Where an event's own text belongs, as far as it says so itself."""
    if not isinstance(event, dict):
        return ""
    return "".join(f"{event[name]}." for name in _INDICES if isinstance(event.get(name), int))


def _without_texts(value: Any, path: str, texts: dict[str, list[str]], *, inside: bool) -> Any:
    """The value without pieces of texts, which go where they belong. `inside`: it stands below a `delta`."""
    if isinstance(value, dict):
        rest = {}
        for name, member in value.items():
            below = inside or name == "delta"
            if isinstance(member, str) and name not in _WORDS and (below or (name == "text" and "choices" in path)):
                texts.setdefault(f"{path}{name}", []).append(member)
            elif name not in _NOISE:
                rest[name] = _without_texts(member, f"{path}{name}.", texts, inside=below)
        return rest
    if isinstance(value, list):
        return [
            _without_texts(item, f"{path}{_index(item, at)}.", texts, inside=inside) for at, item in enumerate(value)
        ]
    return value


def _index(item: Any, at: int) -> int:
    index = item.get("index") if isinstance(item, dict) else None
    return index if isinstance(index, int) else at
