"""Problems as HTTP replies in OpenAI's form: {"error": {"message", "type", "param", "code"}}.

`x-should-retry` tells the official SDKs the truth: yes when `retry-after` is a time at which the call can be served,
no when another try would only repeat what the gate has already done.
"""

from dataclasses import dataclass

import msgspec

from tidegate.model.errors import Problem, ProblemKind
from tidegate.model.outcome import Reason
from tidegate.model.reply import Headers, Refused

JSON = b"content-type: application/json\r\n"
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Shape:
    """Status, and OpenAI's words for it."""

    status: int
    type: str
    code: str


_INVALID = "invalid_request_error"
_SHAPES = {
    ProblemKind.BAD_REQUEST: Shape(400, _INVALID, "invalid_request"),
    ProblemKind.UNAUTHENTICATED: Shape(401, _INVALID, "invalid_api_key"),
    ProblemKind.UNKNOWN_MODEL: Shape(404, _INVALID, "model_not_found"),
    ProblemKind.UNKNOWN_ROUTE: Shape(404, _INVALID, "unknown_url"),
    ProblemKind.WRONG_METHOD: Shape(405, _INVALID, "method_not_supported"),
    ProblemKind.UNSUPPORTED: Shape(501, _INVALID, "unsupported"),
    ProblemKind.TOO_LARGE: Shape(400, _INVALID, "request_exceeds_quota"),
    ProblemKind.OVER_QUOTA: Shape(429, "requests", "rate_limit_exceeded"),
    ProblemKind.QUEUE_FULL: Shape(503, "server_error", "queue_full"),
    ProblemKind.UPSTREAM: Shape(502, "upstream_error", "upstream_failed"),
    ProblemKind.CREDENTIAL: Shape(502, "upstream_error", "upstream_credential_refused"),
    ProblemKind.DEADLINE: Shape(504, "upstream_error", "deadline_exceeded"),
    ProblemKind.UNAVAILABLE: Shape(503, "server_error", "unavailable"),
}
_BY_STATUS = {400: _INVALID, 408: _INVALID, 413: _INVALID, 414: _INVALID, 417: _INVALID, 431: _INVALID}
_RETRIED_BY_SDKS = frozenset({408, 409, 429})


@dataclass(frozen=True, slots=True)
class Reply:
    """A finished refusal: status, header lines and body."""

    status: int
    head: bytes
    body: bytes


def body_of(message: str, kind: str, code: str, param: str = "") -> bytes:
    """The error object as JSON."""
    return _encode({"error": {"message": message, "type": kind, "param": param or None, "code": code}})


def of_wire(status: int, code: str, message: str) -> bytes:
    """The body for what the wire itself refuses."""
    return body_of(message, _BY_STATUS.get(status, _INVALID if status < 500 else "server_error"), code)


def of_problem(problem: Problem) -> Reply:
    """The gate's own refusal."""
    shape = _SHAPES[problem.kind]
    head = JSON + retry_lines(problem.retry_after_us) + _should_retry(shape.status, problem.retry_after_us)
    return Reply(shape.status, head, body_of(problem.message, shape.type, shape.code, problem.param))


def of_wrong_method(path: str, allowed: str) -> Reply:
    """405, with the methods that the path does know (RFC 9110, 15.5.6)."""
    reply = of_problem(Problem(ProblemKind.WRONG_METHOD, f"{path} wants {allowed.partition(',')[0]}."))
    return Reply(reply.status, reply.head + b"allow: %b\r\n" % allowed.encode(), reply.body)


def of_refused(refused: Refused) -> Reply:
    """No target served: the provider's own words where it had the last, else the gate's."""
    problem, failure = refused.problem, refused.failure
    if problem.kind is not ProblemKind.UPSTREAM or failure is None or failure.answer is None:
        return of_problem(problem)
    answer = failure.answer
    again = 0 if failure.reason is Reason.BILLING else problem.retry_after_us
    head = _content_type(answer.headers) + retry_lines(again) + _should_retry(answer.status, again)
    return Reply(answer.status, head, answer.body)


def retry_lines(wait_us: int) -> bytes:
    """`retry-after` (whole seconds, rounded up) and `retry-after-ms`."""
    if wait_us <= 0:
        return b""
    return b"retry-after: %d\r\nretry-after-ms: %d\r\n" % (-(-wait_us // 1_000_000), -(-wait_us // 1_000))


def _should_retry(status: int, wait_us: int) -> bytes:
    if wait_us > 0:
        return b"x-should-retry: true\r\n"
    return b"x-should-retry: false\r\n" if status >= 500 or status in _RETRIED_BY_SDKS else b""


def _content_type(headers: Headers) -> bytes:
    for name, value in headers:
        if name == b"content-type":
            return b"content-type: %b\r\n" % value
    return b""
