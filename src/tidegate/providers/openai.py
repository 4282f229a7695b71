"""OpenAI's dialect: the few fields that are routed on, and the two that are changed.

Bodies are not parsed further than needed: messages stay raw JSON, unknown fields stay as they are. Source: the API
reference of chat completions, completions and embeddings. Reading is O(bytes) at C speed.
"""

import re
from dataclasses import dataclass

import msgspec

from tidegate.model.call import Kind, Shape
from tidegate.model.outcome import Usage

_DATA_URL = re.compile(rb'"data:[^"]*"')


class BadRequest(Exception):
    """The body cannot be a request of this kind. `param` names the field, "" for the body as a whole."""

    def __init__(self, message: str, param: str = "") -> None:
        super().__init__(message)
        self.param = param


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
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    n: int | None = None
    best_of: int | None = None


class _Details(msgspec.Struct):
    cached_tokens: int | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: _Details | None = None


class _Answer(msgspec.Struct):
    usage: _Usage | None = None


class _ErrorFields(msgspec.Struct):
    code: str | int | None = None
    type: str | None = None


class _Error(msgspec.Struct):
    error: _ErrorFields | str | None = None


_decode_body = msgspec.json.Decoder(_Body).decode
_decode_answer = msgspec.json.Decoder(_Answer).decode
_decode_error = msgspec.json.Decoder(_Error).decode
_decode_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_encode = msgspec.json.Encoder().encode

_PROMPT_FIELD = {Kind.CHAT: "messages", Kind.COMPLETION: "prompt", Kind.EMBEDDING: "input"}
_MAX_OUTPUT = 1 << 40


@dataclass(frozen=True, slots=True)
class Text:
    """What of a body the provider will count: its bytes, characters beyond ASCII, messages and images."""

    raw: bytes
    wide: int
    messages: int
    images: int
    low_images: int


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as read: what it is routed on and what it is measured by."""

    shape: Shape
    text: Text


def read(kind: Kind, body: bytes) -> Asked:
    """Read a request body. Raises `BadRequest` with the field and the remedy."""
    try:
        wide = 0 if body.isascii() else len(body) - len(body.decode())
        fields = _decode_body(body)
    except UnicodeDecodeError as error:
        raise BadRequest(f"The body is not UTF-8 (byte {error.start}). Send JSON encoded as UTF-8.") from None
    except msgspec.ValidationError as error:
        raise BadRequest(*_wrong_type(str(error))) from None
    except (msgspec.DecodeError, RecursionError) as error:
        problem = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise BadRequest(f"We could not parse the JSON body of your request: {problem}.") from None
    if not fields.model:
        raise BadRequest("You must provide a model parameter.", "model")
    if not getattr(fields, field := _PROMPT_FIELD[kind]):
        raise BadRequest(f"Missing required parameter: '{field}'.", field)
    return Asked(_shape(fields, _output(fields)), _text(fields, wide))


def _wrong_type(message: str) -> tuple[str, str]:
    problem, _, where = message.partition(" - at `$")
    param = where.rstrip("`").lstrip(".")
    return (f"Invalid type for '{param}': {problem}." if param else f"Invalid body: {problem}."), param


def _output(fields: _Body) -> int:
    """The most new tokens: the larger of both fields, for every choice; a small one must not hide a large one."""
    for name in ("max_tokens", "max_completion_tokens", "n", "best_of"):
        value = getattr(fields, name)
        if value is not None and not 0 < value <= _MAX_OUTPUT:
            raise BadRequest(f"Invalid '{name}': {value}. It must be a whole number from 1 to {_MAX_OUTPUT}.", name)
    output = max(fields.max_tokens or 0, fields.max_completion_tokens or 0)
    return output * max(fields.n or 1, fields.best_of or 1)


def _shape(fields: _Body, output: int) -> Shape:
    options = fields.stream_options
    return Shape(
        fields.model or "",
        bool(fields.stream),
        output,
        len(fields.tools) > 2 or len(fields.functions) > 2,
        b'"image_url"' in bytes(fields.messages),
        options is not None and bool(options.include_usage),
    )


def _text(fields: _Body, wide_bytes: int) -> Text:
    raw = bytes(fields.messages) or bytes(fields.prompt) or bytes(fields.input)
    images = low = 0
    if b'"image_url"' in raw:
        # Every image is an object {"type":"image_url","image_url":{…}}: the words stand there twice.
        images = max(1, raw.count(b'"image_url"') // 2)
        low = min(images, raw.count(b'"low"'))
        raw = _DATA_URL.sub(b'""', raw)
    messages = raw.count(b'"role"') if fields.messages else 0
    if fields.tools or fields.functions or fields.response_format:
        raw += bytes(fields.tools) + bytes(fields.functions) + bytes(fields.response_format)
    # A wide character has one byte or more beyond its first; most in use have two (CJK).
    return Text(raw, wide_bytes // 2 + raw.count(b"\\u"), messages, images, low)


def with_model(body: bytes, model: str) -> bytes:
    """The same request for another model; every other field keeps its bytes."""
    fields = _decode_object(body)
    fields["model"] = msgspec.Raw(_encode(model))
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
    except msgspec.ValidationError:
        return None
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(str(error)) from None
    if usage is None or usage.prompt_tokens is None:
        return None
    details = usage.prompt_tokens_details
    return Usage(usage.prompt_tokens, usage.completion_tokens or 0, (details and details.cached_tokens) or 0)


def error_of(body: bytes) -> tuple[str, str]:
    """`code` and `type` of an error body, "" where absent or when the body is something else."""
    try:
        error = _decode_error(body).error
    except (msgspec.DecodeError, RecursionError):
        return "", ""
    if not isinstance(error, _ErrorFields):
        return "", ""
    return str(error.code or ""), error.type or ""
