"""A call and its tenant's own limits, without sockets."""

from datetime import UTC

import pytest

from tests.line.scenes import call_of, play_of, provider
from tidegate.edge import spending
from tidegate.edge.errors import of_problem
from tidegate.line.plan import Plan
from tidegate.model.call import Call, Kind
from tidegate.model.errors import ProblemKind
from tidegate.model.snapshot import Allowance, ClientKey
from tidegate.policy.tenant_limits.accounts import Accounts
from tidegate.policy.tenant_limits.limits import Limits
from tidegate.policy.tenant_limits.reservation import TenantReservation
from tidegate.policy.tenant_limits.short import BUSY, EXHAUSTED, RATE, TOO_LARGE, Short
from tidegate.providers.dialects import DIALECTS

DAY = 86_400_000_000


def limits(**allowance: int) -> Limits:
    made = Accounts(lambda _: UTC).limits_of(None, None, ClientKey("ci", b"", allowance=Allowance(**allowance)), 0)
    assert made is not None
    return made


def plan() -> Plan:
    made = play_of(provider()).book.plan("a")
    assert made is not None
    return made


def granted(call: Call, made: Limits) -> TenantReservation:
    assert spending.grant(call, plan(), made, 0, 0) is None
    assert isinstance(call.grant, TenantReservation)
    return call.grant


async def test_a_call_holds_what_it_will_probably_cost() -> None:
    """Its prompt, and as much as it may say."""
    call, made = call_of(), limits(tokens_day=1_000)
    call.shape.output = 200
    held = granted(call, made)
    prompt = plan().targets[0].pools[0].lanes[0].estimator.expected(call.size)
    assert held.covers == 200
    assert made.accounts("a")[0].budgets[0].at(0).held == prompt + 200
    held.settle(150, 0, 0, 0, sent=True)
    assert made.accounts("a")[0].budgets[0].at(0).spent == 150


@pytest.mark.parametrize("kind", [Kind.PASS, Kind.COUNT])
async def test_what_is_not_read_is_a_request_and_no_more(kind: Kind) -> None:
    """And so is what only counts."""
    call, made = call_of(), limits(tokens_day=1_000, rpm=1)
    call.kind = kind
    granted(call, made)
    assert made.accounts("a")[0].budgets[0].at(0).held == 0
    problem = spending.grant(call_of(), plan(), made, 0, 0)
    assert problem is not None
    assert problem.kind is ProblemKind.OVER_QUOTA


async def test_an_embedding_says_nothing() -> None:
    """It is its prompt."""
    call = call_of()
    call.kind = Kind.EMBEDDING
    assert granted(call, limits(tokens_day=1_000)).covers == 0


@pytest.mark.parametrize(
    ("short", "status", "code", "again", "words"),
    [
        (Short(RATE, ("", "", "ci", ""), "limit of requests a minute", 1_500_000), 429, "rate_limit_exceeded", b"true",
         "You are at the limit of requests a minute of key 'ci'. This request can be served in 1.500 s."),
        (Short(BUSY, ("n", "ann", "", ""), "daily token budget", 250_000), 429, "rate_limit_exceeded", b"true",
         "Calls in flight hold the daily token budget of user 'ann'. Some of them will have ended in about 0.250 s."),
        (Short(EXHAUSTED, ("n", "", "", "gpt"), "monthly money budget", 0, DAY), 429, "insufficient_quota", b"false",
         ("What is left of the monthly money budget of namespace 'n' for 'gpt' does not pay for this request. "
         "It comes back at 1970-01-02T00:00:00+00:00.")),
        (Short(TOO_LARGE, ("n", "", "", ""), "limit of tokens a minute"), 400, "request_exceeds_quota", b"",
         "This request alone is larger than the limit of tokens a minute of namespace 'n'. Shorten it."),
    ],
)  # fmt: skip
def test_how_a_refusal_is_told(short: Short, status: int, code: str, again: bytes, words: str) -> None:
    """Whose, which, and when it is over; an SDK comes again where that helps."""
    problem = spending.told(short)
    reply = of_problem(problem, DIALECTS["openai"])
    assert (reply.status, problem.message) == (status, words)
    assert code.encode() in reply.body
    assert (b"x-should-retry: " + again in reply.head) == bool(again)
    assert (b"retry-after" in reply.head) == (again == b"true")
    assert problem.kind in spending.WORDS


class Out:
    def __init__(self) -> None:
        self.data = b""
        self.ended = self.aborted = False

    def write(self, data: bytes) -> None:
        self.data += data

    def end(self) -> None:
        self.ended = True

    def abort(self) -> None:
        self.aborted = True


class Answer:
    """As much of a relay as is looked at."""

    def __init__(self) -> None:
        self.events = 0


async def test_a_stream_that_is_longer_than_thought_takes_more() -> None:
    """When it is, and not before; what the client gets is what there is."""
    call, made = call_of(), limits(tokens_day=100_000)
    held = granted(call, made)
    out, answer = Out(), Answer()
    through = spending.metered(out, answer, call)
    answer.events = held.covers
    through.write(b"a")
    assert made.accounts("a")[0].budgets[0].at(0).held < 5_000
    answer.events += 1
    through.write(b"b")
    assert made.accounts("a")[0].budgets[0].at(0).held > 5_000
    through.end()
    through.abort()
    assert (out.data, out.ended, out.aborted) == (b"ab", True, True)


async def test_where_no_budget_is_held_nothing_is_between() -> None:
    """A minute's limits do not grow."""
    call, out = call_of(), Out()
    granted(call, limits(rpm=5))
    assert spending.metered(out, Answer(), call) is out


@pytest.mark.parametrize("limit", ["concurrent", "rpm"])
async def test_jobs_leave_their_clients_conversations_room(limit: str) -> None:
    """However many come: they are told to come again, and a conversation goes at once."""
    made = limits(**{limit: 2})
    problems = []
    for number in range(12):
        job = call_of()
        job.job = f"job_{number}#1"
        problems.append(spending.grant(job, plan(), made, 0, 0))
    assert problems[0] is None
    for problem in problems[1:]:
        assert problem is not None
        assert (problem.kind, problem.retry_after_us > 0) == (ProblemKind.OVER_QUOTA, True)
        assert "for jobs of key 'ci'" in problem.message
    assert spending.grant(call_of(), plan(), made, 0, 0, "job_1#1") is not None
    granted(call_of(), made)
