"""The demo: how it looks, and that nothing of it outlives it."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from tidegate.cli import demo
from tidegate.cli.demo_view import line, save_picture, snippets, table
from tidegate.clock import SystemClock
from tidegate.load.children import ChildError, child
from tidegate.load.outcome import Ending
from tidegate.load.pulse import GateGauges, Pulse
from tidegate.load.report import percentiles

URL = "http://127.0.0.1:8080/v1"
PULSE = Pulse(
    second=42,
    tokens_a_second=2_481,
    gate=GateGauges(17, 148_000, 150_000, 25, 3_000),
    waited=percentiles([4_820_000]),
    latency=percentiles([5_080_000]),
    throttled=2,
    avoidable=1,
    sent=377,
    open=62,
    endings={Ending.ANSWERED: 315, Ending.FAILED: 0},
    charged=tuple(range(60)),
    queue=(0, 5, 10),
)


def printed(what: object) -> str:
    console = Console(file=StringIO(), width=100)
    console.print(what)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_table() -> None:
    """Quota, queue, waits, refusals and calls are all in the table."""
    shown = printed(table(PULSE))
    for part in (
        "42 s",
        "148,000 of 150,000 (99%)",
        "25 of 3,000",
        "2,481 tokens a second",
        "(quota: 2,500)",
        "17 calls",
    ):
        assert part in shown
    for part in ("p50 4.82 s", "p50 5.08 s", "2 (1 avoidable)", "377 sent, 62 open, 315 answered"):
        assert part in shown
    assert "█" in shown
    assert "failed" not in shown


def test_line() -> None:
    """The line says the same."""
    assert line(PULSE) == (
        "  42 s  quota in use: 148,000 of 150,000 tokens, 25 of 3,000 requests  waiting 17  wait p50 4.8 s  "
        "latency p50 5.1 s  429s at the provider 2  377 sent, 62 open, 315 answered"
    )


def test_before_anything_is_known() -> None:
    """An empty view has neither figures nor errors."""
    assert "–" in printed(table(Pulse()))
    assert line(Pulse())


def test_picture(tmp_path: Path) -> None:
    """The picture holds both, and loads nothing from elsewhere."""
    save_picture(tmp_path / "demo.svg", URL, PULSE)
    picture = (tmp_path / "demo.svg").read_text(encoding="utf-8")
    assert "OpenAI(base_url=" in picture
    assert "148,000" in picture
    assert "@font-face" not in picture


def test_snippets_run_as_they_stand() -> None:
    """The Python that is shown is Python, and names the gate."""
    text = printed(snippets(URL))
    python = text[text.index("from openai") :]
    compile(python, "snippet", "exec")
    assert f'base_url="{URL}"' in python
    assert f"curl {URL}/chat/completions" in text


async def test_a_child_that_ends(tmp_path: Path) -> None:
    """A process that does not start is told with its own words, and a missing one is no success."""
    with pytest.raises(ChildError, match="the gate ended with status 2: .*nothing.yaml"):
        async with child("gate", ["check", str(tmp_path / "nothing.yaml")], tmp_path, SystemClock(), "ready"):
            pass


async def test_a_child_ends_with_its_block(tmp_path: Path) -> None:
    """It is asked to end, and has ended, when the block is left; its URLs are those it printed."""
    async with child("twin", ["twin", "--port", "0"], tmp_path, SystemClock(), r"twin ready: .*\)\n") as twin:
        twin.check()
        assert [url.rpartition("/")[2] for url in twin.urls] == ["v1", "ledger"]
    with pytest.raises(ChildError, match="the twin ended with status 0: twin ready"):
        twin.check()


def test_ports() -> None:
    """What is asked for is taken; the usual port only where it is free."""
    assert demo._port(1234, 8080) == 1234
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert demo._port(None, taken.getsockname()[1]) == 0
        free = taken.getsockname()[1]
    assert demo._port(None, free) == free


def left(folder: Path) -> list[str]:
    """Processes whose command line names the folder."""
    commands = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            commands.append(process.read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return [command for command in commands if str(folder) in command]


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A folder whose name leaves room for that of a Unix socket."""
    with tempfile.TemporaryDirectory(prefix="t-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 0), (signal.SIGKILL, -signal.SIGKILL)])
def test_it_ends_whole(short_path: Path, number: signal.Signals, status: int) -> None:
    """It prints a snippet and a line a second; however it ends, twin and gate end with it."""
    words = [sys.executable, "-m", "tidegate", "demo", "--port", "0", "--admin-port", "0"]
    environment = {**os.environ, "TMPDIR": str(short_path), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(words, stdout=subprocess.PIPE, env=environment, text=True) as running:
        assert running.stdout is not None
        lines = []
        while not (lines and "quota in use" in lines[-1]):
            lines.append(running.stdout.readline())
            assert lines[-1], "the demo ended by itself"
        assert len(left(short_path)) >= 3
        running.send_signal(number)
        running.stdout.read()
    assert running.returncode == status
    assert any("curl http://127.0.0.1:" in text for text in lines)
    while left(short_path):
        pass
