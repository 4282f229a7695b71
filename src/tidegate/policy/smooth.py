"""Smoothing: near the wall, a small delay before each call instead of a run into it.

From `threshold_permille` of the token quota in use, a call that has not waited yet is held for `delay_us`. A call that
stood in the queue has been smoothed by it. O(1).
"""

from tidegate.model.snapshot import SmoothingPolicy


def delay(policy: SmoothingPolicy, used_permille: int, *, waited: bool) -> int:
    """Microseconds to hold the call before it takes its turn."""
    if waited or used_permille < policy.threshold_permille:
        return 0
    return policy.delay_us
