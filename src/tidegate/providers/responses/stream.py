"""Event streams of the Responses API: what may be forwarded, when it is an answer, and what it cost.

A response is opened, items and their parts are added, deltas fill them, and the last event holds the whole response
again, with its usage. Source: OpenAI's API reference, "Streaming events".
"""

from typing import Final

from tidegate.providers.events import EventTap
from tidegate.providers.reading import UNREADABLE, is_json, tier
from tidegate.providers.responses import events
from tidegate.providers.responses.events import Event

_ENDS: Final = frozenset({"response.completed", "response.incomplete"})
_FAILURES: Final = frozenset({"response.failed", "error"})
# What only opens: it can be taken back. Work of a hosted tool, once begun, cannot: it is done and paid for.
_NO_CONTENT: Final = frozenset(
    {
        "response.created",
        "response.in_progress",
        "response.queued",
        "response.output_item.added",
        "response.content_part.added",
        "response.reasoning_summary_part.added",
        "keepalive",
        "ping",
    }
)
_NOTHING: Final = frozenset({b"", b"null", b'""'})


_decode: Final = events.decode
_decode_delta: Final = events.decode_delta


class ResponseTap(EventTap):
    """A stream of one response. Fulfils `codec.Tap`."""

    __slots__ = ()

    def ordinary(self, data: bytes) -> int:
        """Deltas."""
        return _deltas(data)

    def look(self, payload: bytes) -> bool:
        """What one event says; True when it goes to the client."""
        if payload == b"[DONE]":  # some servers end every stream with it; it is no end of a response
            self.failure = b"the provider ended the stream before it was complete"
            return False
        try:
            event = _decode(payload)
        except UNREADABLE:
            if payload.startswith(b"{") and is_json(payload):
                self.committed = True  # of a shape that is not ours to judge
                return True
            self.failure = b"the provider sent a malformed event"
            return False
        return self._event(event, payload)

    def _event(self, event: Event, payload: bytes) -> bool:
        kind = event.type
        if event.response is not None:
            self.tier = tier(event.response.service_tier)
            if event.response.usage is not None:
                self.usage = event.response.usage.usage(self.tier)
        if kind in _FAILURES or (not kind and bytes(event.error) not in _NOTHING):
            self.failure = payload
            return False
        if kind.endswith(".delta"):
            self.events += 1
            self.committed = self.committed or bytes(event.delta) not in _NOTHING
        elif kind not in _NO_CONTENT:
            self.committed = True
            self.finished = kind in _ENDS
        return True


def _deltas(data: bytes) -> int:
    """How many deltas these whole events are; 0 when one of them is something else."""
    if _is_delta(data, len(data) - 2):
        return 1
    events = data[:-2].split(b"\n\n")
    for event in events:
        if not _is_delta(event, -1):
            return 0
    return len(events)


def _is_delta(event: bytes, end: int) -> bool:
    """A name and one line of data, which ends at `end` (-1: with the bytes)."""
    line = event.find(b"\n") + 1
    if not (event.startswith(b"event:") and event.startswith(b"data:", line) and event.find(b"\n", line) == end):
        return False
    try:
        _decode_delta(event[line + 5 :])
    except UNREADABLE:
        return False
    return True
