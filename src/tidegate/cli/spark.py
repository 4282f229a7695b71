"""Bars of one character, and spans of time in words. No I/O."""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Final

BARS: Final = "▁▂▃▄▅▆▇█"
_NONE: Final = "·"
_SPANS: Final = ((60.0, 1.0, "s"), (3_600.0, 60.0, "min"), (172_800.0, 3_600.0, "h"))
_DAY: Final = 86_400.0


def spark(values: Sequence[float], full: float) -> str:
    """A bar for each value, the highest where it is `full` or more; a dot where it is 0."""
    return "".join(_bar(value, full) for value in values)


def _bar(value: float, full: float) -> str:
    if value <= 0 or full <= 0:
        return _NONE
    return BARS[min(len(BARS) - 1, int(value / full * len(BARS)))]


def pooled(values: Sequence[float], most: int) -> list[float]:
    """At most so many values: of neighbours the highest, so that no peak is lost."""
    if len(values) <= most:
        return list(values)
    edges = [len(values) * at // most for at in range(most + 1)]
    return [max(values[low:high]) for low, high in pairwise(edges)]


def span(seconds: float) -> str:
    """`now`, `40 s`, `12 min`, `3.5 h`, `2.1 days`."""
    if seconds < 1:
        return "now"
    for below, unit, word in _SPANS:
        if seconds < below:
            return f"{seconds / unit:.1f} {word}" if word == "h" else f"{seconds / unit:.0f} {word}"
    return f"{seconds / _DAY:.1f} days"


def moments(text: str) -> int:
    """Seconds since 1970 of a moment as RFC 3339 writes it. Raises `ValueError`."""
    return int(datetime.fromisoformat(text).timestamp())
