"""`tidegate policy`, against an admin port on a socket and without one."""

from pathlib import Path

import msgspec
import pytest

from tests.cli import test_manage
from tests.cli.test_manage import Said
from tests.control.admin.desk import Desk
from tests.control.admin.ledger import called, write_calls
from tests.dryrun.days import call, on_edge
from tidegate.cli.policy_view import sentence, show
from tidegate.dryrun.outcome import ANSWERED, Outcome
from tidegate.dryrun.report import Finding, Report
from tidegate.dryrun.spread import Means, groups
from tidegate.dryrun.tally import Tally
from tidegate.model.arrivals import ArrivalsFile

POLICY = """
providers:
  openai:
    dialect: openai
    base_url: http://127.0.0.1:9/v1
    scopes: [{name: main, keys: [sk-1], limits: {gpt-4o: {rpm: %d}}}]
strategies:
  unused: {primary_model: gpt-4o-mini}
"""
gate, said = test_manage.gate, test_manage.said  # fixtures
EVER = "--since 2026-09-01 --until 2027-01-01"


@pytest.fixture
def new(tmp_path: Path) -> Path:
    path = tmp_path / "new.yaml"
    path.write_text(POLICY % 600)
    return path


def test_calls_of_a_running_gate_are_played(gate: Desk, said: Said, new: Path) -> None:
    """The table says what changes, and which rule no call met."""
    write_calls(gate, *(called(n, "team", tag=str(n)) for n in range(1, 9)))
    told = said(f"policy test {new} {EVER}")
    assert "8 calls that arrived" in told
    assert "strategy unused: no call asked for it" in told
    report = said.json(f"policy test {new} {EVER}")
    assert (report["before"], report["groups"][0]["after"]["answered"]) == ("recorded", 8)


def test_an_export_is_as_good_as_the_gate(gate: Desk, said: Said, new: Path, tmp_path: Path) -> None:
    """Only its owner may read the file; a second one takes another name."""
    write_calls(gate, *(called(n, "team", tag=str(n)) for n in range(1, 9)))
    file = tmp_path / "calls.ndjson"
    said(f"policy export {file} {EVER}")
    assert file.stat().st_mode & 0o777 == 0o600
    assert said.json(f"policy test {new} --arrivals {file}") == said.json(f"policy test {new} {EVER}")
    assert "name a file that is not there yet" in said(f"policy export {file}", status=2)
    tight = tmp_path / "tight.yaml"
    tight.write_text(POLICY % 1)
    both = said.json(f"policy test {tight} --against {new} --arrivals {file}")
    assert (both["before"], both["groups"][0]["before"]["refused"]) == ("current", 0)
    assert both["groups"][0]["after"]["queued"] + both["groups"][0]["after"]["refused"] == 7


def test_figures_have_their_spread(said: Said, tmp_path: Path) -> None:
    """Beside each mean how far plays lie apart, and what chance may have changed is marked; once, there is neither."""
    new, file = tmp_path / "new.yaml", tmp_path / "calls.ndjson"
    new.write_text((POLICY % 60).replace("scopes:", "window: continuous\n    jitter_ms: 0\n    scopes:"))
    rows = [ArrivalsFile(0), *on_edge()]
    file.write_bytes(b"".join(msgspec.json.encode(row) + b"\n" for row in rows))
    command = f"policy test {new} --arrivals {file}"
    several = said.json(f"{command} --plays 3")
    assert several["plays"] == 3
    assert several["groups"][0]["after_spread"]["queued"] > 0
    assert said.json(f"{command} --plays 3") == several
    told = said(f"{command} --plays 3 --rows 3")
    assert f"{several['groups'][0]['after']['queued']} ± " in told
    assert "Played 3 times" in told
    once = said(f"{command} --plays 1")
    assert "±" not in once
    assert "Played once" in once
    assert "write a number from 1 to 1,000" in said(f"{command} --plays 0", status=2)


def test_a_change_within_chance_is_marked(capsys: pytest.CaptureFixture[str]) -> None:
    """In the tables, and with a sentence that says what the mark means."""
    draws = [Means(), Means()]
    for means, plays in zip(draws, ((50, 53), (51, 56)), strict=True):
        for queued in plays:
            tally = Tally()
            for n in range(100):
                tally.add(call(n), Outcome(ANSWERED, waited_us=2_000 * (n < queued), cost_nano=10**9 + n % queued))
            means.add(tally)
    found = groups(*draws, drawn=True)
    assert {"queued", "cost_nano"} <= set(found[0].unsure)
    report = Report(0, 1, 100, "current", found, (), (), (), found[0].after, "USD", 2)
    show(report, 10)
    told = capsys.readouterr().out
    assert "54 ± 4" in told
    assert "+2 ?" in told
    assert "? : the change is no larger than what chance makes of the same calls; decide nothing by it" in told


def test_who_would_be_degraded_is_told_by_namespace(capsys: pytest.CaptureFixture[str]) -> None:
    """Beside who would be refused, queued and moved."""
    draws = [Means(), Means()]
    for means, less in zip(draws, ("", "model"), strict=True):
        tally = Tally()
        for n in range(30):
            tally.add(call(n, namespace="ab"[n % 2]), Outcome(ANSWERED, degraded=less if n in range(1, 15, 2) else ""))
        means.add(tally)
    found = groups(*draws, drawn=True)
    show(Report(0, 1, 30, "current", found, (), (), (), found[0].after, "USD", 1), 10)
    lines = capsys.readouterr().out.partition("┃ by namespace")[2].splitlines()
    at = [cell.strip() for cell in lines[0].split("┃")].index("degraded")
    cells = [[cell.strip() for cell in line.split("│")] for line in lines if line.startswith("│")]
    assert {row[1]: row[at + 1] for row in cells if row[1]} == {"a": "0", "b": "7"}


def test_an_owner_plays_its_own_calls(
    gate: Desk,
    said: Said,
    new: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of others it sees nothing."""
    gate.made("/namespaces", {"name": "team"})
    write_calls(gate, called(1, "team"), called(2, "other"))
    monkeypatch.setenv("TIDEGATE_ADMIN_TOKEN", gate.token("owner", "team"))
    report = said.json(f"policy test {new} {EVER}")
    assert [one["name"] for one in report["groups"] if one["by"] == "namespace"] == ["team"]


def test_two_policies_are_told_apart(said: Said, new: Path, tmp_path: Path) -> None:
    """In lines, or as JSON."""
    old = tmp_path / "old.yaml"
    old.write_text(POLICY % 60)
    assert said(f"policy diff {old} {new}") == "providers.openai.scopes.main.limits.gpt-4o.rpm: 60 → 600\n"
    assert said(f"policy diff {new} {new}") == "nothing that a call would notice\n"
    assert said.json(f"policy diff {old} {new}")[0]["after"] == "600"


@pytest.mark.usefixtures("gate")
def test_what_cannot_be_done_is_told(said: Said, new: Path, tmp_path: Path) -> None:
    """With the file and the line at fault."""
    assert "no calls in that time" in said(f"policy test {new} {EVER}", status=1)
    assert "No such file" in said(f"policy test {new} --arrivals {tmp_path}/none", status=2)
    assert "cannot be read" in said(f"policy test {tmp_path}/none.yaml", status=2)
    file = tmp_path / "bad.ndjson"
    file.write_text('{"tidegate": "arrivals", "at_us": 1}\n{"at_us": 1}\n{"at_us": "x"}\n')
    assert "bad.ndjson:3: is no line of" in said(f"policy test {new} --arrivals {file}", status=2)
    assert "write 24h" in said(f"policy test {new} --since yesterday", status=2)


def test_a_sentence_says_who_and_when() -> None:
    """One call, several, with days where the period is long."""
    one = Finding("quota of openai/gpt-4o", "over_quota", "team", 1, 0, 0, 0)
    assert sentence(one, days=False) == (
        "quota of openai/gpt-4o would have refused 1 call of team at 00:00; 0 of them were answered"
    )
    many = Finding("limit", "tenant_limit", "", 3_000, 2_000, 0, 60_000_000)
    assert sentence(many, days=True) == (
        "limit would have refused 3,000 calls between 1970-01-01 00:00 and 1970-01-01 00:01; "
        "2,000 of them were answered"
    )


def test_limits_that_are_managed_at_run_time_are_played(gate: Desk, said: Said, new: Path, tmp_path: Path) -> None:
    """Those that the gate holds now, also from a file, which has nothing that a key is known by."""
    gate.made("/namespaces", {"name": "team", "limits": {"rpm": 2}})
    gate.made("/namespaces/team/keys", {"name": "app"})
    write_calls(gate, *(called(n, "team", tag=str(n)) for n in range(1, 9)))
    report = said.json(f"policy test {new} {EVER}")
    assert report["groups"][0]["after"]["refusals"] == {"tenant_limit": 6}
    file = tmp_path / "calls.ndjson"
    said(f"policy export {file} {EVER}")
    assert said.json(f"policy test {new} --arrivals {file}") == report
