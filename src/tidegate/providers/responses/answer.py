"""Answers and errors of the Responses API: what a call cost, and what went wrong.

Source: OpenAI's API reference of responses and of their streaming events. The reference has the fields of an `error`
event at its top; what is sent has them in an object `error` (openai/openai-dotnet#881), and only that makes OpenAI's
Python SDK raise. Both are read, and both are written.
"""

import re
from typing import Any

import msgspec

from tidegate.model.outcome import Usage
from tidegate.providers import partial, reading
from tidegate.providers.codec import Said
from tidegate.providers.reading import NOTHING, UNREADABLE

_FAILED = "failed"
_SEQUENCE = b'"sequence_number"'
_NUMBER = re.compile(rb"\s*:\s*(\d{1,18})")


class _Details(msgspec.Struct):
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None


class _Made(msgspec.Struct):
    reasoning_tokens: int | None = None


class Counts(msgspec.Struct):
    """`usage` as it stands in a response. Reasoning is part of the output."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    input_tokens_details: _Details | None = None
    output_tokens_details: _Made | None = None

    def usage(self, tier: str) -> Usage | None:
        """The same in our words; None when it does not state the input."""
        if self.input_tokens is None:
            return None
        read, made = self.input_tokens_details, self.output_tokens_details
        return Usage(
            self.input_tokens,
            self.output_tokens or 0,
            (read and read.cached_tokens) or 0,
            written=(read and read.cache_write_tokens) or 0,
            reasoning=(made and made.reasoning_tokens) or 0,
            tier=tier,
        )


class _Answer(msgspec.Struct):
    usage: Counts | None = None
    status: str | None = None
    service_tier: Any = None


class _ErrorFields(msgspec.Struct):
    code: str | int | None = None
    type: str | None = None
    message: str | None = None


class _Failed(msgspec.Struct):
    error: _ErrorFields | None = None


class _Error(msgspec.Struct):
    """An error body, a response that failed, or one of the two events that say so."""

    type: str | None = None
    code: str | int | None = None
    message: str | None = None
    error: _ErrorFields | str | None = None
    response: _Failed | None = None


class _Instead(msgspec.Struct):
    status: str | None = None
    error: msgspec.Raw = msgspec.Raw()
    output: msgspec.Raw = msgspec.Raw()


_decode_answer = msgspec.json.Decoder(_Answer).decode
_decode_error = msgspec.json.Decoder(_Error).decode
_decode_instead = msgspec.json.Decoder(_Instead).decode
_encode = msgspec.json.Encoder().encode


def usage_of(answer: bytes) -> Usage | None:
    """The usage of a complete answer, None where it states none or failed. Raises `ValueError` when it is not JSON."""
    try:
        told = _decode_answer(answer)
    except UNREADABLE as error:
        reading.check_json(error, answer)
        return None
    return None if told.usage is None or told.status == _FAILED else told.usage.usage(reading.tier(told.service_tier))


def error_of(body: bytes) -> Said:
    """The error that a body, a failed response or an event states; empty where it is something else."""
    try:
        told = _decode_error(body)
    except UNREADABLE:
        return Said()
    error = told.error if told.response is None else told.response.error
    if isinstance(error, str):
        return Said(message=error)
    if error is None:
        return Said(str(told.code or ""), "", told.message or "") if told.type == "error" else Said()
    return Said(str(error.code or ""), error.type or "", error.message or "")


def failure_of(answer: bytes) -> Said | None:
    """What made a response fail, or the error in the place of one; None where there is an answer."""
    try:
        told = _decode_instead(answer)
    except UNREADABLE:
        return None
    instead = bytes(told.output) in NOTHING and bytes(told.error) not in NOTHING
    return error_of(answer) if instead or told.status == _FAILED else None


def after(events: bytes) -> int:
    """The `sequence_number` that follows these events; 0 where they have none. O(the last event)."""
    at = events.rfind(_SEQUENCE)  # within a text its quotes would be escaped
    found = _NUMBER.match(events, at + len(_SEQUENCE)) if at >= 0 else None
    return int(found[1]) + 1 if found is not None else 0


def error_event(error: Said, sequence: int = 0, usage: Usage | None = None) -> bytes:
    """An error as the last event of a stream that is already running, after `sequence` others."""
    code, kind = error.code or None, error.type or "server_error"
    inner = {"type": kind, "code": code, "message": error.message, "param": None}
    flat = {"type": "error", "sequence_number": sequence, "code": code, "message": error.message, "param": None}
    return raw_event(_encode({**flat, "error": inner}), usage)


def raw_event(error: bytes, usage: Usage | None = None) -> bytes:
    """The same for an error that is said already, as the JSON of an event."""
    try:
        kind = _decode_error(error).type
    except UNREADABLE:
        kind = None
    name = b"response.failed" if kind == "response.failed" else b"error"
    if usage is not None:
        error = partial.within(error, partial.responses(usage))
    return b"event: %b\ndata: %b\n\n" % (name, error.replace(b"\n", b"\ndata: "))
