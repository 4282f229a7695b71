"""Every form in which a provider says when to come again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.policy.failure.retry_after import from_headers, parse

MS, SECOND, MINUTE, HOUR = 1_000, 1_000_000, 60_000_000, 3_600_000_000
WALL = 1_789_000_000 * SECOND  # 2026-09-10T00:26:40Z
YEAR = 366 * 24 * HOUR

FORMS = [
    ("15", 15 * SECOND),  # RFC 9110 seconds
    ("  15 ", 15 * SECOND),
    ("0015", 15 * SECOND),
    ("7.66", 7_660 * MS),  # Groq
    ("0.001", MS),
    ("12ms", 12 * MS),  # Go durations, as in OpenAI's reset headers
    ("1s", SECOND),
    ("2s81ms", 2_081 * MS),
    ("6m0s", 6 * MINUTE),
    ("4m12.172s", 4 * MINUTE + 12_172 * MS),
    ("5h50m30ms", 5 * HOUR + 50 * MINUTE + 30 * MS),
    ("23h18m29.144s", 23 * HOUR + 18 * MINUTE + 29_144 * MS),
    ("55.212s", 55_212 * MS),
    ("46.001s", 46_001 * MS),
    ("120ms", 120 * MS),
    ("1h", HOUR),
    ("250us", 250),
    ("250µs", 250),
    ("5000ns", 5),
    ("27s", 27 * SECOND),  # Google's RetryInfo
    ("3.700s", 3_700 * MS),
    ("52758s", 52_758 * SECOND),
    ("Thu, 10 Sep 2026 00:27:00 GMT", 20 * SECOND),  # RFC 9110 HTTP-date
    ("Thursday, 10-Sep-26 00:27:00 GMT", 20 * SECOND),
    ("2026-09-10T00:27:00Z", 20 * SECOND),  # RFC 3339, as Anthropic's resets
    ("2026-09-10T02:27:00.500+02:00", 20 * SECOND + 500 * MS),
    ("1789000020000", 20 * SECOND),  # milliseconds since 1970 (OpenRouter)
    ("1789000020", 20 * SECOND),  # seconds since 1970
]
NO_HINT = [
    "", " ", "0", "0.0", "-1", "-15", "+15", "NaN", "nan", "inf", "-inf", "Infinity", "1e3", "soon", "15 s", "s", "ms",
    "1x", "1,5", "0s", "0ms", "0h0m0s", "-6m0s", "0x10", "१५", "²", "15\x00", "15;", "1.2.3", ".5", "5.", "٣s",
    "Thu, 10 Sep 2026 00:26:00 GMT", "2026-09-10T00:26:40Z", "1788999999999", "1788999999",
    "Thu, 99 Foo 2026 25:61:00 GMT",
    "9" * 40, "9" * 5_000, "400d", "10000h", "2099-01-01T00:00:00Z", "2026-13-45T00:00:00Z", "9999999999999999",
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), FORMS, ids=[text for text, _ in FORMS])
def test_every_form_is_read(text: str, expected: int) -> None:
    """To the microsecond, as far as the form goes."""
    assert parse(text, WALL) == pytest.approx(expected, abs=1)


@pytest.mark.parametrize("text", NO_HINT, ids=lambda text: repr(text[:30]))
def test_nonsense_is_no_hint(text: str) -> None:
    """Negative, zero, past, absurd and unreadable: never "at once", never an error."""
    assert parse(text, WALL) is None


def test_a_date_without_a_zone_is_utc() -> None:
    """As RFC 9110 has it."""
    assert parse("2026-09-10T00:27:00", WALL) == 20 * SECOND


def test_milliseconds_come_first() -> None:
    """`retry-after-ms` is the finer word."""
    assert from_headers(b"1500", b"2", WALL) == 1_500 * MS
    assert from_headers(b" 1500.5 ", b"2", WALL) == 1_500_500
    assert from_headers(b"1500", None, WALL) == 1_500 * MS


@pytest.mark.parametrize("ms", [b"0", b"-5", b"NaN", b"", b"1s", b"\xff", b"9" * 400])
def test_useless_milliseconds_leave_the_seconds(ms: bytes) -> None:
    """Azure says `retry-after-ms: 0` while it throttles."""
    assert from_headers(ms, b"2", WALL) == 2 * SECOND
    assert from_headers(ms, None, WALL) is None


def test_no_headers_no_hint() -> None:
    """Neither is there."""
    assert from_headers(None, None, WALL) is None
    assert from_headers(None, b"\xfe\xff", WALL) is None


NUMBERS = st.one_of(st.integers().map(str), st.floats().map(str), st.floats().map(repr))
TEXTS = st.one_of(
    st.text(max_size=80), NUMBERS, st.from_regex(r"\A[0-9.hmsun:TZ, +-]{0,40}\Z"), st.datetimes().map(str)
)


@given(TEXTS, st.integers(0, 10**17))
def test_no_text_breaks_it(text: str, wall: int) -> None:
    """It never raises, never says now or the past, and never more than a year."""
    hint = parse(text, wall)
    assert hint is None or 0 < hint <= YEAR


@given(st.one_of(st.none(), st.binary(max_size=80)), st.one_of(st.none(), st.binary(max_size=80)))
def test_no_bytes_break_the_headers(ms: bytes | None, seconds: bytes | None) -> None:
    """Header values are any bytes."""
    hint = from_headers(ms, seconds, WALL)
    assert hint is None or 0 < hint <= YEAR


@given(st.integers(1, 300 * 86_400))
def test_whole_seconds_are_exact(seconds: int) -> None:
    """What is written plainly is read exactly."""
    assert parse(str(seconds), WALL) == seconds * SECOND
    assert from_headers(str(seconds * 1_000).encode(), None, WALL) == seconds * SECOND


@pytest.mark.parametrize(
    "text", ["Mon, 01 Jan 99999999999 00:00:00 GMT", "Mon, 01 Jan 2024 99999999999999999999:00:00 GMT"]
)
def test_a_date_beyond_all_dates_is_no_hint(text: str) -> None:
    """Python raises `OverflowError` on these."""
    assert parse(text, WALL) is None
