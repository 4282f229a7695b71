"""Who is asked: by the predicted wait, and never who cannot serve the call at all."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.line.scenes import (
    BOTH,
    MINUTE,
    MS,
    OK,
    lane_of,
    models_sent,
    play_of,
    provider,
    refusal,
    refused,
    served,
    spend,
    tokens_left,
    with_fallback,
)
from tidegate.model.errors import ProblemKind
from tidegate.model.snapshot import Limits, ModelEntry
from tidegate.testing import Reply
from tidegate.testing.clock import SECOND, settle
from tidegate.testing.playbook import answer

TOOLS = [{"type": "function", "function": {"name": "look_up", "parameters": {}}}]
IMAGE = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]}]


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
