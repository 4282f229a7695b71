"""Attempts that fail, keys that are refused, clients that leave at every moment: nothing is lost, nobody suffers."""

import asyncio
from collections.abc import Callable

import pytest

from tests.line.scenes import (
    MINUTE,
    MS,
    OK,
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
    spend,
    streaming,
    tokens_left,
)
from tidegate.line.keys import PAUSE_US, fingerprint
from tidegate.model.call import Call, Kind, Shape
from tidegate.model.errors import ProblemKind
from tidegate.model.outcome import Reason
from tidegate.model.snapshot import Limits, RateLimitPolicy, RetryPolicy, Scope, SmoothingPolicy
from tidegate.testing import Playbook, Reply
from tidegate.testing.clock import SECOND, settle
from tidegate.testing.playbook import answer

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
