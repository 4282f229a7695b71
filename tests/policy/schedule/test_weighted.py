import pytest
from hypothesis import given

from tests.policy.schedule.crowd import MS, SECOND, STEPS, Crowd, fixed
from tidegate.model.tenant import BATCH, FREE, GUARANTEED, VIP, Tenant, Tier
from tidegate.policy.schedule.face import Ticket
from tidegate.policy.schedule.weighted import AGING_US, COST_MOST_US, MOST_US, TOKEN_US, Weighted


def key(ticket: Ticket) -> int:
    """The header's formula once more."""
    tenant = ticket.seat.tenant
    product = tenant.tier.weight_milli * tenant.weight_milli / 1e6
    return int(ticket.arrived + min(MOST_US, (AGING_US + min(ticket.cost * TOKEN_US, COST_MOST_US)) / product))


@given(steps=STEPS)
def test_the_smallest_key_of_first_calls_goes_first(steps: list) -> None:
    """As a search through all tenants finds it, after whatever came, went, came back and was renewed."""
    crowd = Crowd(Weighted(), strict=False)
    for step in [*steps, *[("pop", 0, 0)] * 40]:
        if crowd.waiting():
            best = min(key(row[0]) for row in crowd.lists.values() if row)
            head = crowd.scheduler.head(crowd.now)
            assert head is not None
            assert abs(key(head) - best) <= 1
        crowd.play([step])


@pytest.mark.parametrize(("low", "seconds"), [(FREE, 23.25), (BATCH, 54.25)])
def test_a_low_tier_waits_for_the_difference_of_handicaps_at_most(low: Tier, seconds: float) -> None:
    """Vip calls that come later than that go behind it, and it says that it goes before a higher tier."""
    scheduler = Weighted()
    ticket = Ticket(Tenant("low", low), 2_000, 0)
    scheduler.push(ticket, 0)
    limit = int(seconds * SECOND)
    early, late = (Ticket(Tenant(name, VIP), 2_000, at) for name, at in (("e", limit - MS), ("l", limit + MS)))
    scheduler.push(early, early.arrived)
    scheduler.push(late, late.arrived)
    assert scheduler.pop(60 * SECOND) is early
    assert not early.boosted
    assert scheduler.pop(60 * SECOND) is ticket
    assert ticket.boosted
    assert scheduler.pop(60 * SECOND) is late


def test_no_weight_is_so_small_that_it_starves() -> None:
    """A thousandth of a batch tenant waits for at most `MOST_US` more than one that is served at once."""
    scheduler = Weighted()
    least = Ticket(Tenant("least", BATCH, 1), 1_000_000, 0)
    scheduler.push(least, 0)
    scheduler.push(Ticket(Tenant("v", VIP, 1_000_000), 1, MOST_US), MOST_US)
    assert scheduler.pop(MOST_US) is least


def test_weight_and_cost_shift_within_a_tier() -> None:
    """Of calls that came together the weightier tenant's goes first, and of equals the smaller."""
    scheduler = Weighted()
    light, heavy, equal = fixed(FREE, 1_000, 2_000, 1_000)
    for tenant, cost in ((light, 900), (equal, 500), (heavy, 900)):
        scheduler.push(Ticket(tenant, cost, 0), 0)
    assert [scheduler.pop(0).tenant for _ in range(3)] == [heavy, equal, light]


def test_what_was_promised_goes_before_all() -> None:
    """The tier `guaranteed` is first, as in the other disciplines."""
    scheduler = Weighted()
    scheduler.push(Ticket(Tenant("v", VIP, 9_000), 1, 0), 0)
    promised = Ticket(Tenant(" claim", GUARANTEED), 30_000, 60 * SECOND)
    scheduler.push(promised, 60 * SECOND)
    assert scheduler.pop(60 * SECOND) is promised


def test_entries_of_those_who_left_are_bounded() -> None:
    """Ten thousand tenants that come and leave at once leave less than a hundred entries."""
    scheduler = Weighted()
    scheduler.push(Ticket(Tenant("stays", VIP), 1, 0), 0)
    for at in range(10_000):
        ticket = Ticket(Tenant(f"t{at}", FREE), 10, at)
        scheduler.push(ticket, at)
        scheduler.remove(ticket, at)
    assert len(scheduler._heap._entries) < 100
    assert len(scheduler._flows) == len(scheduler._heap._flows) == 1


def test_a_newcomer_waits_for_what_is_old_enough() -> None:
    """All of a tier that counts no later is ahead; of a lower one the part that has aged enough; its own calls."""
    scheduler = Weighted()
    for at in range(10):
        scheduler.push(Ticket(Tenant("v", VIP), 1_000, at), at)
        scheduler.push(Ticket(Tenant("f", FREE), 1_000, at * 10 * SECOND), at * 10 * SECOND)
    ahead = scheduler.ahead(Tenant("v", VIP), 1_000, 100 * SECOND)
    assert (ahead.requests, ahead.tokens) == (18, 10_000 + 7_713)
    ahead = scheduler.ahead(Tenant("new", FREE), 1_000, 100 * SECOND)
    assert (ahead.requests, ahead.tokens) == (20, 20_000)
    ahead = scheduler.ahead(Tenant("new", VIP), 1_000, 10 * SECOND)
    assert (ahead.requests, ahead.tokens) == (10, 10_000)
