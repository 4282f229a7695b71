"""A whole run against a real twin, and the command."""

import asyncio
import json
from argparse import ArgumentParser, Namespace
from pathlib import Path

import pytest

from tidegate.cli import replay
from tidegate.clock import SystemClock
from tidegate.load.calls import CallSettings, plan_calls
from tidegate.load.client import FetchError
from tidegate.load.driver import Target
from tidegate.load.ledger import FullReport
from tidegate.load.run import Counts, run_load
from tidegate.load.texts import Texts
from tidegate.load.trace import TraceRow
from tidegate.twin.app import Twin
from tidegate.twin.faults import Rule


class Seen:
    """Remembers the last view of the run."""

    def __init__(self) -> None:
        self.sent = self.ended = 0

    def show(self, sent: int, counts: Counts) -> None:
        self.sent, self.ended = sent, len(counts.results)


@pytest.fixture(scope="module")
def texts() -> Texts:
    return Texts(1, 40_000)


async def play(twin: Twin, texts: Texts, calls: int, seen: Seen | None = None, **settings: float) -> FullReport:
    rows = [TraceRow(index * 1_000, 50, 10) for index in range(calls)]
    planned = plan_calls(rows, CallSettings(**settings), texts)
    return await run_load(planned, Target(twin.url), SystemClock(), seen or Seen(), (twin.origin, "gpt-4o"))


async def test_all_answered(twin: Twin, texts: Texts) -> None:
    """Unary and streamed calls are answered, and both sides count the same."""
    seen = Seen()
    report = await play(twin, texts, 40, seen, stream_share=0.5)
    assert (report.replay.answered, report.replay.streamed > 10, report.replay.failures) == (40, True, {})
    assert report.replay.first_byte.count == report.replay.streamed
    assert report.ledger is not None
    assert (report.ledger.calls, report.ledger.served, report.ledger.throttled) == (40, 40, 0)
    assert report.ledger.charged_tokens > 40 * 30
    assert (seen.sent, seen.ended) == (40, 40)


async def test_a_second_run_counts_its_own(twin: Twin, texts: Texts) -> None:
    """The ledger's figures are those of this run."""
    await play(twin, texts, 10)
    report = await play(twin, texts, 20)
    assert report.ledger is not None
    assert report.ledger.calls == 20


async def test_refused(twin: Twin, texts: Texts) -> None:
    """Beyond the quota the twin refuses, says for how long, and calls it avoidable: nobody stood in between."""
    report = await play(twin, texts, 120)
    refused = report.replay.refused
    assert report.replay.answered + refused == 120
    assert 0 < refused <= 20  # the bucket refills while the calls are made
    refusal = report.replay.refusals[0]
    assert (refusal.status, refusal.code) == (429, "rate_limit_exceeded")
    assert float(refusal.retry_after) > 0
    assert report.ledger is not None
    assert (report.ledger.throttled, report.ledger.avoidable) == (refused, refused)


@pytest.mark.parametrize(
    ("rule", "stream_share", "kind"),
    [
        (Rule("500"), 0.0, "http 500 server_error"),
        (Rule("close"), 0.0, "broken off"),
        (Rule("cut", after_bytes=300), 1.0, "broken off"),
        (Rule("error_event", after_bytes=300), 1.0, "stream error server_error"),
    ],
)
async def test_failures(twin: Twin, texts: Texts, rule: Rule, stream_share: float, kind: str) -> None:
    """Each way to fail is counted under its own name, and the other calls are answered."""
    rule.count = 3
    twin.state.faults.rules = (rule,)
    report = await play(twin, texts, 10, stream_share=stream_share)
    assert {name: failures.count for name, failures in report.replay.failures.items()} == {kind: 3}
    assert report.replay.answered == 7


async def test_cut_short(twin: Twin, texts: Texts) -> None:
    """A run that is interrupted still has its report."""
    twin.state.faults.rules = (Rule("slow", ms=60_000),)
    seen = Seen()
    task = asyncio.create_task(play(twin, texts, 5, seen))
    while twin.state.directory.ledger.total.calls < 5:
        await asyncio.sleep(0)
    task.cancel()
    report = await task
    assert (report.replay.sent, report.replay.unanswered, seen.ended) == (5, 5, 5)


async def test_no_ledger_there(twin: Twin, texts: Texts) -> None:
    """A ledger's URL that is no twin's is said before any call is sent."""
    with pytest.raises(FetchError, match=r"/openai/v1/twin/ledger answers 40\d, not 200"):
        await run_load([], Target(twin.url), SystemClock(), Seen(), (twin.url, "gpt-4o"))
    with pytest.raises(FetchError, match="cannot be read: cannot connect"):
        await run_load([], Target(twin.url), SystemClock(), Seen(), ("http://127.0.0.1:1", "gpt-4o"))


def arguments(*words: str) -> Namespace:
    parser = ArgumentParser()
    replay.add_arguments(parser)
    return parser.parse_args(words)


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    path = tmp_path / "trace.csv"
    lines = [f"2023-11-16 18:15:{second:02}.0000000,40,8" for second in range(30)]
    path.write_text("\n".join(["TIMESTAMP,ContextTokens,GeneratedTokens", *lines]))
    return path


async def test_command(twin: Twin, trace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command plays the trace at its speed, prints both sides, and writes them as JSON."""
    out = tmp_path / "report.json"
    words = [str(trace), "--url", twin.url, "--speed", "1000", "--ledger", twin.origin, "--json", str(out)]
    assert await asyncio.to_thread(replay.run, arguments(*words, "--limit-calls", "20", "--duration", "0.025")) == 0
    report = json.loads(out.read_text())
    assert (report["replay"]["answered"], report["ledger"]["served"]) == (20, 20)
    printed = capsys.readouterr()
    assert "No avoidable 429" in printed.out
    assert printed.err == ""


async def test_command_duration(twin: Twin, trace: Path, tmp_path: Path) -> None:
    """The duration is of the run, not of the trace."""
    out = tmp_path / "report.json"
    words = [str(trace), "--url", twin.url, "--speed", "1000", "--duration", "0.010", "--json", str(out)]
    assert await asyncio.to_thread(replay.run, arguments(*words)) == 0
    assert json.loads(out.read_text())["replay"]["sent"] == 10
    assert json.loads(out.read_text())["ledger"] is None


async def test_command_fails(trace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody there: 1, and what happened. No such trace: 2. A report that cannot be written: 1."""
    nobody = ["--url", "http://127.0.0.1:1/v1", "--speed", "10000"]
    assert await asyncio.to_thread(replay.run, arguments(str(trace), *nobody)) == 1
    assert "cannot connect to 127.0.0.1:1" in capsys.readouterr().out
    assert replay.run(arguments(str(tmp_path / "none.csv"), *nobody)) == 2
    assert capsys.readouterr().err.startswith("error: ")
    words = [str(trace), *nobody, "--limit-calls", "1", "--json", str(tmp_path / "no" / "r.json")]
    assert await asyncio.to_thread(replay.run, arguments(*words)) == 1
    assert "No such file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--url", "gate:8080"], "'gate:8080' is no URL"),
        (["--url", "http://h:99999"], "is no URL"),
        (["--url", "ftp://h"], "is no URL"),
        (["--url", "http://h/v1", "--speed", "0"], "'0' is not a number above 0"),
        (["--url", "http://h/v1", "--speed", "inf"], "'inf' is not a number above 0"),
        (["--url", "http://h/v1", "--stream-share", "1.1"], "'1.1' is not a number from 0 to 1"),
        (["--url", "http://h/v1", "--limit-calls", "1.5"], "'1.5' is not an integer above 0"),
        (["--url", "http://h/v1", "--deadline-ms", "0"], "'0' is not an integer above 0"),
        ([], "--url"),
    ],
)
def test_arguments(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Wrong words are named, with what would be right."""
    with pytest.raises(SystemExit):
        arguments("t.csv", *words)
    assert message in capsys.readouterr().err
