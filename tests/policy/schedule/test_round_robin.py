from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from tests.policy.schedule.crowd import fixed
from tidegate.model.tenant import FREE
from tidegate.policy.schedule.face import Ticket
from tidegate.policy.schedule.round_robin import RoundRobin

TENANTS = fixed(FREE, 1_000, 1_000, 5_000, 1_000)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 900)), min_size=1, max_size=60))
def test_turns_are_those_of_a_plain_ring(calls: list[tuple[int, int]]) -> None:
    """The order is that of a list whose first goes to the end after each turn."""
    scheduler = RoundRobin()
    rows: dict[int, list[Ticket]] = {}
    for who, cost in calls:
        ticket = Ticket(TENANTS[who], cost, 0)
        rows.setdefault(who, []).append(ticket)
        scheduler.push(ticket, 0)
    ring = list(rows)
    while ring:
        who = ring.pop(0)
        assert scheduler.pop(0) is rows[who].pop(0)
        if rows[who]:
            ring.append(who)
    assert len(scheduler) == 0


def test_who_waits_throughout_has_as_many_turns_as_others() -> None:
    """Calls are counted, not tokens nor weights; one that leaves in the middle costs nobody a turn."""
    scheduler = RoundRobin()
    for at in range(200):
        scheduler.push(Ticket(TENANTS[at % 4], 1 + 99 * (at % 2), 0), 0)
    guest = Ticket(fixed(FREE, *[1_000] * 5)[4], 5, 0)
    scheduler.push(guest, 0)
    scheduler.pop(0)
    scheduler.remove(guest, 0)
    turns = Counter(scheduler.pop(0).tenant.name for _ in range(103))
    assert max(turns.values()) - min(turns.values()) <= 1


def test_a_newcomer_waits_for_one_turn_of_each() -> None:
    """`ahead` counts a call of the mean size of each other tenant for each of its own calls and the new one."""
    scheduler = RoundRobin()
    for tenant in TENANTS[:3]:
        for _ in range(10):
            scheduler.push(Ticket(tenant, 100, 0), 0)
    ahead = scheduler.ahead(TENANTS[3], 1, 0)
    assert (ahead.requests, ahead.tokens) == (3, 300)
    scheduler.push(Ticket(TENANTS[3], 50, 0), 0)
    ahead = scheduler.ahead(TENANTS[3], 1, 0)
    assert (ahead.requests, ahead.tokens) == (7, 650)
    ahead = scheduler.ahead(TENANTS[0], 1, 0)
    assert ahead.requests == 31
