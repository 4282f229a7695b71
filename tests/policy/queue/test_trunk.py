"""What lower tiers leave for higher ones."""

from tidegate.policy.queue.trunk import CALLS, FORGOTTEN_US, Trunk


def test_each_rank_leaves_what_the_ranks_before_it_need() -> None:
    """Two of the largest calls of late; nobody leaves anything for those behind."""
    trunk = Trunk()
    assert trunk.floor(3, 0) == 0
    trunk.note(1, 500, 0)
    trunk.note(2, 900, 0)
    assert [trunk.floor(rank, 0) for rank in (0, 1, 2, 3)] == [0, 0, CALLS * 500, CALLS * 900]


def test_a_tier_that_calls_no_more_reserves_nothing() -> None:
    """After a minute without a call."""
    trunk = Trunk()
    trunk.note(1, 500, 0)
    assert trunk.floor(2, FORGOTTEN_US - 1) == CALLS * 500
    assert trunk.floor(2, FORGOTTEN_US) == 0


def test_one_large_call_is_forgotten_by_and_by() -> None:
    """The largest fades toward what comes."""
    trunk = Trunk()
    trunk.note(1, 100_000, 0)
    for _ in range(200):
        trunk.note(1, 100, 0)
    assert trunk.floor(2, 0) < CALLS * 200
