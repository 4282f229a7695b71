"""What `x-ratelimit-*` says about a quota, and how far to believe it.

A reset header is the time to *full*, so a continuous bucket's period is `reset × limit / used`: a triple whose period
is far from a minute shows another bucket (the day's, usually) and is ignored. A window's reset is the time to its
edge. Thousands commas are read; -1, a limit of 0 and nonsense say nothing. Sources: OpenAI rate-limit guide; the
samples in the tests. O(1).
"""

import msgspec

from tidegate.policy.retry_after import parse

MINUTE_US = 60_000_000
_RESET_STEP_US = 1_000


class Seen(msgspec.Struct, frozen=True, gc=False):
    """One dimension as the provider shows it: whole requests or tokens."""

    limit: int
    left: int


def number(text: bytes | None) -> int:
    """A whole number, or -1."""
    if not text:
        return -1
    if text.isdigit() and len(text) < 19:  # what fits 63 bits
        return int(text)
    digits = text.strip().replace(b",", b"")
    return int(digits) if digits.isdigit() and len(digits) < 19 else -1


def read(limit: bytes | None, left: bytes | None, reset: bytes | None, *, gradual: bool = True) -> Seen | None:
    """The minute's quota, or None when the headers do not show it. `gradual`: it refills evenly, not at an edge."""
    whole, remaining = number(limit), number(left)
    if whole <= 0 or remaining < 0 or (reset is not None and not _of_a_minute(whole, remaining, reset, gradual)):
        return None
    return Seen(whole, remaining)


def _of_a_minute(limit: int, left: int, reset: bytes, gradual: bool) -> bool:
    """False when even the shortest period that fits the triple is longer than two minutes."""
    span = parse(reset.decode("latin-1"), 0)
    if not gradual:
        return span is None or span <= 2 * MINUTE_US
    # `left` is rounded down and the reset to a millisecond or worse, so the true period may be shorter than it looks.
    return span is None or (span - _RESET_STEP_US) * limit <= 2 * MINUTE_US * (limit - left + 1)


def deficit(expected_left: int, seen_left: int, limit: int, already: int) -> int:
    """Tokens that somebody else spent: what we thought was left right after a charge, less what the provider shows.

    `expected_left` is the mirror after our own charge, which over-estimates what was spent, never what was left;
    `already` has been booked since. Differences within 1 % of the limit are noise: 0.
    """
    missing = expected_left - seen_left - already
    return missing if missing * 100 > limit else 0
