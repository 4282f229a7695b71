"""A stream that was cut goes on: what was delivered, the request that asks for the rest, and the seam between both.

Only plain text can be continued: one choice, no tool call yet, no JSON mode, no thinking. The delivered text
becomes a last message of the assistant, which a provider that can continues; what the rest opens with is taken out, so
that the client sees one answer. Pure; O(bytes). Source: the makers' references on prefilled answers (`Profile.prefix`).
"""

from typing import Final

import msgspec

from tidegate.model.call import Kind
from tidegate.model.outcome import Usage
from tidegate.providers.events import payload_of
from tidegate.providers.reading import UNREADABLE

_Fields = dict[str, msgspec.Raw]
KINDS: Final = frozenset({Kind.CHAT, Kind.MESSAGES})
_MARKS: Final = {"prefix": b"true", "partial": b"true"}  # profiles whose providers want a field in the message
_ODD: Final = (  # fields of requests whose answers are not one plain text
    "response_format", "output_config", "output_format", "thinking", "reasoning", "reasoning_effort", "audio",
    "modalities",
)  # fmt: skip
_CLOSED: Final = b'event: content_block_stop\ndata: {"type":"content_block_stop","index":0}\n\n'


class _Delta(msgspec.Struct):
    content: str | None = None
    tool_calls: msgspec.Raw = msgspec.Raw()
    function_call: msgspec.Raw = msgspec.Raw()
    refusal: str | None = None
    reasoning_content: str | None = None
    audio: msgspec.Raw = msgspec.Raw()


class _Choice(msgspec.Struct):
    index: int = 0
    delta: _Delta | None = None
    finish_reason: str | None = None


class _Chunk(msgspec.Struct):
    choices: list[_Choice] = []


class _Block(msgspec.Struct):
    type: str = ""
    text: str = ""


class _Event(msgspec.Struct):
    type: str = ""
    index: int = 0
    content_block: _Block | None = None
    delta: _Block | None = None


class _Counts(msgspec.Struct):
    input_tokens: int = 0


class _Message(msgspec.Struct):
    usage: _Counts = msgspec.field(default_factory=_Counts)


class _Start(msgspec.Struct):
    message: _Message = msgspec.field(default_factory=_Message)


_decode_chunk = msgspec.json.Decoder(_Chunk).decode
_decode_event = msgspec.json.Decoder(_Event).decode
_decode_block = msgspec.json.Decoder(_Block).decode
_decode_start = msgspec.json.Decoder(_Start).decode
_decode_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_list = msgspec.json.Decoder(list[msgspec.Raw]).decode
_encode = msgspec.json.Encoder().encode


def delivered(kind: Kind, events: bytes) -> str | None:
    """The text that whole events of the client's dialect carried; None when they carried what cannot be continued."""
    read = _text_of_chunk if kind is Kind.CHAT else _text_of_event
    parts = []
    for event in events.split(b"\n\n"):
        payload = payload_of(event)
        if not payload:
            continue
        try:
            text = read(payload)
        except UNREADABLE:
            return None
        if text is None:
            return None
        parts.append(text)
    return "".join(parts)


def _text_of_chunk(payload: bytes) -> str | None:
    text = ""
    for choice in _decode_chunk(payload).choices:
        delta = choice.delta or _Delta()
        odd = delta.tool_calls or delta.function_call or delta.audio
        if choice.index or choice.finish_reason or delta.refusal or delta.reasoning_content or _stated(odd):
            return None
        text += delta.content or ""
    return text


def _text_of_event(payload: bytes) -> str | None:
    event = _decode_event(payload)
    if event.type == "content_block_start" and event.content_block is not None:
        plain = event.content_block.type == "text" and not event.index
        return event.content_block.text if plain else None
    if event.type == "content_block_delta" and event.delta is not None:
        return event.delta.text if event.delta.type == "text_delta" and not event.index else None
    return "" if event.type in ("message_start", "ping") else None


def _stated(value: msgspec.Raw) -> bool:
    return bytes(value) not in (b"", b"null", b"[]")


def asks_for_text(kind: Kind, body: bytes) -> bool:
    """Whether the answer may be continued, as far as the request says: one choice, no JSON mode, no thinking."""
    if kind not in KINDS:
        return False
    fields = _decode_object(body)
    several = bytes(fields.get("n", msgspec.Raw(b"1"))) not in (b"1", b"null")
    return not several and not any(_stated(fields.get(name, msgspec.Raw())) for name in _ODD)


def resumed(body: bytes, text: str) -> bytes:
    """The same request with the delivered text as the beginning of the answer. Trailing space is not accepted there."""
    fields = _decode_object(body)
    last = {"role": "assistant", "content": text.rstrip()}
    fields["messages"] = msgspec.Raw(_encode([*_decode_list(fields["messages"]), last]))
    return _encode(fields)


def marked(body: bytes, form: str) -> bytes:
    """The last message marked as a beginning, in the form that the provider's profile names."""
    value = _MARKS.get(form)
    if value is None:
        return body
    fields = _decode_object(body)
    messages = _decode_list(fields["messages"])
    last = _decode_object(messages[-1])
    last[form] = msgspec.Raw(value)
    fields["messages"] = msgspec.Raw(_encode([*messages[:-1], msgspec.Raw(_encode(last))]))
    return _encode(fields)


class Seam:
    """The rest of an answer on its way to a client that has the beginning: events of the client's dialect in and out.

    Openings are left out, space that was cut off the delivered text is not said twice, and the usage is that of all
    attempts. What else the rest holds (calls of tools) passes, and so does what cannot be read.
    """

    __slots__ = ("_before", "_input", "_kind", "_shift", "_space")

    def __init__(self, kind: Kind, text: str, before: Usage) -> None:
        """`text` is what was delivered, `before` what the attempts until now used."""
        self._kind = kind
        self._before = before
        self._input = 0  # what the rest's opening says of its prompt
        self._shift = 0  # of the rest's blocks, where the first of them is not more of the text
        self._space = text[len(text.rstrip()) :]

    def feed(self, events: bytes) -> bytes:
        """Whole events in, whole events out."""
        return b"".join([self._one(event) for event in events.split(b"\n\n") if event])

    def _one(self, event: bytes) -> bytes:
        payload, whole = payload_of(event), event + b"\n\n"
        if not payload.startswith(b"{"):
            return whole
        try:
            fields = _decode_object(payload)
            return self._chunk(fields, whole) if self._kind is Kind.CHAT else self._event(fields, whole)
        except (*UNREADABLE, KeyError):
            return whole

    def _chunk(self, fields: _Fields, event: bytes) -> bytes:
        if _stated(fields.get("usage", msgspec.Raw())):
            before = self._before
            sums = {
                "prompt_tokens": before.prompt,
                "completion_tokens": before.completion,
                "total_tokens": before.total,
            }
            fields["usage"] = _summed(fields["usage"], sums)
            return _said(event, fields)
        choices = _decode_list(fields.get("choices") or b"[]")
        if len(choices) != 1:
            return event
        choice = _decode_object(choices[0])
        delta = _decode_object(choice.get("delta") or b"{}")
        opening = delta.pop("role", None) is not None
        text = msgspec.json.decode(delta.get("content") or b"null", type=str | None) or ""
        rest = self._without_space(text)
        if rest == text and not opening:
            return event
        if rest != text:
            delta["content"] = msgspec.Raw(_encode(rest))
        more = any(_stated(value) for name, value in delta.items() if name != "content")
        if not text and not more and not _stated(choice.get("finish_reason", msgspec.Raw())):
            return b""
        choice["delta"] = msgspec.Raw(_encode(delta))
        fields["choices"] = msgspec.Raw(_encode([choice]))
        return _said(event, fields)

    def _event(self, fields: _Fields, event: bytes) -> bytes:
        kind = msgspec.json.decode(fields.get("type") or b'""', type=str)
        if kind == "message_start":
            self._input = _input_of(fields)
            return b""
        if kind == "message_delta" and _stated(fields.get("usage", msgspec.Raw())):
            before = self._before
            usage = {"input_tokens": msgspec.Raw(b"%d" % self._input), **_decode_object(fields["usage"])}
            sums = {"output_tokens": before.completion, "input_tokens": before.prompt - before.cached}
            fields["usage"] = _summed(msgspec.Raw(_encode(usage)), sums)
            return _said(event, fields)
        return self._block(kind, fields, event) if kind.startswith("content_block_") else event

    def _block(self, kind: str, fields: _Fields, event: bytes) -> bytes:
        """The client has block 0 open, a text: more of it goes on there; what is no text comes after it."""
        index, closed = msgspec.json.decode(fields["index"], type=int), b""
        if kind == "content_block_start" and not index:
            if _decode_block(fields["content_block"]).type == "text":
                return b""
            self._shift, closed = 1, _CLOSED
        if self._shift:
            fields["index"] = msgspec.Raw(b"%d" % (index + self._shift))
            return closed + _said(event, fields)
        if index or kind != "content_block_delta":
            return event
        delta = _decode_object(fields["delta"])
        text = msgspec.json.decode(delta.get("text") or b'""', type=str)
        rest = self._without_space(text)
        if rest == text:
            return event
        delta["text"] = msgspec.Raw(_encode(rest))
        fields["delta"] = msgspec.Raw(_encode(delta))
        return _said(event, fields)

    def _without_space(self, text: str) -> str:
        """What of a text is new: the space that the client has already is taken off its beginning, once."""
        space, self._space = self._space, ""
        common = 0
        while common < min(len(space), len(text)) and space[common] == text[common]:
            common += 1
        if common == len(text):
            self._space = space[common:]
        return text[common:]


def _said(event: bytes, fields: _Fields) -> bytes:
    """The event with these fields for its data, under the name that it has."""
    name = event.partition(b"\n")[0] + b"\n" if event.startswith(b"event:") else b""
    return b"%bdata: %b\n\n" % (name, _encode(fields))


def _input_of(fields: _Fields) -> int:
    """What an opening says of the prompt; 0 where that cannot be read."""
    try:
        return _decode_start(_encode(fields)).message.usage.input_tokens
    except UNREADABLE:
        return 0


def _summed(usage: msgspec.Raw, before: dict[str, int]) -> msgspec.Raw:
    """A usage object with these counts added to those that it states."""
    counts = _decode_object(usage)
    for name, more in before.items():
        stated = bytes(counts.get(name, b""))
        if stated.isdigit():
            counts[name] = msgspec.Raw(b"%d" % (int(stated) + more))
    return msgspec.Raw(_encode(counts))
