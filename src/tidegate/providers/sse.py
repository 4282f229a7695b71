"""OpenAI's event streams: what may be forwarded, when it is an answer, and what it cost.

In the common case, whole events that state neither a usage nor an error, a piece costs one pass of the JSON decoder,
which keeps nothing, and goes on as it came. Source: OpenAI's streaming reference.
"""

import msgspec

from tidegate.providers.events import EventTap
from tidegate.providers.openai.answer import usage_of
from tidegate.providers.reading import UNREADABLE, is_json

_NOTHING = frozenset({b"", b"null", b'""', b"[]", b"{}", b"false"})  # a field that is absent or empty


class _Choice(msgspec.Struct):
    # Raw, not `Raw | None`: that would accept nothing but null.
    delta: dict[str, msgspec.Raw] | None = None
    text: msgspec.Raw = msgspec.Raw()
    finish_reason: msgspec.Raw = msgspec.Raw()


class _Chunk(msgspec.Struct):
    choices: list[_Choice] = []
    error: msgspec.Raw = msgspec.Raw()


class _Ordinary(msgspec.Struct, gc=False):
    """An event that is simply forwarded. Decoding it proves that it is JSON, without a usage and without an error."""

    error: None = None
    usage: None = None


_decode_ordinary = msgspec.json.Decoder(_Ordinary).decode
_decode_ordinaries = msgspec.json.Decoder(list[_Ordinary]).decode
_decode = msgspec.json.Decoder(_Chunk).decode


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
            usage = usage_of(payload) if b'"usage"' in payload else None
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
    try:
        if data.find(b"\n") == len(data) - 2:
            _decode_ordinary(data[5:])
            return 1
        listed = data[5:-2].replace(b"\n\ndata:", b",")
        events = 0 if b"\n" in listed else len(_decode_ordinaries(b"[%b]" % listed))
    except UNREADABLE:
        return 0
    return events if len(data) - len(listed) == 1 + 6 * events else 0


def _is_content(choice: _Choice) -> bool:
    """Anything but the role that opens a message: a text, a refusal, a call, a sound, and the end."""
    if _stated(choice.finish_reason) or _stated(choice.text):
        return True
    delta = choice.delta
    return delta is not None and any(name != "role" and _stated(value) for name, value in delta.items())


def _stated(value: msgspec.Raw) -> bool:
    return bytes(value) not in _NOTHING
