"""Who is next."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.jobs.rows.made import LEASE, claimed, ids, new
from tidegate.jobs.rows import turns
from tidegate.jobs.rows.rows import JobRows
from tidegate.jobs.rows.turns import Picked, deal
from tidegate.policy.jobs import shares
from tidegate.store.engine import writing

BROKER = "redis://cache.example:6379/1"


@given(st.dictionaries(st.integers(1, 9), st.integers(0, 12), min_size=1), st.integers(1, 20))
def test_what_is_dealt_is_shared(waiting: dict[int, int], most: int) -> None:
    """As many as there are or fit; nobody gets two more than one who still waits; each tenant's are in order."""
    tenants = sorted(waiting)[:most]
    asked = 0

    def take(tenant: int, count: int, after: Picked) -> list[Picked]:
        nonlocal asked
        asked += 1
        last = after.number % 100 if after.number else 0
        return [Picked(0, tenant * 100 + number) for number in range(last + 1, min(last + count, waiting[tenant]) + 1)]

    dealt = deal(tenants, most, take)
    hands = {tenant: [number % 100 for number in dealt if number // 100 == tenant] for tenant in tenants}
    assert len(dealt) == min(most, sum(waiting[tenant] for tenant in tenants))
    for tenant, hand in hands.items():
        assert hand == list(range(1, len(hand) + 1))
        if len(hand) < waiting[tenant]:
            assert max(map(len, hands.values())) <= len(hand) + 1
    assert asked <= 2 * len(tenants) + most


def test_one_is_dealt_before_the_next_has_two() -> None:
    """The order in which they begin is that of turns too."""
    there = {1: [Picked(0, 10), Picked(0, 11), Picked(0, 12)], 2: [Picked(0, 20)]}
    assert deal([2, 1], 3, lambda tenant, count, after: [one for one in there[tenant] if one > after][:count]) == [
        20,
        10,
        11,
    ]


def test_every_tenant_has_a_turn_before_one_has_two(rows: JobRows) -> None:
    """One at a time, though there are many, and some join."""
    rows.submit([new(f"{tenant}{n}", tenant) for tenant in "abcde" for n in range(3)], 1)
    first = [ids(claimed(rows, 1))[0] for _ in range(5)]
    assert first == ["a0", "b0", "c0", "d0", "e0"]
    rows.submit([new("f0", "f")], 2)
    assert [ids(claimed(rows, 1))[0] for _ in range(6)] == ["f0", "a1", "b1", "c1", "d1", "e1"]


def test_who_has_his_share_is_passed_over(rows: JobRows) -> None:
    """However many hold places, and however much they have waiting: who has none finds one."""
    rows.submit([new(f"{tenant}{n}", tenant) for tenant in "abc" for n in range(20)], 1)
    first = rows.claim("", 12, "r", LEASE, 2, share=True)
    assert len(first) == 10, "three each, one more, and two stay free"
    assert rows.claim("", 2, "r", LEASE, 3, share=True) == []
    rows.submit([new(f"d{n}", "d") for n in range(9)], 4)
    assert ids(rows.claim("", 2, "r", LEASE, 5, share=True)) == ["d0"]
    assert len(rows.claim("", 2, "another", LEASE, 6, share=True)) == 2, "each runner shares its own"


def test_who_is_alone_leaves_a_quarter(rows: JobRows) -> None:
    """At once, or one after the other."""
    rows.submit([new(f"a{n}") for n in range(20)], 1)
    assert len(rows.claim("", shares.places(6), "r", LEASE, 2, share=True)) == 6
    assert [len(rows.claim("", free, "s", LEASE, 3, share=True)) for free in (4, 1)] == [3, 0]


def test_a_broker_is_given_no_more_of_a_tenant_than_his_share(rows: JobRows) -> None:
    """At the broker and running together; who has none finds a place, and is given even where all are taken."""
    rows.submit([new(f"a{n}", backend=BROKER) for n in range(20)], 1)
    sent = rows.dispatch(BROKER, 24, 10**6, 2, 8)
    assert len(sent) == 6
    assert all(rows.lease(message, "r", LEASE, 3) for message in sent)
    assert rows.dispatch(BROKER, 24, 10**6, 4, 8) == []
    rows.submit([new(f"{tenant}0", tenant, backend=BROKER) for tenant in "bcd"], 5)
    given = [message.id for _ in range(4) for message in rows.dispatch(BROKER, 24, 10**6, 6, 8)]
    assert given == ["b0", "c0", "d0"]


@pytest.mark.parametrize("frozen", ["claim", "dispatch"])
def test_nobody_waits_for_who_is_frozen(postgresql: JobRows, frozen: str) -> None:
    """In the middle of a turn: others claim what is left; a broker is given nothing meanwhile."""
    rows = postgresql
    rows.submit([new(f"a{n}") for n in range(3)] + [new("b", backend=BROKER)], 1)
    claimed(rows, 1)
    with writing(rows.engine) as connection:
        if frozen == "dispatch":
            assert turns.hold(connection, BROKER)[1]
            assert rows.dispatch(BROKER, 5, 1_000, 2) == []
        else:
            turn = turns.hold(connection, "")
            assert len(turns.pick(connection, "", 1, 2, turn)) == 1
            assert ids(rows.claim("", 5, "r", LEASE, 2)) == ["a2"]
    assert [message.id for message in rows.dispatch(BROKER, 5, 1_000, 2)] == ["b"]
