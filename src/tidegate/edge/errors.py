"""Problems as HTTP replies, in the dialect of the API that was called.

`x-should-retry` tells the official SDKs the truth: yes when `retry-after` is a time at which the call can be served,
no when another try would only repeat what the gate has already done.
"""

from dataclasses import dataclass

from tidegate.model.errors import Problem, ProblemKind
from tidegate.model.outcome import Reason
from tidegate.model.reply import Answer, Headers, Refused
from tidegate.providers.codec import Dialect, Said
from tidegate.providers.dialects import DIALECTS

JSON = b"content-type: application/json\r\n"


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
    ProblemKind.ADDRESS_NOT_ALLOWED: Shape(403, _INVALID, "address_not_allowed"),
    ProblemKind.MODEL_NOT_ALLOWED: Shape(403, _INVALID, "model_not_allowed"),
    ProblemKind.ROUTE_NOT_ALLOWED: Shape(403, _INVALID, "route_not_allowed"),
    ProblemKind.BAD_SIGNATURE: Shape(401, _INVALID, "invalid_signature"),
    ProblemKind.KEY_REUSED: Shape(422, _INVALID, "idempotency_key_reused"),
    ProblemKind.UNKNOWN_MODEL: Shape(404, _INVALID, "model_not_found"),
    ProblemKind.UNKNOWN_ROUTE: Shape(404, _INVALID, "unknown_url"),
    ProblemKind.WRONG_METHOD: Shape(405, _INVALID, "method_not_supported"),
    ProblemKind.UNSUPPORTED: Shape(501, _INVALID, "unsupported"),
    ProblemKind.TOO_LARGE: Shape(400, _INVALID, "request_exceeds_quota"),
    ProblemKind.OVER_QUOTA: Shape(429, "requests", "rate_limit_exceeded"),
    ProblemKind.INSUFFICIENT_QUOTA: Shape(429, "insufficient_quota", "insufficient_quota"),
    ProblemKind.QUEUE_FULL: Shape(503, "server_error", "queue_full"),
    ProblemKind.UPSTREAM: Shape(502, "upstream_error", "upstream_failed"),
    ProblemKind.CREDENTIAL: Shape(502, "upstream_error", "upstream_credential_refused"),
    ProblemKind.NOT_CACHED: Shape(504, _INVALID, "not_cached"),
    ProblemKind.DEADLINE: Shape(504, "upstream_error", "deadline_exceeded"),
    ProblemKind.DRAINED: Shape(503, "server_error", "accounts_drained"),
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


def of_wire(status: int, code: str, message: str, dialect: Dialect) -> bytes:
    """The body for what the wire itself refuses."""
    kind = _BY_STATUS.get(status, _INVALID if status < 500 else "server_error")
    return dialect.error_body(status, Said(code, kind, message))


def of_problem(problem: Problem, dialect: Dialect) -> Reply:
    """The gate's own refusal."""
    shape = _SHAPES[problem.kind]
    head = JSON + retry_lines(problem.retry_after_us) + _should_retry(shape.status, problem.retry_after_us)
    said = Said(shape.code, shape.type, problem.message)
    return Reply(shape.status, head, dialect.error_body(shape.status, said, problem.param))


def of_wrong_method(path: str, allowed: str, dialect: Dialect) -> Reply:
    """405, with the methods that the path does know (RFC 9110, 15.5.6)."""
    reply = of_problem(Problem(ProblemKind.WRONG_METHOD, f"{path} wants {allowed.partition(',')[0]}."), dialect)
    return Reply(reply.status, reply.head + b"allow: %b\r\n" % allowed.encode(), reply.body)


def of_refused(refused: Refused, dialect: Dialect) -> Reply:
    """No target served: the provider's own words where it had the last, else the gate's."""
    problem, failure = refused.problem, refused.failure
    if problem.kind is not ProblemKind.UPSTREAM or failure is None or failure.answer is None:
        return of_problem(problem, dialect)
    answer = failure.answer
    again = 0 if failure.reason is Reason.BILLING else problem.retry_after_us
    head = retry_lines(again) + _should_retry(answer.status, again)
    if answer.dialect == dialect.name:
        return Reply(answer.status, _content_type(answer.headers) + head, answer.body)
    return Reply(answer.status, JSON + head, dialect.error_body(answer.status, _said(answer)))


def _said(answer: Answer) -> Said:
    """What another maker's error says, for who does not speak its dialect."""
    said = DIALECTS[answer.dialect].error_of(answer.body)
    return Said(said.code, said.type, said.message or f"The provider answered {answer.status}.")


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


def unwritten(error: OSError) -> Problem:
    """What cannot be recorded is not served."""
    message = f"The gate cannot write its journal ({error.strerror}). Free space in its state directory."
    return Problem(ProblemKind.UNAVAILABLE, message)
