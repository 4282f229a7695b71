"""`python -m tidegate.dryrun`: what the control process runs beside the calls."""

import json
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tests.dryrun.days import call, on_edge
from tidegate.dryrun.__main__ import Counted
from tidegate.dryrun.spool import Spool
from tidegate.model.arrivals import ArrivalsFile

POLICY = """
providers:
  openai:
    dialect: openai
    base_url: http://127.0.0.1:9/v1
    window: continuous
    jitter_ms: 0
    scopes: [{name: main, keys: [sk-1], limits: {gpt-4o: {rpm: 60}}}]
"""


def told(folder: Path, new: str) -> list[dict[str, object]]:
    """All that it says, line by line."""
    rows = [ArrivalsFile(0), *on_edge()]
    (folder / "calls").write_bytes(b"".join(msgspec.json.encode(row) + b"\n" for row in rows))
    (folder / "new").write_text(new)
    (folder / "current").write_text(POLICY)
    words = [str(folder / name) for name in ("tidegate.yaml", "new", "current", "calls")]
    done = subprocess.run(
        [sys.executable, "-m", "tidegate.dryrun", *words], capture_output=True, text=True, check=False, timeout=120
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_both_policies_are_played_five_times_and_it_is_told_how_far_it_is(tmp_path: Path) -> None:
    """Each per cent once, up to the last; then the report, as the command has it."""
    *progress, last = told(tmp_path, POLICY)
    percents = [int(str(one["percent"])) for one in progress]
    assert percents == sorted(set(percents))
    assert (percents[-1], len(percents)) == (99, 99)
    report = last["report"]
    assert isinstance(report, dict)
    assert (report["plays"], report["before"], report["calls"]) == (5, "current", 159)
    whole = report["groups"][0]
    assert whole["before_spread"] == whole["after_spread"] != {}
    assert whole["unsure"] == []


def test_how_far_it_is_counts_all_plays_of_both_policies(capsys: pytest.CaptureFixture[str]) -> None:
    """Each reading of the calls is as much of the whole as any other."""
    with Spool() as spool:
        spool.fill(call(n) for n in range(200))
        counted, seen = Counted(spool, 2), list[int]()
        for _ in range(1 + 2 * 2):
            assert len(list(counted)) == 200
            seen.append(json.loads(capsys.readouterr().out.splitlines()[-1])["percent"])
    assert seen == [20, 40, 60, 80, 99]


def test_a_policy_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    """In the loader's words."""
    (one,) = told(tmp_path, "providers: 7\n")
    assert "providers" in str(one["failed"])
