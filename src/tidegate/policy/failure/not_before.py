"""When may a refused call come again? A profile's row says where that stands; here it is read.

| place | what stands there |
|---|---|
| headers | `retry-after-ms`, `retry-after` |
| reset | the reset of a dimension of which nothing is left (the latest), in a header, or in a body that quotes one |
| text | "try again in 1m2.5s", "replenished in 01:30:00", "regain access on 2026-12-01 at 00:00 UTC" |
| text_beijing | the same, where a moment that names no zone is one of China's clock |
| retry_info | Google's `RetryInfo`: `"retryDelay": "34.07s"` |
| minute | no hint: a counter that starts anew with each minute of the clock |
| day, day_pacific, day_beijing | the same at midnight of UTC, of California, of China |
| month | the same on the first of the month, UTC |
| none | look no further: what stands elsewhere is not to be believed |

Places are looked at in the row's order and the first with a usable word wins. Pure; O(length of the text).
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

from tidegate.policy.failure.headers import number
from tidegate.policy.failure.headers_families import Dimension, Family
from tidegate.policy.failure.retry_after import LONGEST_US, from_headers, parse
from tidegate.units import DAY_US, HOUR_US, MINUTE_US, SECOND_US

_MARCH, _NOVEMBER, _DECEMBER = 3, 11, 12
_SUNDAY = 6
_BEIJING_US = 8 * HOUR_US

_UNITS_US = {
    "ms": 1_000, "millisecond": 1_000, "s": SECOND_US, "sec": SECOND_US, "second": SECOND_US, "m": MINUTE_US,
    "min": MINUTE_US, "minute": MINUTE_US, "h": HOUR_US, "hr": HOUR_US, "hour": HOUR_US, "d": DAY_US,
    "day": DAY_US,
}  # fmt: skip
_PART = re.compile(
    r"([0-9]{1,15}(?:\.[0-9]{1,9})?)\s?(milliseconds?|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d)"
)
_AFTER = re.compile(
    r"(?:again|retry|wait|resets?)(?: (?:in|after|for))?:? (?:about |approximately )?"
    rf"((?:{_PART.pattern}(?:, |[ ,])?){{1,6}})\b"
)
_CLOCK = re.compile(r"(?:again|replenished) in ([0-9]{1,3}):([0-9]{2}):([0-9]{2})\b")
_ON = re.compile(
    r"(?:(?:regain access|resets?|again) (?:on|at)|将在) ?([0-9]{4}-[0-9]{2}-[0-9]{2})(?: at |t| )"
    r"([0-9]{2}:[0-9]{2}(?::[0-9]{2})?)( utc|z)?"
)
_DELAY = re.compile(r'"retrydelay"\s*:\s*"([0-9a-z.]{1,40})"')
_QUOTED = re.compile(r'"x-ratelimit-reset"\s*:\s*"?([0-9]{10,16})"?')


def not_before(
    places: Sequence[str], shown: Mapping[bytes, bytes], family: Family, text: str, wall_us: int
) -> int | None:
    """Microseconds from now, None where no place tells. `shown` are the reply's headers by name, in lower case."""
    for place in places:
        if place == "none":
            return None
        found = _at(place, shown, family, text, wall_us)
        if found is not None and 0 < found <= LONGEST_US:
            return found
    return None


def _at(place: str, shown: Mapping[bytes, bytes], family: Family, text: str, wall_us: int) -> int | None:
    if place == "headers":
        return _headers(shown, family, wall_us)
    if place == "reset":
        return _reset(shown, family, text, wall_us)
    if place in ("text", "text_beijing"):
        return _text(text.lower(), wall_us, _BEIJING_US if place == "text_beijing" else 0)
    if place == "retry_info":
        told = _DELAY.search(text.lower())
        return None if told is None else parse(told[1], wall_us)
    return _turn(place, wall_us)


def _headers(shown: Mapping[bytes, bytes], family: Family, wall_us: int) -> int | None:
    precise, coarse = shown.get(b"retry-after-ms"), shown.get(b"retry-after")
    if not family.honest and precise is not None and from_headers(precise, None, wall_us) is None:
        return None
    return from_headers(precise, coarse, wall_us)


def _reset(shown: Mapping[bytes, bytes], family: Family, text: str, wall_us: int) -> int | None:
    latest: int | None = None
    for dimension in (family.requests, family.tokens, family.inputs, family.outputs):
        found = _exhausted(dimension, shown, wall_us)
        if found is not None and (latest is None or found > latest):
            latest = found
    if latest is None and (told := _QUOTED.search(text.lower())) is not None:
        return parse(told[1], wall_us)
    return latest


def _exhausted(dimension: Dimension, shown: Mapping[bytes, bytes], wall_us: int) -> int | None:
    reset = shown.get(dimension.reset)
    if reset is None or number(shown.get(dimension.left)) != 0:
        return None
    return parse(reset.decode("latin-1"), wall_us)


def _text(text: str, wall_us: int, ahead_us: int) -> int | None:
    clock = _CLOCK.search(text)
    if clock is not None:
        return int(clock[1]) * HOUR_US + int(clock[2]) * MINUTE_US + int(clock[3]) * SECOND_US
    after = _AFTER.search(text)
    if after is not None:
        return int(sum(float(amount) * _UNITS_US[_singular(unit)] for amount, unit in _PART.findall(after[1])))
    on = _ON.search(text)
    if on is None:
        return None
    return parse(f"{on[1]}T{on[2]}Z", wall_us + (0 if on[3] else ahead_us))


def _singular(unit: str) -> str:
    return unit.rstrip("s") if len(unit) > len("ms") else unit


def _turn(place: str, wall_us: int) -> int | None:
    """How long until the clock's next minute, day or month."""
    if place == "minute":
        return MINUTE_US - wall_us % MINUTE_US
    if place == "month":
        return _month(wall_us)
    if place == "day_pacific":
        return _until_midnight(wall_us, _pacific(wall_us))
    return _until_midnight(wall_us, _BEIJING_US if place == "day_beijing" else 0)


def _until_midnight(wall_us: int, ahead_us: int) -> int:
    return DAY_US - (wall_us + ahead_us) % DAY_US


def _month(wall_us: int) -> int:
    now = datetime.fromtimestamp(wall_us // SECOND_US, UTC)
    later = now.month == _DECEMBER
    first = datetime(now.year + later, 1 if later else now.month + 1, 1, tzinfo=UTC)
    return int(first.timestamp()) * SECOND_US - wall_us


def _pacific(wall_us: int) -> int:
    """How far California's clock is ahead of UTC: negative. Where the clock changes in that night, an hour is lost.

    Daylight saving lasts from the second Sunday of March to the first of November (US Energy Policy Act of 2005). No
    time-zone data base is asked: it is a file, and not on every machine.
    """
    now = datetime.fromtimestamp(wall_us // SECOND_US - 8 * 3_600, UTC).date()
    summer = _sunday(now.year, _MARCH, 2) <= now < _sunday(now.year, _NOVEMBER, 1)
    return -7 * HOUR_US if summer else -8 * HOUR_US


def _sunday(year: int, month: int, which: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(_SUNDAY - first.weekday()) % 7 + 7 * (which - 1))
