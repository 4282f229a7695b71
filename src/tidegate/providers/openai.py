"""OpenAI's dialect: the few fields that are routed on, and the two that are changed.

Bodies are not parsed further than needed: messages stay raw JSON, unknown fields stay as they are. Source: the API
reference of chat completions, completions and embeddings. Reading is O(bytes) at C speed.
"""

import re
from typing import Annotated

import msgspec

from tidegate.model.call import Kind, Shape
from tidegate.model.outcome import Usage

_DATA_URL = re.compile(rb'"data:[^"]*"')


class BadRequest(Exception):
    """The body cannot be a request of this kind. `param` names the field, "" for the body as a whole."""

    def __init__(self, message: str, param: str = "") -> None:
        super().__init__(message)
        self.param = param


_Count = Annotated[int, msgspec.Meta(ge=1, le=1 << 40)]


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
    max_tokens: _Count | None = None
    max_completion_tokens: _Count | None = None
    n: _Count | None = None
    best_of: _Count | None = None


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
_EMPTY_LIST = 2  # bytes of []


class Asked(msgspec.Struct, frozen=True):
    """A request as read: what it is routed on, and what of it the provider will count.

    `text` is the JSON that holds the prompt, with `wide` characters beyond ASCII, `messages` messages and `images`
    images, `low_images` of them at low detail.
    """

    shape: Shape
    text: bytes
    wide: int = 0
    messages: int = 0
    images: int = 0
    low_images: int = 0


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
    return _asked(fields, wide)


def _wrong_type(message: str) -> tuple[str, str]:
    problem, _, where = message.partition(" - at `$")
    param = where.rstrip("`").lstrip(".")
    return (f"Invalid type for '{param}': {problem}." if param else f"Invalid body: {problem}."), param


def _output(fields: _Body) -> int:
    """The most new tokens: the larger of both fields, for every choice; a small one must not hide a large one."""
    output = fields.max_tokens or 0
    if fields.max_completion_tokens is not None and fields.max_completion_tokens > output:
        output = fields.max_completion_tokens
    if fields.n is not None or fields.best_of is not None:
        output *= max(fields.n or 1, fields.best_of or 1)
    return output


def _asked(fields: _Body, wide_bytes: int) -> Asked:
    options = fields.stream_options
    text = bytes(fields.messages) or bytes(fields.prompt) or bytes(fields.input)
    images = low = 0
    if b'"image_url"' in text:
        # Every image is an object {"type":"image_url","image_url":{…}}: the words stand there twice.
        images = max(1, text.count(b'"image_url"') // 2)
        low = min(images, text.count(b'"low"'))
        text = _DATA_URL.sub(b'""', text)
    messages = text.count(b'"role"') if fields.messages else 0
    tools = len(fields.tools) > _EMPTY_LIST or len(fields.functions) > _EMPTY_LIST
    if tools or fields.response_format:
        text += bytes(fields.tools) + bytes(fields.functions) + bytes(fields.response_format)
    wants_usage = options is not None and bool(options.include_usage)
    shape = Shape(fields.model or "", bool(fields.stream), _output(fields), tools, images > 0, wants_usage)
    # A wide character has one byte or more beyond its first; most in use have two (CJK).
    return Asked(shape, text, wide_bytes // 2 + text.count(b"\\u"), messages, images, low)


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
