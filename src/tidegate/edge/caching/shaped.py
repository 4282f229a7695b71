"""A kept answer in the form that is asked for: whole, or as a stream, with its usage or without."""

from collections import OrderedDict
from typing import Any, Final

import msgspec

from tidegate.edge.caching.lookup import CacheLookup
from tidegate.model.cached import Cost
from tidegate.model.call import Kind
from tidegate.model.outcome import Usage
from tidegate.providers.answers.shapes import to_events, to_whole, with_usage

MOST_BYTES: Final = 8_388_608
LARGEST: Final = 262_144  # bytes of a form that is kept
_TELLS: Final = frozenset((Kind.CHAT, Kind.COMPLETION))  # whose streams tell usage only to who asks for it
_USAGE: Final = (b'"usage":{', b'"usage": {')


class Shapes:
    """Other forms of answers, made once while they are asked for; bounded. O(1) for what is as it was kept."""

    __slots__ = ("_bytes", "_made")

    def __init__(self) -> None:
        self._made: OrderedDict[tuple[bytes, int, bool, bool], bytes] = OrderedDict()
        self._bytes = 0

    def body(self, wanted: CacheLookup, key: bytes, made_us: int, body: bytes, cost: Cost, *, streamed: bool) -> bytes:
        """What `wanted` is told of the answer under `key` of that moment. Raises `ValueError`: it cannot be said so."""
        if not wanted.streamed and not streamed:
            return body
        name = (key, made_us, wanted.streamed, wanted.usage)
        made = self._made.get(name)
        if made is not None:
            self._made.move_to_end(name)
            return made
        made = shaped(wanted.kind, body, cost, streamed=streamed, stream=wanted.streamed, usage=wanted.usage)
        if made is not body and len(made) <= LARGEST:
            self._made[name] = made
            self._bytes += len(made)
            while self._bytes > MOST_BYTES:
                self._bytes -= len(self._made.popitem(last=False)[1])
        return made


def shaped(kind: Kind, body: bytes, cost: Cost, *, streamed: bool, stream: bool, usage: bool) -> bytes:
    """An answer in another form. Raises `ValueError`. O(bytes)."""
    if streamed and stream:
        if kind not in _TELLS or usage == any(mark in body for mark in _USAGE):
            return body
        return with_usage(kind, body, Usage(cost.prompt, cost.completion) if usage else None)
    whole = to_whole(kind, body) if streamed else body
    if kind in _TELLS:
        whole = _with_usage(whole, cost)
    return b"".join(to_events(kind, whole, usage=usage)) if stream else whole


def _with_usage(whole: bytes, cost: Cost) -> bytes:
    """A stream that did not tell its usage becomes an answer that does: as the gate booked it."""
    fields = msgspec.json.decode(whole, type=dict[str, msgspec.Raw])
    if "usage" in fields and bytes(fields["usage"]) != b"null":
        return whole
    said: dict[str, Any] = dict(fields)
    said["usage"] = {
        "prompt_tokens": cost.prompt,
        "completion_tokens": cost.completion,
        "total_tokens": cost.prompt + cost.completion,
    }
    return msgspec.json.encode(said)
