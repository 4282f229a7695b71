"""A promised part of a pool."""

from tidegate.model.tenant import GUARANTEED
from tidegate.policy.queue.share import SHARE_WINDOW_US, Share


def test_a_share_covers_its_part_and_no_more() -> None:
    """30 % of 6,000 a minute are 300 in ten seconds; then it waits for its own refill."""
    share = Share("acme", 300, 6_000, 0)
    assert share.claim.tier is GUARANTEED
    assert share.use(300, 0)
    assert not share.use(1, 0)
    assert share.use(30, SHARE_WINDOW_US // 10)


def test_a_claim_that_was_not_used_returns() -> None:
    """The caller left before its turn."""
    share = Share("acme", 300, 6_000, 0)
    assert share.use(300, 0)
    share.give_back(200, 0, 0)
    assert share.use(200, 0)


def test_a_share_follows_the_pools_limit() -> None:
    """Half the limit, half the claim."""
    share = Share("acme", 300, 6_000, 0)
    share.resize(3_000, 0)
    assert not share.use(151, 0)
    assert share.use(150, 0)
