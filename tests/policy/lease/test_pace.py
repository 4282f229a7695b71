"""How much a worker would like to hold, and what part of all spending is its own."""

from tidegate.policy.lease.pace import CALLS, Prefetch
from tidegate.policy.lease.times import HOLD_US, RENEW_US

SECOND = 1_000_000


def paced(units_per_second: int) -> Prefetch:
    pace = Prefetch()
    for step in range(1, 101):
        pace.learn(units_per_second // 100, step * SECOND // 100)
    return pace


def test_the_target_is_what_is_spent_in_a_moment() -> None:
    """A steady 10,000 a second is 4,000 in four tenths of it, nearly."""
    assert 9_000 * HOLD_US // SECOND <= paced(10_000).target <= 10_000 * HOLD_US // SECOND


def test_a_lease_is_worth_ten_of_the_largest_calls() -> None:
    """Where calls are larger each is asked for as it comes."""
    pace = paced(10_000)
    assert pace.worth(pace.target // CALLS)
    assert not pace.worth(pace.target // CALLS + 1)


def test_who_holds_more_asks_later() -> None:
    """And never later than a lease has to be renewed."""
    pace = paced(10_000)
    assert pace.lasts(pace.target) < pace.lasts(2 * pace.target) <= RENEW_US
    assert Prefetch().lasts(0) == RENEW_US


def test_a_part_is_never_nothing_and_never_more_than_all() -> None:
    """Who spends nothing of late may begin at any time."""
    pace = Prefetch()
    assert pace.part(0, 0) == 1
    assert pace.part(50, 100) == 0.5
    for _ in range(200):
        part = pace.part(0, 100)
    assert 0 < part < 0.1
    assert Prefetch().part(200, 100) == 1
