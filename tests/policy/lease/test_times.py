"""The order of the moments that keeps a partition exact."""

from tidegate.policy.lease import times


def test_everybody_has_stopped_counting_on_a_lost_one_before_it_begins() -> None:
    """A beat that arrived late did nothing, and who has not heard of the membership asks for nothing."""
    assert times.IN_TIME_US + times.LOST_US + times.STALE_US <= times.LOCAL_US


def test_a_lease_is_void_for_its_holder_first() -> None:
    """With time to renew it twice."""
    assert 0 < times.SAFE_US < times.LEASE_US
    assert 2 * times.RENEW_US <= times.LEASE_US - times.SAFE_US


def test_a_beat_may_be_missed() -> None:
    """One lost packet makes nobody lost."""
    assert 2 * times.BEAT_US < times.LOST_US
