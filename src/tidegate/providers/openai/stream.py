"""OpenAI's event streams: what may be forwarded, when it is an answer, and what it cost.

In the common case, whole events that state neither a usage nor an error, a piece costs one pass of the JSON decoder,
which keeps nothing, and goes on as it came. Source: OpenAI's streaming reference.
"""

from typing import Final

import msgspec

from tidegate.providers.events import EventTap
from tidegate.providers.openai import events
from tidegate.providers.openai.answer import usage_of
from tidegate.providers.openai.events import Choice
from tidegate.providers.reading import NOTHING, UNREADABLE, is_json, tier

_LF: Final = 10
_decode_ordinary: Final = events.decode_ordinary
_decode_ordinaries: Final = events.decode_ordinaries
_decode: Final = events.decode


class StreamTap(EventTap):
    """A stream of chat completions or completions; `[DONE]` is its end. Fulfils `codec.Tap`."""

    __slots__ = ("_keep_usage",)

    def __init__(self, *, keep_usage: bool) -> None:
        """`keep_usage`: the client asked for the usage chunk; otherwise it is taken out."""
        super().__init__()
        self._keep_usage = keep_usage

    def ordinary(self, data: bytes) -> int:
        """Chunks without a usage and without an error."""
        return _ordinary(data)

    def look(self, payload: bytes) -> bool:
        """What one event says; True when it goes to the client."""
        if payload == b"[DONE]":
            self.finished = True
            return True
        return self._chunk(payload)

    def _chunk(self, payload: bytes) -> bool:
        try:
            chunk = _decode(payload)
            usage = usage_of(payload, self.tier) if payload.find(b'"usage"') >= 0 else None
        except (msgspec.DecodeError, RecursionError, ValueError):
            if payload.startswith(b"{") and is_json(payload):
                self.committed = True  # of a shape that is not ours to judge
                self.events += 1
                return True
            self.failure = b"the provider sent a malformed event"
            return False
        if _stated(chunk.error):
            self.failure = payload
            return False
        if chunk.service_tier is not None:
            self.tier = tier(chunk.service_tier)
        if not self.committed:
            self.committed = any(_is_content(choice) for choice in chunk.choices)
        carries = bool(chunk.choices)
        self.events += self.committed and (carries or usage is None)  # a role alone is no token
        if usage is None:
            return True
        self.usage = usage
        return self._keep_usage or carries


def _ordinary(data: bytes) -> int:
    """How many events these whole ones are; 0 when one of them needs a closer look.

    Several are decoded at once, as a list. Only a provider that cuts its JSON on purpose could so pass two halves.
    """
    if not data.startswith(b"data:"):
        return 0
    payload = data[5:-2]
    try:
        if _LF not in payload:
            _decode_ordinary(payload)
            return 1
        listed = payload.replace(b"\n\ndata:", b",")
        count = 0 if _LF in listed else len(_decode_ordinaries(b"[%b]" % listed))
    except UNREADABLE:
        return 0
    return count if len(payload) - len(listed) == 6 * (count - 1) else 0


def _is_content(choice: Choice) -> bool:
    """Anything but the role that opens a message: a text, a refusal, a call, a sound, and the end."""
    if _stated(choice.finish_reason) or _stated(choice.text):
        return True
    delta = choice.delta
    return delta is not None and any(name != "role" and _stated(value) for name, value in delta.items())


def _stated(value: msgspec.Raw) -> bool:
    return bytes(value) not in NOTHING
