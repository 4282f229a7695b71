"""What a stream had used when it failed: the usage that its last event tells, in the words of who hears it.

It stands in the object `error`, which is all that OpenAI's SDKs keep of the event (`APIError.body`).
"""

import msgspec

from tidegate.model.outcome import Usage
from tidegate.providers.reading import UNREADABLE

_Fields = dict[str, msgspec.Raw]
Counts = dict[str, object]

_decode = msgspec.json.Decoder(_Fields).decode
_encode = msgspec.json.Encoder().encode


def chat(usage: Usage) -> Counts:
    """As chat completions state it."""
    return _marked(usage, {
        "prompt_tokens": usage.prompt, "completion_tokens": usage.completion, "total_tokens": usage.total,
        "prompt_tokens_details": {"cached_tokens": usage.cached},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning},
    })  # fmt: skip


def responses(usage: Usage) -> Counts:
    """As responses state it."""
    return _marked(usage, {
        "input_tokens": usage.prompt, "output_tokens": usage.completion, "total_tokens": usage.total,
        "input_tokens_details": {"cached_tokens": usage.cached},
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
    })  # fmt: skip


def messages(usage: Usage) -> Counts:
    """As Anthropic's messages state it: what the cache had is no part of the input."""
    return _marked(usage, {
        "input_tokens": usage.prompt - usage.cached - usage.written, "output_tokens": usage.completion,
        "cache_read_input_tokens": usage.cached, "cache_creation_input_tokens": usage.written,
    })  # fmt: skip


def within(error: bytes, counts: Counts) -> bytes:
    """An error with these counts: in its object `error`, or in the response that failed, whose own counts they join.

    Every other field keeps its bytes. What has neither object gets them beside its fields; what is no object stays as
    it is.
    """
    try:
        fields = _decode(error)
    except UNREADABLE:
        return error
    for name in ("error", "response"):
        inner = _object(fields, name)
        if inner is not None:
            inner["usage"] = msgspec.Raw(_encode({**(_object(inner, "usage") or {}), **counts}))
            fields[name] = msgspec.Raw(_encode(inner))
            return _encode(fields)
    fields["usage"] = msgspec.Raw(_encode(counts))
    return _encode(fields)


def _object(fields: _Fields, name: str) -> _Fields | None:
    try:
        return _decode(fields[name])
    except (KeyError, *UNREADABLE):
        return None


def _marked(usage: Usage, counts: Counts) -> Counts:
    return {**counts, "estimated": True} if usage.estimated else counts
