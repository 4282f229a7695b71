"""A lane never closes for good, and a key is given up only when the provider does not know it."""

import asyncio

import pytest

from tests.line.scenes import close
from tests.line.test_walkthrough import mission
from tidegate.line.lane import Lane
from tidegate.model.snapshot import Limits, Scope, Snapshot
from tidegate.testing import Playbook, Reply
from tidegate.testing.clock import SECOND, settle
from tidegate.testing.playbook import answer


def plain(*keys: str) -> Snapshot:
    """One provider, one model, no strategy."""
    provider = mission(gpt_4o=Limits(0, 60_000)).providers[0]
    scope = Scope("main", keys or ("sk-1",), {"gpt-4o": Limits(0, 60_000)})
    return Snapshot(
        version=1, providers=(type(provider)(provider.name, provider.base_url, provider.profile, (scope,)),)
    )


def lane_of(play: Playbook) -> Lane:
    """The only lane."""
    plan = play.book.plan("gpt-4o")
    assert plan is not None
    return plan.targets[0].pools[0].lanes[0]


async def test_a_defect_during_a_probe_leaves_the_lane_probing_nobody() -> None:
    """Whatever is raised out of the transport, the next call may probe."""
    play = Playbook(plain())
    lane = lane_of(play)
    close(lane, play.clock.now())
    running = play.call("gpt-4o")
    await settle()
    assert lane.breaker.blocked()
    play.transports["openai"].open[0].answer.set_exception(RuntimeError("a defect"))
    with pytest.raises(RuntimeError):
        await running
    assert not lane.breaker.blocked()
    following = play.call("gpt-4o")
    await settle()
    await play.provider("openai", Reply(200, [], answer()))
    await asyncio.wait_for(following, 5)
    assert not lane.breaker.limited


@pytest.mark.parametrize(("status", "left"), [(401, 1), (403, 2)])
async def test_only_an_unknown_key_leaves_the_ring(status: int, left: int) -> None:
    """401 retires the key; 403 is about what the key may do and leaves it in."""
    play = Playbook(plain("sk-1", "sk-2"))
    running = play.call("gpt-4o", deadline=SECOND)
    await settle()
    await play.provider("openai", Reply(status, [], b'{"error":{"message":"no"}}'))
    assert len(lane_of(play).keys) == left
    running.cancel()
    await settle()


async def test_a_reload_restores_the_keys() -> None:
    """A new book gives every key another chance."""
    play = Playbook(plain("sk-1", "sk-2"))
    ring = lane_of(play).keys
    ring.retire(ring.next(0), 0)
    assert len(lane_of(play).keys) == 1
    play.reload(plain("sk-1", "sk-2"))
    assert len(lane_of(play).keys) == 2
