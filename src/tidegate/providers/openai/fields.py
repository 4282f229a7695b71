"""What is read of OpenAI's bodies, and how: messages stay raw JSON, and fields that are not named here unread.

Source: the API reference of chat completions, completions and embeddings.
"""

from typing import Annotated, Any, Final

import msgspec

MAX_OUTPUT: Final = 1 << 40
_Count = Annotated[int, msgspec.Meta(ge=1, le=MAX_OUTPUT)]
_Tokens = Annotated[int, msgspec.Meta(ge=0, le=MAX_OUTPUT)]  # legacy completions score their prompt with max_tokens 0


class StreamOptions(msgspec.Struct):
    """What a client wants of its stream."""

    include_usage: bool | None = None


class Body(msgspec.Struct):
    """A request of any of the three kinds."""

    model: str | None = None
    messages: msgspec.Raw = msgspec.Raw()
    prompt: msgspec.Raw = msgspec.Raw()
    input: msgspec.Raw = msgspec.Raw()
    tools: msgspec.Raw = msgspec.Raw()
    functions: msgspec.Raw = msgspec.Raw()
    response_format: msgspec.Raw = msgspec.Raw()
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: _Tokens | None = None
    max_completion_tokens: _Tokens | None = None
    n: _Count | None = None
    best_of: _Count | None = None


class _Details(msgspec.Struct):
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None


class _Made(msgspec.Struct):
    reasoning_tokens: int | None = None


class Counts(msgspec.Struct):
    """`usage` as it stands in an answer or a chunk."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: _Details | None = None
    completion_tokens_details: _Made | None = None


class _Answer(msgspec.Struct):
    usage: Counts | None = None
    service_tier: Any = None


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


decode_body = msgspec.json.Decoder(Body).decode
decode_answer = msgspec.json.Decoder(_Answer).decode
decode_error = msgspec.json.Decoder(_Error).decode
decode_alone = msgspec.json.Decoder(_Alone).decode
decode_instead = msgspec.json.Decoder(_Instead).decode
decode_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
encode = msgspec.json.Encoder().encode
