"""Smoothing: near the wall, a small delay before each call instead of a run into it.

From `threshold_permille` of the token quota in use, a call that has not waited yet is held for `delay_us`. A call that
stood in the queue has been smoothed by it. Where calls are being refused the wall is behind us: a delay would only tell
the next refusal later, so there is none. O(1).
"""

from tidegate.model.snapshot import SmoothingPolicy


def delay(policy: SmoothingPolicy, used_permille: int) -> int:
    """Microseconds to hold a call that has not waited before it takes its turn."""
    return policy.delay_us if used_permille >= policy.threshold_permille else 0
