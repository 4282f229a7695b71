"""A lower limit before it is believed."""

import pytest

from tidegate.line.doubt import Doubt
from tidegate.policy.learned.trust import START, Trust
from tidegate.policy.quota.bucket import Bucket


@pytest.mark.parametrize(("score", "replies"), [(START, 3), (START - 1, 6)])
def test_it_is_settled_when_enough_replies_agree(score: int, replies: int) -> None:
    """The first one included; more where headers have been wrong before. Meanwhile it excludes nobody."""
    bucket = Bucket(100, 0)
    doubt = Doubt(100, bucket, 0, cautious=True)
    assert bucket.firm_until == 0
    assert [doubt.settled(Trust(score)) for _ in range(2, replies)] == [False] * (replies - 2)
    assert doubt.settled(Trust(score))
