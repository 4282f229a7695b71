"""A tenant's limits hold over all workers: what one has granted, no other grants again."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from harness.servers.redis import Server
from tests.cluster.tenants import SECOND, Member, Team
from tidegate.model.entitlements import Allowance
from tidegate.policy.tenant_limits.ask import REQUEST, Ask
from tidegate.policy.tenant_limits.reservation import TenantReservation
from tidegate.policy.tenant_limits.short import BUSY, EXHAUSTED, RATE, Short


@pytest.fixture
async def team(valkey: Server) -> AsyncIterator[Team]:
    made = await Team(valkey).join()
    yield made
    await made.leave()


async def granted(team: Team, allowance: Allowance, count: int, ask: Ask = REQUEST) -> list[TenantReservation | Short]:
    """So many calls at each worker, all at once."""
    calls = []
    for member in team.members:
        limits = member.limits(allowance)
        calls += [member.grant(limits, ask) for _ in range(count)]
    return await asyncio.gather(*calls)


def passed(found: list[TenantReservation | Short]) -> int:
    return sum(isinstance(one, TenantReservation) for one in found)


def tokens(count: int) -> Ask:
    return Ask(count, count, 0, None, (), makes=False)


async def test_requests_a_minute(team: Team) -> None:
    """Sixty are sixty; who is refused is told when the minute is over."""
    found = await granted(team, Allowance(rpm=60), 40)
    assert passed(found) == 60
    refused = [one for one in found if isinstance(one, Short)]
    assert {one.kind for one in refused} == {RATE}
    assert all(50 * SECOND < one.wait_us <= 61 * SECOND for one in refused)


async def test_tokens_a_minute(team: Team) -> None:
    """What a call turned out not to have used comes back to all; what it used beyond is charged to all."""
    found = await granted(team, Allowance(tpm=1_000), 5, tokens(100))
    assert passed(found) == 10
    held = next(one for one in found if isinstance(one, TenantReservation))
    clock = team.clock
    held.settle(0, 0, clock.now(), clock.wall(), sent=False)
    await asyncio.sleep(0.2)
    assert passed(await granted(team, Allowance(tpm=1_000), 1, tokens(100))) == 1


async def test_calls_at_a_time(team: Team) -> None:
    """Five are five, wherever; each that ends makes room for another, at any worker."""
    allowance = Allowance(concurrent=5)
    found = await granted(team, allowance, 5)
    assert passed(found) == 5
    assert {one.kind for one in found if isinstance(one, Short)} == {BUSY}
    clock = team.clock
    for one in found:
        if isinstance(one, TenantReservation):
            one.settle(0, 0, clock.now(), clock.wall(), sent=True)
    await asyncio.sleep(0.2)
    assert passed(await granted(team, allowance, 5)) == 5


async def test_a_budget(team: Team) -> None:
    """Tokens of a day: none beyond it is granted, and it is exhausted when they are spent."""
    allowance, clock = Allowance(tokens_day=1_000), team.clock
    found = await granted(team, allowance, 10, tokens(100))
    assert passed(found) == 10
    for one in found:
        if isinstance(one, TenantReservation):
            one.settle(100, 0, clock.now(), clock.wall(), sent=True)
    await asyncio.sleep(0.2)
    again = await granted(team, allowance, 1, tokens(100))
    assert [one.kind for one in again if isinstance(one, Short)] == [EXHAUSTED] * 3


async def test_all_or_nothing(team: Team) -> None:
    """A namespace that has no room charges its keys nothing."""
    member = team.members[0]
    limits = member.limits(Allowance(rpm=10), Allowance(concurrent=1))
    first = await member.grant(limits, REQUEST)
    assert isinstance(first, TenantReservation)
    for _ in range(20):
        assert isinstance(await member.grant(limits, REQUEST), Short)
    (_, account) = limits.accounts("m")
    while account.joint is None or account.joint.requests.fund_left != 9:  # what was leased for nothing goes back
        await asyncio.sleep(0.05)


async def test_what_a_worker_takes_with_it(team: Team, valkey: Server) -> None:
    """A worker that dies takes what it held of a minute and gives back its places: nobody is granted too much."""
    allowance = Allowance(rpm=30, concurrent=30)
    first = team.members[0]
    limits = first.limits(allowance)
    for _ in range(10):
        assert isinstance(await first.grant(limits, REQUEST), TenantReservation)
    first.die()
    team.members.remove(first)
    found = await granted(team, allowance, 20)
    assert 10 <= passed(found) <= 20  # fewer where it was found to be lost, and what it may use is withheld
    fresh = Member(valkey.url, 0, 2, team.clock)
    await fresh.join()
    team.members.append(fresh)
    assert isinstance(await fresh.grant(fresh.limits(allowance), REQUEST), Short)


async def test_what_was_spent_outlives_the_shared_state(team: Team, valkey: Server) -> None:
    """It is put back from what workers remember: budgets to what was spent, whoever comes first."""
    allowance, clock = Allowance(rpm=200, tokens_day=1_000), team.clock
    found = await granted(team, allowance, 3, tokens(100))
    assert passed(found) == 9
    for one in found:
        if isinstance(one, TenantReservation):
            one.settle(100, 0, clock.now(), clock.wall(), sent=True)
    await asyncio.sleep(0.5)
    valkey.command("FLUSHALL")
    async with asyncio.timeout(20):
        while not (again := passed(await granted(team, allowance, 3, tokens(100)))):
            await asyncio.sleep(0.05)
    assert again + passed(await granted(team, allowance, 3, tokens(100))) == 1


async def test_what_was_spent_outlives_workers_and_shared_state(team: Team, valkey: Server) -> None:
    """Each saves what all had spent, as far as it was told."""
    allowance, clock = Allowance(tokens_day=1_000), team.clock
    found = await granted(team, allowance, 3, tokens(100))
    for one in found:
        if isinstance(one, TenantReservation):
            one.settle(100, 0, clock.now(), clock.wall(), sent=True)
    await asyncio.sleep(0.5)
    saved = [member.accounts.saved(member.accounts.changed()) for member in team.members]
    await team.leave()
    valkey.command("FLUSHALL")
    team.members = [Member(valkey.url, number, 2, clock) for number in range(3)]
    for member, books in zip(team.members, saved, strict=True):
        member.accounts.restore(books)
    await team.join()
    assert passed(await granted(team, allowance, 1, tokens(100))) == 1


async def test_without_the_shared_state_each_has_its_part(mortal_valkey: Server) -> None:
    """By policy: a part of the limit, nothing, or everything; and what was spent then is told afterwards."""
    team = await Team(mortal_valkey).join()
    await asyncio.sleep(0.3)
    mortal_valkey.freeze()
    try:
        found = await granted(team, Allowance(rpm=30), 30)
        parts = passed(found)
        assert 27 <= parts <= 30  # three times a whole third
        assert passed(await granted(team, Allowance(rpm=30, on_loss="closed"), 1)) == 0
        assert passed(await granted(team, Allowance(rpm=30, on_loss="open"), 1)) == 3
    finally:
        mortal_valkey.freeze(18)
    await asyncio.sleep(1)
    assert parts + passed(await granted(team, Allowance(rpm=30), 3)) <= 30
    await team.leave()


async def test_who_is_idle_leaves(team: Team) -> None:
    """An account that nobody uses has no fund open, and nothing leased."""
    member = team.members[0]
    limits, clock = member.limits(Allowance(rpm=10)), team.clock
    held = await member.grant(limits, REQUEST)
    assert isinstance(held, TenantReservation)
    held.settle(0, 0, clock.now(), clock.wall(), sent=False)
    await asyncio.sleep(0.3)
    (account,) = limits.accounts("m")
    assert account.rest(clock.now())
    assert len(member.keeper) == 0
    assert isinstance(await member.grant(limits, REQUEST), TenantReservation)
