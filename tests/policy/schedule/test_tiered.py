import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.policy.schedule.crowd import MS, SECOND, STEPS, Crowd
from tidegate.model.tenant import BATCH, FREE, PAID, VIP, Tenant
from tidegate.policy.schedule.dynamic import Dynamic
from tidegate.policy.schedule.face import Ticket
from tidegate.policy.schedule.fifo import Fifo
from tidegate.policy.schedule.round_robin import RoundRobin
from tidegate.policy.schedule.tiered import Tiered
from tidegate.policy.schedule.weighted import Weighted

EVERY = pytest.mark.parametrize("discipline", [Fifo, RoundRobin, Weighted, Dynamic])
TIERED = pytest.mark.parametrize("discipline", [Fifo, RoundRobin, Dynamic])


@EVERY
@given(steps=STEPS)
def test_whatever_happens_every_call_leaves_once_and_the_sums_are_true(discipline: type[Tiered], steps: list) -> None:
    """Order within a tenant, strict tiers, `newest`, iteration and sums agree with plain lists at every step."""
    crowd = Crowd(discipline(), strict=discipline is not Weighted)
    crowd.play(steps)
    list(crowd.drain())
    assert sorted(map(id, crowd.gone)) == sorted(map(id, crowd.pushed))
    assert crowd.scheduler._waiting == 0
    assert not any(band.tokens or band.weight or band.flows for band in crowd.scheduler._bands.values())


@EVERY
def test_who_comes_back_passes_its_tenants_own_calls(discipline: type[Tiered]) -> None:
    """However many of these wait, and whether or not fairness lets it pass others; those that are due keep their order.

    What is foretold is what is served before it.
    """
    scheduler = discipline()
    alone, among = Tenant("a", FREE), Tenant("b", FREE)
    for number in range(20):
        scheduler.push(Ticket(alone, 100, number), number)
    for number in range(3):
        assert scheduler.ahead_due(alone, 20).requests == number
        scheduler.push(Ticket(alone, 100, 20 + number, f"back {number}"), 20 + number, due=1_000)
    assert [scheduler.pop(30).ctx for _ in range(4)] == ["back 0", "back 1", "back 2", None]
    for _ in range(40):
        scheduler.push(Ticket(among, 100, 40), 40)
    foretold = scheduler.ahead_due(alone, 50).requests
    scheduler.push(Ticket(alone, 100, 50, "back"), 50, due=1_000)
    served = [scheduler.pop(60).ctx for _ in range(56)].index("back")
    assert served <= foretold <= 41
    assert served < 16 or not isinstance(scheduler, Dynamic | RoundRobin)


@EVERY
def test_an_empty_scheduler_has_no_head(discipline: type[Tiered]) -> None:
    """`head`, `oldest` and `newest` are None, `pop` raises, and nothing is ahead."""
    scheduler = discipline()
    assert scheduler.head(0) is None
    assert scheduler.oldest() is None
    assert scheduler.newest() is None
    with pytest.raises(IndexError, match="empty"):
        scheduler.pop(0)
    ahead = scheduler.ahead(Tenant("a", FREE), 100, 0)
    assert (ahead.requests, ahead.tokens) == (0, 0)


@EVERY
def test_a_ticket_of_another_scheduler_is_not_removed(discipline: type[Tiered]) -> None:
    """`remove` answers for its own tickets only."""
    one, other = discipline(), discipline()
    ticket = Ticket(Tenant("a", FREE), 100, 0)
    one.push(ticket, 0)
    other.push(Ticket(Tenant("a", FREE), 100, 0), 0)
    assert not other.remove(ticket, 0)
    assert not other.remove(Ticket(Tenant("a", FREE), 100, 0), 0)
    assert (len(one), len(other)) == (1, 1)


@EVERY
def test_the_oldest_of_all_tiers(discipline: type[Tiered]) -> None:
    """`oldest` is who waits longest, whoever is served first."""
    scheduler = discipline()
    for at, tier in enumerate([BATCH, FREE, VIP, BATCH]):
        scheduler.push(Ticket(Tenant(tier.name, tier), 10, at), at)
    arrived = []
    while (ticket := scheduler.oldest()) is not None:
        arrived.append(ticket.arrived)
        assert scheduler.remove(ticket, 9)
    assert arrived == [0, 1, 2, 3]


@EVERY
def test_the_newest_of_the_lowest_tier_is_who_is_pushed_out(discipline: type[Tiered]) -> None:
    """`newest` looks at the lowest tier that waits, and a call that came back is not new."""
    scheduler = discipline()
    tickets = [Ticket(Tenant(name, tier), 10, at) for at, (name, tier) in enumerate([("f", FREE), ("g", FREE)])]
    for ticket in tickets:
        scheduler.push(ticket, ticket.arrived)
    scheduler.push(Ticket(Tenant("v", VIP), 10, 5), 5)
    scheduler.push(Ticket(Tenant("h", FREE), 10, 0), 6, front=True)
    assert scheduler.newest() is tickets[1]
    scheduler.remove(tickets[1], 7)
    assert scheduler.newest() is tickets[0]


@EVERY
def test_the_newest_configuration_wins(discipline: type[Tiered]) -> None:
    """A tenant that was made vip takes what it has waiting along; a late word of the old tenant does not undo it."""
    scheduler = discipline()
    old, new = Tenant("a", FREE), Tenant("a", VIP, 2_000)
    first = Ticket(old, 10, 0)
    scheduler.push(first, 0)
    scheduler.push(Ticket(Tenant("p", PAID), 10, 0), 0)
    scheduler.push(Ticket(new, 10, 1), 1)
    scheduler.spent(old, -5, 2)
    scheduler.push(Ticket(old, 10, 0), 2, front=True)
    assert [ticket.tenant.name for ticket in scheduler] == ["a", "a", "a", "p"]
    assert scheduler.ahead(Tenant("p", PAID), 10, 2).requests == 4
    assert [scheduler.pop(3).tenant.name for _ in range(4)] == ["a", "a", "a", "p"]


@EVERY
@given(calls=st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=30))
def test_equal_tenants_are_one(discipline: type[Tiered], calls: list[tuple[int, bool]]) -> None:
    """Whether its calls share a record changes no turn: a key that is not remembered is resolved at each call."""
    shared, anew, turns = discipline(), discipline(), []
    tenants = [Tenant(f"t{who}", PAID) for who in range(4)]
    for number, (who, pop) in enumerate(calls):
        shared.push(Ticket(tenants[who], 10, 0, number), number)
        anew.push(Ticket(Tenant(f"t{who}", PAID), 10, 0, number), number)
        if pop:
            turns.append((shared.pop(number).ctx, anew.pop(number).ctx))
    turns += [(shared.pop(99).ctx, anew.pop(99).ctx) for _ in range(len(shared))]
    assert all(one == other for one, other in turns)


@TIERED
def test_a_higher_tier_goes_first_until_the_boost(discipline: type[Tiered]) -> None:
    """After `boost_after` the lower tier has its turn, marked as boosted; a first call does not wait for its share."""
    scheduler = discipline(boost_after=10 * SECOND)
    low = Ticket(Tenant("b", BATCH), 100, 0)
    scheduler.push(low, 0)
    high = Ticket(Tenant("v", VIP), 100, 0)
    scheduler.push(high, 0)
    assert scheduler.head(10 * SECOND) is high
    assert not high.boosted
    assert scheduler.head(10 * SECOND + 1) is low
    assert low.boosted
    assert scheduler.pop(10 * SECOND + 1) is low
    assert scheduler.pop(10 * SECOND + 1) is high
    assert not high.boosted


@TIERED
@given(share=st.integers(10, 300), costs=st.lists(st.integers(1, 500), min_size=30, max_size=60))
def test_boosted_service_is_a_bounded_share(discipline: type[Tiered], share: int, costs: list[int]) -> None:
    """Over every interval boosted tokens are at most the share of all, and one largest call; it is all given."""
    scheduler = discipline(boost_after=SECOND, boost_share_milli=share)
    for index, cost in enumerate(costs):
        scheduler.push(Ticket(Tenant(f"v{index % 3}", VIP), cost, 0), 0)
        scheduler.push(Ticket(Tenant(f"f{index % 3}", FREE), cost, 0), 0)
        scheduler.push(Ticket(Tenant(f"b{index % 3}", BATCH), cost, 0), 0)
    boosted = total = 0
    lead, low = 0, 0  # thousandths of tokens that boosted service is ahead of its share, and the least so far
    while scheduler._bands[VIP.rank].flows:
        ticket = scheduler.pop(100 * SECOND)
        total += ticket.cost
        boosted += ticket.cost * ticket.boosted
        lead = 1_000 * boosted - share * total
        assert lead - low <= (1_000 + share) * max(costs)
        low = min(low, lead)
    assert lead >= -share * max(costs)


@TIERED
def test_no_tier_starves(discipline: type[Tiered]) -> None:
    """Behind a tier that is never empty both lower tiers are served, the one that waited longest first."""
    scheduler = discipline(boost_after=SECOND, boost_share_milli=100)
    for at in range(20):
        scheduler.push(Ticket(Tenant("f", FREE), 100, at), at)
        scheduler.push(Ticket(Tenant("b", BATCH), 100, at), at)
    served = {"vip": 0, "free": 0, "batch": 0}
    for turn in range(300):
        now = 2 * SECOND + turn * 100 * MS
        scheduler.push(Ticket(Tenant("v", VIP), 100, now), now)
        served[scheduler.pop(now).tenant.tier.name] += 1
    assert served["vip"] >= 269
    assert abs(served["free"] - served["batch"]) <= 1
    assert served["free"] + served["batch"] >= 29


@TIERED
def test_without_a_share_nothing_is_boosted(discipline: type[Tiered]) -> None:
    """`boost_share_milli=0` switches the boost off."""
    scheduler = discipline(boost_after=0, boost_share_milli=0)
    scheduler.push(Ticket(Tenant("b", BATCH), 100, 0), 0)
    scheduler.push(Ticket(Tenant("v", VIP), 100, 0), 0)
    assert scheduler.pop(SECOND).tenant.tier is VIP


@TIERED
def test_a_newcomer_waits_for_all_of_the_higher_tiers(discipline: type[Tiered]) -> None:
    """`ahead` counts higher tiers wholly, its own calls, and what the boost may give to lower ones."""
    scheduler = discipline()
    for _ in range(10):
        scheduler.push(Ticket(Tenant("v", VIP), 1_000, 0), 0)
        scheduler.push(Ticket(Tenant("b", BATCH), 1_000, 0), 0)
    scheduler.push(Ticket(Tenant("f", FREE), 300, 0), 0)
    ahead = scheduler.ahead(Tenant("f", FREE), 500, 0)
    assert ahead.requests == 11
    assert ahead.tokens == 10_300 + 10_300 * 50 // 1_000


@TIERED
def test_jobs_are_a_flow_of_their_own(discipline: type[Tiered]) -> None:
    """A tenant's jobs wait behind everybody's conversations, and take none of its own with them to their tier."""
    scheduler = discipline()
    own, other = Tenant("a", PAID, 2_000), Tenant("b", FREE)
    jobs = own.patient(BATCH)
    assert (jobs.name, jobs.tier, jobs.weight_milli) == ("a", BATCH, 2_000)
    for at, tenant in enumerate((own, jobs, other, own)):
        scheduler.push(Ticket(tenant, 10, at), at)
    served = [scheduler.pop(10).tenant for _ in range(4)]
    assert served == [own, own, other, jobs]


@TIERED
def test_what_a_tier_gets_in_any_case(discipline: type[Tiered]) -> None:
    """The boost's part, behind all but the tier that is served: whoever starves longest goes first."""
    scheduler = discipline(boost_after=7 * SECOND, boost_share_milli=40)
    for tier, tokens in ((VIP, 100), (FREE, 20), (BATCH, 3), (BATCH, 4)):
        scheduler.push(Ticket(Tenant(tier.name, tier), tokens, 0), 0)
    for tier in (FREE, BATCH):
        floor = scheduler.floor(Tenant(tier.name, tier), 0)
        assert floor is not None
        assert (floor.after_us, floor.permille, floor.ahead.requests, floor.ahead.tokens) == (7 * SECOND, 40, 3, 27)
    assert discipline(boost_share_milli=0).floor(Tenant("b", BATCH), 0) is None


@TIERED
def test_lower_tiers_are_no_queue(discipline: type[Tiered]) -> None:
    """They give way; one's own tier does not, nor do higher ones."""
    scheduler = discipline()
    for tier, tokens in ((VIP, 100), (FREE, 20), (BATCH, 3)):
        scheduler.push(Ticket(Tenant(tier.name, tier), tokens, 0), 0)
    assert [scheduler.queued(Tenant("x", tier)) for tier in (VIP, PAID, FREE, BATCH)] == [100, 100, 120, 123]


def test_where_tiers_share_all_of_them_are_a_queue() -> None:
    """By weight none gives way altogether, so none needs a floor."""
    scheduler = Weighted()
    for tier, tokens in ((VIP, 100), (BATCH, 3)):
        scheduler.push(Ticket(Tenant(tier.name, tier), tokens, 0), 0)
    assert scheduler.queued(Tenant("x", VIP)) == 103
    assert scheduler.floor(Tenant("x", BATCH), 0) is None


@EVERY
def test_who_was_granted_something_goes_first_until_it_has_had_it(discipline: type[Tiered]) -> None:
    """The one with most of it left; then the discipline decides again."""
    scheduler = discipline()
    one, two = Tenant("one", FREE), Tenant("two", FREE)
    for _ in range(3):
        scheduler.push(Ticket(one, 100, 0), 0)
    for _ in range(3):
        scheduler.push(Ticket(two, 100, 0), 0)
    scheduler.granted([(two, 150), (one, 0)])
    assert [scheduler.pop(0).tenant for _ in range(2)] == [two, two]
    scheduler.granted([(two, 100), (one, 60)])  # two has had 50 too many
    assert scheduler.pop(0).tenant is one
    assert scheduler.pop(0).tenant is two
    scheduler.granted([])
    assert {scheduler.pop(0).tenant.name for _ in range(2)} == {"one"}
    assert not scheduler._waiting


@TIERED
def test_what_a_lower_tier_was_granted_waits_for_the_higher_one(discipline: type[Tiered]) -> None:
    """Tiers are strict, whoever was granted what."""
    scheduler = discipline()
    free, vip = Tenant("free", FREE), Tenant("vip", VIP)
    scheduler.push(Ticket(free, 100, 0), 0)
    scheduler.granted([(free, 100)])
    scheduler.push(Ticket(vip, 100, 0), 0)
    assert [scheduler.pop(0).tenant for _ in range(2)] == [vip, free]


@EVERY
@given(steps=STEPS, grants=st.lists(st.integers(0, 500), min_size=4, max_size=4))
def test_grants_lose_no_call(discipline: type[Tiered], steps: list, grants: list[int]) -> None:
    """Whatever was granted to whom, every call leaves once and the sums are true."""
    crowd = Crowd(discipline(), strict=False)
    for at in range(0, len(steps), 3):
        tenants = {ticket.tenant.name: ticket.tenant for ticket in crowd.scheduler}
        crowd.scheduler.granted(list(zip(tenants.values(), grants, strict=False)))
        crowd.play(steps[at : at + 3])
    list(crowd.drain())
    assert sorted(map(id, crowd.gone)) == sorted(map(id, crowd.pushed))
    assert crowd.scheduler._waiting == 0
