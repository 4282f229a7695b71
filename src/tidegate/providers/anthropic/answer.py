"""Answers and errors of Anthropic's API: what a call cost, and what went wrong.

Source: the API reference of messages (`usage`) and of errors, version 2023-06-01.
"""

from typing import Any

import msgspec

from tidegate.model.outcome import Usage
from tidegate.providers import reading
from tidegate.providers.codec import Said
from tidegate.providers.reading import UNREADABLE


class Counts(msgspec.Struct):
    """`usage` as it stands in an answer or an event. `input_tokens` leaves out what was read from or put in a cache."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    service_tier: Any = None
    speed: Any = None

    def usage(self) -> Usage | None:
        """The same in our words; None when it does not state the input."""
        if self.input_tokens is None:
            return None
        cached = self.cache_read_input_tokens or 0
        written = self.cache_creation_input_tokens or 0
        return Usage(
            self.input_tokens + cached + written, self.output_tokens or 0, cached, written=written, tier=self.tier()
        )

    def tier(self) -> str:
        """What it says of how the answer was made: of its speed, where that is not the usual one."""
        return reading.tier(self.speed) or reading.tier(self.service_tier)


class _Answer(msgspec.Struct):
    usage: Counts | None = None
    input_tokens: int | None = None  # of a count


class _Details(msgspec.Struct):
    error_code: str | None = None


class _ErrorFields(msgspec.Struct):
    type: str | None = None
    message: str | None = None
    details: _Details | None = None


class _Error(msgspec.Struct):
    error: _ErrorFields | None = None


class _Kind(msgspec.Struct):
    type: str | None = None


_decode_answer = msgspec.json.Decoder(_Answer).decode
_decode_error = msgspec.json.Decoder(_Error).decode
_decode_kind = msgspec.json.Decoder(_Kind).decode
_encode = msgspec.json.Encoder().encode

_SPENT = "insufficient_quota"  # OpenAI's code
_BY_STATUS = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}


def usage_of(answer: bytes) -> Usage | None:
    """The usage of a complete answer, None where it states none. Raises `ValueError` when it is not JSON."""
    try:
        usage = _decode_answer(answer).usage
    except UNREADABLE as error:
        reading.check_json(error, answer)
        return None
    return None if usage is None else usage.usage()


def error_of(body: bytes) -> Said:
    """The error that a body or an event states; empty where it is something else."""
    try:
        error = _decode_error(body).error
    except UNREADABLE:
        return Said()
    if error is None:
        return Said()
    code = error.details.error_code if error.details is not None else None
    return Said(code or "", error.type or "", error.message or "")


def failure_of(answer: bytes) -> Said | None:
    """The error that stands in the place of a message, None where there is an answer."""
    try:
        kind = _decode_kind(answer).type
    except UNREADABLE:
        return None
    return error_of(answer) if kind == "error" else None


def is_error_body(body: bytes) -> bool:
    """Whether it is an error as HTTP bodies say it, which events say alike."""
    return failure_of(body) not in (None, Said())


def error_body(status: int, error: Said) -> bytes:
    """The error object as JSON; its type follows from the status, as the API reference has it.

    A budget that is used up is a rate limit by its type, and a spend limit by its details.
    """
    kind = _BY_STATUS.get(status, "invalid_request_error" if status < 500 else "api_error")
    told: dict[str, object] = {"type": kind, "message": error.message}
    if status == 429 and error.code == _SPENT:
        told["details"] = {"error_code": "enforced_spend_limit_reached"}
    return _encode({"type": "error", "error": told})
