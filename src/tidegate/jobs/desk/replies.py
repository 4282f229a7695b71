"""Refusals as HTTP replies, in the dialect of the API that was called, and what all replies of the desk look like.

`x-should-retry` tells the official SDKs the truth: yes where `retry-after` says when, no where another try would only
repeat what the gate has already done, or does still.
"""

from dataclasses import dataclass
from typing import Final

import msgspec
from starlette.requests import HTTPConnection
from starlette.responses import Response

from tidegate.jobs.desk.errors import Fault, Refused
from tidegate.providers.codec import Dialect, Said
from tidegate.providers.dialects import ANTHROPIC, DIALECTS, OPENAI

JSON: Final = "application/json"
_VERSION: Final = "anthropic-version"
_MESSAGES: Final = "/v1/messages"
_INVALID: Final = "invalid_request_error"
_RETRIED_BY_SDKS: Final = frozenset({408, 409, 429})

encode: Final = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Shape:
    """Status, and OpenAI's words for it."""

    status: int
    type: str
    code: str


_SHAPES: Final = {
    Fault.BAD_REQUEST: Shape(400, _INVALID, "invalid_request"),
    Fault.UNAUTHENTICATED: Shape(401, _INVALID, "invalid_api_key"),
    Fault.MODEL_NOT_ALLOWED: Shape(403, _INVALID, "model_not_allowed"),
    Fault.NOT_FOUND: Shape(404, _INVALID, "not_found"),
    Fault.WRONG_METHOD: Shape(405, _INVALID, "method_not_supported"),
    Fault.CONFLICT: Shape(409, _INVALID, "conflict"),
    Fault.KEY_REUSED: Shape(409, _INVALID, "idempotency_key_reused"),
    Fault.GONE: Shape(410, _INVALID, "gone"),
    Fault.TOO_LARGE: Shape(413, _INVALID, "request_too_large"),
    Fault.FULL: Shape(429, "requests", "too_many_jobs"),
    Fault.INTERNAL: Shape(500, "server_error", "internal_error"),
    Fault.UPSTREAM: Shape(502, "upstream_error", "job_failed"),
    Fault.UNAVAILABLE: Shape(503, "server_error", "unavailable"),
    Fault.DEADLINE: Shape(504, "upstream_error", "deadline_exceeded"),
}


def dialect_of(request: HTTPConnection) -> Dialect:
    """Which maker's words the client understands: its path says so, else the header `anthropic-version`."""
    path: str = request.scope["path"]
    anthropic = path.startswith(_MESSAGES) or _VERSION in request.headers
    return DIALECTS[ANTHROPIC if anthropic else OPENAI]


def said(refused: Refused) -> tuple[int, Said]:
    """Status, and the error in OpenAI's words, which every dialect understands."""
    shape = _SHAPES[refused.fault]
    return shape.status, Said(shape.code, shape.type, refused.message)


def refusal(refused: Refused, dialect: Dialect) -> Response:
    """The reply that tells it."""
    status, words = said(refused)
    reply = Response(dialect.error_body(status, words, refused.param), status, media_type=JSON)
    wait_us = refused.retry_after_us
    if wait_us > 0:
        reply.headers["retry-after"] = str(-(-wait_us // 1_000_000))
        reply.headers["retry-after-ms"] = str(-(-wait_us // 1_000))
        reply.headers["x-should-retry"] = "true"
    elif status >= 500 or status in _RETRIED_BY_SDKS:
        reply.headers["x-should-retry"] = "false"
    reply.raw_headers.extend(pairs(refused.head))
    return reply


def json_reply(body: object, status: int = 200) -> Response:
    """An object of ours: a record, a dict or a list of them."""
    return Response(encode(body), status, media_type=JSON)


def pairs(head: bytes) -> list[tuple[bytes, bytes]]:
    """Header lines, each with CRLF, as ASGI has them: names in lower case."""
    lines = (line.partition(b":") for line in head.split(b"\r\n") if line)
    return [(name.strip().lower(), value.strip()) for name, _, value in lines]
