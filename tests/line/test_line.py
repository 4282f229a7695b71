"""Conversations with the line on the manual clock: who goes where, and when."""

from collections.abc import Callable

import pytest

from tests.line.scenes import (
    DONE,
    MS,
    OK,
    PROFILE,
    Client,
    chunk,
    lane_of,
    models_sent,
    play_of,
    provider,
    reasons,
    refused,
    said,
    served,
    spend,
    streaming,
    tokens_left,
    with_fallback,
)
from tidegate.model.errors import ProblemKind
from tidegate.model.outcome import Reason
from tidegate.model.reply import Refused
from tidegate.model.snapshot import Limits, RateLimitPolicy, RetryPolicy, Scope, SmoothingPolicy
from tidegate.policy.quota.pace import Pace
from tidegate.testing import ManualClock, Reply
from tidegate.testing.clock import SECOND, settle
from tidegate.testing.playbook import answer

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
