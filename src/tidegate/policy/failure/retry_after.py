"""When may we come again? Every form in which providers say it.

Sources: RFC 9110 10.2.3 (seconds, HTTP-date); OpenAI and Azure `retry-after-ms`; Groq (fractions of a second); Go
durations as in `x-ratelimit-reset-*`; Google `RetryInfo.retryDelay`; RFC 3339 (Anthropic); milliseconds (OpenRouter)
or seconds since 1970. Negative, zero, NaN and nonsense are "no hint", never "at once". O(length).
"""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_UNITS_US = {"h": 3_600_000_000, "m": 60_000_000, "s": 1_000_000, "ms": 1_000, "us": 1, "µs": 1, "ns": 0.001}
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|us|µs|ns|h|m|s)")
_DURATION = re.compile(r"(?:[0-9]+(?:\.[0-9]+)?(?:ms|us|µs|ns|h|m|s))+")
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_EPOCH_S = 1_000_000_000  # larger than any sane span: seconds since 1970, from 2001 on
_EPOCH_MS = 100_000_000_000  # milliseconds, from 1973 on
LONGEST_US = 366 * 86_400 * 1_000_000  # what is longer is no word


def parse(text: str, wall_us: int) -> int | None:
    """Microseconds from now, or None when the text holds no usable hint. `wall_us` counts from 1970."""
    text = text.strip()
    if len(text) > 64:
        return None
    if _NUMBER.fullmatch(text):
        number = float(text)
        if number >= _EPOCH_MS:
            return _sane(number * 1_000 - wall_us)
        return _sane(number * 1_000_000 - (wall_us if number >= _EPOCH_S else 0))
    if _DURATION.fullmatch(text):
        return _sane(sum(float(n) * _UNITS_US[unit] for n, unit in _PART.findall(text)))
    moment = _date(text)
    return None if moment is None else _sane(moment.timestamp() * 1_000_000 - wall_us)


def from_headers(retry_after_ms: bytes | None, retry_after: bytes | None, wall_us: int) -> int | None:
    """The hint of a refusal's headers, `retry-after-ms` first, in microseconds from now."""
    if retry_after_ms is not None:
        text = retry_after_ms.decode("latin-1").strip()
        if _NUMBER.fullmatch(text) and (found := _sane(float(text) * 1_000)) is not None:
            return found
    return None if retry_after is None else parse(retry_after.decode("latin-1"), wall_us)


def _sane(us: float) -> int | None:
    return int(us) if 0 < us <= LONGEST_US else None


def _date(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text) if text[:1].isdigit() else parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
