"""Use against quota over time, and when quotas will be exhausted, by the admin API."""

import csv
import io
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import insert

from tests.control.admin.desk import WALL, Desk
from tests.control.admin.ledger import put
from tests.journal.facts import record
from tidegate.model.belief import Belief
from tidegate.observe.meters import LaneGauge, Report
from tidegate.store import trends
from tidegate.store.engine import writing
from tidegate.store.lane_limits import LaneLimit, note
from tidegate.store.lane_tables import LANE_HOURS
from tidegate.store.utilisation import QuotaKey
from tidegate.units import MINUTE_US

LANE = QuotaKey("openai", "main", "gpt-4o")
NOW = WALL // MINUTE_US


@pytest.fixture
def used(desk: Desk) -> Desk:
    """Three calls in two minutes, and one that the gate refused; a limit of 1,000 tokens."""
    put(
        desk,
        replace(record(1), at_us=WALL - 2 * MINUTE_US, queued_us=1_500_000, duration_us=1_600_000),
        replace(record(2), at_us=WALL - 2 * MINUTE_US),
        replace(record(3), at_us=WALL - MINUTE_US, tenant="team"),
        replace(record(4), at_us=WALL - MINUTE_US, target="", status=429, plan="=chat", attempts=0),
    )
    with writing(desk.office.engine) as connection:
        note(connection, NOW - 500, {LANE: LaneLimit(1_000, 10, "configured")})
    return desk


def asked(desk: Desk, words: str = "") -> list[dict[str, Any]]:
    answer = desk.ask("GET", f"/usage/series{words}")
    assert answer.status_code == 200, answer.text
    points: list[dict[str, Any]] = answer.json()["points"]
    return points


def test_the_last_hour_by_the_minute(used: Desk) -> None:
    """Beside the limit of that time; what is not known is left out."""
    first, refused, last = asked(used)
    assert (first["calls"], first["charged_tokens"], first["queued_seconds"]) == (2, 200, 1.5)
    assert (first["tpm"], first["quota_tokens"]) == (1_000, 1_000)
    assert (first["used_of_tokens"], first["used_of_requests"]) == (0.2, 0.2)
    assert (first["limit_source"], last["charged_tokens"]) == ("configured", 100)
    assert (refused["provider"], refused["model"], refused["refused"]) == ("", "=chat", 1)
    assert "tpm" not in refused
    assert "used_of_tokens" not in refused


def test_by_hour_and_day_and_of_one_lane(used: Desk) -> None:
    """Steps of a day are those of the zone."""
    (hour,) = asked(used, "?by=hour&provider=openai")
    assert hour["charged_tokens"] == 300
    (day,) = asked(used, "?by=day&zone=Asia/Shanghai&model=gpt-4o&scope=main")
    assert (day["at"], day["calls"]) == ("2026-09-20T16:00:00Z", 3)
    assert asked(used, "?provider=nobody") == []


def test_as_csv_it_is_a_table_and_no_formula(used: Desk) -> None:
    """With a line for each step and lane."""
    answer = used.ask("GET", "/usage/series?output=csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(row["model"], row["charged_tokens"], row["tpm"]) for row in rows] == [
        ("gpt-4o", "200", "1000"), ("'=chat", "0", ""), ("gpt-4o", "100", "1000"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "field"),
    [
        ("?by=week", "query.by"),
        ("?since=2026-01-02&until=2026-01-01", "query.since"),
        ("?since=1980-01-01", "query.since"),
        ("?zone=Mars", "query.zone"),
        ("?tenant=a", "query.tenant"),
    ],
)
def test_what_cannot_be_asked_is_told_by_its_field(used: Desk, words: str, field: str) -> None:
    """With a remedy."""
    answer = used.ask("GET", f"/usage/series{words}")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


def test_too_many_points_are_refused(used: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded."""
    monkeypatch.setattr(trends, "MOST", 1)
    answer = used.ask("GET", "/usage/series")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "query.by")


def test_the_outlook_is_against_the_limits_of_now(used: Desk) -> None:
    """As workers tell them: what was learnt counts; while none tells, those that were noted last."""
    with writing(used.office.engine) as connection:
        hours = [{"hour": NOW // 60 - back, **LANE._asdict(), "charged_tokens": 60_000} for back in range(1, 49)]
        connection.execute(insert(LANE_HOURS), hours)
    (tokens, requests) = used.ask("GET", "/usage/outlook").json()
    assert (tokens["unit"], tokens["limit"], tokens["exhausted_in_seconds"]) == ("tokens", 1_000, 0.0)
    assert (tokens["expected_at"], tokens["peak"], tokens["method"]) == (
        "2026-09-21T14:13:20Z",
        1_000,
        "hour of the day",
    )
    assert (requests["unit"], requests["limit"], "exhausted_in_seconds" in requests) == ("requests", 10, False)
    learnt = LaneGauge("openai/main/gpt-4o", 0, 1_000, -1, -1, tokens=Belief(limit=2_000, source="refusals"))
    used.board.take(Report(0, 1, 1, True, gauges=[learnt]))
    (told,) = used.ask("GET", "/usage/outlook?model=gpt-4o").json()
    assert (told["limit"], told["limit_source"], "expected_in_seconds" in told) == (2_000, "refusals", False)
    assert used.ask("GET", "/usage/outlook?model=other").json() == []
