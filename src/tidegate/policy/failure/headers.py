"""What rate-limit headers say about a quota, and how far to believe it.

A reset header is the time to *full*, so a continuous bucket's period is `reset × limit / used`: a triple whose period
is far longer than a minute shows another bucket (the day's, usually) and is ignored; one whose period is far shorter
is no sane word about the minute. What is left is rounded down, so with little used the period is known coarsely only. A
window's reset is the time to its edge. Thousands commas are read; -1, a limit of 0 and nonsense say nothing. Sources:
OpenAI rate-limit guide; the samples in the tests. O(1).
"""

from collections.abc import Mapping
from typing import Final

from tidegate.policy.failure.headers_families import Dimension, Family
from tidegate.policy.failure.retry_after import parse
from tidegate.policy.queue.records import Seen as Seen
from tidegate.units import MINUTE_US

_MINUTE_S: Final = 60
_RESET_STEP_US: Final = 1_000
_COARSE_STEP_US: Final = 1_000_000
_UNKNOWN: Final = 1 << 62
_MOST_DIGITS: Final = 18  # what fits 63 bits
_ZERO: Final = 48  # in ASCII
_TEN: Final = 10


def number(text: bytes | None) -> int:
    """A whole number, or -1."""
    if not text:
        return -1
    plain = _plain(text)
    return plain if plain >= 0 else _plain(text.strip().replace(b",", b""))


def _plain(digits: bytes) -> int:
    """The number of these digits, -1 where something else is among them: as `int`, without its cost when compiled."""
    if not digits or len(digits) > _MOST_DIGITS:
        return -1
    value = 0
    for at in range(len(digits)):
        digit = digits[at] - _ZERO
        if not 0 <= digit < _TEN:
            return -1
        value = value * _TEN + digit
    return value


def minute(
    shown: Mapping[bytes, bytes], family: Family, dimension: Dimension, wall_us: int, *, gradual: bool
) -> Seen | None:
    """The minute's quota of one dimension, as this family of headers shows it; None when it does not.

    Where resets are moments their distance depends on two clocks: so it tells the minute from the day, and no more.
    """
    if dimension.period and number(shown.get(dimension.period)) not in (-1, _MINUTE_S):
        return None
    limit, left, reset = shown.get(dimension.limit), shown.get(dimension.left), shown.get(dimension.reset)
    if family.absolute:
        return read(limit, left, reset, gradual=False, wall_us=wall_us)
    return read(limit, left, reset, gradual=gradual)


def read(
    limit: bytes | None, left: bytes | None, reset: bytes | None, *, gradual: bool = True, wall_us: int = 0
) -> Seen | None:
    """The minute's quota, or None when the headers do not show it. `gradual`: it refills evenly, not at an edge.

    `wall_us` counts from 1970, for resets that are moments.
    """
    whole, remaining = number(limit), number(left)
    if whole <= 0 or remaining < 0:
        return None
    span = parse(reset.decode("latin-1"), wall_us) if reset is not None else None
    if span is None or remaining > whole:
        return Seen(whole, remaining, remaining > whole)
    shortest, longest = period(whole, remaining, span) if gradual else (span, _UNKNOWN)
    if shortest > 2 * MINUTE_US:
        return None
    return Seen(whole, remaining, longest < MINUTE_US // 2)


def period(limit: int, left: int, reset_us: int) -> tuple[int, int]:
    """Between what the period of a continuous bucket lies that shows this triple, in microseconds.

    What is left may be rounded either way and the reset to a millisecond, or to a second where it is whole seconds.
    """
    used = max(limit - left, 0)
    step = _COARSE_STEP_US if reset_us % _COARSE_STEP_US == 0 else _RESET_STEP_US
    shortest = (reset_us - _RESET_STEP_US) * limit // (used + 1)
    return shortest, (reset_us + step) * limit // (used - 1) if used > 1 else _UNKNOWN
