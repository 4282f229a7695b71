"""The mission's walk-through (row 12) as a conversation on the manual clock."""

import pytest

from tidegate.line.attempt import Answered
from tidegate.model.outcome import Reason
from tidegate.model.snapshot import Limits, Profile, Provider, RateLimitPolicy, RetryPolicy, Scope, Snapshot, Strategy
from tidegate.testing import Playbook, Reply
from tidegate.testing.clock import SECOND
from tidegate.testing.playbook import answer

MILLISECOND = 1_000
SAID_15 = Reply(429, [(b"retry-after", b"15")], b'{"error":{"code":"rate_limit_exceeded","type":"tokens"}}')


def mission(**limits: Limits) -> Snapshot:
    profile = Profile(name="openai", dialect="openai", dated="2026-11-01", source="test")
    models = {name.replace("_", "-").replace("35", "3.5"): limit for name, limit in limits.items()}
    provider = Provider("openai", "http://openai.test/v1", profile, (Scope("main", ("sk-1",), models),))
    strategy = Strategy(
        name="assistant",
        primary_model="gpt-4o",
        fallback_models=("gpt-3.5-turbo", "claude-3-haiku"),
        rate_limit=RateLimitPolicy(max_rpm=3000, max_tpm=150_000, bucket_capacity=100, refill_rate_milli=5_000),
        retry=RetryPolicy(max_retries=3, multiplier_milli=2_000, jitter=True),
    )
    return Snapshot(version=1, providers=(provider,), strategies=(strategy,))


@pytest.fixture
def play() -> Playbook:
    return Playbook(mission(gpt_4o=Limits(3000, 150_000), gpt_35_turbo=Limits(3000, 150_000)))


async def test_smoothing_two_waits_three_failures_then_the_fallback_answers(play: Playbook) -> None:
    """At 85 % of TPM the call is held 100 ms; 429 with Retry-After 15: 15 s, 30 s, third failure, next model."""
    lane = play.book.plan("gpt-4o").targets[0].pools[0].lanes[0]  # type: ignore[union-attr]
    tokens = lane.quota.tokens[0]
    tokens.take(tokens.depth * 86 // 100, play.clock.now())

    running = play.call("gpt-4o", content="the main highlights of this year's Q2 report")
    await play.expect_sent("openai", 1, at=100 * MILLISECOND)
    await play.provider("openai", SAID_15)
    await play.expect_sent("openai", 2, at=100 * MILLISECOND + 15 * SECOND)
    await play.provider("openai", SAID_15)
    await play.expect_sent("openai", 3, at=100 * MILLISECOND + 45 * SECOND)
    await play.provider("openai", SAID_15)
    await play.until(100 * MILLISECOND + 45 * SECOND)

    fallback = play.sent("openai")[3]
    assert isinstance(fallback.body, bytes)
    assert b'"model":"gpt-3.5-turbo"' in fallback.body
    await play.provider("openai", Reply(200, [], answer()))
    served = await running
    assert isinstance(served, Answered)
    assert served.lane.model == "gpt-3.5-turbo"
    assert [reason for _, reason in play.recorder.attempts] == [Reason.RATE, Reason.RATE, Reason.RATE, None]
    assert [intent.attempt for intent in play.recorder.intents] == [1, 2, 3, 4]


async def test_below_85_percent_nothing_is_held(play: Playbook) -> None:
    """A quota with room adds no delay."""
    running = play.call("gpt-4o")
    await play.until(0)
    assert len(play.sent("openai")) == 1
    await play.provider("openai", Reply(200, [], answer()))
    assert isinstance(await running, Answered)


async def test_jitter_only_adds(play: Playbook) -> None:
    """With the worst luck the provider's 15 s are waited in full and a tenth more."""
    play = Playbook(mission(gpt_4o=Limits(3000, 150_000)), luck=0.999_999_999)
    play.call("gpt-4o")
    await play.until(0)
    await play.provider("openai", SAID_15)
    await play.until(16 * SECOND)
    assert len(play.sent("openai")) == 1
    await play.until(17 * SECOND)
    assert len(play.sent("openai")) == 2
