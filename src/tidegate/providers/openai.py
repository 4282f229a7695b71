"""OpenAI's dialect: the few fields that are routed on, and the two that are changed.

Bodies are not parsed further than needed: messages stay raw JSON, unknown fields stay as they are. Source: the API
reference of chat completions, completions and embeddings. Reading is O(bytes) at C speed.
"""

import re
from typing import Annotated

import msgspec

from tidegate.model.call import Kind, Shape
from tidegate.model.outcome import Usage
from tidegate.model.text import count
from tidegate.providers import reading
from tidegate.providers.codec import Asked as Asked
from tidegate.providers.codec import BadRequest as BadRequest
from tidegate.providers.codec import Said
from tidegate.providers.reading import UNREADABLE as UNREADABLE
from tidegate.providers.reading import is_json as is_json

# Pictures, files and sounds as they stand in a message: not a text, however long.
_ENCODED = re.compile(rb'"(?:url|image_url|file_data)"\s*:\s*"data:[^"]*"|"data"\s*:\s*"[^"]*"')
_MEDIA = (b'"image_url"', b'"input_audio"', b'"file"')


_MAX_OUTPUT = 1 << 40
_Count = Annotated[int, msgspec.Meta(ge=1, le=_MAX_OUTPUT)]
_Tokens = Annotated[int, msgspec.Meta(ge=0, le=_MAX_OUTPUT)]  # legacy completions score their prompt with max_tokens 0


class _StreamOptions(msgspec.Struct):
    include_usage: bool | None = None


class _Body(msgspec.Struct):
    model: str | None = None
    messages: msgspec.Raw = msgspec.Raw()
    prompt: msgspec.Raw = msgspec.Raw()
    input: msgspec.Raw = msgspec.Raw()
    tools: msgspec.Raw = msgspec.Raw()
    functions: msgspec.Raw = msgspec.Raw()
    response_format: msgspec.Raw = msgspec.Raw()
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    max_tokens: _Tokens | None = None
    max_completion_tokens: _Tokens | None = None
    n: _Count | None = None
    best_of: _Count | None = None


class _Details(msgspec.Struct):
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None


class _Made(msgspec.Struct):
    reasoning_tokens: int | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: _Details | None = None
    completion_tokens_details: _Made | None = None

    def usage(self) -> Usage:
        """The same in our words."""
        read, made = self.prompt_tokens_details, self.completion_tokens_details
        return Usage(
            self.prompt_tokens or 0,
            self.completion_tokens or 0,
            (read and read.cached_tokens) or 0,
            written=(read and read.cache_write_tokens) or 0,
            reasoning=(made and made.reasoning_tokens) or 0,
        )


class _Answer(msgspec.Struct):
    usage: _Usage | None = None


class _ErrorFields(msgspec.Struct):
    code: str | int | None = None
    type: str | None = None
    message: str | None = None


class _Error(msgspec.Struct):
    error: _ErrorFields | str | None = None


class _Alone(msgspec.Struct):
    error: msgspec.Raw = msgspec.Raw()
    type: msgspec.Raw = msgspec.Raw()
    object: msgspec.Raw = msgspec.Raw()


class _Instead(msgspec.Struct):
    error: msgspec.Raw = msgspec.Raw()
    choices: msgspec.Raw = msgspec.Raw()
    data: msgspec.Raw = msgspec.Raw()


_decode_body = msgspec.json.Decoder(_Body).decode
_decode_answer = msgspec.json.Decoder(_Answer).decode
_decode_error = msgspec.json.Decoder(_Error).decode
_decode_alone = msgspec.json.Decoder(_Alone).decode
_decode_instead = msgspec.json.Decoder(_Instead).decode
_decode_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_encode = msgspec.json.Encoder().encode

# Bound once: an Enum's members are looked up, and hashed, by code in Python.
_CHAT = Kind.CHAT
_COMPLETION = Kind.COMPLETION
_NOTHING = 15  # bytes; no tool is shorter


def read(kind: Kind, body: bytes) -> Asked:
    """Read a request body. Raises `BadRequest` with the field and the remedy."""
    try:
        wide = 0 if body.isascii() else len(body) - len(body.decode())
        fields = _decode_body(body)
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


def _output(fields: _Body) -> int:
    """The most new tokens: the larger of both fields, for every choice; a small one must not hide a large one."""
    output, newer = fields.max_tokens or 0, fields.max_completion_tokens
    if newer is not None and newer > output:
        output = newer
    if fields.n is not None or fields.best_of is not None:
        output = min(output * max(fields.n or 1, fields.best_of or 1), _MAX_OUTPUT)  # the journal has 64 bits
    return output


def _has(field: msgspec.Raw) -> bool:
    """There is something in a list: clients send null and [] for nothing."""
    return len(field) > _NOTHING or (len(field) > 0 and bytes(field).strip(b"[] \t\r\n") not in (b"", b"null"))


def _without_media(text: bytes) -> tuple[bytes, int, int]:
    """The text without encoded media; how many media there are, and how many of them are images at low detail."""
    # Each is an object {"type":"image_url","image_url":{…}}: its word stands there twice.
    media = sum(text.count(word) for word in _MEDIA) // 2
    return (_ENCODED.sub(b'""', text), media, min(media, text.count(b'"low"'))) if media else (text, 0, 0)


def _asked(fields: _Body, model: str, text: bytes, wide_bytes: int) -> Asked:
    options, media, low, images, tools = fields.stream_options, 0, 0, False, False
    messages = count(text, b'"role"') if fields.messages else 0
    # Only the parts of a message's content have a type, and they are a list in the list of messages. To look for one
    # byte costs a tenth of looking for a word.
    if messages and text.find(b"[", 1) > 0 and b'"type"' in text:
        images = b'"image_url"' in text
        text, media, low = _without_media(text)
    if fields.tools or fields.functions or fields.response_format:
        tools = _has(fields.tools) or _has(fields.functions)
        if tools or fields.response_format:
            text += bytes(fields.tools) + bytes(fields.functions) + bytes(fields.response_format)
    wants_usage = options is not None and options.include_usage is True
    shape = Shape(model, fields.stream is True, _output(fields), tools, images, wants_usage)
    escaped = count(text, b"\\u") if b"\\" in text else 0
    # A wide character has one byte or more beyond its first; most in use have two (CJK).
    return Asked(shape, text, wide_bytes // 2 + escaped, escaped, messages, media, low)


def with_model(body: bytes, model: str) -> bytes:
    """The same request for another model; every other field keeps its bytes."""
    fields = _decode_object(body)
    fields["model"] = msgspec.Raw(_encode(model))
    return _encode(fields)


def with_output(body: bytes, tokens: int) -> bytes:
    """The same request for at most so many new tokens, in the field that it used itself."""
    fields = _decode_object(body)
    name = "max_completion_tokens" if "max_completion_tokens" in fields else "max_tokens"
    fields[name] = msgspec.Raw(b"%d" % tokens)
    return _encode(fields)


def with_usage(body: bytes) -> bytes:
    """The same streamed request with `stream_options.include_usage` set."""
    if b'"stream_options"' not in body:
        start = body.index(b"{") + 1
        return b'%b"stream_options":{"include_usage":true},%b' % (body[:start], body[start:])
    fields = _decode_object(body)
    options = msgspec.json.decode(fields.get("stream_options") or b"{}", type=dict[str, msgspec.Raw] | None) or {}
    options["include_usage"] = msgspec.Raw(b"true")
    fields["stream_options"] = msgspec.Raw(_encode(options))
    return _encode(fields)


def usage_of(answer: bytes) -> Usage | None:
    """The usage of a complete answer, None where it states none. Raises `ValueError` when it is not JSON."""
    try:
        usage = _decode_answer(answer).usage
    except UNREADABLE as error:
        reading.check_json(error, answer)
        return None
    if usage is None or usage.prompt_tokens is None:
        return None
    return usage.usage()


def error_of(body: bytes) -> Said:
    """The error that a body states; empty where it is something else."""
    try:
        error = _decode_error(body).error
    except UNREADABLE:
        return Said()
    if isinstance(error, str):
        return Said(message=error)
    return Said() if error is None else Said(str(error.code or ""), error.type or "", error.message or "")


def failure_of(answer: bytes) -> Said | None:
    """The error that stands in the place of `choices` or `data`, None where there is an answer.

    OpenRouter sends such with status 200 once it has begun to work; so do some servers that follow OpenAI.
    """
    try:
        told = _decode_instead(answer)
    except UNREADABLE:
        return None
    stated = any(bytes(field) not in reading.NOTHING for field in (told.choices, told.data))
    return None if stated or bytes(told.error) in reading.NOTHING else error_of(answer)


def is_error_body(body: bytes) -> bool:
    """Whether it is an error as HTTP bodies say it; a failed response or an event that holds one is none."""
    try:
        told = _decode_alone(body)
    except UNREADABLE:
        return False
    whole = bytes(told.type) in reading.NOTHING and bytes(told.object) != b'"response"'
    return whole and bytes(told.error) not in reading.NOTHING


def error_body(error: Said, param: str = "") -> bytes:
    """The error object as JSON."""
    told = {"message": error.message, "type": error.type, "param": param or None, "code": error.code or None}
    return _encode({"error": told})
