"""Days and months of a time zone."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.policy.tenant_limits.calendar import day_of, moment, month_of

ZONES = [
    UTC, timezone(timedelta(hours=5, minutes=30)), *map(ZoneInfo, (
        "Asia/Shanghai", "America/New_York", "Europe/Dublin", "America/Havana", "Asia/Beirut", "Pacific/Apia",
        "Africa/Cairo", "America/Sao_Paulo", "Australia/Lord_Howe", "Africa/Monrovia",
    )),
]  # fmt: skip


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * 1_000_000


@pytest.mark.parametrize(
    ("zone", "now", "begins", "ends"),
    [
        ("UTC", "2026-11-22T07:00Z", "2026-11-22T00:00Z", "2026-11-23T00:00Z"),
        ("Asia/Shanghai", "2026-11-22T16:00Z", "2026-11-22T16:00Z", "2026-11-23T16:00Z"),
        ("America/New_York", "2026-03-08T12:00Z", "2026-03-08T05:00Z", "2026-03-09T04:00Z"),  # 23 hours
        ("America/New_York", "2026-11-01T12:00Z", "2026-11-01T04:00Z", "2026-11-02T05:00Z"),  # 25
        ("Asia/Beirut", "2026-03-29T03:00Z", "2026-03-28T22:00Z", "2026-03-29T21:00Z"),  # there is no midnight
        ("America/Havana", "2024-11-03T20:00Z", "2024-11-03T04:00Z", "2024-11-04T05:00Z"),  # at 1:00 it is 0:00 again
        ("America/Sao_Paulo", "2018-02-17T12:00Z", "2018-02-17T02:00Z", "2018-02-18T03:00Z"),  # at 24:00 it is 23:00
        ("Pacific/Apia", "2011-12-30T09:59Z", "2011-12-29T10:00Z", "2011-12-30T10:00Z"),  # a date that never was
    ],
)
def test_a_day_begins_at_its_midnight(zone: str, now: str, begins: str, ends: str) -> None:
    """As the clocks of the place have it, also when they are changed."""
    assert day_of(at(now), ZoneInfo(zone)) == (at(begins), at(ends))


@pytest.mark.parametrize(
    ("zone", "now", "begins", "ends"),
    [
        ("UTC", "2026-12-31T23:59Z", "2026-12-01T00:00Z", "2027-01-01T00:00Z"),
        ("UTC", "2028-02-29T12:00Z", "2028-02-01T00:00Z", "2028-03-01T00:00Z"),
        ("Europe/Dublin", "2026-03-31T12:00Z", "2026-03-01T00:00Z", "2026-03-31T23:00Z"),
        ("Asia/Shanghai", "2026-11-30T16:00Z", "2026-11-30T16:00Z", "2026-12-31T16:00Z"),
    ],
)
def test_a_month_is_a_calendar_month(zone: str, now: str, begins: str, ends: str) -> None:
    """From its first midnight to the next one's."""
    assert month_of(at(now), ZoneInfo(zone)) == (at(begins), at(ends))


CHANGES = [at("2026-11-01T04:30Z"), at("2018-02-18T02:30Z"), at("2026-03-28T22:30Z"), at("2011-12-30T10:00Z")]


@given(st.integers(0, 4_000_000_000_000_000) | st.sampled_from(CHANGES), st.sampled_from(ZONES), st.booleans())
def test_every_moment_is_in_one_period(wall: int, zone: ZoneInfo, monthly: bool) -> None:
    """Periods follow each other without a gap, and hold the moment that they were asked for."""
    of = month_of if monthly else day_of
    start, end = of(wall, zone)
    assert start <= wall < end
    assert of(end - 1, zone) == of(start, zone) == (start, end)
    assert of(end, zone)[0] == end
    assert of(start - 1, zone)[1] == start


def test_a_moment_is_told_with_its_offset() -> None:
    """RFC 3339."""
    assert moment(at("2026-11-22T16:00Z"), ZoneInfo("Asia/Shanghai")) == "2026-11-23T00:00:00+08:00"
