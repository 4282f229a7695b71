"""Conversations with the line on the manual clock: who goes where, when, and at what price."""

import asyncio
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.line.scenes import (
    DONE,
    MINUTE,
    MS,
    OK,
    PROFILE,
    Client,
    call_of,
    chunk,
    close,
    lane_of,
    lanes_tried,
    play_of,
    provider,
    reasons,
    refusal,
    refused,
    requests_left,
    said,
    served,
    shown,
    spend,
    streaming,
    tokens_left,
    usage_chunk,
)
from tidegate.line.attempt import Answered
from tidegate.line.keys import PAUSE_US, fingerprint
from tidegate.model.call import Call, Kind, Shape
from tidegate.model.errors import ProblemKind
from tidegate.model.facts import Fact
from tidegate.model.outcome import Reason
from tidegate.model.reply import Refused, Unexplained
from tidegate.model.snapshot import Limits, ModelEntry, RateLimitPolicy, RetryPolicy, Scope, SmoothingPolicy
from tidegate.policy.quota.pace import Pace
from tidegate.testing import ManualClock, Playbook, Reply
from tidegate.testing.clock import SECOND, settle
from tidegate.testing.playbook import answer

BOTH = {"a": Limits(6_000, 60_000), "b": Limits(6_000, 60_000)}  # 1,000 tokens a second each
TOOLS = [{"type": "function", "function": {"name": "look_up", "parameters": {}}}]
IMAGE = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]}]


def with_fallback(luck: float = 0.0, max_calls: int = 10_000, **strategy: object) -> Playbook:
    """Strategy `s`: primary a, fallback b, both at one provider."""
    fields = {"fallback_models": ("b",), **strategy}
    return play_of(provider(limits=BOTH), luck=luck, max_calls=max_calls, **fields)


def models_sent(play: Playbook, name: str = "openai") -> list[str]:
    bodies = [sent.body for sent in play.sent(name)]
    return [
        "b" if b'"model":"b"' in body or b'"model": "b"' in body else "a" for body in bodies if isinstance(body, bytes)
    ]


async def finish(play: Playbook, running: Sequence["asyncio.Task[Answered | Refused]"], reply: Reply = OK) -> None:
    """Time passes, and the provider answers everything alike, until all calls have ended."""
    for _ in range(200):
        await settle()
        while play.transports["openai"].open:
            await play.provider("openai", reply)
        if all(task.done() for task in running):
            return
        await play.until(play.elapsed + SECOND)
    raise AssertionError("some calls never end")


# ── first come, first served ─────────────────────────────────────────────────────────────────────────────────────────


async def test_calls_are_served_in_the_order_of_their_arrival() -> None:
    """A small one does not overtake a large one; each leaves exactly when the quota allows."""
    play = play_of()
    spend(play, 60_000)
    for tokens in (30_000, 1_000, 5_000):
        play.call("a", max_tokens=tokens)
        await settle()
    await play.expect_sent("openai", 1, at=30 * SECOND)
    await play.expect_sent("openai", 2, at=31 * SECOND)
    await play.expect_sent("openai", 3, at=36 * SECOND)
    assert play.recorder.intents[0].charged_tokens == 30_000


async def test_a_call_that_need_not_wait_is_sent_at_once() -> None:
    """No timer, no turn of the loop is waited for but its own."""
    play = play_of()
    running = play.call("a")
    await settle()
    assert len(play.sent("openai")) == 1
    assert play.clock.pending == []
    await play.provider("openai", OK)
    assert served(await running).status == 200


async def test_usage_lets_the_queue_go_earlier() -> None:
    """What turns out cheaper is another's turn."""
    play = play_of()
    spend(play, 55_000)
    first = play.call("a", content="word " * 2_000)
    await settle()
    assert len(play.sent("openai")) == 1
    reserved = play.recorder.intents[0].charged_tokens
    play.call("a", max_tokens=5_000)
    await play.until(SECOND)
    assert len(play.sent("openai")) == 1
    await play.provider("openai", Reply(200, [], answer(1_000, 5)))
    answered = served(await first)
    assert (answered.charged, reserved > 1_000) == (1_000, True)
    assert len(play.sent("openai")) == 2


# ── waiting, falling back, refusing: all by the predicted wait ───────────────────────────────────────────────────────


@given(
    st.integers(0, 60_000),
    st.lists(st.integers(1_000, 20_000), max_size=6),
    st.integers(2_000, 60_000),
    st.integers(1, 100),
)
def test_a_refused_call_can_be_served_at_the_time_it_was_told(
    spent: int, queue: list[int], tokens: int, deadline_ms: int
) -> None:
    """Not a microsecond earlier, and not later: the time is true."""

    async def conversation() -> None:
        play = play_of()
        spend(play, spent)
        running = []
        for cost in queue:
            running.append(play.call("a", max_tokens=cost, deadline=10 * MINUTE))
            await settle()
        late = play.call("a", max_tokens=tokens, deadline=deadline_ms * MS)
        await settle()
        if not late.done() or not play.recorder.refusals:
            late.cancel()
            await play.until(10 * MINUTE)
        else:
            wait = refused(late.result()).problem.retry_after_us
            assert wait > deadline_ms * MS
            await play.until(wait - 1)
            early = play.call("a", max_tokens=tokens, deadline=1)
            await settle()
            assert refused(early.result()).problem.kind is ProblemKind.OVER_QUOTA
            await play.until(wait)
            before = len(play.sent("openai"))
            again = play.call("a", max_tokens=tokens, deadline=1)
            await settle()
            assert len(play.sent("openai")) == before + 1
            again.cancel()
        for task in running:
            task.cancel()
        await settle()

    asyncio.run(conversation())


async def test_beyond_patience_the_next_target_is_taken_without_any_429() -> None:
    """A gate that holds its quota sees none; 45 s are waited for, more are not."""
    play = with_fallback()
    spend(play, 60_000)
    play.call("s", max_tokens=45_000)
    await settle()
    assert play.sent("openai") == []
    play.call("s", max_tokens=1_000)
    await settle()
    assert models_sent(play) == ["b"]
    await play.until(45 * SECOND)
    assert models_sent(play) == ["b", "a"]
    assert play.recorder.attempts == []


async def test_none_within_patience_the_soonest() -> None:
    """As long as it makes the deadline."""
    play = with_fallback()
    spend(play, 60_000 + 40_000)
    spend(play, 60_000, "b")
    play.call("s", max_tokens=50_000)
    await play.expect_sent("openai", 1, at=50 * SECOND)
    assert models_sent(play) == ["b"]


async def test_nobody_makes_the_deadline() -> None:
    """Refused at once, with the soonest time at which it could be served; nothing is spent."""
    play = with_fallback()
    spend(play, 60_000 + 40_000)
    spend(play, 60_000 + 20_000, "b")
    running = play.call("s", max_tokens=10_000, deadline=25 * SECOND)
    await settle()
    problem = refused(running.result()).problem
    assert (problem.kind, problem.retry_after_us) == (ProblemKind.OVER_QUOTA, 30 * SECOND)
    assert "30.000 s" in problem.message
    assert play.recorder.facts == []


async def test_a_prediction_that_fails_sends_to_the_next_target_in_time() -> None:
    """Somebody else's use makes the quota smaller while the call waits: it leaves when its patience cannot be met."""
    play = with_fallback()
    spend(play, 60_000)
    running = play.call("s", max_tokens=30_000)
    await play.until(SECOND)
    spend(play, 40_000)
    lane_of(play).changed()
    await settle()
    assert models_sent(play) == ["b"]
    await play.provider("openai", OK)
    assert served(await running).lane.model == "b"


async def test_a_full_queue_refuses_with_a_time() -> None:
    """So many may wait; with another target the call goes there."""
    alone = play_of(max_calls=1)
    spend(alone, 60_000)
    alone.call("a", max_tokens=1_000)
    await settle()
    problem = refused(await alone.call("a", max_tokens=1_000)).problem
    assert problem.kind is ProblemKind.QUEUE_FULL
    assert problem.retry_after_us == 2 * SECOND
    play = with_fallback(max_calls=1)
    spend(play, 60_000)
    play.call("s", max_tokens=1_000)
    play.call("s", max_tokens=1_000)
    await settle()
    assert models_sent(play) == ["b"]


# ── what can never pass ──────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_cost_above_the_bucket_is_a_permanent_error() -> None:
    """At once, not a 429 for ever; with a larger target it goes there."""
    play = with_fallback()
    problem = refused(await play.call("a", max_tokens=60_001)).problem
    assert (problem.kind, problem.param, problem.retry_after_us) == (ProblemKind.TOO_LARGE, "max_tokens", 0)
    larger = play_of(provider(limits={"a": Limits(0, 1_000), "b": Limits(0, 60_000)}), fallback_models=("b",))
    larger.call("s", max_tokens=5_000)
    await settle()
    assert models_sent(larger) == ["b"]


async def test_an_estimate_above_the_bucket_is_no_error() -> None:
    """It waits for a full bucket and leaves a debt; the usage corrects it."""
    play = play_of(provider(limits={"a": Limits(0, 1_000)}))
    spend(play, 500)
    running = play.call("a", content="word " * 700)
    await play.expect_sent("openai", 1, at=30 * SECOND)
    assert play.recorder.intents[0].charged_tokens > 1_000
    assert tokens_left(play) < 0
    await play.provider("openai", Reply(200, [], answer(707, 5)))
    assert served(await running).charged == 707


async def test_a_last_failure_is_not_hidden_behind_a_target_that_is_too_small() -> None:
    """The primary fails, the fallback can never serve it: what is told is the failure."""
    play = play_of(provider(limits={"a": Limits(0, 60_000), "b": Limits(0, 100)}), fallback_models=("b",))
    running = play.call("s", max_tokens=5_000)
    for _ in range(3):
        await settle()
        await play.provider("openai", refusal(500))
        await play.until(play.elapsed + 5 * SECOND)
    outcome = refused(await running)
    assert outcome.problem.kind is ProblemKind.UPSTREAM
    assert outcome.failure is not None


@pytest.mark.parametrize(
    ("entry", "fields"),
    [
        (ModelEntry(tools=False), {"tools": TOOLS}),
        (ModelEntry(images=False), {"messages": IMAGE}),
        (ModelEntry(context=50), {"max_tokens": 100}),
    ],
    ids=["tools", "images", "context"],
)
async def test_an_unfit_target_is_skipped_before_anything_is_spent(
    entry: ModelEntry, fields: dict[str, object]
) -> None:
    """As primary and as the only one; of a refusal the reason is told."""
    models = {"a": entry, "b": ModelEntry()}
    play = play_of(provider(limits=BOTH, models=models), fallback_models=("b",))
    play.call("s", **fields)  # type: ignore[arg-type]
    await settle()
    assert models_sent(play) == ["b"]
    assert tokens_left(play, "a") == 60_000
    assert [intent.lane[-1] for intent in play.recorder.intents] == ["b"]
    alone = play_of(provider(limits=BOTH, models=models))
    problem = refused(await alone.call("a", **fields)).problem  # type: ignore[arg-type]
    assert problem.kind is ProblemKind.BAD_REQUEST
    assert "a has " in problem.message
    assert alone.recorder.facts == []


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


# ── connections that fail ────────────────────────────────────────────────────────────────────────────────────────────


async def test_what_was_not_sent_costs_nothing_and_is_tried_again() -> None:
    """The charge of every refused connection comes back; the one that arrives is charged."""
    play = play_of(provider(limits={"a": Limits(60, 60_000)}))
    spend(play, 50_000)
    play.call("a", max_tokens=5_000)
    for wait in (500 * MS, 1_000 * MS):
        await settle()
        assert tokens_left(play) == 5_000 + play.elapsed * 1_000 // SECOND
        play.transports["openai"].fail(sent=False)
        await settle()
        assert tokens_left(play) == 10_000 + play.elapsed * 1_000 // SECOND
        await play.until(play.elapsed + wait)
    assert len(play.sent("openai")) == 3


async def test_what_was_not_sent_is_anothers_turn() -> None:
    """Not at the time that was foretold when it still seemed used."""
    play = play_of(provider(limits={"a": Limits(1, 0)}))
    play.call("a", content="first")
    await settle()
    play.call("a", content="second")
    await settle()
    play.transports["openai"].fail(sent=False)
    await settle()
    assert [b"second" in body for sent in play.sent("openai") if isinstance(body := sent.body, bytes)] == [False, True]


async def test_a_dead_provider_is_asked_once_per_pause() -> None:
    """Connections refused, fifty calls waiting: the lane trips, and then one probe at a time, never two."""
    play = play_of(retry=RetryPolicy(max_retries=100, budget_permille=1_000, budget_floor=1_000, jitter=False))
    lane = lane_of(play, "s")
    for _ in range(3):
        close(lane, play.clock.now() + SECOND)
    running = [play.call("s") for _ in range(50)]
    seen = 0
    for _ in range(40):
        await play.until(play.elapsed + 500 * MS)
        assert len(play.transports["openai"].open) <= 1
        if play.transports["openai"].open:
            before = len(play.sent("openai"))
            play.transports["openai"].fail(sent=False)
            await settle()
            assert len(play.sent("openai")) == before, "nobody passes before the verdict"
            seen += 1
    assert 2 <= seen <= 6
    for task in running:
        task.cancel()
    await settle()


async def test_a_reset_is_charged_and_tried_again() -> None:
    """It may have reached the provider."""
    play = play_of()
    spend(play, 50_000)
    running = play.call("a", max_tokens=1_000)
    await settle()
    play.transports["openai"].fail("reset", sent=True)
    await play.until(500 * MS)
    assert tokens_left(play) == 10_000 - 2_000 + 500
    await play.provider("openai", Reply(200, [], answer()))
    assert served(await running).status == 200
    assert reasons(play) == [Reason.TRANSIENT, None]


class Upload:
    """A body that is still arriving."""

    async def read(self) -> bytes:
        return b""


@pytest.mark.parametrize(("sent", "attempts"), [(True, 1), (False, 3)])
async def test_a_body_that_was_forwarded_once_is_not_sent_again(sent: bool, attempts: int) -> None:
    """It is gone; only when nothing was sent can it be tried again."""
    play = play_of()
    now = play.clock.now()
    call = Call(1, now, now + MINUTE, "", Kind.PASS, b"POST", b"/files", b"", Upload(), Shape(""))
    running = asyncio.get_running_loop().create_task(play.line.run(call, play.book.unrouted["openai"]))
    for _ in range(attempts):
        await settle()
        play.transports["openai"].fail(sent=sent)
        await play.until(play.elapsed + 5 * SECOND)
    assert refused(await running).failure is not None
    assert len(play.sent("openai")) == attempts


# ── several keys, several scopes ─────────────────────────────────────────────────────────────────────────────────────


async def test_a_refused_key_leaves_and_the_next_one_serves() -> None:
    """Also the call that found out."""
    play = play_of(provider(keys=("bad", "good")))
    running = play.call("a")
    await settle()
    if b"bad" not in play.sent("openai")[0].head:
        await play.provider("openai", OK)
        await running
        running = play.call("a")
        await settle()
    await play.provider("openai", refusal(401))
    await settle()
    assert b"good" in play.sent("openai")[-1].head
    await play.provider("openai", OK)
    assert served(await running).status == 200
    assert len(lane_of(play).keys) == 1
    assert not lane_of(play).breaker.limited


@pytest.mark.parametrize("reply", [said(after=20), refusal(401), refusal(429, "insufficient_quota")])
async def test_nobody_takes_a_place_at_a_scope_that_has_just_refused(reply: Reply) -> None:
    """Where one call at a time is allowed, one call finds out, whoever waits."""
    scopes = tuple(
        Scope(name, (f"sk-{name}",), {"a": Limits(6_000, 60_000)}, max_concurrent=1) for name in ("bad", "good")
    )
    play = play_of(provider(scopes=scopes))
    running = [play.call("a") for _ in range(8)]
    await settle()
    for _ in range(20):
        if not play.transports["openai"].open:
            break
        await play.provider("openai", reply if b"bad" in play.transports["openai"].open[0].head else OK)
    assert [served(await call).lane.name for call in running] == ["openai/good/a"] * 8
    assert sum(b"bad" in sent.head for sent in play.sent("openai")) == 1


async def test_a_key_that_leaves_or_returns_is_told_once() -> None:
    """Not by each of the calls that were in flight with it; its digest, never the key."""
    play = play_of(provider(keys=("bad", "good")))
    running = [play.call("a") for _ in range(6)]
    await settle()
    for _ in range(20):
        sent = next((sent for sent in play.transports["openai"].open), None)
        if sent is None:
            break
        await play.provider("openai", refusal(401) if b"bad" in sent.head else OK)
    assert [served(await call).status for call in running] == [200] * 6
    gone = ("openai/main/a", fingerprint(b"bad"), 1)
    assert play.recorder.keys == [gone]
    await play.until(PAUSE_US)
    again = play.call("a")
    await settle()
    await play.provider("openai", OK)
    assert served(await again).status == 200
    assert play.recorder.keys == [gone, ("openai/main/a", fingerprint(b"bad"), None)]


async def test_the_last_key_is_kept_and_its_lane_parked() -> None:
    """A probe a minute finds out when it works again."""
    play = play_of()
    running = play.call("a")
    await settle()
    await play.provider("openai", refusal(401))
    problem = refused(await running).problem
    assert problem.kind is ProblemKind.CREDENTIAL
    assert lane_of(play).breaker.wait(play.clock.now()) == 60 * SECOND


@pytest.mark.parametrize(
    "reply", [said(30), refusal(429, "insufficient_quota"), refusal(401)], ids=["rate", "billing", "auth"]
)
async def test_what_one_scope_refuses_another_serves(reply: Reply) -> None:
    """At once: the refusal is the scope's, not the model's."""
    scopes = (Scope("x", ("k1",), {"a": Limits(60, 6_000)}), Scope("y", ("k2",), {"a": Limits(60, 6_000)}))
    play = play_of(provider(scopes=scopes))
    running = play.call("a")
    await settle()
    await play.provider("openai", reply)
    await settle()
    assert play.elapsed == 0
    assert lanes_tried(play) == ["openai/x/a"]
    await play.provider("openai", OK)
    assert served(await running).lane.name == "openai/y/a"


# ── a strategy's own bound ───────────────────────────────────────────────────────────────────────────────────────────


async def test_the_bound_holds_the_primary_and_not_its_fallback() -> None:
    """Two a minute at the primary; whoever would wait longer than patience is served by the fallback, unbounded."""
    play = with_fallback(rate_limit=RateLimitPolicy(max_rpm=2), fallback_after_us=10 * SECOND)
    for _ in range(10):
        play.call("s")
        await settle()
    assert models_sent(play) == ["a", "a"] + ["b"] * 8
    await play.until(30 * SECOND)
    play.call("s")
    await settle()
    assert models_sent(play)[-1] == "a"


async def test_tokens_of_the_bound_are_corrected_too() -> None:
    """By the same usage; what was not sent returns to both."""
    play = play_of(rate_limit=RateLimitPolicy(max_tpm=10_000))
    target = play.book.plan("s").targets[0]  # type: ignore[union-attr]
    assert target.bound is not None
    own = target.bound.lanes[0].quota.tokens[0]
    own.take(6_000, play.clock.now())
    spend(play, 50_000, "s")
    running = play.call("s", content="word " * 400)
    await settle()
    await play.provider("openai", Reply(200, [], answer(407, 5)))
    await running
    assert own.left(play.clock.now()) == 4_000 - 407
    assert tokens_left(play, "s") == 10_000 - 407
    play.call("s")
    await settle()
    play.transports["openai"].fail(sent=False)
    await settle()
    assert own.left(play.clock.now()) == 4_000 - 407


async def test_a_burst_and_its_refill() -> None:
    """A hundred at once, then five a second, whatever the minute allows."""
    play = play_of(provider(limits={}), rate_limit=RateLimitPolicy(bucket_capacity=100, refill_rate_milli=5_000))
    for _ in range(103):
        play.call("s")
        await settle()
    assert len(play.sent("openai")) == 100
    await play.expect_sent("openai", 101, at=200 * MS)
    await play.expect_sent("openai", 102, at=400 * MS)
    await play.expect_sent("openai", 103, at=600 * MS)


# ── smoothing and deadlines ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("used", "held"), [(50_999, 0), (51_000, 100 * MS), (59_000, 100 * MS)])
async def test_near_the_wall_a_call_is_held_once(used: int, held: int) -> None:
    """From 85 % of the tokens in use, for the delay, and then it goes."""
    play = play_of(smoothing=SmoothingPolicy())
    spend(play, used, "s")
    play.call("s", max_tokens=10)
    await settle()
    assert len(play.sent("openai")) == (0 if held else 1)
    await play.until(held)
    assert len(play.sent("openai")) == 1


async def test_a_call_that_has_waited_is_not_held_too() -> None:
    """The queue has smoothed it."""
    play = play_of(smoothing=SmoothingPolicy())
    spend(play, 60_000, "s")
    play.call("s", max_tokens=1_000)
    await play.expect_sent("openai", 1, at=SECOND)


async def test_where_calls_are_refused_none_is_held() -> None:
    """The wall is behind us: who has to be told so is told at once, who can go goes."""
    play = play_of(smoothing=SmoothingPolicy())
    spend(play, 59_000, "s")
    refused = await play.call("s", max_tokens=50_000, deadline=SECOND)
    assert isinstance(refused, Refused)
    play.call("s", max_tokens=10)
    await settle()
    assert len(play.sent("openai")) == 1


async def test_a_call_is_not_held_past_its_deadline() -> None:
    """Rather no smoothing than no answer."""
    play = play_of(smoothing=SmoothingPolicy())
    spend(play, 55_000, "s")
    play.call("s", max_tokens=10, deadline=50 * MS)
    await settle()
    assert len(play.sent("openai")) == 1


async def test_after_the_deadline_nothing_is_sent() -> None:
    """The primary took all the time there was: the fallback's quota is not touched."""
    play = with_fallback()
    running = play.call("s", deadline=30 * SECOND)
    await play.until(30 * SECOND)
    play.transports["openai"].fail("the deadline passed", sent=True)
    outcome = refused(await running)
    assert outcome.problem.kind is ProblemKind.DEADLINE
    assert models_sent(play) == ["a"]
    assert tokens_left(play, "s", 1) == 60_000


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


async def test_a_call_whose_time_runs_out_in_the_queue_is_told_when() -> None:
    """Others spent what it waited for, and nobody said so: near its deadline it is refused with the time it needs.

    Before it by what `Pace.needed` leaves for the answer.
    """
    play = play_of()
    spend(play, 60_000)
    running, ended = play.call("a", max_tokens=10_000, deadline=20 * SECOND), []
    running.add_done_callback(lambda _: ended.append(play.elapsed))
    await play.until(5 * SECOND)
    spend(play, 30_000)
    await play.until(20 * SECOND)
    problem = refused(await running).problem
    assert problem.kind is ProblemKind.OVER_QUOTA
    assert ended == [20 * SECOND - Pace().needed(20 * SECOND)]
    assert ended[0] + problem.retry_after_us == 40 * SECOND  # 25,000 tokens below and 10,000 to have, from 5 s on
    assert play.sent("openai") == []


@pytest.mark.parametrize("where", ["bound", "lane"])
async def test_who_loses_patience_goes_on_and_gives_back_what_it_holds(where: str) -> None:
    """Before the bound, or behind it in the lane's queue: the fallback serves, and nothing stays charged."""
    play = with_fallback(rate_limit=RateLimitPolicy(max_tpm=60_000), fallback_after_us=10 * SECOND)
    plan = play.book.plan("s")
    assert plan is not None
    bound = plan.targets[0].bound
    assert bound is not None
    spent = bound.lanes[0].quota.tokens[0] if where == "bound" else lane_of(play, "s").quota.tokens[0]
    spent.take(60_000, play.clock.now())
    play.call("s", max_tokens=5_000)
    await play.until(SECOND)
    spent.take(20_000, play.clock.now())
    await play.until(10 * SECOND)
    assert models_sent(play) == ["b"]
    others = bound.lanes[0].quota.tokens[0] if where == "lane" else lane_of(play, "s").quota.tokens[0]
    assert others.left(play.clock.now()) == 60_000


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


async def test_time_in_queues_and_back_off_is_told_apart() -> None:
    """What the client waited for, and what the provider did."""
    play = play_of()
    spend(play, 60_000)
    running = play.call("a", max_tokens=1_000)
    await play.until(SECOND)
    await play.provider("openai", said(15))
    await play.until(16 * SECOND)
    await play.provider("openai", OK)
    assert served(await running).status == 200
    assert play.elapsed == 16 * SECOND


# ── streams ──────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_cut_before_content_is_retried_and_one_after_it_is_told() -> None:
    """The client sees one answer, or the beginning of one with an error event at its end."""
    play = play_of()
    running = play.call("a", stream=True)
    await settle()
    reply, stream = streaming()
    await play.provider("openai", reply)
    stream.say(chunk())
    stream.cut()
    await play.until(500 * MS)
    assert len(play.sent("openai")) == 2
    reply, stream = streaming()
    await play.provider("openai", reply)
    stream.say(chunk(), chunk("Hel"))
    answered = served(await running)
    assert answered.splice is not None
    client = Client()
    closed: list[object] = []
    answered.splice.on_end = lambda: bool(closed.append(client.body))
    answered.splice.attach(client)
    stream.cut()
    assert client.body.startswith(chunk() + chunk("Hel") + b'data: {"error"')
    assert b"[DONE]" not in client.body
    assert len(closed) == 1
    assert reasons(play) == [Reason.TRANSIENT, None]


async def test_a_stream_that_fails_before_content_everywhere_falls_back() -> None:
    """Three attempts, then the next target's stream, whole."""
    play = with_fallback(retry=RetryPolicy(max_retries=3, jitter=False))
    running = play.call("s", stream=True)
    for wait in (500 * MS, 1_000 * MS, 0):
        await settle()
        reply, stream = streaming()
        await play.provider("openai", reply)
        stream.end()
        await play.until(play.elapsed + wait)
    assert models_sent(play) == ["a", "a", "a", "b"]
    reply, stream = streaming()
    await play.provider("openai", reply)
    stream.say(chunk("a"), DONE)
    answered = served(await running)
    assert answered.lane.model == "b"


@pytest.mark.parametrize("how", ["usage", "no usage", "cut", "gone"])
async def test_a_stream_is_settled_when_it_ends(how: str) -> None:
    """By its usage; without one it stays charged and what was delivered is booked as estimated."""
    play = play_of()
    spend(play, 50_000)
    running = play.call("a", content="word " * 100, stream=True)
    await settle()
    reply, stream = streaming()
    await play.provider("openai", reply)
    stream.say(chunk("a"), chunk("b"))
    answered = served(await running)
    assert answered.splice is not None
    reserved = play.recorder.intents[0].charged_tokens
    ends = []
    call = call_of("word " * 100, stream=True)
    answered.splice.on_end = lambda: bool(ends.append(play.line.settle_stream(call, answered)))
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


# ── leaving at every moment ──────────────────────────────────────────────────────────────────────────────────────────


async def waits_in_the_queue(play: Playbook) -> None:
    spend(play, 60_000, "s")


async def waits_for_the_bound(play: Playbook) -> None:
    bound = play.book.plan("s").targets[0].bound  # type: ignore[union-attr]
    assert bound is not None
    bound.lanes[0].quota.requests[0].take(60, play.clock.now())


async def is_smoothed(play: Playbook) -> None:
    spend(play, 54_000, "s")


async def is_sent(play: Playbook) -> None:
    return


async def is_closed_out(play: Playbook) -> None:
    close(lane_of(play, "s"), play.clock.now() + 5 * SECOND)


async def is_the_probe(play: Playbook) -> None:
    close(lane_of(play, "s"), play.clock.now())


MOMENTS: list[Callable[[Playbook], object]] = [
    waits_in_the_queue, waits_for_the_bound, is_smoothed, is_sent, is_closed_out, is_the_probe,
]  # fmt: skip


@pytest.mark.parametrize("moment", MOMENTS, ids=lambda moment: moment.__name__)
@pytest.mark.parametrize("turns", [0, 1, 2, 3, 20])
async def test_a_client_that_leaves_leaves_no_trace(moment: Callable[[Playbook], object], turns: int) -> None:
    """Wherever the call stands: queues empty, timers gone, what was not sent returned, the next one served."""
    play = play_of(rate_limit=RateLimitPolicy(max_rpm=60), smoothing=SmoothingPolicy())
    await moment(play)  # type: ignore[misc]
    plan = play.book.plan("s")
    assert plan is not None
    bound, lane = plan.targets[0].bound, lane_of(play, "s")
    assert bound is not None
    before = bound.lanes[0].quota.requests[0].left(play.clock.now()), tokens_left(play, "s"), requests_left(play, "s")
    running = play.call("s", max_tokens=100, stream=True)
    await settle(turns)
    running.cancel()
    await settle()
    sent = len(play.sent("openai"))
    assert (bound.waiting, lane.pool.waiting) == (0, 0)
    assert play.clock.pending == []
    assert len(play.recorder.intents) == sent
    now = bound.lanes[0].quota.requests[0].left(play.clock.now()), tokens_left(play, "s"), requests_left(play, "s")
    assert now == (before[0] - sent, before[1] - 100 * sent, before[2] - sent)
    assert not lane.breaker.blocked()
    play.call("s", max_tokens=100)
    await play.until(MINUTE)
    assert len(play.sent("openai")) == sent + 1


async def test_who_leaves_during_back_off_leaves_no_trace() -> None:
    """Nothing is held while it sleeps."""
    play = play_of()
    running = play.call("a")
    await settle()
    await play.provider("openai", said(15))
    running.cancel()
    await settle()
    assert play.clock.pending == []
    play.call("a")
    await play.until(MINUTE)
    assert len(play.sent("openai")) == 2


async def test_who_leaves_a_stream_before_its_content_leaves_no_trace() -> None:
    """The upstream is closed; the charge stands; the probe, if it was one, is another's."""
    play = play_of()
    close(lane_of(play), play.clock.now())
    running = play.call("a", stream=True)
    await settle()
    reply, stream = streaming()
    await play.provider("openai", reply)
    stream.say(chunk())
    running.cancel()
    await settle()
    assert stream.aborted
    assert play.clock.pending == []
    play.call("a")
    await settle()
    assert len(play.sent("openai")) == 2


# ── the journal ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_an_intent_is_written_before_anything_is_sent() -> None:
    """With the charge, and what the mirror holds after it; one for each attempt."""
    play = play_of()
    play.call("a", max_tokens=1_000)
    await settle()
    await play.provider("openai", said(1))
    await play.until(SECOND)
    first, second = play.recorder.intents
    assert (first.attempt, second.attempt) == (1, 2)
    assert (first.charged_tokens, first.level_tokens, first.level_requests) == (1_000, 59_000, 2_999)
    assert first.call_id == second.call_id
    assert first.lane == lane_of(play).key
    assert first.plan == "a"


class FullDisk:
    """A journal that cannot be written."""

    def append(self, fact: Fact) -> None:
        raise OSError(28, "No space left on device")


@pytest.mark.parametrize("probe", [False, True])
async def test_without_a_journal_nothing_is_sent_and_nothing_is_kept(probe: bool) -> None:
    """The charge returns, and a probe is free for the next call."""
    play = play_of()
    if probe:
        close(lane_of(play), play.clock.now())
    journal, play.line._journal = play.line._journal, FullDisk()
    with pytest.raises(OSError, match="No space"):
        await play.call("a", max_tokens=1_000)
    assert play.sent("openai") == []
    assert (tokens_left(play), requests_left(play)) == (60_000, 3_000)
    play.line._journal = journal
    play.call("a")
    await settle()
    assert len(play.sent("openai")) == 1


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


# ── cost ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("keys", [10, 100_000])
async def test_a_call_costs_the_same_with_any_number_of_scopes_and_keys(keys: int) -> None:
    """Of a hundred thousand keys one is rotated; of a thousand lanes eight are looked at."""
    scopes = tuple(
        Scope(f"s{number}", tuple(f"k{number}-{key}" for key in range(keys // 10)), {"a": Limits(60, 6_000)})
        for number in range(10)
    )
    play = play_of(provider(scopes=scopes, profile=PROFILE))
    looked = 0
    for lane in play.lanes:
        real = lane.fits

        def counting(*arguments: object, real: Callable[..., bool] = real) -> bool:
            nonlocal looked
            looked += 1
            return real(*arguments)

        lane.__class__ = type("Counted", (type(lane),), {"fits": staticmethod(counting), "__slots__": ()})
    running = play.call("a")
    await settle()
    await play.provider("openai", OK)
    assert served(await running).status == 200
    assert looked <= 8


async def test_the_clock_is_read_once_before_a_call_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    """The moment in which it had its turn is the one that everybody goes by."""
    play, reads, now = play_of(), [], ManualClock.now

    def counted(clock: ManualClock) -> int:
        reads.append(now(clock))
        return reads[-1]

    running = play.call("a")
    monkeypatch.setattr(ManualClock, "now", counted)
    await settle()
    assert len(play.sent("openai")) == len(reads) == 1
    await play.provider("openai", OK)
    assert served(await running).status == 200
