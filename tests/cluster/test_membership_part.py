"""Who goes on with its part where the cluster's policy is another: the part is nobody else's, and for how long."""

from collections.abc import AsyncIterator

import pytest

from harness.servers.redis import Server
from harness.wait import until
from tests.cluster.tenants import Team
from tests.cluster.test_membership import Member
from tests.policy.tenant_limits.joint import Silent
from tidegate.cluster.membership import LINGERS_US, MARGIN_US
from tidegate.model.cluster import FREE
from tidegate.model.entitlements import Allowance
from tidegate.policy.lease.faces import CLOSED, LOCAL, OPEN
from tidegate.policy.lease.times import BEAT_US
from tidegate.policy.tenant_limits.joint import PART, STOP, Together
from tidegate.units import MINUTE_US

SHARE_US = 10 * MINUTE_US


async def joined(policy: str, *, keeps: bool) -> tuple[Member, Together]:
    """A member that has said whether it keeps its part, and was heard."""
    member = Member(policy)
    await member.join()
    member.footing.keeps = keeps
    await member.clock.advance(BEAT_US)
    assert member.beat()
    member.client.answer(member.stand())
    await member.clock.advance(BEAT_US)
    return member, Together(Silent(member.footing), member.footing)


@pytest.mark.parametrize(("policy", "mode"), [("closed", CLOSED), ("open", OPEN), ("local", LOCAL)])
async def test_a_part_is_withheld_for_who_may_go_on_with_it(policy: str, mode: int) -> None:
    """For as long as it may, and a minute more; then it stops by itself, whatever the cluster's policy is."""
    member, together = await joined(policy, keeps=True)
    assert member.beat().share_us == SHARE_US + LINGERS_US
    heard = member.footing.heard_at
    await member.silence()
    assert member.footing.mode == mode
    until = heard + SHARE_US - MARGIN_US
    assert together.without("local", until - 1) == PART
    assert together.without("local", until) == STOP


@pytest.mark.parametrize("policy", ["closed", "open"])
async def test_who_goes_on_with_its_part_is_told_when_it_ends(policy: str) -> None:
    """A lane's quota is `local` by its own word: `mode_of` is another one from then on, and its fund looks again."""
    member, _ = await joined(policy, keeps=True)
    heard = member.footing.heard_at
    await member.silence()
    now, turns = member.clock.now(), member.funds.turns
    assert [member.footing.mode_of(how, now) for how in ("local", "closed", "open")] == [LOCAL, CLOSED, OPEN]
    assert member.footing.mode_of("", now) == {"closed": CLOSED, "open": OPEN}[policy]
    await member.clock.advance(heard + SHARE_US - MARGIN_US - now)
    assert member.funds.turns == turns + 1
    assert member.footing.mode_of("local", member.clock.now()) == CLOSED


@pytest.mark.parametrize("policy", ["closed", "open"])
async def test_who_said_nothing_of_its_part_has_none(policy: str) -> None:
    """So nothing is withheld where nobody goes on with anything; a limit that came since waits for a beat."""
    member, together = await joined(policy, keeps=False)
    assert member.beat().share_us == 0
    member.footing.keeps = True
    await member.silence()
    assert together.without("local", member.clock.now()) == STOP


async def test_what_a_worker_before_it_said_is_not_known() -> None:
    """It comes up while nobody is heard: by `local` with what is remembered, else without a part."""
    for policy, how in (("local", PART), ("closed", STOP)):
        member = Member(policy)
        member.footing.keeps = True
        member.one.recall(125_000, 900_000, 8, MINUTE_US)
        assert Together(Silent(member.footing), member.footing).without("local", member.clock.now()) == how


@pytest.fixture
async def team(valkey: Server) -> AsyncIterator[Team]:
    made = await Team(valkey, 2, "closed").join()
    yield made
    await made.leave()


async def test_others_are_not_granted_a_part_that_is_in_use(team: Team) -> None:
    """A tenant's limit is `local` where the cluster is `closed`: one worker is cut off, and half stays its own."""
    cut, other = team.members
    for member in team.members:
        limits = member.limits(Allowance(rpm=1_000, on_loss="local"))
        for account in limits.accounts("m"):
            account.join(Together(member.keeper, member.footing), member.clock.now(), member.clock.wall())
    since = team.clock.now()
    await until(lambda: cut.footing.heard_at > since and cut.footing.share_ppm == FREE // 2, "a beat that claims it")
    cut.client.close()
    await until(lambda: cut.footing.mode == CLOSED, "the silence")
    assert cut.accounts.common.together is not None
    assert cut.accounts.common.together.without("local", cut.clock.now()) == PART
    await until(lambda: other.footing.open_ppm < FREE, "the loss")
    assert other.footing.open_ppm + cut.footing.share_ppm <= FREE
