"""What refusals, streams and answers mean for those who come after: by conversations with the line."""

import asyncio

import pytest

from tests.line.scenes import (
    BOTH,
    DONE,
    MINUTE,
    MS,
    OK,
    Client,
    call_of,
    chunk,
    close,
    finish,
    lane_of,
    models_sent,
    play_of,
    provider,
    refusal,
    refused,
    said,
    served,
    shown,
    spend,
    streaming,
    tokens_left,
    usage_chunk,
    with_fallback,
)
from tidegate.line.settlement import Settlement
from tidegate.model.errors import ProblemKind
from tidegate.model.outcome import Reason
from tidegate.model.reply import Unexplained
from tidegate.model.snapshot import Limits, RetryPolicy
from tidegate.testing import Reply
from tidegate.testing.clock import SECOND, settle

# ── refusals by the provider ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("after", [5, 10, 30])
async def test_a_refused_minute_costs_one_call_per_retry_after(after: int) -> None:
    """A hundred calls wait while the provider refuses: single probes, and then all the others, none of them twice."""
    play = play_of(retry=RetryPolicy(max_retries=100, cap_us=2 * MINUTE))
    running = [play.call("s")]
    await settle()
    await play.provider("openai", said(after))
    running += [play.call("s") for _ in range(99)]
    for probe in range(1, 60 // after):
        await play.expect_sent("openai", 1 + probe, at=probe * after * SECOND)
        await play.provider("openai", said(after))
    refusals = len(play.sent("openai"))
    assert refusals == 60 // after
    await finish(play, running)
    assert [served(task.result()).status for task in running] == [200] * 100
    assert len(play.sent("openai")) == 100 + refusals
    assert after < 10 or len(play.sent("openai")) / 100 <= 1.1


async def test_those_in_flight_when_the_refusals_begin_count_once() -> None:
    """Fifty 429s to calls sent before the first of them: one failure, and nobody is tripped."""
    play = play_of(retry=RetryPolicy(max_retries=2, budget_permille=1_000))
    running = [play.call("s") for _ in range(50)]
    await settle()
    assert len(play.sent("openai")) == 50
    for _ in range(50):
        await play.provider("openai", said(5))
    health = lane_of(play, "s").breaker
    assert (health.failures, health.tripped) == (1, False)
    await play.until(10 * SECOND)
    assert len(play.sent("openai")) == 51
    await finish(play, running)
    assert [served(task.result()).status for task in running] == [200] * 50


async def test_a_tripped_lane_is_skipped_until_a_probe_succeeds() -> None:
    """Refused three times on end: whoever can goes to the fallback at once; one call probes; then the primary again."""
    play = with_fallback(retry=RetryPolicy(max_retries=3, jitter=False))
    first = play.call("s")
    for at in (0, 15, 45):
        await play.until(at * SECOND)
        await play.provider("openai", said(15))
    assert models_sent(play) == ["a", "a", "a", "b"]
    await play.provider("openai", OK)
    assert served(await first).lane.model == "b"
    assert lane_of(play, "s").breaker.tripped
    others = [play.call("s") for _ in range(5)]
    await settle()
    assert models_sent(play)[4:] == ["b"] * 5
    while play.transports["openai"].open:
        await play.provider("openai", OK)
    await asyncio.gather(*others)
    await play.until(60 * SECOND)
    probe, beside = play.call("s"), play.call("s")
    await settle()
    assert models_sent(play)[9:] == ["a", "b"]
    await play.provider("openai", OK)
    await play.provider("openai", OK)
    assert served(await probe).lane.model == "a"
    assert served(await beside).lane.model == "b"
    play.call("s")
    await settle()
    assert models_sent(play)[11:] == ["a"]


async def test_those_who_wait_leave_a_lane_that_trips() -> None:
    """Behind the probe of a refused lane: with its third refusal they go to the fallback, all but who failed there."""
    play = with_fallback(retry=RetryPolicy(max_retries=9, jitter=False))
    play.call("s")
    await settle()
    await play.provider("openai", said(5))
    waiting = [play.call("s") for _ in range(3)]
    await play.until(5 * SECOND)
    await play.provider("openai", said(5))
    assert models_sent(play) == ["a", "a"]
    await play.until(10 * SECOND)
    await play.provider("openai", said(5))
    assert models_sent(play).count("b") >= 2
    assert not any(task.done() for task in waiting)


async def test_the_retry_budget_bounds_what_retries_add() -> None:
    """A provider that fails every call: a fifth of the calls and the floor, whatever each is allowed."""
    play = play_of(provider(limits={}), retry=RetryPolicy(max_retries=10, base_us=1, jitter=False))
    running = [play.call("s") for _ in range(100)]
    await finish(play, running, refusal(500))
    assert len(play.sent("openai")) <= 100 + 20 + 10
    assert {refused(task.result()).problem.kind for task in running} == {ProblemKind.UPSTREAM}


async def test_money_is_never_retried_at_the_scope_that_has_none() -> None:
    """One attempt, then a target elsewhere; alone, the provider's own words and no time to come again."""
    play = play_of(provider(limits=BOTH), provider("two", {"c": Limits()}), fallback_models=("b", "c"))
    running = play.call("s")
    await settle()
    await play.provider("openai", refusal(429, "insufficient_quota", after=1))
    await settle()
    assert (models_sent(play), len(play.sent("two"))) == (["a"], 1)
    await play.provider("two", OK)
    assert served(await running).lane.model == "c"
    alone = play_of()
    failing = alone.call("a")
    await settle()
    await alone.provider("openai", refusal(429, "insufficient_quota", after=1))
    outcome = refused(await failing)
    assert outcome.failure is not None
    assert outcome.failure.reason is Reason.BILLING
    assert len(alone.sent("openai")) == 1
    assert lane_of(alone).breaker.wait(alone.clock.now()) == 60 * SECOND


@pytest.mark.parametrize("status", [402, 401])
async def test_a_plan_without_one_model_costs_no_other(status: int) -> None:
    """Only that model is left alone for a while; the scope's key and its other models serve on."""
    play = play_of(provider(limits=BOTH, keys=("one", "two")), fallback_models=("b",))
    running = play.call("s")
    await settle()
    await play.provider("openai", refusal(status, message="gpt-x is not in your plan"))
    await settle()
    await play.provider("openai", OK)
    assert served(await running).lane.model == "b"
    waits = [lane_of(play, "s", target).breaker.wait(play.clock.now()) for target in (0, 1)]
    assert waits == [60 * SECOND, 0]
    assert play.recorder.keys == []


@pytest.mark.parametrize(("status", "code"), [(400, ""), (400, "content_filter")])
async def test_a_wrong_request_is_wrong_everywhere(status: int, code: str) -> None:
    """The provider's answer as it is; no retry, no fallback, no harm to the lane."""
    play = with_fallback()
    running = play.call("s")
    await settle()
    await play.provider("openai", refusal(status, code))
    outcome = refused(await running)
    assert outcome.failure is not None
    assert outcome.failure.answer is not None
    assert outcome.failure.answer.status == status
    assert len(play.sent("openai")) == 1
    assert not lane_of(play, "s").breaker.limited


async def test_a_request_that_is_too_large_for_the_provider_goes_elsewhere() -> None:
    """Its 429 says that no waiting helps: the lane is healthy, the next target may be larger."""
    play = with_fallback()
    play.call("s")
    await settle()
    await play.provider("openai", refusal(429, "rate_limit_exceeded", message="Request too large for a"))
    await settle()
    assert models_sent(play) == ["a", "b"]
    assert not lane_of(play, "s").breaker.limited


async def test_a_named_time_above_the_cap_parks_the_lane_and_falls_back() -> None:
    """Ten minutes are not slept; the lane stays closed for them."""
    play = with_fallback()
    play.call("s")
    await settle()
    await play.provider("openai", said(600))
    await settle()
    assert models_sent(play) == ["a", "b"]
    assert lane_of(play, "s").breaker.wait(play.clock.now()) == 600 * SECOND


async def test_after_the_last_failure_the_true_time_is_told() -> None:
    """Nobody can serve it within the deadline: the provider's words with the time at which the lane opens."""
    play = play_of()
    running = play.call("a")
    await settle()
    await play.provider("openai", said(600))
    problem = refused(await running).problem
    assert problem.retry_after_us == 600 * SECOND


async def test_a_back_off_beyond_the_deadline_is_not_begun() -> None:
    """Refused at once: waiting would be in vain."""
    play = play_of()
    running = play.call("a", deadline=10 * SECOND)
    await settle()
    await play.provider("openai", said(15))
    problem = refused(await running).problem
    assert play.elapsed == 0
    assert problem.retry_after_us == 15 * SECOND


async def test_too_late_for_another_try_is_told_as_such() -> None:
    """The connection fails and its back-off ends after the deadline: no quota is to blame, and nothing is slept."""
    play = play_of()
    running = play.call("a", deadline=300 * MS)
    await settle()
    play.transports["openai"].fail("connection refused")
    outcome = refused(await running)
    assert outcome.problem.kind is ProblemKind.DEADLINE
    assert "connection refused" in outcome.problem.message
    assert play.elapsed == 0


async def test_how_long_answers_take_is_learnt() -> None:
    """From what is sent to what is answered; a call that cannot be answered in time is not kept waiting."""
    play = play_of()
    running = play.call("a")
    await play.until(7 * SECOND)
    await play.provider("openai", OK)
    await running
    assert lane_of(play).pace.upper_us == 7 * SECOND
    spend(play, 60_000)
    problem = refused(await play.call("a", max_tokens=5_000, deadline=10 * SECOND)).problem
    assert problem.retry_after_us == 5 * SECOND


# ── smoothing and deadlines ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("reply", "unknown"),
    [
        (said(), []),
        (refusal(418, "odd", message="in words"), [Unexplained(418, "odd", "t", "in words")]),
        (Reply(502, [], b"Bad Gateway"), [Unexplained(502, "", "", "Bad Gateway")]),
        (Reply(200, [], b'{"error":"odd"}'), [Unexplained(0, "", "", "odd")]),
    ],
    ids=["explained", "by status", "no words", "in a 200"],
)
async def test_what_no_row_of_a_profile_explains_is_reported(reply: Reply, unknown: list[Unexplained]) -> None:
    """In the provider's words; what a row names is not."""
    play = play_of()
    running = play.call("a")
    await settle()
    await play.provider("openai", reply)
    running.cancel()
    assert play.recorder.unknown == [("openai/main/a", refusal) for refusal in unknown]


async def test_an_answer_cut_off_by_a_short_deadline_is_nobodys_fault() -> None:
    """Sent a second before its deadline and unanswered: the lane is as healthy as before, and a probe is another's."""
    play = play_of()
    health = lane_of(play).breaker
    close(lane_of(play), play.clock.now())
    failures = health.failures
    running = play.call("a", deadline=SECOND)
    await play.until(SECOND)
    play.transports["openai"].fail("the deadline passed", sent=True)
    assert refused(await running).problem.kind is ProblemKind.DEADLINE
    assert (health.failures, health.blocked()) == (failures, False)
    play.call("a")
    await settle()
    assert len(play.sent("openai")) == 2


async def test_a_provider_that_keeps_silent_has_failed() -> None:
    """Half a minute without an answer is its fault, whatever the call's deadline was."""
    play = play_of()
    running = play.call("a", deadline=30 * SECOND)
    await play.until(30 * SECOND)
    play.transports["openai"].fail("the deadline passed", sent=True)
    await running
    assert lane_of(play).breaker.failures == 1


async def test_a_probe_that_brings_a_clients_mistake_opens_the_lane() -> None:
    """The provider answered: those behind the probe go at once."""
    play = play_of()
    close(lane_of(play), play.clock.now())
    play.call("a")
    await settle()
    play.call("a")
    await settle()
    assert len(play.sent("openai")) == 1
    await play.provider("openai", refusal(400))
    assert len(play.sent("openai")) == 2


# ── streams ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("how", ["usage", "no usage", "cut", "gone"])
async def test_a_stream_is_settled_when_it_ends(how: str) -> None:
    """By its usage; without one it stays charged and what was delivered is booked as estimated, in its service tier."""
    play = play_of()
    spend(play, 50_000)
    running = play.call("a", content="word " * 100, stream=True)
    await settle()
    reply, stream = streaming()
    await play.provider("openai", reply)
    stream.say(chunk("a", service_tier="flex"), chunk("b"))
    answered = served(await running)
    assert answered.splice is not None
    reserved = play.recorder.intents[0].charged_tokens
    ends = []
    call = call_of("word " * 100, stream=True)
    settlement = Settlement(play.clock, play.recorder)
    answered.splice.on_end = lambda: bool(ends.append(settlement.stream(call, answered)))
    answered.splice.attach(Client())
    if how == "usage":
        stream.say(usage_chunk(108, 2), DONE)
    elif how == "no usage":
        stream.say(DONE)
    elif how == "cut":
        stream.cut()
    else:
        answered.splice.abandon()
    [(usage, charged)] = ends
    assert usage.estimated is (how != "usage")
    assert usage.completion == 2
    assert usage.tier == "flex"
    assert charged == (108 if how == "usage" else reserved)
    assert tokens_left(play) == 10_000 - charged
    assert lane_of(play).breaker.failures == (1 if how == "cut" else 0)


async def test_a_probe_that_streams_opens_the_lane_with_its_first_content() -> None:
    """Those behind it need not wait for its end."""
    play = play_of()
    close(lane_of(play), play.clock.now())
    play.call("a", stream=True)
    await settle()
    play.call("a")
    await settle()
    assert len(play.sent("openai")) == 1
    reply, stream = streaming()
    await play.provider("openai", reply)
    stream.say(chunk("a"))
    await settle()
    assert len(play.sent("openai")) == 2


# ── limits learnt, others' use ───────────────────────────────────────────────────────────────────────────────────────


async def test_a_lower_limit_shown_by_a_reply_holds_at_once() -> None:
    """The next call waits for the smaller bucket, not for the configured one."""
    play = play_of()
    running = play.call("a", max_tokens=1_000)
    await settle()
    await play.provider("openai", shown(6_000, 5_000, reset=b"10s"))
    await running
    assert [held.limit for held in lane_of(play).quota.tokens] == [60_000, 6_000]
    play.call("a", max_tokens=6_000)
    await play.expect_sent("openai", 2, at=10 * SECOND)


async def test_a_model_without_limits_learns_them() -> None:
    """Forwarded freely until the first reply that shows them."""
    play = play_of(provider(limits={}))
    running = play.call("x", max_tokens=1_000)
    await settle()
    await play.provider("openai", shown(6_000, 5_000, reset=b"10s"))
    await running
    play.call("x", max_tokens=6_000)
    await play.expect_sent("openai", 2, at=10 * SECOND)
