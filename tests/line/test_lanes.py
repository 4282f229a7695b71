"""Lanes and pools outlive a reload, and what a reload no longer names goes when it is idle."""

from random import Random

import msgspec

from tests.line.scenes import (
    CALM,
    MINUTE,
    OK,
    Playbook,
    call_of,
    lane_of,
    play_of,
    provider,
    refused,
    served,
    snapshot,
    spend,
    tokens_left,
)
from tidegate.line.keys import fingerprint
from tidegate.line.lanes import AGAIN_US, LINGER_US, Lanes
from tidegate.line.routing_table import MAX_NAMED_BY_CALLERS, RoutingTable
from tidegate.model.errors import ProblemKind
from tidegate.model.outcome import Reason
from tidegate.model.snapshot import Limits, Pool, RateLimitPolicy, Scope, Share, Snapshot, Strategy
from tidegate.model.tenant import FREE, VIP, Tenant
from tidegate.testing import ManualClock, ScriptedTransport
from tidegate.testing.clock import SECOND, settle

LIMITS = {"a": Limits(6_000, 60_000)}
ONE, TWO, THREE = (Scope(name, (f"sk-{name}",), LIMITS) for name in ("one", "two", "three"))
ONE_VIP, ONE_FREE = Tenant("v", VIP), Tenant("f", FREE)


def of(*scopes: Scope, pools: tuple[Pool, ...] = (), model: str = "a") -> Snapshot:
    """One provider with these scopes."""
    return msgspec.structs.replace(snapshot(provider(scopes=scopes)), pools=pools)


def pool(name: str, *scopes: str, **rules: object) -> Pool:
    return Pool(name, "openai", scopes, **rules)  # type: ignore[arg-type]


def names(play: Playbook) -> list[str]:
    return sorted(lane.name for lane in play.lanes)


def pools(play: Playbook) -> list[str]:
    return sorted(one.name for one in play.lanes.pools)


async def finish(play: Playbook) -> None:
    """The provider answers everything that is open."""
    await settle()
    while play.transports["openai"].open:
        await play.provider("openai", OK)


# ── what stays ───────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_one_lane_for_every_pool_and_book() -> None:
    """By base URL, credentials and model; what is spent stays spent."""
    play = Playbook(of(ONE, TWO))
    lane = lane_of(play)
    spend(play, 50_000)
    play.reload(of(ONE, TWO, pools=(pool("p", "one"),)))
    assert lane_of(play) is lane
    assert tokens_left(play) == 10_000
    assert lane.pool is not None
    assert lane.pool.name == "p/a"


async def test_who_waits_keeps_waiting_when_a_scope_comes_or_goes() -> None:
    """In the same pool; a new scope serves at once what the old ones could not."""
    play = Playbook(of(ONE))
    spend(play, 60_000)
    calls = [play.call("a", max_tokens=20_000) for _ in range(3)]
    await settle()
    play.reload(of(ONE, TWO))
    await settle()
    assert len(play.sent("openai")) == 3
    await finish(play)
    assert [served(await call).lane.name for call in calls] == ["openai/two/a"] * 3
    play.reload(of(ONE))
    assert pools(play) == ["openai/*", "openai/a"]


async def test_who_waits_in_a_pool_that_goes_is_still_served() -> None:
    """By its lanes, in the order of before; and in the new pools others are."""
    play = Playbook(of(ONE, TWO))
    for lane in play.lanes:
        for allowed in lane.quota.tokens:
            allowed.take(60_000, play.clock.now())
    old = [play.call("a", max_tokens=10_000) for _ in range(4)]
    await settle()
    play.reload(of(ONE, TWO, pools=(pool("x", "one"), pool("y", "two"))))
    new = play.call("a", max_tokens=10_000)
    await play.until(30 * SECOND)
    assert len(play.sent("openai")) == 5
    await finish(play)
    assert {served(call.result()).status for call in [*old, new]} == {200}


async def test_a_quota_that_is_taken_away_and_given_back_is_as_it_was() -> None:
    """A configuration that is rolled back brings no second quota."""
    kept = pool("x", "one"), pool("y", "two")
    play = Playbook(of(ONE, TWO, pools=kept))
    spend(play, 60_000)
    lane = lane_of(play)
    play.reload(of(TWO))
    await play.until(SECOND)
    play.reload(of(ONE, TWO, pools=kept))
    assert lane_of(play) is lane
    assert tokens_left(play) == 1_000
    await play.until(3 * LINGER_US)
    assert names(play) == ["openai/one/*", "openai/one/a", "openai/two/*", "openai/two/a"]
    assert pools(play) == ["x/*", "x/a", "y/*", "y/a"]
    assert play.clock.pending == []


# ── what goes ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_what_no_book_names_goes_when_it_is_idle() -> None:
    """Pools, lanes and all that they shared; nothing looks for them any more."""
    play = Playbook(of(ONE, TWO, pools=(pool("old", "one", "two"),)))
    gone = lane_of(play, lane=1)
    running = play.call("a", stream=False)
    await settle()
    assert gone.calls + lane_of(play).calls == 1
    play.reload(of(ONE, pools=(pool("new", "one"),)))
    await play.until(LINGER_US - 1)
    assert pools(play) == ["new/*", "new/a", "old/*", "old/a"]
    running.cancel()
    await play.until(LINGER_US + AGAIN_US)
    assert pools(play) == ["new/*", "new/a"]
    assert names(play) == ["openai/one/*", "openai/one/a"]
    assert len(lane_of(play).tallies) == 1
    assert len(lane_of(play).breaker._listeners) == 1
    assert gone.breaker._listeners == {}
    assert play.clock.pending == []


async def test_who_carries_calls_or_lets_them_wait_does_not_go() -> None:
    """A call that waits longer than that keeps its pool, and its turn comes; one in flight keeps its lane."""
    slow = Scope("slow", ("sk-slow",), {"a": Limits(0, 60)})
    play = Playbook(of(slow, TWO, pools=(pool("old", "slow", "two"),)))
    lane = lane_of(play)
    spend(play, 60 + 720)
    for allowed in lane_of(play, lane=1).quota.tokens:
        allowed.take(10**6, play.clock.now())
    waits = play.call("a", max_tokens=50, deadline=3 * LINGER_US)
    await settle()
    play.reload(of(ONE, pools=(pool("new", "one"),)))
    await play.until(LINGER_US + MINUTE)
    assert not waits.done()
    assert "openai/slow/a" in names(play)
    await play.until(2 * LINGER_US)
    assert lane.calls == 1
    await finish(play)
    assert served(waits.result()).lane is lane
    await play.until(2 * LINGER_US + 2 * AGAIN_US)
    assert "openai/slow/a" not in names(play)


async def test_a_book_that_fails_drops_nothing() -> None:
    """Only a book that is in force says what is named no more."""
    play = Playbook(of(ONE, TWO))
    RoutingTable(of(THREE), play.lanes, lambda _: ScriptedTransport()).drop()
    RoutingTable(of(THREE), play.lanes, lambda _: ScriptedTransport())  # given up without a word
    await play.until(2 * LINGER_US)
    assert names(play) == ["openai/one/*", "openai/one/a", "openai/two/*", "openai/two/a"]


async def test_a_strategys_bound_goes_with_its_rule() -> None:
    """The same rule keeps what it has counted; another one begins anew, and the old one is forgotten."""
    rules = RateLimitPolicy(max_rpm=1)
    calm = Strategy("s", "a", smoothing=CALM, rate_limit=rules)
    play = Playbook(msgspec.structs.replace(of(ONE), strategies=(calm,)))
    bound = play.lanes.bound("s", rules, tiered=False)
    assert bound is not None
    play.call("s")
    await settle()
    play.reload(msgspec.structs.replace(of(ONE), strategies=(calm,)))
    assert play.lanes.bound("s", rules, tiered=False) is bound
    play.reload(of(ONE))
    await play.until(LINGER_US + AGAIN_US)
    assert play.lanes.shelves.bounds == {}


async def test_models_that_callers_name_are_bounded() -> None:
    """The oldest is forgotten at once, unless somebody waits there: then when its turn has come."""
    play = play_of(provider(limits={"a": Limits(0, 60_000)}))
    plan = play.book.plan("named 0")
    assert plan is not None
    first = plan.targets[0].pools[0]
    lane = first.lanes[0]
    lane.breaker.fail(Reason.RATE, lane.breaker.epochs, 0, play.clock.now(), 20 * SECOND)
    waits = play.call("named 0")
    await settle()
    for number in range(1, MAX_NAMED_BY_CALLERS + 2):
        play.book.plan(f"named {number}")
    left = pools(play)
    assert "openai/named 1" not in left
    assert "openai/named 0" in left
    assert first.waiting == 1
    await play.until(20 * SECOND)
    assert lane.calls == 1
    await finish(play)
    assert served(await waits).status == 200
    await play.until(40 * SECOND)
    assert "openai/named 0" not in pools(play)
    assert len(pools(play)) <= MAX_NAMED_BY_CALLERS + 2
    assert play.clock.pending == []


# ── pools ────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_pool_that_only_some_may_draw_on() -> None:
    """Nobody else does, even when it is idle; they use the open one too, whichever is sooner."""
    kept = pool("kept", "one", only=("vip",)), pool("open", "two")
    play = Playbook(of(ONE, TWO, pools=kept))
    for _ in range(2):
        play.call("a", max_tokens=60_000, tenant=ONE_VIP)
        await settle()
    assert sorted(sent.head.split(b"sk-")[1][:3] for sent in play.sent("openai")) == [b"one", b"two"]
    free = play.call("a", max_tokens=10_000, tenant=ONE_FREE, deadline=SECOND)
    await settle()
    assert refused(free.result()).problem.retry_after_us == 10 * SECOND
    alone = Playbook(of(ONE, pools=(pool("kept", "one", only=("vip",)),)))
    nobody = alone.call("a", tenant=ONE_FREE)
    await settle()
    assert "no pool for this namespace" in refused(nobody.result()).problem.message


async def test_shares_and_rules_follow_a_reload() -> None:
    """The same pool object with other rules; waiting calls are not touched."""
    play = Playbook(of(ONE, pools=(pool("p", "one"),)))
    before = lane_of(play).pool
    assert before is not None
    play.reload(of(ONE, pools=(pool("p", "one", shares=(Share("v", 300),), max_waiting=1, scheduler="round_robin"),)))
    assert lane_of(play).pool is before
    assert (before.rules.shares, before.rules.max_waiting) == ((("v", 300),), 1)
    spend(play, 60_000)
    play.call("a", max_tokens=1_000)
    await settle()
    full = play.call("a", max_tokens=1_000)
    await settle()
    assert refused(full.result()).problem.retry_after_us == 2 * SECOND


def test_weights_follow_a_reload() -> None:
    """Where a pool picks by weight, the new weights decide, of lanes that stay as they are."""
    lanes, limits = Lanes(ManualClock(), 100, Random(7).random), {"a": Limits()}

    def share_of_the_first(*weights: int) -> float:
        scopes = tuple(Scope(f"s{at}", (f"k{at}",), limits, weight=weight) for at, weight in enumerate(weights))
        by_weight = of(*scopes, pools=(pool("p", "s0", "s1", pick="weighted"),))
        plan = RoutingTable(by_weight, lanes, lambda _: ScriptedTransport()).adopt().plan("a")
        assert plan is not None
        served_by = [plan.targets[0].take_nowait(call_of(), 0) for _ in range(1_000)]
        return sum(slot is not None and slot.lane.name == "openai/s0/a" for slot in served_by) / 1_000

    assert 0.85 < share_of_the_first(9, 1) < 0.95
    assert 0.05 < share_of_the_first(1, 9) < 0.15
    assert share_of_the_first(1, 1) > 0.4


def test_a_lane_has_the_part_that_is_its_own() -> None:
    """As soon as somebody says which."""
    play = Playbook(of(ONE, TWO))
    one, two = lane_of(play), lane_of(play, lane=1)
    now = play.clock.now()
    whole = one.quota.tokens[0].left(now)
    play.lanes.apportion(lambda lane: 500_000 if lane is one else 0)
    assert one.quota.tokens[0].left(now) * 2 == whole
    assert not two.quota.take_nowait(1, now)


# ── what an operator takes out of service ────────────────────────────────────────────────────────────────────────────


def drained(*accounts: str) -> frozenset[tuple[str, str, str]]:
    """Scopes, or `scope#key`."""
    return frozenset(
        ("openai", scope, key and fingerprint(key.encode()))
        for scope, _, key in (one.partition("#") for one in accounts)
    )


async def test_a_drained_scope_gets_no_new_calls() -> None:
    """Its neighbour carries them; who is in flight there finishes; restored, it takes its part again."""
    play = Playbook(of(ONE, TWO))
    play.lanes.drain(drained("one"))
    calls = [play.call("a", max_tokens=1_000) for _ in range(4)]
    await finish(play)
    assert {served(await call).lane.name for call in calls} == {"openai/two/a"}
    held = play.call("a", max_tokens=1_000)
    await settle()
    play.lanes.drain(drained("one", "two"))
    await play.provider("openai", OK)
    assert served(await held).lane.name == "openai/two/a"
    last = refused(await play.call("a", max_tokens=1_000))
    assert last.problem.kind is ProblemKind.DRAINED
    play.lanes.drain(frozenset())
    calls = [play.call("a", max_tokens=1_000) for _ in range(8)]
    await finish(play)
    assert len({served(await call).lane.name for call in calls}) == 2


async def test_who_waits_for_a_scope_that_is_drained_is_told() -> None:
    """At once, where nothing else is left; else it waits for the others."""
    play = Playbook(of(ONE))
    spend(play, 60_000)
    waiting = play.call("a", max_tokens=20_000)
    await settle()
    play.lanes.drain(drained("one"))
    await settle()
    assert refused(await waiting).problem.kind is ProblemKind.DRAINED


async def test_a_drain_outlives_a_reload() -> None:
    """Also of keys: rings are made anew. Under another name an account is another one."""
    play = Playbook(of(ONE, TWO))
    play.lanes.drain(drained("one", "two#sk-two"))
    play.reload(of(ONE, TWO, THREE))
    out = {scope: organisation.drain.on for _, scope, _, organisation in play.lanes.accounts()}
    assert out == {"one": True, "two": True, "three": False}
    named = msgspec.structs.replace(ONE, name="uno")
    play.reload(of(named, THREE))
    out = {scope: organisation.drain.on for _, scope, _, organisation in play.lanes.accounts()}
    assert out == {"uno": False, "three": False}


async def test_an_account_is_one_whatever_it_is_called() -> None:
    """Two names of the same credentials: drained under one of them, it is drained."""
    twin = msgspec.structs.replace(ONE, name="uno")
    play = Playbook(of(ONE, twin))
    play.lanes.drain(drained("uno"))
    assert {scope: organisation.drain.on for _, scope, _, organisation in play.lanes.accounts()} == {
        "one": True,
        "uno": True,
    }
