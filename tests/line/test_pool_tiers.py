"""Tiers, shares and places at a pool."""

from tests.line.pools import ACME, ONE_FREE, ONE_VIP, Queue, at_once, drain, held, lane_of, pool_by
from tests.line.scenes import MINUTE
from tidegate.model.tenant import FREE, NOBODY, Tenant
from tidegate.policy.queue.dispatcher import Rules
from tidegate.policy.quota.quota import Charge
from tidegate.testing import ManualClock
from tidegate.testing.clock import SECOND, settle


async def test_vip_before_free(clock: ManualClock) -> None:
    """Whoever came first."""
    pool = pool_by(clock, Rules(100, tiered=True), "dynamic", lane_of(clock, "a", tpm=60))
    drain(pool, clock)
    queue = Queue(clock, pool)
    for name in ("f1", "f2", "f3"):
        queue.join(name, 1, tenant=ONE_FREE)
    queue.join("v1", 1, tenant=ONE_VIP)
    await clock.advance(MINUTE)
    assert queue.order == ["v1", "f1", "f2", "f3"]


async def test_a_vip_finds_tokens_while_free_waits(clock: ManualClock) -> None:
    """What is kept for it no waiting call of a lower tier takes; alone, free uses all of it."""
    for seen, turns in ((True, [("f", 20 * SECOND)]), (False, [("f", 0)])):
        pool = pool_by(clock, Rules(100, tiered=True), "dynamic", lane_of(clock, "a", tpm=60))
        if seen:
            held(at_once(pool, clock, 10, ONE_VIP))
        held(at_once(pool, clock, 10 if seen else 20, ONE_FREE))  # 40 left
        queue = Queue(clock, pool)
        queue.join("f", 40, tenant=ONE_FREE)
        await settle()
        if seen:
            assert at_once(pool, clock, 10, ONE_VIP) is None  # a queue: it has to stand in it, at the first place
            vip = queue.join("v", 10, tenant=ONE_VIP)
            await settle()
            assert held(vip.result()).taken_at == clock.now()
            queue.permit("v").give_back()
        await clock.advance(MINUTE)
        assert [turn for turn in queue.turns if turn[0] == "f"] == turns


async def test_a_full_queue_sends_the_newest_free_call_away(clock: ManualClock) -> None:
    """For a vip; its turn ends with nothing, and its patience with it."""
    pool = pool_by(clock, Rules(2, tiered=True), "dynamic", lane_of(clock, "a", tpm=60))
    drain(pool, clock)
    queue = Queue(clock, pool)
    queue.join("f1", 1, tenant=ONE_FREE)
    queue.join("f2", 1, tenant=ONE_FREE)
    await settle()
    queue.join("v", 1, tenant=ONE_VIP)
    await settle()
    assert queue.turns == [("f2 gave up", 0)]
    assert len(clock.pending) == 3
    await clock.advance(MINUTE)
    assert queue.order == ["f2 gave up", "v", "f1"]


async def test_only_some_may_draw_on_it(clock: ManualClock) -> None:
    """Named tenants and tiers, even when it is idle; nobody named is everybody."""
    lane = lane_of(clock, "a")
    everybody = pool_by(clock, Rules(1), "dynamic", lane)
    some = pool_by(clock, Rules(1, only=("f", "vip")), "dynamic", lane)
    tenants = ONE_VIP, ONE_FREE, ACME, Tenant("other", FREE), NOBODY
    assert [everybody.serves(tenant) for tenant in tenants] == [True] * 5
    assert [some.serves(tenant) for tenant in tenants] == [True, True, True, False, False]


async def test_a_share_is_lent_and_taken_back(clock: ManualClock) -> None:
    """Free uses the whole pool until acme claims its half: from the next refill on it has it."""
    pool = pool_by(clock, Rules(100, shares=(("acme", 500),)), "dynamic", lane_of(clock, "a", tpm=600))
    acme = Tenant("acme", FREE)
    drain(pool, clock)
    queue = Queue(clock, pool)
    for place in range(20):
        queue.join(f"f{place}", 10, tenant=ONE_FREE)
    await clock.advance(5 * SECOND)
    assert queue.order == [f"f{place}" for place in range(5)]
    for place in range(5):
        queue.join(f"a{place}", 10, tenant=acme)
    await clock.advance(5 * SECOND)
    assert queue.order[5:] == [f"a{place}" for place in range(5)]
    await queue.leave()


async def test_a_told_time_is_kept(clock: ManualClock) -> None:
    """Who was refused and returns exactly then is served then, before its tenant's newcomers; the place is used up."""
    pool = pool_by(clock, Rules(100), "dynamic", lane_of(clock, "a", tpm=600))
    drain(pool, clock)
    queue, charge = Queue(clock, pool), Charge(10)
    for place in range(5):
        queue.join(str(place), 10, tenant=ONE_FREE)
    await settle()
    told = pool.predict(ONE_FREE, charge, clock.now())
    pool.promise(ONE_FREE, charge, told.wait_us)
    await clock.advance(2 * SECOND)
    for place in range(5):
        queue.join(f"new {place}", 10, tenant=ONE_FREE)
    await clock.advance(told.wait_us - 2 * SECOND - 1)
    queue.join("back", 10, tenant=ONE_FREE)
    queue.join("again", 10, tenant=ONE_FREE)
    await clock.advance(MINUTE)
    assert ("back", told.wait_us) in queue.turns
    assert queue.order[-1] == "again"
    assert len(pool.dispatcher.appointments) == 0
