"""Answers and errors in OpenAI's dialect: what a call cost, and what went wrong.

Source: the API reference of chat completions (`usage`) and the guide to error codes.
"""

from tidegate.model.outcome import Usage
from tidegate.providers import reading
from tidegate.providers.codec import Said
from tidegate.providers.openai.fields import (
    Counts,
    decode_alone,
    decode_answer,
    decode_error,
    decode_instead,
    encode,
)
from tidegate.providers.reading import UNREADABLE


def _usage(counts: Counts, tier: str) -> Usage:
    """The same in our words."""
    read, made = counts.prompt_tokens_details, counts.completion_tokens_details
    cached = written = reasoning = 0
    if read is not None:
        cached, written = read.cached_tokens or 0, read.cache_write_tokens or 0
    if made is not None:
        reasoning = made.reasoning_tokens or 0
    return Usage(counts.prompt_tokens or 0, counts.completion_tokens or 0, cached, False, written, reasoning, tier)


def usage_of(answer: bytes, otherwise: str = "") -> Usage | None:
    """The usage of a complete answer, None where it states none. Raises `ValueError` when it is not JSON.

    `otherwise`: its service tier where it does not tell one.
    """
    try:
        told = decode_answer(answer)
    except UNREADABLE as error:
        reading.check_json(error, answer)
        return None
    usage = told.usage
    if usage is None or usage.prompt_tokens is None:
        return None
    tier = told.service_tier
    return _usage(usage, otherwise if tier is None else reading.tier(tier))


def error_of(body: bytes) -> Said:
    """The error that a body states; empty where it is something else."""
    try:
        error = decode_error(body).error
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
        told = decode_instead(answer)
    except UNREADABLE:
        return None
    stated = any(bytes(field) not in reading.NOTHING for field in (told.choices, told.data))
    return None if stated or bytes(told.error) in reading.NOTHING else error_of(answer)


def is_error_body(body: bytes) -> bool:
    """Whether it is an error as HTTP bodies say it; a failed response or an event that holds one is none."""
    try:
        told = decode_alone(body)
    except UNREADABLE:
        return False
    whole = bytes(told.type) in reading.NOTHING and bytes(told.object) != b'"response"'
    return whole and bytes(told.error) not in reading.NOTHING


def error_body(error: Said, param: str = "") -> bytes:
    """The error object as JSON."""
    told = {"message": error.message, "type": error.type, "param": param or None, "code": error.code or None}
    return encode({"error": told})
