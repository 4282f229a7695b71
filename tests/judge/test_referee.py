"""The referee at work: our gate is judged well, and a bad one badly where it is bad."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tidegate.clock import SystemClock
from tidegate.judge.arena import Options
from tidegate.judge.course import Choice, NotReached, arena_of, judged, provider_of
from tidegate.judge.recipes.gateway import Wish, free_port, running
from tidegate.judge.rules import Verdict
from tidegate.judge.setup import KEYS, Setup

NAIVE = Path(__file__).with_name("naive.py")


@pytest.mark.timeout(240)
def test_our_gate_is_judged_by_one_command(tmp_path: Path) -> None:
    """Started by its recipe: every fault is survived, a key is gone at once; and the page is written."""
    command = [sys.executable, "-m", "tidegate", "judge", "--recipe", "tidegate", "--quick", "--twin-port", "0"]
    command += ["--only", "failover,revocation", "--least", "80"]
    command += ["--json", str(tmp_path / "report.json"), "--html", str(tmp_path / "report.html")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=220, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((tmp_path / "report.json").read_text())
    scores = {one["name"]: one["score"] for one in report["disciplines"]}
    assert scores["failover"] == 100
    assert scores["revocation"] >= 95
    assert "Tidegate" in (tmp_path / "report.html").read_text()


@pytest.mark.timeout(180)
async def test_a_naive_gateway_is_found_out(tmp_path: Path) -> None:
    """It retries at once and ends cut streams as if they were whole; what it merely passes on is right."""
    clock, port = SystemClock(), free_port()
    async with provider_of(Setup("http://127.0.0.1:0"), tmp_path, 1, clock) as setup:
        upstream = setup.origin.rpartition(":")[2]
        command = [sys.executable, str(NAIVE), str(port), upstream]
        async with running(Wish(setup, tmp_path, clock), "naive", command, port):
            options = Options((f"http://127.0.0.1:{port}/v1",), KEYS[:1], quick=True, length=0.15)
            with arena_of(setup, options, clock) as arena:
                only = ("fairness", "storm", "failover", "ledger", "revocation")
                verdicts = await judged(arena, Choice(only), lambda _text: None)
    found = {verdict.discipline: verdict for verdict in verdicts}
    assert scored(found["storm"]) < 50
    assert scored(found["failover"]) < 40
    assert "ends as if it were whole" in "\n".join(found["failover"].details)
    assert scored(found["ledger"]) == 100
    assert "one key only" in found["fairness"].why_not
    assert "--revoke-command" in found["revocation"].why_not


def scored(verdict: Verdict) -> float:
    assert verdict.score is not None, verdict.why_not
    return verdict.score


async def test_who_does_not_pass_calls_on_is_told_so(tmp_path: Path) -> None:
    """A gateway that answers by itself, here the twin's own door, is no bad gateway but one that is not set up."""
    clock = SystemClock()
    async with provider_of(Setup("http://127.0.0.1:0"), tmp_path, 1, clock) as setup:
        told = pytest.raises(NotReached, match="the twin has not seen its key sk-judge-key")
        with arena_of(setup, Options((setup.base_url,)), clock) as arena, told:
            await judged(arena, Choice(("ledger",)), lambda _text: None)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "name a gateway by --gate"),
        (["--gate", "http://a/v1", "--recipe", "tidegate"], "name a gateway by --gate"),
        (["--gate", "http://a/v1", "--key", "1", "--key", "2", "--key", "3"], "there are two tenants"),
        (["--gate", "http://a/v1", "--headers", "missing.json"], "--headers:"),
        (["--only", "speed"], "there is no discipline 'speed'"),
        (["--recipe", "tidegate", "--replicas", "0"], "no number from 1"),
        (["--recipe", "litellm", "--program", "./no-such-litellm", "--twin-port", "0"], "no-such-litellm"),
    ],
)
def test_bad_command_lines(words: list[str], said: str, tmp_path: Path) -> None:
    """Each says what would be right, and nothing is judged."""
    command = [sys.executable, "-m", "tidegate", "judge", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False, cwd=tmp_path)
    assert done.returncode in {1, 2}
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_what_to_configure_is_printed() -> None:
    """For people and for programs the same: URL, keys, limits, fallbacks."""
    command = [sys.executable, "-m", "tidegate", "judge", "--print-setup"]
    text = subprocess.run(command, capture_output=True, text=True, timeout=50, check=True).stdout
    tree = json.loads(subprocess.run([*command, "json"], capture_output=True, text=True, timeout=50, check=True).stdout)
    assert tree["provider"]["base_url"] in text
    assert all(key in text for key in tree["keys"].values())
    assert all(one["model"] in text and one["spare"] in text for one in tree["models"])
