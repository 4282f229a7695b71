"""What waits at a predecessor is spent once: the successor has what is left behind it."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.line.scenes import lane_of, play_of, provider
from tidegate.model.snapshot import Limits, Scope
from tidegate.model.tenant import NOBODY
from tidegate.policy.queue.waiting import Waiting
from tidegate.policy.quota.allowance import NEVER, Allowance
from tidegate.policy.quota.quota import Charge, allowance
from tidegate.testing import ManualClock
from tidegate.units import MINUTE_US
from tidegate.worker import owed
from tidegate.worker.handover import take_over
from tidegate.worker.lanes import memories
from tidegate.worker.owed import Owed, left_by, owed_at

SECOND = 1_000_000
LIMIT = 60


def spend(allowed: Allowance, most: int, now: int) -> int:
    """Calls of 1, one after the other, as many as can go."""
    gone = 0
    while gone < most and allowed.has(1, now):
        allowed.take(1, now)
        gone += 1
    return gone


@pytest.mark.parametrize("window", ["continuous", "sliding"])
@settings(deadline=None, max_examples=50)
@given(st.lists(st.integers(0, 30), min_size=1, max_size=40), st.integers(1, 150))
def test_together_they_never_spend_more_than_the_quota(window: str, before: list[int], waiting: int) -> None:
    """Whatever was spent before and however many wait: a third mirror, of all that was sent, is never in debt."""
    first = allowance(LIMIT, 0, window=window, jitter_us=0)
    whole = allowance(LIMIT, 0, window=window, jitter_us=0)
    now = 0
    for wanted in before:
        whole.take(spend(first, wanted, now), now)
        now += SECOND
    second = allowance(LIMIT, now, window=window, jitter_us=0)
    second.restore(first.left(now), now, now)
    second.owe(waiting, now + first.wait(0, now, waiting), now)
    sent = 0
    end = now + 5 * MINUTE_US
    while now < end:
        waiting -= (gone := spend(first, waiting, now))
        whole.take(gone, now)
        also = spend(second, 1_000, now)
        whole.take(also, now)
        sent += also
        assert whole.left(now) >= 0
        now += min([second.wait(1, now), *([first.wait(1, now)] if waiting else [])])  # each goes when it can
    assert sent >= LIMIT  # it is not shut for ever


def test_what_waits_is_told_by_lane_and_read_by_the_successor(tmp_path: Path) -> None:
    """As the lanes' share of it; a file of an older hand-over, or of an older version, is none."""
    clock = ManualClock()
    before, own = tmp_path / "before", tmp_path / "own"
    before.mkdir()
    assert left_by(None) == left_by(before) == {}
    told = {"lane": Owed(3, 4_000, 5 * SECOND)}
    owed.leave(before, told)
    take_over(own, before)
    assert left_by(before) == told
    assert left_by(own) == {}
    state = memories({}, {}, clock, left_by(before))["lane"]
    assert (state.owed_requests, state.owed_tokens, state.owed_us) == (3, 4_000, 5 * SECOND)
    (before / owed.NAME).write_bytes(b"[]")
    assert left_by(before) == {}


def test_a_pools_lanes_have_what_waits_as_fast_as_each_is_refilled() -> None:
    """And the successor's lanes begin behind it."""
    scopes = tuple(Scope(name, (name,), {"a": Limits(rpm, 10 * rpm)}) for name, rpm in (("big", 90), ("small", 30)))
    first, second = (play_of(provider(scopes=scopes)) for _ in range(2))
    pool, now = lane_of(first).pool, first.clock.now()
    assert pool is not None
    assert owed_at([pool], now) == {}
    for lane in pool.lanes:
        lane.quota.take(Charge(lane.quota.tokens[0].left(now)), now)
    for _ in range(8):
        pool.dispatcher.enter(Waiting(NOBODY, Charge(10), now, NEVER), now)
    found = owed_at([pool], now)
    parts = {lane.name: (found[lane.key].requests, found[lane.key].tokens) for lane in pool.lanes}
    assert parts == {"openai/big/a": (6, 60), "openai/small/a": (2, 20)}
    assert all(3 * SECOND < one.wait_us < 5 * SECOND for one in found.values())
    states = memories({}, {}, second.clock, found)
    after = lane_of(second).pool
    assert after is not None
    for lane in after.lanes:
        before = lane.quota.tokens[0].left(now), lane.quota.requests[0].left(now)
        lane.recall(states[lane.key])
        calls, tokens = parts[lane.name]
        assert (lane.quota.tokens[0].left(now), lane.quota.requests[0].left(now)) == (
            before[0] - tokens, before[1] - calls,
        )  # fmt: skip
