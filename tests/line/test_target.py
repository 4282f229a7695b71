"""Which of a target's lanes, and whether the target can serve the call at all."""

import asyncio
from collections.abc import Sequence

import pytest

from tests.line.scenes import PROFILE, call_of, lane_alone, provider, snapshot
from tidegate.line.book import Book, Lanes
from tidegate.line.lane import Lane
from tidegate.line.target import CHOICES, Target
from tidegate.model.snapshot import Limits, ModelEntry, RateLimitPolicy, Scope
from tidegate.policy.allowance import NEVER
from tidegate.policy.quota import Charge
from tidegate.testing import ManualClock, ScriptedTransport
from tidegate.testing.clock import SECOND

TOOLS = [{"type": "function", "function": {"name": "look_up", "parameters": {}}}]
LONG = [{"role": "user", "content": "word " * 500}]
IMAGE = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]}]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def first(lanes: Sequence[Lane], count: int) -> Sequence[Lane]:
    return lanes[:count]


def target_of(clock: ManualClock, *limits: Limits, entry: ModelEntry = ModelEntry(), **strategy: object) -> Target:  # noqa: B008
    """One scope for each of the limits."""
    scopes = tuple(Scope(f"s{number}", (f"k{number}",), {"a": limit}) for number, limit in enumerate(limits))
    configured = snapshot(provider(scopes=scopes, models={"a": entry}), name="s", **strategy)
    plan = Book(configured, Lanes(clock, 2), lambda _: ScriptedTransport()).plan("s")
    assert plan is not None
    return plan.targets[0]


# ── fitness ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("entry", "fields", "why"),
    [
        (ModelEntry(), {"tools": TOOLS, "max_tokens": 10**6}, ""),
        (ModelEntry(tools=False), {}, ""),
        (ModelEntry(tools=False), {"tools": None}, ""),
        (ModelEntry(tools=False), {"tools": TOOLS}, "has no tools"),
        (ModelEntry(images=False), {}, ""),
        (ModelEntry(images=False), {"messages": IMAGE}, "has no images"),
        (ModelEntry(context=4_000), {"max_tokens": 1_000}, ""),
        (ModelEntry(context=4_000), {"max_tokens": 4_000}, "has a context of 4000 tokens"),
        (ModelEntry(context=100), {"messages": LONG}, "has a context of 100 tokens"),
    ],
)  # fmt: skip
def test_as_far_as_its_entry_says(clock: ManualClock, entry: ModelEntry, fields: dict[str, object], why: str) -> None:
    """Tools, images and context; what is not said is no obstacle."""
    said = target_of(clock, Limits(60, 6_000), entry=entry).unfit(call_of(**fields))
    assert said.startswith(why)
    assert bool(said) is bool(why)


def test_a_context_is_too_small_only_when_it_surely_is(clock: ManualClock) -> None:
    """By the least a prompt can cost, not by the upper estimate."""
    call = call_of("word " * 500)
    target = target_of(clock, Limits(60, 6_000), entry=ModelEntry(context=700))
    assert target.lanes[0].reserve(call) > 700
    assert target.unfit(call) == ""


# ── lanes ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_lane_that_can_serve_first(clock: ManualClock) -> None:
    """Of several scopes the one with the shortest wait; too large for one is none for it."""
    target = target_of(clock, Limits(60, 100), Limits(60, 6_000), Limits(60, 6_000))
    call, now = call_of(max_tokens=500), clock.now()
    target.lanes[1].gate.quota.tokens[0].take(6_000, now)
    target.lanes[2].gate.quota.tokens[0].take(5_600, now)
    pick = target.pick(call, now, first)
    assert pick.lane is target.lanes[2]
    assert pick.wait_us == SECOND
    taken = target.take_nowait(call, now + SECOND, first)
    assert taken is not None
    assert taken.lane is target.lanes[2]


def test_too_large_for_all(clock: ManualClock) -> None:
    """No lane can ever serve it."""
    target = target_of(clock, Limits(60, 100), Limits(60, 200))
    assert target.pick(call_of(max_tokens=500), clock.now(), first).wait_us == NEVER
    assert target.take_nowait(call_of(max_tokens=500), clock.now(), first) is None


def test_of_many_lanes_so_many_are_looked_at(clock: ManualClock) -> None:
    """A thousand scopes cost no more than eight."""
    target = target_of(clock, *[Limits(60, 6_000)] * 1_000)
    asked = []

    def sample(lanes: Sequence[Lane], count: int) -> Sequence[Lane]:
        asked.append(count)
        return lanes[-count:]

    pick = target.pick(call_of(), clock.now(), sample)
    assert asked == [CHOICES]
    assert pick.lane in target.lanes[-CHOICES:]


def test_the_bound_counts_too(clock: ManualClock) -> None:
    """The strictest: here or at the provider; a take that one refuses is given back to the other."""
    target = target_of(clock, Limits(60, 6_000), rate_limit=RateLimitPolicy(max_rpm=1))
    assert target.bound is not None
    lane, now = target.lanes[0], clock.now()
    assert target.take_nowait(call_of(), now, first) is not None
    assert target.pick(call_of(), now, first).wait_us == 60 * SECOND
    assert target.take_nowait(call_of(), now, first) is None
    assert lane.gate.quota.requests[0].left(now) == 59

    other = target_of(clock, Limits(1, 6_000), rate_limit=RateLimitPolicy(max_rpm=10))
    assert other.bound is not None
    other.take_nowait(call_of(), now, first)
    assert other.take_nowait(call_of(), now, first) is None
    assert other.bound.quota.requests[0].left(now) == 9


@pytest.mark.parametrize("where", ["lane", "bound"])
async def test_a_full_queue_is_told(clock: ManualClock, where: str) -> None:
    """At the lane or before the bound: there is no room."""
    target = target_of(clock, Limits(1, 0), rate_limit=RateLimitPolicy(max_rpm=1))
    gate = target.lanes[0].gate if where == "lane" else target.bound
    assert gate is not None
    assert not target.pick(call_of(), clock.now(), first).candidate(0).full
    gate.take_nowait(0, clock.now())
    loop = asyncio.get_running_loop()
    waiting = [loop.create_task(gate.take(Charge(0), clock.now() + SECOND)) for _ in range(2)]
    await clock.advance(0)
    assert target.pick(call_of(), clock.now(), first).candidate(0).full
    await clock.advance(SECOND)
    assert [task.result() for task in waiting] == [None, None]


def test_the_calls_own_back_off_lengthens_the_wait(clock: ManualClock) -> None:
    """The longer of both; never stays never."""
    target = target_of(clock, Limits(60, 6_000))
    pick = target.pick(call_of(), clock.now(), first)
    assert pick.candidate(-5).wait_us == 0
    assert pick.candidate(7).wait_us == 7
    large = target.pick(call_of(max_tokens=7_000), clock.now(), first)
    assert large.candidate(7).wait_us == NEVER


def test_another_lane_may_be_open(clock: ManualClock) -> None:
    """What one scope refuses, another may serve; alone there is no other."""
    target = target_of(clock, Limits(60, 6_000), Limits(60, 6_000))
    one, two = target.lanes
    assert target.elsewhere(one, clock.now())
    two.gate.health.fail(0, clock.now() + SECOND)
    assert not target.elsewhere(one, clock.now())
    assert target.elsewhere(two, clock.now())
    assert target.elsewhere(one, clock.now() + SECOND)
    alone = target_of(clock, Limits(60, 6_000))
    assert not alone.elsewhere(alone.lanes[0], clock.now())


def test_use_is_of_the_strictest_on_the_way(clock: ManualClock) -> None:
    """The strategy's own tokens or the provider's."""
    target = target_of(clock, Limits(0, 10_000), rate_limit=RateLimitPolicy(max_tpm=1_000))
    assert target.bound is not None
    target.lanes[0].gate.quota.tokens[0].take(5_000, clock.now())
    assert target.used_permille(clock.now()) == 500
    target.bound.quota.tokens[0].take(900, clock.now())
    assert target.used_permille(clock.now()) == 900
    assert Target("p", "a", ModelEntry(), (lane_alone(clock, Limits(), PROFILE),)).used_permille(clock.now()) == 0
