"""Requests of the Responses API: the few fields that are routed on, and the two that are changed.

Input items stay raw JSON and unknown fields stay as they are. Source: OpenAI's API reference of `POST /v1/responses`.
Reading is O(bytes) at C speed.
"""

import re
from typing import Annotated, Final

import msgspec

from tidegate.model.call import Shape
from tidegate.model.text import count
from tidegate.providers import reading
from tidegate.providers.codec import Asked, BadRequest

_BACKSLASH: Final = 0x5C
_MAX_OUTPUT = 1 << 40
# Pictures, files, sounds and made pictures as they stand in an item: not a text, however long.
_ENCODED = re.compile(
    rb'"(?:image_url|file_data)"\s*:\s*"data:[^"]*"|"data"\s*:\s*"[^"]*"|"result"\s*:\s*"[A-Za-z0-9+/=]{256,}"'
)
_MEDIA = re.compile(rb'"type"\s*:\s*"(?:input_(?:image|file|audio)|computer_screenshot|image_generation_call)"')
_NOTHING = frozenset({b"", b"null", b"[]", b"{}", b'""'})


class _Text(msgspec.Struct):
    format: msgspec.Raw = msgspec.Raw()


class _Body(msgspec.Struct):
    model: str | None = None
    input: msgspec.Raw = msgspec.Raw()
    instructions: msgspec.Raw = msgspec.Raw()
    prompt: msgspec.Raw = msgspec.Raw()
    tools: msgspec.Raw = msgspec.Raw()
    text: _Text | None = None
    max_output_tokens: Annotated[int, msgspec.Meta(ge=0, le=_MAX_OUTPUT)] | None = None
    stream: bool | None = None


_decode = msgspec.json.Decoder(_Body).decode
_decode_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_encode = msgspec.json.Encoder().encode


def read(body: bytes) -> Asked:
    """Read a request body. Raises `BadRequest` with the field and the remedy.

    What a request refers to without saying it (`previous_response_id`, a stored prompt) is not counted: only the
    provider knows it.
    """
    try:
        wide = 0 if body.isascii() else len(body) - len(body.decode())
        fields = _decode(body)
    except reading.UNREADABLE as error:
        raise reading.bad(error) from None
    model, given = reading.model(fields.model), bytes(fields.input)
    if given in (b"", b"null") and bytes(fields.prompt) in _NOTHING:
        raise BadRequest("Missing required parameter: 'input'.", "input")
    if not given.startswith((b'"', b"[")) and given not in (b"", b"null"):
        raise BadRequest("Invalid type for 'input': Expected a text or an `array` of input items.", "input")
    return _asked(fields, model, given, wide)


def _asked(fields: _Body, model: str, given: bytes, wide_bytes: int) -> Asked:
    instructed, tools = bytes(fields.instructions) not in _NOTHING, bytes(fields.tools)
    messages = instructed + (count(given, b'"role"') if given.startswith(b"[") else 1)
    shape = Shape(model, fields.stream is True, fields.max_output_tokens or 0, tools not in _NOTHING)
    text, media, low = given, 0, 0
    if given.startswith(b"["):
        shape.images = b'"input_image"' in given
        text, media, low = _without_media(given)
    form = bytes(fields.text.format) if fields.text is not None else b""
    text += (bytes(fields.instructions) if instructed else b"") + tools + form
    escaped = count(text, b"\\u") if _BACKSLASH in text else 0
    # A wide character has one byte or more beyond its first; most in use have two (CJK).
    return Asked(shape, text, wide_bytes // 2 + escaped, escaped, messages, media, low)


def _without_media(text: bytes) -> tuple[bytes, int, int]:
    """The text without encoded media; how many media there are, and how many of them are images at low detail."""
    media = len(_MEDIA.findall(text))
    return (_ENCODED.sub(b'""', text), media, min(media, text.count(b'"low"'))) if media else (text, 0, 0)


def with_model(body: bytes, model: str) -> bytes:
    """The same request for another model; every other field keeps its bytes."""
    return _with(body, "model", _encode(model))


def with_output(body: bytes, tokens: int) -> bytes:
    """The same request for at most so many new tokens."""
    return _with(body, "max_output_tokens", b"%d" % tokens)


def _with(body: bytes, name: str, value: bytes) -> bytes:
    fields = _decode_object(body)
    fields[name] = msgspec.Raw(value)
    return _encode(fields)
