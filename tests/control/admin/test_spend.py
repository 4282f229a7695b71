"""Spend, calls, and what of limits and budgets is used, by the admin API."""

import csv
import io

import pytest

from tests.control.admin.desk import FILED, WALL, Desk
from tests.control.admin.ledger import called, write_calls
from tidegate.control.admin.services import periods
from tidegate.control.declared import Declared, DeclaredProvider, DeclaredScope
from tidegate.model.snapshot import Limits

HOUR = 3_600_000_000
DAY = 24 * HOUR


@pytest.fixture
def spent(desk: Desk) -> Desk:
    """Four calls: of two namespaces, two days and two tags; one failed."""
    for name in ("team", "other"):
        desk.made("/namespaces", {"name": name, "budget": {"per_day": 1, "per_month": 10}})
    write_calls(
        desk,
        called(1, "team", tag="a, b"),
        called(2, "team", at_us=WALL - DAY, tag="=b"),
        called(3, "other", user="bob", status=500, cost_nano=1),
        called(4, "team", at_us=WALL - 3 * HOUR, model="claude-x"),
    )
    return desk


def test_a_report_adds_up_by_any_grouping(spent: Desk) -> None:
    """The dearest first; by time, in its order; the total is of all calls, also where tags count twice."""
    found = spent.ask("GET", "/spend?by=namespace").json()
    assert [(line["namespace"], line["calls"], line["cost"]) for line in found["lines"]] == [
        ("team", 3, "0.006"), ("other", 1, "0.000000001"),
    ]  # fmt: skip
    assert (found["currency"], found["total"]["cost"], found["total"]["errors"]) == ("USD", "0.006000001", 1)
    days = spent.ask("GET", "/spend?by=day&zone=Asia/Shanghai&namespace=team").json()["lines"]
    assert [(line["day"], line["calls"]) for line in days] == [("2026-09-20", 1), ("2026-09-21", 2)]
    tags = spent.ask("GET", "/spend?by=tag&namespace=team").json()
    assert {line["tag"] for line in tags["lines"]} == {"a", "b", "=b", ""}
    assert tags["total"]["calls"] == 3
    assert spent.ask("GET", "/spend?tag=b").json()["total"]["calls"] == 1
    assert found["lines"][0]["used_of_reserved"] == 0.5


def test_a_report_as_csv_is_a_table_and_no_formula(spent: Desk) -> None:
    """What a spreadsheet would take for one is quoted."""
    answer = spent.ask("GET", "/spend?by=tag&by=model&output=csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert {row["tag"] for row in rows} == {"a", "b", "'=b", ""}
    assert rows[0]["currency"] == "USD"
    assert answer.text.startswith("tag,model,calls,errors,")


def test_the_month_and_its_end(spent: Desk) -> None:
    """Spent so far, and what is expected, within its bounds."""
    found = spent.ask("GET", "/spend/month?namespace=team").json()
    assert (found["month"], found["spent"]) == ("2026-09", "0.006")
    assert float(found["low"]) <= float(found["expected"]) <= float(found["high"])
    assert float(found["expected"]) > float(found["spent"])


def test_utilisation_is_of_what_was_reserved_and_of_the_quota(spent: Desk) -> None:
    """By lane and together; a tenant's is of no quota, which is nobody's alone."""
    lane = DeclaredScope("main", {"gpt-4o": Limits(tpm=1), "claude-x": Limits(itpm=1, otpm=1), "free": Limits()})
    spent.declaration.now = Declared(providers=(DeclaredProvider("openai", (lane,)),))
    by_lane = {row["model"]: row for row in spent.ask("GET", "/spend/utilisation").json()}
    assert (by_lane["gpt-4o"]["used_tokens"], by_lane["gpt-4o"]["used_of_reserved"]) == (45, 0.5)
    assert by_lane["claude-x"]["quota_tokens"] == 2 * by_lane["gpt-4o"]["quota_tokens"]
    assert by_lane[""]["used_of_quota"] > 0
    assert "quota_tokens" not in spent.ask("GET", "/spend/utilisation?namespace=team").json()[-1]


def test_use_is_told_beside_its_bounds(spent: Desk) -> None:
    """Of the namespace, its users and its keys, the file's too; a day is one of the namespace's time zone."""
    spent.made("/namespaces/team/users", {"name": "ann", "limits": {"tokens_per_day": 100, "rpm": 5}})
    spent.made("/namespaces/team/keys", {"name": "app", "budget": {"per_month": "0.5"}})
    of_team, ann, key = spent.ask("GET", "/namespaces/team/use").json()
    assert (of_team["money_today"], of_team["money_month"]) == (
        {"used": "0.004", "limit": "1"}, {"used": "0.006", "limit": "10"},
    )  # fmt: skip
    assert (ann["kind"], ann["tokens_today"], ann["rpm"]) == ("user", {"used": "30", "limit": "100"}, 5)
    assert (key["name"], key["money_month"]) == ("team-app", {"used": "0.006", "limit": "0.5"})
    assert key["money_today"] == {"used": "0.004"}
    filed = spent.ask("GET", f"/namespaces/{FILED.name}/use").json()
    assert [item["name"] for item in filed] == ["filed", "fred", "filed-1"]
    spent.ask("PATCH", "/namespaces/team", {"timezone": "Pacific/Kiritimati"})
    assert spent.ask("GET", "/namespaces/team/use").json()[0]["money_today"]["used"] == "0.004"


def test_calls_are_listed_page_by_page_and_shown_with_their_tries(spent: Desk) -> None:
    """The newest first; the next page begins where the last ended."""
    page = spent.ask("GET", "/calls?limit=2&since=2026-09-01&until=2026-09-30").json()
    assert [call["id"] for call in page["calls"]] == ["3", "1"]
    rest = spent.ask("GET", f"/calls?limit=9&since=2026-09-01&until=2026-09-30&before={page['next']}").json()
    assert [call["id"] for call in rest["calls"]] == ["4", "2"]
    assert "next" not in rest
    assert [call["id"] for call in spent.ask("GET", "/calls?errors=true").json()["calls"]] == ["3"]
    assert [call["id"] for call in spent.ask("GET", "/calls?tag=b").json()["calls"]] == ["1"]
    assert [call["id"] for call in spent.ask("GET", "/calls?served=claude-x").json()["calls"]] == ["4"]
    shown = spent.ask("GET", "/calls/1").json()
    assert (shown["cost"], shown["tries"][0]["charged_tokens"], len(shown["tries"])) == ("0.002", 20, 1)
    assert spent.ask("GET", "/calls/99").json()["errors"][0]["field"] == "path.call"


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/spend?by=colour", "query.by.0"),
        ("/spend?colour=red", "query.colour"),
        ("/spend?since=yesterday", "query.since"),
        ("/spend?since=2026-10-01&until=2026-09-01", "query.since"),
        ("/spend?since=1980-01-01", "query.since"),
        ("/spend?zone=Mars/Base", "query.zone"),
        ("/spend?zone=../../etc/passwd", "query.zone"),
        ("/spend?namespace=%00", "query.namespace"),
        ("/spend?tag=%00", "query.tag"),
        ("/spend?by=tag&by=model&by=key&by=user&by=day", "query.by"),
        ("/spend/month?zone=", "query.zone"),
        ("/calls?before=1", "query.before"),
        ("/calls?limit=0", "query.limit"),
        ("/calls/x", "path.call"),
        ("/calls/99999999999999999999", "path.call"),
        ("/audit?limit=many", "query.limit"),
        ("/audit?actor=a%0d%0ab", "query.actor"),
    ],
)
def test_what_cannot_be_asked_is_named(spent: Desk, path: str, field: str) -> None:
    """Never a 500, never another's data."""
    answer = spent.ask("GET", path)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["field"] == field


def test_too_many_lines_are_refused(spent: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rather than half of them."""
    monkeypatch.setattr("tidegate.store.reports.MOST", 1)
    assert spent.ask("GET", "/spend?by=model").json()["errors"][0]["field"] == "query.by"


def test_days_and_months_are_calendar_ones() -> None:
    """Also where clocks are put back: that day has 25 hours."""
    from zoneinfo import ZoneInfo

    berlin = ZoneInfo("Europe/Berlin")
    october_25 = 1_792_926_000_000_000  # 2026-10-25, noon
    first, end = periods.day(october_25, berlin)
    assert (end - first) // HOUR == 25
    first, end = periods.month(october_25, berlin)
    assert (end - first) // HOUR == 31 * 24 + 1
    december = 1_797_000_000_000_000
    assert periods.month(december, berlin).to_us > december
