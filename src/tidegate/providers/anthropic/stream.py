"""Anthropic's event streams: what may be forwarded, when it is an answer, and what it cost.

`message_start`, blocks of content, `message_delta` with the usage and the reason to stop, `message_stop`; `ping` and
`error` anywhere. Source: the API reference, "Streaming messages".
"""

from typing import Final

from tidegate.model.outcome import Usage
from tidegate.providers.anthropic import events
from tidegate.providers.anthropic.events import Event
from tidegate.providers.events import EventTap
from tidegate.providers.reading import UNREADABLE, is_json

_DELTA: Final = b"event: content_block_delta\n"
_NO_CONTENT: Final = frozenset({"message_start", "content_block_start", "ping"})


_decode: Final = events.decode
_decode_delta: Final = events.decode_delta


class MessageTap(EventTap):
    """A stream of one message. Fulfils `codec.Tap`."""

    __slots__ = ("_start",)

    def __init__(self) -> None:
        super().__init__()
        self._start: Usage | None = None  # what the opening event said

    def ordinary(self, data: bytes) -> int:
        """One delta."""
        return int(data.startswith(_DELTA) and _is_delta(data))

    def look(self, payload: bytes) -> bool:
        """What one event says; True when it goes to the client."""
        try:
            event = _decode(payload)
        except UNREADABLE:
            if is_json(payload):
                self.committed = True  # of a shape that is not ours to judge
                return True
            self.failure = b"the provider sent a malformed event"
            return False
        kind = event.type
        if kind == "error":
            self.failure = payload
            return False
        self.events += kind == "content_block_delta"
        self.committed = self.committed or kind not in _NO_CONTENT
        self._count(event)
        self.finished = kind == "message_stop"
        return True

    def _count(self, event: Event) -> None:
        """The opening states the input, later events the output so far; some restate the input too."""
        if event.message is not None and event.message.usage is not None:
            self._start = event.message.usage.usage()
            self.tier = event.message.usage.tier()
            self.prompt = 0 if self._start is None else self._start.prompt
        if event.usage is None:
            return
        start, told = self._start or Usage(), event.usage.usage()
        of = start if told is None else told
        self.usage = Usage(
            of.prompt, event.usage.output_tokens or 0, of.cached, written=of.written, tier=of.tier or self.tier
        )


def _is_delta(data: bytes) -> bool:
    """One whole event and nothing else."""
    if data.find(b"\n", len(_DELTA)) != len(data) - 2:
        return False
    try:
        _decode_delta(data[len(_DELTA) + 5 :])
    except UNREADABLE:
        return False
    return data.startswith(b"data:", len(_DELTA))
