"""Problems as HTTP: the right status, OpenAI's form, and truth about coming again."""

import json

import pytest

from tidegate.edge import errors
from tidegate.edge.errors import Reply, retry_lines
from tidegate.model.errors import Problem, ProblemKind
from tidegate.model.outcome import Reason
from tidegate.model.reply import Answer, Failure, Refused
from tidegate.providers.dialects import DIALECTS

SECOND = 1_000_000
OPENAI, ANTHROPIC = DIALECTS["openai"], DIALECTS["anthropic"]
STATUS = {
    ProblemKind.BAD_REQUEST: 400,
    ProblemKind.UNAUTHENTICATED: 401,
    ProblemKind.ADDRESS_NOT_ALLOWED: 403,
    ProblemKind.MODEL_NOT_ALLOWED: 403,
    ProblemKind.ROUTE_NOT_ALLOWED: 403,
    ProblemKind.BAD_SIGNATURE: 401,
    ProblemKind.KEY_REUSED: 422,
    ProblemKind.UNKNOWN_MODEL: 404,
    ProblemKind.UNKNOWN_ROUTE: 404,
    ProblemKind.WRONG_METHOD: 405,
    ProblemKind.UNSUPPORTED: 501,
    ProblemKind.TOO_LARGE: 400,
    ProblemKind.OVER_QUOTA: 429,
    ProblemKind.INSUFFICIENT_QUOTA: 429,
    ProblemKind.QUEUE_FULL: 503,
    ProblemKind.UPSTREAM: 502,
    ProblemKind.CREDENTIAL: 502,
    ProblemKind.NOT_CACHED: 504,
    ProblemKind.DEADLINE: 504,
    ProblemKind.DRAINED: 503,
    ProblemKind.UNAVAILABLE: 503,
}


def of_problem(problem: Problem) -> Reply:
    return errors.of_problem(problem, OPENAI)


def of_refused(refused: Refused) -> Reply:
    return errors.of_refused(refused, OPENAI)


def of_wire(status: int, code: str, message: str) -> bytes:
    return errors.of_wire(status, code, message, OPENAI)


def lines(reply: Reply) -> dict[bytes, bytes]:
    assert reply.head.endswith(b"\r\n")
    return dict(line.split(b": ", 1) for line in reply.head.split(b"\r\n")[:-1])


def failure(status: int, reason: Reason, body: bytes = b'{"error":{}}') -> Failure:
    headers = [(b"content-type", b"application/problem+json"), (b"retry-after", b"1"), (b"x-should-retry", b"true")]
    return Failure(reason, "m", Answer(status, headers, body))


@pytest.mark.parametrize("kind", ProblemKind)
def test_every_problem_has_its_status_and_form(kind: ProblemKind) -> None:
    """{"error": {"message", "type", "param", "code"}}, as JSON."""
    reply = of_problem(Problem(kind, 'a "message"\n', "field"))
    assert reply.status == STATUS[kind]
    assert lines(reply)[b"content-type"] == b"application/json"
    error = json.loads(reply.body)["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert (error["message"], error["param"]) == ('a "message"\n', "field")
    assert error["type"]
    assert error["code"]


def test_no_field_to_blame_is_null() -> None:
    """As OpenAI has it."""
    assert json.loads(of_problem(Problem(ProblemKind.BAD_REQUEST, "m")).body)["error"]["param"] is None


@pytest.mark.parametrize("kind", [ProblemKind.OVER_QUOTA, ProblemKind.QUEUE_FULL])
def test_a_known_time_is_told_and_worth_coming_for(kind: ProblemKind) -> None:
    """To the second and to the millisecond, rounded up: never before it is true."""
    told = lines(of_problem(Problem(kind, "m", retry_after_us=1_000_001)))
    assert (told[b"retry-after"], told[b"retry-after-ms"]) == (b"2", b"1001")
    assert told[b"x-should-retry"] == b"true"


@pytest.mark.parametrize("kind", ProblemKind)
def test_without_a_time_an_sdk_is_told_not_to_come_again(kind: ProblemKind) -> None:
    """Where it would, of itself: the gate has retried already."""
    told = lines(of_problem(Problem(kind, "m")))
    assert b"retry-after" not in told
    retried_by_sdks = STATUS[kind] >= 500 or STATUS[kind] in {408, 409, 429}
    assert told.get(b"x-should-retry") == (b"false" if retried_by_sdks else None)


@pytest.mark.parametrize(
    ("wait", "expected"),
    [
        (0, b""),
        (-1, b""),
        (1, b"retry-after: 1\r\nretry-after-ms: 1\r\n"),
        (15 * SECOND, b"retry-after: 15\r\nretry-after-ms: 15000\r\n"),
    ],
)
def test_retry_lines(wait: int, expected: bytes) -> None:
    """Nothing for no time."""
    assert retry_lines(wait) == expected


def test_the_providers_own_words_where_it_had_the_last() -> None:
    """Its status, its body, its kind of text; the times are ours, since its own may have passed."""
    refused = Refused(Problem(ProblemKind.UPSTREAM, "m", retry_after_us=30 * SECOND), failure(429, Reason.RATE))
    reply = of_refused(refused)
    assert (reply.status, reply.body) == (429, b'{"error":{}}')
    told = lines(reply)
    assert told[b"content-type"] == b"application/problem+json"
    assert (told[b"retry-after"], told[b"x-should-retry"]) == (b"30", b"true")


@pytest.mark.parametrize("status", [429, 403])
def test_money_is_nothing_to_come_again_for(status: int) -> None:
    """Whatever time is known: two useless calls are saved for each failure."""
    refused = Refused(Problem(ProblemKind.UPSTREAM, "m", retry_after_us=SECOND), failure(status, Reason.BILLING))
    told = lines(of_refused(refused))
    assert b"retry-after" not in told
    assert told.get(b"x-should-retry") == (b"false" if status == 429 else None)


def test_a_clients_mistake_is_its_own() -> None:
    """The provider's 400, untouched."""
    refused = Refused(Problem(ProblemKind.UPSTREAM, "m"), failure(400, Reason.FATAL, b"no JSON"))
    reply = of_refused(refused)
    assert (reply.status, reply.body) == (400, b"no JSON")
    assert b"x-should-retry" not in lines(reply)


@pytest.mark.parametrize("kind", [ProblemKind.OVER_QUOTA, ProblemKind.CREDENTIAL, ProblemKind.DEADLINE])
def test_the_gates_words_where_the_problem_is_its_own(kind: ProblemKind) -> None:
    """A refused credential of the gate is not the client's 401."""
    refused = Refused(Problem(kind, "m"), failure(401, Reason.AUTH))
    assert of_refused(refused).status == STATUS[kind]


def test_no_answer_at_all() -> None:
    """The connection failed: there are no provider's words."""
    refused = Refused(Problem(ProblemKind.UPSTREAM, "m"), Failure(Reason.TRANSIENT, "connection refused"))
    assert of_refused(refused).status == 502


@pytest.mark.parametrize("status", [400, 404, 405, 408, 413, 414, 417, 431, 501, 503, 505])
def test_what_the_wire_refuses_has_the_same_form(status: int) -> None:
    """Before there is an exchange."""
    error = json.loads(of_wire(status, "some_code", "m"))["error"]
    assert (error["message"], error["code"]) == ("m", "some_code")
    assert error["type"] == ("invalid_request_error" if status < 500 else "server_error")


@pytest.mark.parametrize("kind", ProblemKind)
def test_the_same_in_anthropics_form(kind: ProblemKind) -> None:
    """{"type": "error", "error": {"type", "message"}}, with the same status and the same truth about coming again."""
    problem = Problem(kind, "m", "field", SECOND)
    ours, theirs = of_problem(problem), errors.of_problem(problem, ANTHROPIC)
    assert (theirs.status, theirs.head) == (ours.status, ours.head)
    told = json.loads(theirs.body)
    assert told["type"] == "error"
    assert told["error"]["message"] == "m"
    assert told["error"]["type"].endswith("_error")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (403, "permission_error"),
        (404, "not_found_error"),
        (413, "request_too_large"),
        (429, "rate_limit_error"),
        (500, "api_error"),
        (529, "overloaded_error"),
    ],
)
def test_anthropics_types_follow_the_status(status: int, kind: str) -> None:
    """As its API reference lists them."""
    assert json.loads(errors.of_wire(status, "code", "m", ANTHROPIC))["error"]["type"] == kind


def test_another_makers_words_are_said_anew() -> None:
    """Who speaks OpenAI's dialect is told what Anthropic answered in OpenAI's form, and the other way round."""
    words = b'{"type":"error","error":{"type":"invalid_request_error","message":"no such tool"}}'
    answer = Answer(400, [(b"content-type", b"application/json")], words, "anthropic")
    refused = Refused(Problem(ProblemKind.UPSTREAM, "m"), Failure(Reason.FATAL, "m", answer))
    assert errors.of_refused(refused, ANTHROPIC).body == words
    told = of_refused(refused)
    assert told.status == 400
    assert json.loads(told.body)["error"] == {
        "message": "no such tool", "type": "invalid_request_error", "param": None, "code": None,
    }  # fmt: skip
