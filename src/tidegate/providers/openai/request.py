"""Requests in OpenAI's dialect: the few fields that are routed on, and the two that are changed.

Bodies are not parsed further than needed: messages stay raw JSON, unknown fields stay as they are. Source: the API
reference of chat completions, completions and embeddings. Reading is O(bytes) at C speed.
"""

import re
from typing import Final

import msgspec

from tidegate.model.call import Kind, Shape
from tidegate.model.text import count
from tidegate.providers import reading
from tidegate.providers.codec import Asked, BadRequest
from tidegate.providers.openai.fields import MAX_OUTPUT, Body, decode_body, decode_object, encode
from tidegate.providers.reading import UNREADABLE

# Pictures, files and sounds as they stand in a message: not a text, however long.
_ENCODED: Final = re.compile(rb'"(?:url|image_url|file_data)"\s*:\s*"data:[^"]*"|"data"\s*:\s*"[^"]*"')
_MEDIA: Final = (b'"image_url"', b'"input_audio"', b'"file"')

# Bound once: an Enum's members are looked up, and hashed, by code in Python.
_CHAT: Final = Kind.CHAT
_COMPLETION: Final = Kind.COMPLETION
_NOTHING: Final = 15  # bytes; no tool is shorter
_BACKSLASH: Final = 0x5C


def read(kind: Kind, body: bytes) -> Asked:
    """Read a request body. Raises `BadRequest` with the field and the remedy."""
    try:
        wide = 0 if body.isascii() else len(body) - len(body.decode())
        fields = decode_body(body)
    except UNREADABLE as error:
        raise reading.bad(error) from None
    model = reading.model(fields.model)
    chat = kind is _CHAT
    prompt = bytes(fields.messages if chat else fields.prompt if kind is _COMPLETION else fields.input)
    if not prompt or prompt == b"null":
        field = "messages" if chat else "prompt" if kind is _COMPLETION else "input"
        raise BadRequest(f"Missing required parameter: '{field}'.", field)
    if chat and not prompt.startswith(b"["):
        raise BadRequest("Invalid type for 'messages': Expected `array` of message objects.", "messages")
    return _asked(fields, model, prompt, wide)


def _output(fields: Body) -> int:
    """The most new tokens: the larger of both fields, for every choice; a small one must not hide a large one."""
    output, newer = fields.max_tokens or 0, fields.max_completion_tokens
    if newer is not None and newer > output:
        output = newer
    if fields.n is not None or fields.best_of is not None:
        output = min(output * max(fields.n or 1, fields.best_of or 1), MAX_OUTPUT)  # the journal has 64 bits
    return output


def _has(field: msgspec.Raw) -> bool:
    """There is something in a list: clients send null and [] for nothing."""
    return len(field) > _NOTHING or (len(field) > 0 and bytes(field).strip(b"[] \t\r\n") not in (b"", b"null"))


def _without_media(text: bytes) -> tuple[bytes, int, int]:
    """The text without encoded media; how many media there are, and how many of them are images at low detail."""
    # Each is an object {"type":"image_url","image_url":{…}}: its word stands there twice.
    media = sum(text.count(word) for word in _MEDIA) // 2
    return (_ENCODED.sub(b'""', text), media, min(media, text.count(b'"low"'))) if media else (text, 0, 0)


def _asked(fields: Body, model: str, text: bytes, wide_bytes: int) -> Asked:
    options, media, low, images, tools = fields.stream_options, 0, 0, False, False
    messages = count(text, b'"role"') if fields.messages else 0
    # Only the parts of a message's content have a type, and they are a list in the list of messages. To look for one
    # byte costs a tenth of looking for a word.
    if messages and text.find(b"[", 1) > 0 and text.find(b'"type"') >= 0:
        images = b'"image_url"' in text
        text, media, low = _without_media(text)
    if fields.tools or fields.functions or fields.response_format:
        tools = _has(fields.tools) or _has(fields.functions)
        if tools or fields.response_format:
            text += bytes(fields.tools) + bytes(fields.functions) + bytes(fields.response_format)
    wants_usage = options is not None and options.include_usage is True
    shape = Shape(model, fields.stream is True, _output(fields), tools, images, wants_usage)
    escaped = count(text, b"\\u") if _BACKSLASH in text else 0
    # A wide character has one byte or more beyond its first; most in use have two (CJK).
    return Asked(shape, text, wide_bytes // 2 + escaped, escaped, messages, media, low)


def with_model(body: bytes, model: str) -> bytes:
    """The same request for another model; every other field keeps its bytes."""
    fields = decode_object(body)
    fields["model"] = msgspec.Raw(encode(model))
    return encode(fields)


def with_output(body: bytes, tokens: int) -> bytes:
    """The same request for at most so many new tokens, in the field that it used itself."""
    fields = decode_object(body)
    name = "max_completion_tokens" if "max_completion_tokens" in fields else "max_tokens"
    fields[name] = msgspec.Raw(b"%d" % tokens)
    return encode(fields)


def with_usage(body: bytes) -> bytes:
    """The same streamed request with `stream_options.include_usage` set."""
    if body.find(b'"stream_options"') < 0:
        start = body.index(b"{") + 1
        return b'%b"stream_options":{"include_usage":true},%b' % (body[:start], body[start:])
    fields = decode_object(body)
    options = msgspec.json.decode(fields.get("stream_options") or b"{}", type=dict[str, msgspec.Raw] | None) or {}
    options["include_usage"] = msgspec.Raw(b"true")
    fields["stream_options"] = msgspec.Raw(encode(options))
    return encode(fields)
