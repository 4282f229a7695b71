"""Reports on either database, against facts that were added up by hand."""

from collections import Counter
from datetime import UTC, datetime, tzinfo
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine

from tests.journal.facts import intent, record
from tidegate.journal.follow import Position
from tidegate.model.facts import CallRecord
from tidegate.store import calls, reports
from tidegate.store.engine import writing
from tidegate.store.forecast import ahead, forecast
from tidegate.store.reports import ReportQuery, TooMany
from tidegate.store.sums import Words
from tidegate.store.utilisation import QuotaKey, overall, utilisation
from tidegate.store.write import Batch, journal, write
from tidegate.units import DAY_US, HOUR_US

BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1_000_000)


def called(number: int, when: str, cost: int, **more: object) -> CallRecord:
    return replace(record(number), at_us=at(when), cost_nano=cost, **more)


FACTS = [
    called(1, "2026-03-01T10:20", 100, tenant="a", user="ann", client="k1", tag="web, eval"),
    called(2, "2026-03-01T10:50", 50, tenant="a", user="bob", client="k2", tag="web"),
    called(3, "2026-03-01T23:30", 7, tenant="b", client="k3"),
    called(4, "2026-03-31T22:30", 1_000, tenant="a", user="ann", client="k1", target="spare/s2/m/large"),
    replace(intent(4, tokens=400, target="spare/s2/m/large", at_us=at("2026-03-31T22:29")), tenant="a", user="ann"),
    replace(called(5, "2026-04-01T00:00", 0, tenant="b", client="k3"), status=500, target=""),
]


@pytest.fixture
def filled(engine: Engine) -> Engine:
    with writing(engine) as connection:
        write(connection, journal(connection, "a" * 32, "main"), Batch(FACTS, Position(1, 8)), Words())
    return engine


def report(engine: Engine, since: str, until: str, *by: str, zone: tzinfo = UTC, **filters: str) -> list[Any]:
    with engine.connect() as connection:
        lines = reports.report(connection, ReportQuery(at(since), at(until), by, filters, zone))
    return [(*line.group, line.sums.calls, line.sums.cost_nano) for line in lines]


def test_by_month_in_a_time_zone(filled: Engine) -> None:
    """Half past ten in the evening of the last of March is April in Berlin, and March in UTC."""
    spring = ("2026-03-01T00:00", "2026-05-01T00:00", "month")
    assert report(filled, *spring, zone=BERLIN) == [("2026-03", 3, 157), ("2026-04", 2, 1_000)]
    assert report(filled, *spring) == [("2026-03", 4, 1_157), ("2026-04", 1, 0)]


def test_by_whom_and_on_what(filled: Engine) -> None:
    """The most expensive first; values in the order that was asked for."""
    assert report(filled, "2026-03-01T00:00", "2026-04-02T00:00", "namespace", "user") == [
        ("a", "ann", 2, 1_100),
        ("a", "bob", 1, 50),
        ("b", "", 2, 7),
    ]
    assert report(filled, "2026-03-01T00:00", "2026-04-02T00:00", "model", "scope", namespace="a") == [
        ("m/large", "s2", 1, 1_000),
        ("gpt-4o", "main", 2, 150),
    ]


def test_a_call_counts_under_each_of_its_tags(filled: Engine) -> None:
    """And is found by any of them, whole words only."""
    march = ("2026-03-01T00:00", "2026-03-31T00:00")
    assert report(filled, *march, "tag") == [("web", 2, 150), ("eval", 1, 100), ("", 1, 7)]
    assert report(filled, *march, tag="eval") == [(1, 100)]
    assert report(filled, *march, "tag", tag="web") == [("web", 2, 150)]
    assert report(filled, *march, tag="") == [(1, 7)]
    assert report(filled, *march, tag="we")[0][0] == report(filled, *march, tag="%")[0][0] == 0


def test_by_hour_and_day(filled: Engine) -> None:
    """Each with the zone's own name, in order of time; empty periods have no lines."""
    first = ("2026-03-01T00:00", "2026-03-02T00:00")
    assert report(filled, *first, "hour", zone=BERLIN) == [
        ("2026-03-01T11:00+0100", 2, 150),
        ("2026-03-02T00:00+0100", 1, 7),
    ]
    assert [row[0] for row in report(filled, *first, "day", zone=BERLIN)] == ["2026-03-01", "2026-03-02"]


def test_days_cover_everything_once() -> None:
    """Over the change to summer time and in zones of half hours no hour is lost and none counts twice."""
    for zone in (BERLIN, ZoneInfo("Asia/Kolkata"), ZoneInfo("America/St_Johns")):
        hours = range(at("2026-03-27T00:00") // HOUR_US, at("2026-04-02T00:00") // HOUR_US)
        days = Counter(reports.moment_of(hour, "day", zone) for hour in hours)
        assert days.total() == len(hours)
        assert days["2026-03-29"] == (23 if zone is BERLIN else 24)


def test_periods_that_follow_each_other_share_no_hour(filled: Engine) -> None:
    """An hour is in the one in which it begins: so a month of a zone that is half an hour off has one line."""
    edges = ["2026-03-01T09:30", "2026-03-01T10:00", "2026-03-01T10:30", "2026-03-01T11:00", "2026-03-01T23:45"]
    parts = [report(filled, *pair)[0] for pair in pairwise(edges)]
    assert [sum(column) for column in zip(*parts, strict=True)] == list(report(filled, edges[0], edges[-1])[0])
    kolkata = ZoneInfo("Asia/Kolkata")
    began = ("2026-03-01T10:30", "2026-03-03T00:00")
    assert report(filled, *began, "day", zone=kolkata) == [("2026-03-02", 1, 7)]


def test_a_part_of_an_hour_is_not_held_against_the_whole(filled: Engine) -> None:
    """Of quota, too, the hours count that begin in the period."""
    lane = QuotaKey("spare", "s2", "m/large")
    period = (at("2026-03-31T21:30"), at("2026-03-31T22:01"))
    with filled.connect() as connection:
        (row,) = utilisation(connection, *period, at("2026-04-02T00:00"), {lane: 10}, {"provider": "spare"})
    assert (row.used_tokens, row.quota_tokens) == (100, 600)


def test_too_many_lines_are_refused(filled: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded whatever is asked for."""
    monkeypatch.setattr(reports, "MOST", 2)
    with pytest.raises(TooMany):
        report(filled, "2026-03-01T00:00", "2026-05-01T00:00", "hour")


def test_utilisation(filled: Engine) -> None:
    """Used of reserved, and of what the limit would have allowed; until now, where the period has not ended."""
    first, wall = at("2026-03-31T22:00"), at("2026-03-31T23:00")
    lane = QuotaKey("spare", "s2", "m/large")
    with filled.connect() as connection:
        rows = utilisation(connection, first, first + DAY_US, wall, {lane: 10, QuotaKey("x", "idle", "y"): 5}, {})
    assert [(row.lane.provider, row.used_tokens, row.reserved_tokens, row.quota_tokens) for row in rows] == [
        ("spare", 100, 400, 600),
        ("x", 0, 0, 300),
    ]
    assert (rows[0].of_reserved, rows[0].of_quota, rows[1].of_reserved) == (0.25, pytest.approx(1 / 6), -1)
    assert overall(rows).of_quota == pytest.approx(1 / 9)


def hour_of(text: str) -> int:
    return at(f"{text}T00:00") // HOUR_US


def test_a_steady_month_is_forecast_exactly() -> None:
    """Ten an hour by day and none by night, for four weeks: the rest is known, and certain."""
    now = hour_of("2026-03-20")
    costs = {hour: 10 for hour in range(now - 28 * 24, now) if 8 <= hour % 24 < 20}
    assert ahead(costs, now, 28 * 24, now + 12 * 24, 0.0, UTC) == (12 * 12 * 10, 0)


def test_weekends_are_known_after_two_weeks_and_chance_widens_the_interval() -> None:
    """A week-end costs nothing; days that differ by chance make the month less certain."""
    now = hour_of("2026-03-16")  # a Monday
    costs = {hour: 10 + (hour // 24) % 3 for hour in range(now - 28 * 24, now) if (hour // 24 + 3) % 7 < 5}
    rest, deviation = ahead(costs, now, 28 * 24, now + 7 * 24, 0.0, UTC)
    assert 5 * 24 * 10 < rest < 5 * 24 * 12
    assert deviation > 0


def test_of_the_hour_that_runs_only_the_rest_counts() -> None:
    """A quarter of it is left."""
    now = hour_of("2026-03-20")
    costs = dict.fromkeys(range(now - 48, now), 100)
    assert ahead(costs, now, 48, now + 1, 0.75, UTC) == (25, 0)


def test_forecast_of_a_month(filled: Engine) -> None:
    """What was spent is at least in it; without any history nothing is added."""
    with filled.connect() as connection:
        now = forecast(connection, at("2026-03-02T12:00"), UTC, {})
        empty = forecast(connection, at("2026-02-02T12:00"), UTC, {})
    assert (now.month, now.spent_nano, now.history_hours) == ("2026-03", 1_157, 26)
    assert now.spent_nano <= now.low_nano <= now.expected_nano <= now.high_nano
    assert empty == ("2026-02", 0, 0, 0, 0, 0)


def test_single_calls_and_their_attempts(filled: Engine) -> None:
    """The newest first, page by page; found by their id, of a namespace alone where that is asked."""

    def page(**more: Any) -> list[int]:
        return [one["call_id"] for one in calls.calls(connection, calls.CallsQuery(0, 1 << 62, **more))]

    with filled.connect() as connection:
        assert page() == [5, 4, 3, 2, 1]
        assert page(filters={"namespace": "a"}, limit=2) == [4, 2]
        assert page(filters={"namespace": "a"}, limit=2, before=(FACTS[1].at_us, 2)) == [1]
        assert page(filters={"tag": "eval"}) == [1]
        assert page(errors=True) == [5]
        found = calls.call(connection, 4, "a")
        assert found is not None
        row, tries, _ = found
        assert (row["served"], row["cost_nano"]) == ("m/large", 1_000)
        assert [(one["number"], one["provider"], one["cost_nano"]) for one in tries] == [(1, "spare", 1_000)]
        assert calls.call(connection, 4, "b") is None
        assert calls.call(connection, 99) is None
