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
