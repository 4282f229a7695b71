"""A call's turn at the strategy's own limits and at a lane: what it holds when it gives up."""

import asyncio

import pytest

from tests.line.scenes import MINUTE, OK, play_of, provider, refused, served, spend
from tidegate.model.errors import ProblemKind
from tidegate.model.snapshot import Limits, RateLimitPolicy
from tidegate.testing.clock import SECOND, settle


async def test_who_leaves_gives_back_what_the_strategy_allowed() -> None:
    """Its client went while the call waited for the provider's quota: the strategy's call of the minute is the next."""
    play = play_of(provider(limits={"a": Limits(0, 60_000)}), rate_limit=RateLimitPolicy(max_rpm=1), fallback_models=())
    spend(play, 60_000)
    first = play.call("s", max_tokens=1_000)
    await play.until(SECOND // 2)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    second = play.call("s", max_tokens=1_000)
    await play.until(2 * SECOND)
    await play.provider("openai", OK)
    served(await second)
    assert play.calls[1].queued_us < MINUTE // 2


async def test_who_waits_for_both_has_waited_for_both() -> None:
    """The time at the strategy's limits, and that at the provider's."""
    play = play_of(provider(limits={"a": Limits(0, 60_000)}), rate_limit=RateLimitPolicy(max_rpm=1), fallback_models=())
    first = play.call("s")
    await settle()
    await play.provider("openai", OK)
    served(await first)
    second = play.call("s", deadline=90 * SECOND)
    await play.until(50 * SECOND)
    spend(play, 60_000)
    await play.until(80 * SECOND)
    await play.provider("openai", OK)
    served(await second)
    assert play.calls[1].queued_us >= MINUTE - SECOND
    assert play.calls[1].queued_us == sum(step.lasted_us for step in play.calls[1].story or ())


async def test_no_turn_before_the_deadline() -> None:
    """The call is told when, and holds nothing."""
    play = play_of(provider(limits={"a": Limits(0, 60_000)}), fallback_models=())
    spend(play, 60_000)
    running = play.call("s", max_tokens=1_000, deadline=100_000)
    await play.until(SECOND // 2)
    assert refused(await running).problem.kind is ProblemKind.OVER_QUOTA


@pytest.mark.parametrize("where", ["tidegate.line.lane.Lane.slot", "tidegate.line.story.queued"])
async def test_a_defect_gives_back_what_was_taken(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As who leaves does: the strategy's call of the minute and the lane's tokens are the next one's."""
    play = play_of(provider(limits={"a": Limits(0, 60_000)}), rate_limit=RateLimitPolicy(max_rpm=1), fallback_models=())
    spend(play, 60_000)

    def broken(*_: object, **__: object) -> None:
        raise ValueError("a defect")

    with monkeypatch.context() as patched:
        patched.setattr(where, broken)
        first = play.call("s", max_tokens=30_000)
        await play.until(40 * SECOND)
        with pytest.raises(ValueError, match="a defect"):
            await first
    second = play.call("s", max_tokens=30_000)
    await play.until(42 * SECOND)
    await play.provider("openai", OK)
    served(await second)
    assert play.calls[1].queued_us < SECOND
