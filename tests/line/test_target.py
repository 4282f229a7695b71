"""Which of a target's lanes, and whether the target can serve the call at all."""

import asyncio

import msgspec
import pytest

from tests.line.scenes import call_of, close, provider, snapshot
from tidegate.line.lane import Lane
from tidegate.line.lanes import Lanes
from tidegate.line.pool import Pool
from tidegate.line.routing_table import RoutingTable
from tidegate.line.target import Target
from tidegate.model import snapshot as snapshots
from tidegate.model.snapshot import Limits, ModelEntry, RateLimitPolicy, Scope
from tidegate.model.tenant import NOBODY, VIP, Tenant
from tidegate.policy.queue.dispatcher import Waiting
from tidegate.policy.queue.outlet import Outlet
from tidegate.policy.quota.allowance import NEVER
from tidegate.policy.quota.quota import Charge
from tidegate.testing import ManualClock, ScriptedTransport
from tidegate.testing.clock import SECOND

TOOLS = [{"type": "function", "function": {"name": "look_up", "parameters": {}}}]
LONG = [{"role": "user", "content": "word " * 500}]
VIP_TENANT = Tenant("v", VIP)
IMAGE = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]}]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def target_of(clock: ManualClock, *limits: Limits, entry: ModelEntry = ModelEntry(), **strategy: object) -> Target:  # noqa: B008
    """One scope for each of the limits."""
    scopes = tuple(Scope(f"s{number}", (f"k{number}",), {"a": limit}) for number, limit in enumerate(limits))
    configured = snapshot(provider(scopes=scopes, models={"a": entry}), name="s", **strategy)
    plan = RoutingTable(configured, Lanes(clock, 2, lambda: 0.0), lambda _: ScriptedTransport()).adopt().plan("s")
    assert plan is not None
    return plan.targets[0]


def with_a_pool_for_vip(clock: ManualClock) -> Target:
    """Two scopes: one for the tier vip alone, one for everybody."""
    scopes = tuple(Scope(name, (f"k-{name}",), {"a": Limits(60, 6_000)}) for name in ("one", "two"))
    pools = snapshots.Pool("vip", "openai", ("one",), only=("vip",)), snapshots.Pool("rest", "openai", ("two",))
    configured = msgspec.structs.replace(snapshot(provider(scopes=scopes)), pools=pools)
    plan = RoutingTable(configured, Lanes(clock, 2, lambda: 0.0), lambda _: ScriptedTransport()).adopt().plan("a")
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
    assert target.pools[0].lanes[0].reserve(call) > 700
    assert target.unfit(call) == ""


# ── lanes ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_lane_that_can_serve_first(clock: ManualClock) -> None:
    """Of several scopes the one with the shortest wait; too large for one is none for it."""
    target = target_of(clock, Limits(60, 100), Limits(60, 6_000), Limits(60, 6_000))
    call, now = call_of(max_tokens=500), clock.now()
    target.pools[0].lanes[1].quota.tokens[0].take(6_000, now)
    target.pools[0].lanes[2].quota.tokens[0].take(5_600, now)
    pick = target.pick(call, now)
    assert pick.pool is target.pools[0]
    assert pick.wait_us == SECOND
    taken = target.take_nowait(call, now + SECOND)
    assert taken is not None
    assert taken.lane is target.pools[0].lanes[2]


def test_too_large_for_all(clock: ManualClock) -> None:
    """No lane can ever serve it."""
    target = target_of(clock, Limits(60, 100), Limits(60, 200))
    assert target.pick(call_of(max_tokens=500), clock.now()).wait_us == NEVER
    assert target.take_nowait(call_of(max_tokens=500), clock.now()) is None


def test_the_bound_counts_too(clock: ManualClock) -> None:
    """The strictest: here or at the provider; a take that one refuses is given back to the other."""
    target = target_of(clock, Limits(60, 6_000), rate_limit=RateLimitPolicy(max_rpm=1))
    assert target.bound is not None
    lane, now = target.pools[0].lanes[0], clock.now()
    assert target.take_nowait(call_of(), now) is not None
    assert target.pick(call_of(), now).wait_us == 60 * SECOND
    assert target.take_nowait(call_of(), now) is None
    assert lane.quota.requests[0].left(now) == 59

    other = target_of(clock, Limits(1, 6_000), rate_limit=RateLimitPolicy(max_rpm=10))
    assert other.bound is not None
    other.take_nowait(call_of(), now)
    assert other.take_nowait(call_of(), now) is None
    assert other.bound.lanes[0].quota.requests[0].left(now) == 9


@pytest.mark.parametrize("where", ["lane", "bound"])
async def test_a_full_queue_is_told(clock: ManualClock, where: str) -> None:
    """At the lane or before the bound: there is no room."""
    target = target_of(clock, Limits(1, 0), rate_limit=RateLimitPolicy(max_rpm=1))
    pool: Pool[Lane] | Pool[Outlet] | None = target.pools[0] if where == "lane" else target.bound
    assert pool is not None
    assert not target.pick(call_of(), clock.now()).candidate(0).full
    pool.take_nowait(NOBODY, Charge(0), 0, clock.now())
    loop = asyncio.get_running_loop()
    waiting = [loop.create_task(pool.take(Waiting(NOBODY, Charge(0), 0, clock.now() + SECOND))) for _ in range(2)]
    await clock.advance(0)
    assert target.pick(call_of(), clock.now()).candidate(0).full
    await clock.advance(SECOND)
    assert [task.result() for task in waiting] == [None, None]


def test_the_calls_own_back_off_lengthens_the_wait(clock: ManualClock) -> None:
    """The longer of both; never stays never."""
    target = target_of(clock, Limits(60, 6_000))
    pick = target.pick(call_of(), clock.now())
    assert pick.candidate(-5).wait_us == 0
    assert pick.candidate(7).wait_us == 7
    large = target.pick(call_of(max_tokens=7_000), clock.now())
    assert large.candidate(7).wait_us == NEVER


def test_another_lane_may_be_open(clock: ManualClock) -> None:
    """What one scope refuses, another may serve; alone there is no other."""
    target = target_of(clock, Limits(60, 6_000), Limits(60, 6_000))
    one, two = target.pools[0].lanes
    assert target.elsewhere(NOBODY, one, clock.now())
    close(two, clock.now() + SECOND)
    assert not target.elsewhere(NOBODY, one, clock.now())
    assert target.elsewhere(NOBODY, two, clock.now())
    assert target.elsewhere(NOBODY, one, clock.now() + SECOND)
    alone = target_of(clock, Limits(60, 6_000))
    assert not alone.elsewhere(NOBODY, alone.pools[0].lanes[0], clock.now())


def test_another_lane_that_is_not_the_tenants_is_no_help(clock: ManualClock) -> None:
    """A pool that the call may not draw on serves nothing for it."""
    target = with_a_pool_for_vip(clock)
    vip, rest = target.pools
    assert not target.elsewhere(NOBODY, rest.lanes[0], clock.now())
    assert target.elsewhere(VIP_TENANT, rest.lanes[0], clock.now())
    assert target.elsewhere(VIP_TENANT, vip.lanes[0], clock.now())


def test_use_is_of_the_strictest_on_the_way(clock: ManualClock) -> None:
    """The strategy's own tokens or the provider's."""
    target = target_of(clock, Limits(0, 10_000), rate_limit=RateLimitPolicy(max_tpm=1_000))
    assert target.bound is not None
    target.pools[0].lanes[0].quota.tokens[0].take(5_000, clock.now())
    assert target.used_permille(call_of(), clock.now()) == 500
    target.bound.lanes[0].quota.tokens[0].take(900, clock.now())
    assert target.used_permille(call_of(), clock.now()) == 900
    assert target_of(clock, Limits()).used_permille(call_of(), clock.now()) == 0


def test_use_is_of_the_pool_where_the_call_is_tried_first(clock: ManualClock) -> None:
    """What others do in a pool of their own smooths nobody else."""
    target, now = with_a_pool_for_vip(clock), clock.now()
    target.pools[0].lanes[0].quota.tokens[0].take(5_400, now)
    target.pools[1].lanes[0].quota.tokens[0].take(600, now)
    call = call_of()
    assert target.used_permille(call, now) == 100
    call.tenant = VIP_TENANT
    assert target.used_permille(call, now) == 900
