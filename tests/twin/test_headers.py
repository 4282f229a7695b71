"""The documented header forms."""

import pytest

from tidegate.twin import headers
from tidegate.twin.meter import Meter, Refusal
from tidegate.twin.settings import Limits, Rules
from tidegate.twin.windows import NEVER


@pytest.mark.parametrize(
    ("micros", "text"),
    [
        (0, "0s"),
        (1, "1ms"),
        (12_000, "12ms"),
        (120_000, "120ms"),
        (999_001, "1s"),
        (1_000_000, "1s"),
        (7_660_000, "7.66s"),
        (55_212_000, "55.212s"),
        (360_000_000, "6m0s"),
        (252_172_000, "4m12.172s"),
        (3_600_000_000, "1h0m0s"),
        (83_909_144_000, "23h18m29.144s"),
    ],
)
def test_durations_as_go_prints_them(micros, text):
    """Milliseconds below a second, then seconds with a fraction, minutes and hours; never earlier than the truth."""
    assert headers.go_duration(micros) == text


def test_the_six_limit_lines():
    """Limit, remaining and time to full, of requests and tokens."""
    meter = Meter(Limits(60, 6_000), Rules(), 0)
    meter.admit("k", 1_000, 0)
    assert headers.limits(meter.quota, 0).decode().split("\r\n") == [
        "x-ratelimit-limit-requests: 60",
        "x-ratelimit-limit-tokens: 6000",
        "x-ratelimit-remaining-requests: 59",
        "x-ratelimit-remaining-tokens: 5000",
        "x-ratelimit-reset-requests: 1s",
        "x-ratelimit-reset-tokens: 10s",
        "",
    ]


def test_a_day_that_refuses_shows_itself():
    """The headers then carry the day's bucket."""
    meter = Meter(Limits(60, 6_000, tpd=100), Rules(), 0)
    refusal = meter.admit("k", 101, 0)
    assert b"x-ratelimit-limit-tokens: 100\r\n" in headers.limits(meter.quota, 0, refusal)


@pytest.mark.parametrize(
    ("wait", "lines"),
    [
        (1, b"retry-after: 1\r\nretry-after-ms: 1\r\n"),
        (1_000_001, b"retry-after: 2\r\nretry-after-ms: 1001\r\n"),
        (NEVER, b"x-should-retry: false\r\n"),
    ],
)
def test_retry_times_are_rounded_up(wait, lines):
    """A client that waits so long is admitted; one that can never be is told not to retry."""
    assert headers.retry(Refusal("tokens", "min", 1, 1, 1, wait, "avoidable")) == lines


def test_http_dates_are_rounded_up():
    """2026-11-21T22:00:00.000001Z is told as the next second."""
    assert headers.http_date(1_795_298_400_000_001) == "Sat, 21 Nov 2026 22:00:01 GMT"


def test_headers_are_replaced_added_and_removed():
    """A lie replaces the line of its name, whatever its case; an empty one removes it."""
    head = b"a: 1\r\nb: 2\r\nc: 3\r\n"
    assert headers.overridden(head, {"B": "9", "c": "", "d": "4"}) == b"a: 1\r\nB: 9\r\nd: 4\r\n"
