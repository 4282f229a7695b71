"""Requests of the Messages API: the few fields that are routed on, and those that are changed.

Messages stay raw JSON and unknown fields stay as they are. Source: the API reference of `POST /v1/messages` and
`POST /v1/messages/count_tokens`, version 2023-06-01. Reading is O(bytes) at C speed.
"""

import re
from typing import Annotated, Final

import msgspec

from tidegate.model.call import Kind, Shape
from tidegate.model.text import count
from tidegate.providers import reading
from tidegate.providers.codec import Asked, BadRequest

_BACKSLASH: Final = 0x5C
_MAX_OUTPUT = 1 << 40
_LEAST_BUDGET = 1_024
# Pictures and documents as they stand in a content block: not a text, however long.
_ENCODED = re.compile(rb'"data"\s*:\s*"[^"]*"')
_MEDIA = re.compile(rb'"type"\s*:\s*"(?:image|document)"')


class _Body(msgspec.Struct):
    model: str | None = None
    max_tokens: Annotated[int, msgspec.Meta(ge=0, le=_MAX_OUTPUT)] | None = None
    messages: msgspec.Raw = msgspec.Raw()
    system: msgspec.Raw = msgspec.Raw()
    tools: msgspec.Raw = msgspec.Raw()
    stream: bool | None = None


_decode = msgspec.json.Decoder(_Body).decode
_decode_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_encode = msgspec.json.Encoder().encode


def read(kind: Kind, body: bytes) -> Asked:
    """Read a request body. Raises `BadRequest` with the field and the remedy."""
    try:
        wide = 0 if body.isascii() else len(body) - len(body.decode())
        fields = _decode(body)
    except reading.UNREADABLE as error:
        raise reading.bad(error) from None
    model, messages = reading.model(fields.model), bytes(fields.messages)
    if not messages.startswith(b"["):
        raise BadRequest("messages: send an array of messages.", "messages")
    counted = kind is Kind.COUNT
    if fields.max_tokens is None and not counted:
        raise BadRequest("max_tokens: field required; say how many tokens may be generated at most.", "max_tokens")
    shape = Shape(model, fields.stream is True and not counted, 0 if counted else fields.max_tokens or 0)
    shape.tools = len(fields.tools) > 0 and bytes(fields.tools) not in (b"[]", b"null")
    text, media = messages + bytes(fields.system) + bytes(fields.tools), 0
    if b'"source"' in text:
        media = len(_MEDIA.findall(text))
        shape.images = media > 0
        text = _ENCODED.sub(b'""', text)
    escaped = count(text, b"\\u") if _BACKSLASH in text else 0
    return Asked(shape, text, wide // 2 + escaped, escaped, count(messages, b'"role"'), media)


def with_model(body: bytes, model: str) -> bytes:
    """The same request for another model; every other field keeps its bytes."""
    return _with(body, "model", _encode(model))


def with_output(body: bytes, tokens: int) -> bytes:
    """The same request for at most so many new tokens, of which thought is a part.

    Its budget must be less than the limit and has a least one, so it is lowered to half, or falls away. Source:
    Anthropic's guide, "Extended thinking".
    """
    fields = _decode_object(body)
    fields["max_tokens"] = msgspec.Raw(b"%d" % tokens)
    thinking = _object(fields.get("thinking"))
    budget = bytes(thinking.get("budget_tokens", b""))
    if budget.isdigit() and int(budget) >= tokens:
        thinking["budget_tokens"] = msgspec.Raw(b"%d" % max(_LEAST_BUDGET, tokens // 2))
        fields["thinking"] = msgspec.Raw(_encode(thinking))
        if tokens <= _LEAST_BUDGET:
            del fields["thinking"]
    return _encode(fields)


def _object(value: msgspec.Raw | None) -> dict[str, msgspec.Raw]:
    """Its fields; none where it is no object."""
    return _decode_object(value) if value is not None and bytes(value).startswith(b"{") else {}


def _with(body: bytes, name: str, value: bytes) -> bytes:
    fields = _decode_object(body)
    fields[name] = msgspec.Raw(value)
    return _encode(fields)
