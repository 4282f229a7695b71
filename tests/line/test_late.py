"""Deadlines and the time that an answer itself takes."""

from tests.line.test_walkthrough import mission
from tidegate.line.attempt import Answered
from tidegate.model.reply import Refused
from tidegate.model.snapshot import Limits, Snapshot
from tidegate.testing import Playbook, Reply
from tidegate.testing.clock import SECOND
from tidegate.testing.playbook import answer


def plain() -> Snapshot:
    """One provider, one model, no strategy."""
    whole = mission(gpt_4o=Limits(0, 60_000))
    return Snapshot(version=1, providers=whole.providers)


async def test_a_call_is_refused_at_once_when_its_answer_would_come_too_late() -> None:
    """Answers take 10 s here: a call that would wait 25 s of its 30 s is told so instead of being sent in vain."""
    play = Playbook(plain())
    for _ in range(4):
        running = play.call("gpt-4o", max_tokens=1)
        await play.until(play.elapsed + 10 * SECOND)
        await play.provider("openai", Reply(200, [], answer()))
        assert isinstance(await running, Answered)
    lane = play.book.plan("gpt-4o").targets[0].pools[0].lanes[0]  # type: ignore[union-attr]
    bucket = lane.quota.tokens[0]
    bucket.take(bucket.left(play.clock.now()) + 25_000 - 100, play.clock.now())
    refused = await play.call("gpt-4o", max_tokens=1, deadline=30 * SECOND)
    assert isinstance(refused, Refused)
    assert 20 * SECOND < refused.problem.retry_after_us < 30 * SECOND


async def test_a_closed_lane_is_not_called_a_quota_in_use() -> None:
    """Its quota is free; the provider was overloaded and named the time at which to come back."""
    play = Playbook(plain())
    overloaded = play.call("gpt-4o", max_tokens=1)
    await play.until(0)
    await play.provider("openai", Reply(503, [(b"retry-after", b"600")], b""))
    await overloaded
    refused = await play.call("gpt-4o", max_tokens=1)
    assert isinstance(refused, Refused)
    assert refused.problem.retry_after_us == 600 * SECOND
    assert "takes no calls" in refused.problem.message
    assert "quota" not in refused.problem.message


async def test_a_call_that_was_sent_late_says_nothing_of_the_provider() -> None:
    """Three calls whose deadline passes 1 s after they were sent leave the lane open."""
    play = Playbook(plain())
    for count in range(3):
        running = play.call("gpt-4o", max_tokens=1, deadline=SECOND)
        await play.until(play.elapsed + SECOND)
        play.transports["openai"].fail("no reply in time", sent=True)
        assert isinstance(await running, Refused), count
    lane = play.book.plan("gpt-4o").targets[0].pools[0].lanes[0]  # type: ignore[union-attr]
    assert not lane.breaker.limited
