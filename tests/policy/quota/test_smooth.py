"""The small delay before the wall."""

import pytest

from tidegate.model.snapshot import SmoothingPolicy
from tidegate.policy.quota.smooth import delay


@pytest.mark.parametrize(("used", "expected"), [(0, 0), (849, 0), (850, 100_000), (1_000, 100_000), (1_500, 100_000)])
def test_from_85_percent_on_100_milliseconds(used: int, expected: int) -> None:
    """The mission's figures are the defaults; a debt is past the threshold too."""
    assert delay(SmoothingPolicy(), used) == expected


def test_both_are_settable() -> None:
    """A threshold of 0 delays always, a delay of 0 never."""
    assert delay(SmoothingPolicy(threshold_permille=0, delay_us=7), 0) == 7
    assert delay(SmoothingPolicy(delay_us=0), 999) == 0
