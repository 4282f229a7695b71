"""Server-sent events as OpenAI streams them: what may be forwarded, when it is an answer, and what it cost.

Only whole events leave: a cut never shows the client half an event. In the common case, whole events that state
neither a usage nor an error, a piece costs one pass of the JSON decoder, which keeps nothing, and goes on as it came.
Source: WHATWG HTML 9.2
(framing; of its line ends we write LF and read LF and CRLF), OpenAI's streaming reference.
"""

import msgspec

from tidegate.model.outcome import Usage
from tidegate.providers.openai import UNREADABLE, is_json, usage_of

MAX_EVENT_BYTES = 8_388_608
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
_encode = msgspec.json.Encoder().encode


class StreamTap:
    """Feed the body of a streamed answer, forward what comes back.

    `committed`: the first content was seen, so from here on the answer cannot be taken back. `finished`: the stream
    ended as promised (`[DONE]`). `failure`: the provider's own error event, or what is wrong with its bytes; nothing
    is forwarded any more.
    """

    __slots__ = ("_keep_usage", "_partial", "_plain", "committed", "events", "failure", "finished", "usage")

    def __init__(self, *, keep_usage: bool) -> None:
        """`keep_usage`: the client asked for the usage chunk; otherwise it is taken out."""
        self._keep_usage = keep_usage
        self._partial = b""
        self._plain = False  # committed, and neither finished nor failed
        self.committed = False
        self.finished = False
        self.failure = b""
        self.usage: Usage | None = None
        self.events = 0

    def feed(self, data: bytes) -> bytes:
        """What may be forwarded of this piece and of what was held back before."""
        if self._plain and not self._partial and data.endswith(b"}\n\n"):
            events = _ordinary(data)
            if events:
                self.events += events
                return data
        ready = self._slowly(data)
        self._plain = self.committed and not self.finished and not self.failure
        return ready

    def _slowly(self, data: bytes) -> bytes:
        if self.failure or self.finished:
            return b""
        if self._partial:
            data = self._partial + data
        if b"\r" in data:
            data = data.replace(b"\r\n", b"\n")
        *events, self._partial = data.split(b"\n\n")
        if len(self._partial) > MAX_EVENT_BYTES:
            self.failure = b"the provider sent an event of more than 8 MiB"
        out = [event + b"\n\n" for event in events if self._forward(event)]
        return b"".join(out)

    def _forward(self, event: bytes) -> bool:
        """Look at one event; True when it goes to the client."""
        if self.failure or self.finished:
            return False
        payload = _payload(event)
        if not payload:
            return True  # a comment or a ping
        if payload == b"[DONE]":
            self.finished = True
            return True
        self.events += 1
        return self._chunk(payload)

    def _chunk(self, payload: bytes) -> bool:
        try:
            chunk = _decode(payload)
            usage = usage_of(payload) if b'"usage"' in payload else None
        except (msgspec.DecodeError, RecursionError, ValueError):
            if payload.startswith(b"{") and is_json(payload):
                self.committed = True  # of a shape that is not ours to judge
                return True
            self.failure = b"the provider sent a malformed event"
            return False
        if _stated(chunk.error):
            self.failure = payload
            return False
        if not self.committed:
            self.committed = any(_is_content(choice) for choice in chunk.choices)
        if usage is None:
            return True
        self.usage = usage
        self.events -= 0 if chunk.choices else 1
        return self._keep_usage or bool(chunk.choices)


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


def _payload(event: bytes) -> bytes:
    if event.startswith(b"data:") and b"\n" not in event:
        return event[5:].strip()
    lines = [line[5:].strip() for line in event.split(b"\n") if line.startswith(b"data:")]
    return b"\n".join(lines)


def _is_content(choice: _Choice) -> bool:
    """Anything but the role that opens a message: a text, a refusal, a call, a sound, and the end."""
    if _stated(choice.finish_reason) or _stated(choice.text):
        return True
    delta = choice.delta
    return delta is not None and any(name != "role" and _stated(value) for name, value in delta.items())


def _stated(value: msgspec.Raw) -> bool:
    return bytes(value) not in _NOTHING


def error_event(message: str) -> bytes:
    """An error as the last event of a stream that is already running; a provider's own error event is kept."""
    text = message if message.startswith("{") else ""
    body = text.encode() or _encode({"error": {"message": message, "type": "upstream_error", "code": "stream_cut"}})
    return b"data: %b\n\n" % body.replace(b"\n", b"\ndata: ")
