"""Lanes whose quota several workers share: one limit, one queue, one price for being many."""

import asyncio
from random import Random

import pytest

from tests.line.scenes import DEADLINE, MINUTE, OK, lane_of, play_of, provider, refused, shown, snapshot, tokens_left
from tests.policy.lease.bank import Bank, Teller
from tidegate.line.lane import Lane
from tidegate.line.pool import Permit, Pool
from tidegate.line.shared import SharedMirror
from tidegate.model.snapshot import Limits, Scope
from tidegate.model.tenant import FREE, PAID, VIP, Tenant
from tidegate.policy.lease.faces import LOCAL, SHARED
from tidegate.policy.queue.dispatcher import Waiting
from tidegate.policy.quota.charge import Charge
from tidegate.testing import ManualClock, Playbook
from tidegate.testing.clock import SECOND, settle

TPM = 60_000
ONE_VIP, ONE_FREE = Tenant("v", VIP), Tenant("f", FREE)
A, B = Tenant("a", PAID), Tenant("b", PAID)
ONE_FLOOD = Tenant("flood", PAID)


class Crew:
    """Several workers at one bank, each with the same configuration, on one clock."""

    def __init__(self, workers: int, *scopes: Scope, tpm: int = TPM, window: str = "", **strategy: object) -> None:
        self.clock = ManualClock()
        self.bank = Bank(self.clock)
        scopes = scopes or (Scope("one", ("sk-1",), {"a": Limits(0, tpm)}, window=window),)
        whole = snapshot(provider(scopes=scopes), **strategy)
        self.tellers = [Teller(self.bank, f"n/{at}") for at in range(workers)]
        self.plays = [Playbook(whole, clock=self.clock, funds=teller) for teller in self.tellers]
        self.served: list[tuple[int, str, int]] = []  # when, whose, tokens
        self.late = 0
        self.tasks: list[asyncio.Task[None]] = []

    def pool(self, worker: int) -> Pool[Lane]:
        pool = lane_of(self.plays[worker]).pool
        assert pool is not None
        return pool

    def call(self, worker: int, tenant: Tenant, cost: int = 1_000, patience: int = 10 * MINUTE) -> None:
        self.tasks.append(asyncio.create_task(self._call(self.pool(worker), tenant, Charge(cost), patience)))

    async def _call(self, pool: Pool[Lane], tenant: Tenant, charge: Charge, patience: int) -> None:
        now = self.clock.now()
        permit: Permit[Lane] | None = pool.take_nowait(tenant, charge, 0, now)
        if permit is None:
            permit = await pool.take(Waiting(tenant, charge, now, now + patience))
        if permit is None:
            self.late += 1
            return
        self.served.append((self.clock.now(), tenant.name, charge.tokens))
        await self.clock.sleep(300_000)
        permit.keep()

    def spent(self, name: str = "") -> int:
        return sum(tokens for _, whose, tokens in self.served if not name or whose == name)

    def names(self) -> list[str]:
        return [name for _, name, _ in self.served]

    async def drain(self) -> None:
        """The whole bucket is spent, by the first worker."""
        self.call(0, Tenant("drain", PAID), TPM)
        await self.clock.advance(10_000)
        assert self.spent() == TPM
        self.served.clear()

    async def end(self) -> None:
        for task in self.tasks:
            task.cancel()
        await settle()


async def test_without_funds_a_lane_is_its_workers_alone() -> None:
    """No wallet, no purse, nothing of it on the path."""
    play = play_of(provider())
    lane = lane_of(play)
    assert lane.wallet is None
    assert not isinstance(lane.tokens, SharedMirror)


async def test_two_workers_have_one_limit() -> None:
    """Both together send what one could."""
    crew = Crew(2)
    for at in range(100):
        crew.call(at % 2, A)
    await crew.clock.advance(20_000)
    assert crew.spent() == TPM
    await crew.clock.advance(10 * SECOND)
    assert crew.spent() >= TPM + 9_000
    await crew.end()


async def test_a_vip_at_one_worker_goes_before_a_free_call_at_another() -> None:
    """Tiers hold over workers."""
    crew = Crew(2)
    await crew.drain()
    for _ in range(5):
        crew.call(0, ONE_FREE)
    await crew.clock.advance(500_000)
    crew.call(1, ONE_VIP)
    await crew.clock.advance(6 * SECOND)
    assert crew.names()[0] == "v"
    assert crew.names()[1:] == ["f"] * 5
    await crew.end()


@pytest.mark.parametrize("seed", range(2))
async def test_tenants_are_served_alike_wherever_they_wait(seed: int) -> None:
    """Over every interval, within the bound of one queue and a call for each worker: c is 1,500 tokens here."""
    crew, luck = Crew(2), Random(seed)
    await crew.drain()
    for _ in range(60):
        crew.call(0, A, luck.randint(500, 1_500))
        crew.call(luck.randrange(2), B, luck.randint(500, 1_500))
    await crew.clock.advance(40 * SECOND)
    ahead = low = high = 0
    for _, name, tokens in crew.served:
        ahead += tokens if name == "a" else -tokens
        low, high = min(low, ahead), max(high, ahead)
    assert crew.spent() > 38_000
    assert high - low <= 2 * 2.125 * 1_500
    await crew.end()


async def test_one_tenant_at_two_workers_has_one_share() -> None:
    """Who opens connections to many workers is not served more for it."""
    crew = Crew(3)
    await crew.drain()
    for _ in range(60):
        for worker in range(3):
            crew.call(worker, A)
        crew.call(0, B)
    await crew.clock.advance(30 * SECOND)
    assert abs(crew.spent("a") - crew.spent("b")) <= 3_500
    await crew.end()


async def test_what_waits_elsewhere_is_part_of_what_is_told() -> None:
    """A call that cannot be served in time, for those who wait at another worker, is refused at once, with its time."""
    crew = Crew(2)
    await crew.drain()
    for _ in range(60):
        crew.call(0, A)
    await crew.clock.advance(200_000)
    crew.call(1, A)  # by whom this worker hears of it
    await crew.clock.advance(200_000)
    told = crew.pool(1).predict(B, Charge(1_000), crew.clock.now()).wait_us
    assert 50 * SECOND <= told <= 65 * SECOND
    assert crew.pool(1).predict(ONE_VIP, Charge(1_000), crew.clock.now()).wait_us < 3 * SECOND
    outcome = crew.plays[1].call("a", max_tokens=1_000, deadline=20 * SECOND)
    await settle()
    assert refused(await outcome).problem.retry_after_us >= 40 * SECOND
    await crew.end()


async def test_who_cannot_be_served_in_time_any_more_learns_it_when_the_fund_tells() -> None:
    """It came when this worker knew of nobody else."""
    crew = Crew(2)
    await crew.drain()
    for _ in range(60):
        crew.call(0, A)
    await crew.clock.advance(300_000)
    crew.call(1, A, patience=20 * SECOND)
    await crew.clock.advance(500_000)
    assert crew.late == 1
    await crew.end()


async def test_a_call_asks_at_one_lane_and_all_lanes_are_used() -> None:
    """Who goes through which is decided when the lease is there."""
    scopes = [Scope(name, (f"sk-{name}",), {"a": Limits(0, TPM)}) for name in ("one", "two", "three")]
    crew = Crew(2, *scopes)
    crew.call(0, A)
    await crew.clock.advance(10_000)
    assert sum(demand.calls for ask in crew.bank.asked for demand in ask.demands) == 1
    for at in range(240):
        crew.call(at % 2, A)
    await crew.clock.advance(200_000)
    assert crew.spent() >= 3 * TPM - 3_000
    await crew.clock.advance(10 * SECOND)
    assert crew.spent() >= 3 * TPM + 3 * 9_500
    await crew.end()


async def test_a_large_pool_sees_a_lease_as_soon_as_it_is_there() -> None:
    """Its index parks lanes that lack requests; an exchange says that one has some."""
    crew = Crew(2, *(Scope(f"s{at}", (f"sk-{at}",), {"a": Limits(60, TPM)}) for at in range(15)))
    for at in range(30):
        crew.call(at % 2, A)
    await crew.clock.advance(50_000)
    assert crew.spent() == 30_000
    await crew.end()


async def test_an_idle_worker_keeps_nothing() -> None:
    """Its lease is back within one lease."""
    crew = Crew(3, tpm=60_000_000)
    for turn in range(500):
        crew.call(turn % 2, A)
        await crew.clock.advance(2_000)
    await crew.clock.advance(2 * SECOND)
    (fund,) = [fund for key, fund in crew.bank.funds.items() if key.endswith(":a")]
    assert fund.dims[1].leased == 0
    assert len(crew.bank.asked) < 300
    await crew.end()


async def test_its_key_has_the_scope_for_a_hash_tag() -> None:
    """So everything of a scope is on one slot of Redis Cluster."""
    crew = Crew(1)
    wallet = lane_of(crew.plays[0]).wallet
    assert wallet is not None
    prefix, rest = wallet.key.split(":{")
    tag, rest = rest.split("}:")
    assert (prefix, rest.split(":")[0], rest.split(":")[-1]) == ("tidegate", "lane", "a")
    assert tag in lane_of(crew.plays[0]).key


# ── what one worker learns ───────────────────────────────────────────────────────────────────────────────────────────


async def test_a_limit_that_one_worker_learns_holds_for_all() -> None:
    """The provider's headers show half of what is configured, to one of them."""
    crew = Crew(2)
    first = crew.plays[0]
    crew.call(1, A)
    for _ in range(6):
        call = first.call("a", max_tokens=100)
        await crew.clock.advance(5_000)
        await first.provider("openai", shown(TPM // 2, 20_000))
        await call
    assert lane_of(first).tokens.limit == TPM // 2
    await crew.clock.advance(200_000)  # one tells it
    crew.call(1, A)
    await crew.clock.advance(10_000)  # the other hears it
    purse = lane_of(crew.plays[1]).quota.tokens[0]
    assert purse.limit == TPM // 2
    await crew.end()


async def test_what_others_spend_is_found_by_the_fund() -> None:
    """A reply shows far less than can be left: nobody of the cluster spends it again."""
    crew = Crew(2)
    first = crew.plays[0]
    for left in (59_000, 58_000, 20_000, 19_000):
        call = first.call("a", max_tokens=500)
        await crew.clock.advance(400_000)
        await first.provider("openai", shown(TPM, left))
        await call
        await crew.clock.advance(400_000)
    crew.call(1, A)
    await crew.clock.advance(10_000)
    assert tokens_left(crew.plays[1]) < 25_000
    await crew.end()


async def test_where_no_limit_is_known_nobody_waits() -> None:
    """A lane without limits needs no exchange to serve."""
    crew = Crew(2, Scope("one", ("sk-1",), {}))
    for _ in range(3):
        call = crew.plays[0].call("a", deadline=DEADLINE)
        await settle()
        await crew.plays[0].provider("openai", OK)
        await call
    await crew.end()


# ── silence ──────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_who_hears_nothing_serves_by_its_share() -> None:
    """From nothing; and tells what it spent when it is back."""
    crew = Crew(2)
    await crew.drain()
    for _ in range(100):
        crew.call(0, A)
    crew.tellers[0].deaf = True
    await crew.clock.advance(350_000)
    before = crew.spent()
    crew.tellers[0].turn(LOCAL, 500_000, 500_000)
    await crew.clock.advance(20 * SECOND)
    assert 9_000 <= crew.spent() - before <= 10_000
    crew.tellers[0].deaf = False
    crew.tellers[0].turn(SHARED)
    await crew.clock.advance(100_000)
    assert any(ask.restore for ask in crew.bank.asked)
    wallet = lane_of(crew.plays[0]).wallet
    assert wallet is not None
    assert wallet.posted
    await crew.end()


@pytest.mark.parametrize("sticky", [False, True], ids=["anywhere", "at one worker each"])
async def test_many_tenants_who_run_out_of_patience_are_served_alike(sticky: bool) -> None:
    """Eight of them and a flood at four workers, calls of 500 to 1,500 tokens: within three of the largest."""
    crew, luck = Crew(4, tpm=200_000), Random(1)
    steady = [Tenant(f"s{number}", PAID) for number in range(8)]
    home = {tenant: luck.randrange(4) for tenant in steady}
    for _ in range(450):
        for tenant in (*steady, *[ONE_FLOOD] * 10):
            if luck.random() < 0.1:
                anywhere = not sticky or tenant is ONE_FLOOD
                crew.call(
                    luck.randrange(4) if anywhere else home[tenant], tenant, luck.randint(500, 1_500), 30 * SECOND
                )
        await crew.clock.advance(100_000)
    had = {tenant.name: 0 for tenant in (*steady, ONE_FLOOD)}
    for at, name, tokens in crew.served:
        had[name] += tokens if at > crew.served[0][0] + 25 * SECOND else 0
    assert min(had.values()) > 5_000
    assert max(had.values()) - min(had.values()) <= 3 * 1_500
    await crew.end()
