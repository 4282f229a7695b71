"""Moments and spans as JSON says them: RFC 3339, seconds since 1970, seconds from now."""

import math
import re
from datetime import UTC, datetime, timedelta
from typing import Final

from tidegate.units import SECOND_US

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_LAST_SECOND: Final = 253_402_300_799  # of the year 9999
_RFC_3339: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII)


def moment_us(value: object) -> int | None:
    """Microseconds since 1970 of a text as of RFC 3339 or of a number of seconds; None where it is neither."""
    if isinstance(value, str):
        return _of_text(value)
    seconds = span_us(value)
    return seconds if seconds is not None and 0 <= seconds <= _LAST_SECOND * SECOND_US else None


def span_us(value: object) -> int | None:
    """Microseconds of a number of seconds; None where it is no number, or not finite."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return value * SECOND_US if isinstance(value, int) else round(value * SECOND_US)


def shown(moment: int) -> str | None:
    """As RFC 3339 says it, in UTC and milliseconds; None for 0, which is no moment."""
    if not moment:
        return None
    whole = _EPOCH + timedelta(microseconds=moment)
    return f"{whole:%Y-%m-%dT%H:%M:%S}.{whole.microsecond // 1_000:03d}Z"


def _of_text(value: str) -> int | None:
    if _RFC_3339.fullmatch(value) is None:
        return None
    try:
        read = datetime.fromisoformat(value.upper())
        return max(0, (read - _EPOCH) // _MICROSECOND)
    except (ValueError, OverflowError):
        return None
