"""A stream that was cut goes on: what was delivered, the request that asks for the rest, and the seam between both.

Only plain text can be continued: one choice, no tool call, no JSON mode, no thinking. The delivered text becomes a last
message of the assistant, which a provider that can continues; what the rest opens with is taken out, so that the client
sees one answer. Pure; O(bytes). Source: the makers' references on prefilled answers (`Profile.prefix`).
"""

from typing import Final

import msgspec

from tidegate.model.call import Kind
from tidegate.model.outcome import Usage
from tidegate.providers.events import payload_of
from tidegate.providers.reading import UNREADABLE

KINDS: Final = frozenset({Kind.CHAT, Kind.MESSAGES})
_MARKS: Final = {"prefix": b"true", "partial": b"true"}  # profiles whose providers want a field in the message


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
    odd = ("response_format", "output_config", "output_format", "thinking", "audio", "modalities")
    several = bytes(fields.get("n", msgspec.Raw(b"1"))) not in (b"1", b"null")
    return not several and not any(_stated(fields.get(name, msgspec.Raw())) for name in odd)


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
    attempts.
    """

    __slots__ = ("_before", "_input", "_kind", "_space")

    def __init__(self, kind: Kind, text: str, before: Usage) -> None:
        """`text` is what was delivered, `before` what the attempts until now used."""
        self._kind = kind
        self._before = before
        self._input = 0  # what the rest's opening says of its prompt
        self._space = text[len(text.rstrip()) :]

    def feed(self, events: bytes) -> bytes:
        """Whole events in, whole events out."""
        return b"".join([self._one(event) for event in events.split(b"\n\n") if event])

    def _one(self, event: bytes) -> bytes:
        payload = payload_of(event)
        if not payload.startswith(b"{"):
            return event + b"\n\n"
        chat = self._kind is Kind.CHAT
        fields = _decode_object(payload)
        changed = self._chunk(fields) if chat else self._event(fields)
        if changed is None:
            return b""
        name = b"" if chat else event.partition(b"\n")[0] + b"\n"
        return b"%bdata: %b\n\n" % (name, _encode(fields)) if changed else event + b"\n\n"

    def _chunk(self, fields: dict[str, msgspec.Raw]) -> bool | None:
        """Whether a chunk was changed; None: it is left out."""
        if _stated(fields.get("usage", msgspec.Raw())):
            before = self._before
            fields["usage"] = _summed(
                fields["usage"],
                {
                    "prompt_tokens": before.prompt,
                    "completion_tokens": before.completion,
                    "total_tokens": before.total,
                },
            )
            return True
        choices = _decode_list(fields.get("choices") or b"[]")
        if len(choices) != 1:
            return False
        choice = _decode_object(choices[0])
        delta = _decode_object(choice.get("delta") or b"{}")
        opening = delta.pop("role", None) is not None
        text = msgspec.json.decode(delta.get("content") or b"null", type=str | None) or ""
        if opening and not text and not _stated(choice.get("finish_reason", msgspec.Raw())) and len(delta) <= 1:
            return None
        rest = self._without_space(text)
        if rest == text and not opening:
            return False
        delta["content"] = msgspec.Raw(_encode(rest))
        choice["delta"] = msgspec.Raw(_encode(delta))
        fields["choices"] = msgspec.Raw(_encode([choice]))
        return True

    def _event(self, fields: dict[str, msgspec.Raw]) -> bool | None:
        """Whether an event was changed; None: it is left out."""
        kind = msgspec.json.decode(fields.get("type") or b'""', type=str)
        if kind == "message_start":
            self._input = _decode_start(_encode(fields)).message.usage.input_tokens
        if kind in ("message_start", "content_block_start"):
            return None
        if kind == "message_delta" and _stated(fields.get("usage", msgspec.Raw())):
            before = self._before
            usage = {"input_tokens": msgspec.Raw(b"%d" % self._input), **_decode_object(fields["usage"])}
            sums = {"output_tokens": before.completion, "input_tokens": before.prompt - before.cached}
            fields["usage"] = _summed(msgspec.Raw(_encode(usage)), sums)
            return True
        if kind == "content_block_delta":
            delta = _decode_object(fields["delta"])
            text = msgspec.json.decode(delta.get("text") or b'""', type=str)
            rest = self._without_space(text)
            delta["text"] = msgspec.Raw(_encode(rest))
            fields["delta"] = msgspec.Raw(_encode(delta))
            return rest != text
        return False

    def _without_space(self, text: str) -> str:
        """What of a text is new: the space that the client has already is taken off its beginning, once."""
        space, self._space = self._space, ""
        common = 0
        while common < min(len(space), len(text)) and space[common] == text[common]:
            common += 1
        if common == len(text):
            self._space = space[common:]
        return text[common:]


def _summed(usage: msgspec.Raw, before: dict[str, int]) -> msgspec.Raw:
    """A usage object with these counts added to those that it states."""
    counts = _decode_object(usage)
    for name, more in before.items():
        if name in counts:
            counts[name] = msgspec.Raw(b"%d" % (int(bytes(counts[name])) + more))
    return msgspec.Raw(_encode(counts))
