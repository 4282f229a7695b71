"""`tidegate usage`, against an admin port on a socket."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import insert

from tests.cli.port import served
from tests.control.admin.desk import WALL, Desk
from tests.control.admin.ledger import put
from tests.journal.facts import record
from tidegate.cli.main import main
from tidegate.cli.usage import lanes
from tidegate.store.engine import writing
from tidegate.store.lane_limits import LaneLimit, note
from tidegate.store.lane_tables import LANE_HOURS
from tidegate.store.utilisation import QuotaKey
from tidegate.units import MINUTE_US

LANE = QuotaKey("openai", "main", "gpt-4o")


@pytest.fixture
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """Two calls of a lane with a limit, and one that was refused."""
    with served(tmp_path) as (desk, url):
        monkeypatch.setenv("TIDEGATE_ADMIN_URL", url)
        monkeypatch.setenv("TIDEGATE_ADMIN_TOKEN", desk.token("viewer"))
        put(
            desk,
            replace(record(1, tokens=950), at_us=WALL - 30 * MINUTE_US),
            replace(record(2), at_us=WALL - MINUTE_US),
            replace(record(3), at_us=WALL - MINUTE_US, target="", status=429, attempts=0),
        )
        with writing(desk.office.engine) as connection:
            note(connection, WALL // MINUTE_US - 500, {LANE: LaneLimit(1_000, 0, "configured")})
        yield desk


def said(capsys: pytest.CaptureFixture[str], line: str, status: int = 0) -> str:
    ended = main(line.split())
    printed = capsys.readouterr()
    assert ended == status, printed.err
    return printed.err if status else printed.out


def test_each_quota_is_a_line_with_its_course(gate: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """A bar is full where the quota was; what was refused stands under no provider, last."""
    heading, used, refused = said(capsys, "usage").splitlines()
    assert heading.split() == ["PROVIDER", "SCOPE", "MODEL", "USE", "LAST", "PEAK", "TPM", "TOKENS", "CALLS", "REFUSED"]
    course = "·" * 14 + "█" + "·" * 14 + "▁"
    assert used.split() == ["openai", "main", "gpt-4o", course, "10%", "95%", "1,000", "1,050", "2"]
    assert refused.split() == ["chat", "·" * 29 + "█", "1", "1"]


def test_an_exhaustion_that_is_expected_is_told(gate: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """In words, and with how it is known; not of a time that is over."""
    hour = WALL // MINUTE_US // 60
    with writing(gate.office.engine) as connection:
        hours = [{"hour": hour - back, **LANE._asdict(), "charged_tokens": 90_000} for back in range(2, 50)]
        connection.execute(insert(LANE_HOURS), hours)
    assert said(capsys, "usage").splitlines()[1].endswith(" now")
    assert "now" not in said(capsys, "usage --until 2026-09-21T14:13:00Z")
    (heading, told) = said(capsys, "usage --outlook").splitlines()
    assert heading.split()[3:] == ["UNIT", "LIMIT", "LIMIT", "SOURCE", "RATE", "EXPECTED", "LIKELY", "PEAK", "METHOD"]
    assert told.split()[3:9] == ["tokens", "1,000", "configured", "20", "now", "now"]
    assert told.endswith("hour of the day")
    assert json.loads(said(capsys, "usage --outlook --json"))[0]["history_hours"] == 49


def test_steps_as_json_and_csv(gate: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """Whole, for programs."""
    found = json.loads(said(capsys, "usage --by hour --provider openai --json"))
    assert [(one["calls"], one["charged_tokens"]) for one in found["points"]] == [(1, 950), (1, 100)]
    rows = list(csv.DictReader(io.StringIO(said(capsys, "usage --by day --csv"))))
    assert {row["refused"] for row in rows} == {"0", "1"}
    assert said(capsys, "usage --provider nobody") == "nothing was used in that time\n"


@pytest.mark.parametrize(
    ("line", "status", "words"),
    [
        ("usage --csv --json", 2, "--json has no effect"),
        ("usage --since 2026-10-10", 1, "query.since"),
        ("usage --zone Mars", 1, "query.zone"),
    ],
)
@pytest.mark.usefixtures("gate")
def test_wrong_usage_is_told(capsys: pytest.CaptureFixture[str], line: str, status: int, words: str) -> None:
    """With the field and the remedy."""
    assert words in said(capsys, line, status)


def test_a_course_without_a_limit_is_drawn_against_its_own_height() -> None:
    """And says no per cent."""
    lane = {"provider": "a", "scope": "s", "model": "m", "calls": 1, "throttled": 0, "refused": 0}
    points: list[dict[str, Any]] = [
        lane | {"at": "2026-01-01T00:00:00Z", "charged_tokens": 100},
        lane | {"at": "2026-01-01T02:30:00Z", "charged_tokens": 50},
    ]
    when = {"since": "2026-01-01T00:00:00Z", "until": "2026-01-01T03:00:00Z"}
    (row,) = lanes({"by": "hour", **when, "points": points}, [])
    assert (row["use"], row["peak"], row["tokens"]) == ("█·▅", "", "150")
