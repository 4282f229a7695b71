"""The part of late service that goes to higher tiers."""

from tidegate.policy.queue.above import MOST_PERMILLE, WINDOW_US, Above


def test_the_part_of_the_ranks_before() -> None:
    """Of all service, in thousandths; nothing served is nothing above."""
    above = Above()
    assert above.permille(3, 0) == 0
    above.served(1, 300, 0)
    above.served(2, 700, 0)
    assert [above.permille(rank, 0) for rank in (1, 2, 3)] == [0, 300, MOST_PERMILLE]


def test_service_of_long_ago_counts_no_more() -> None:
    """The window before the last one is gone."""
    above = Above()
    above.served(1, 300, 0)
    assert above.permille(2, WINDOW_US) == MOST_PERMILLE
    above.served(2, 300, WINDOW_US)
    assert above.permille(2, WINDOW_US) == 500
    assert above.permille(2, 2 * WINDOW_US) == 0
