"""`tidegate top`: what it shows of a metrics page, and how it ends."""

import json
import os
import pty
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from rich.cells import cell_len
from rich.console import Console

from tests.cli.pages import page
from tidegate.cli.top_metrics import rate, read
from tidegate.cli.top_state import State, state
from tidegate.cli.top_view import page as view


def seen(**changes: object) -> State:
    """Two looks, ten seconds apart; the second with changes."""
    return state(read(page(), 0.0), read(page(**changes), 10.0))


def shown(one: State, width: int = 120) -> list[str]:
    console = Console(width=width, force_terminal=False, record=True, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    console.print(view(one))
    console.file.close()
    return console.export_text().splitlines()


def test_rates_are_what_counters_grew_by() -> None:
    """A second; a counter that is smaller than before began anew."""
    one = seen(calls=150.0, failed=20.0, cpu=14.0)
    assert (one.calls, one.failed, one.throttled) == (7.0, 2.0, 0.0)
    assert one.processes[0].cpu_percent == pytest.approx(40)
    assert rate(read("a_total 50\n", 0), read("a_total 5\n", 10), "a_total") == 0.5


def test_a_worker_stands_there_with_its_limit() -> None:
    """Its namespace, its port, the limit in CPUs, and in how many of its periods it was held."""
    main, gold, control = seen(periods=2000.0, held=750.0).processes
    assert (main.name, main.namespace, main.port, main.limit) == ("worker-0", "", 8080, 0.0)
    assert (gold.name, gold.namespace, gold.port, gold.limit, gold.held_percent) == (
        "worker-1",
        "gold",
        8090,
        0.3,
        25.0,
    )
    assert (gold.ready, gold.resident_bytes, control.name) == (False, 36_000_000, "control")


def test_quotas_and_queues() -> None:
    """Used of the limit, whether the lane is open, who waits by tier; lag is summed over journals."""
    one = seen()
    (quota,), (queue,) = one.quotas, one.queues
    assert (quota.used, quota.limit, quota.unit, quota.open) == (750.0, 1_000.0, "tokens", False)
    assert (queue.waiting, queue.oldest_seconds) == ({"paid": 7}, 1.5)
    assert (one.ledger_up, one.ledger_lag_bytes) == (True, 5_096)


def test_a_limit_that_does_not_hold_is_shown_as_none() -> None:
    """With the reason."""
    text = "\n".join(shown(seen(reason="no right to make cgroups", enforced=0.0), 160))
    assert "limit not enforced: no right to make cgroups" in text


def test_a_page_without_anything_is_shown_too() -> None:
    """A gate that has just started, or an older one."""
    one = state(read("", 0.0), read("", 1.0))
    assert one.ledger_up is None
    assert "not ready" in shown(one)[0]


@pytest.mark.parametrize("width", [60, 120])
@pytest.mark.parametrize("name", ["m", "千问-长文本-最新版-模型", "🙂" * 40, "[red]m[/red]"])
def test_names_in_any_script_keep_the_columns(name: str, width: int) -> None:
    """No line is wider than the terminal, and what is right of a name begins where its heading does."""
    lines = shown(seen(model=name), width)
    assert all(cell_len(line) <= width for line in lines)
    head = next(number for number, line in enumerate(lines) if line.startswith("scope"))
    heading, row = lines[head], lines[head + 1]
    at = cell_len(heading[: heading.index("unit")])
    assert cut(row, at).startswith("tokens ")


def cut(line: str, cells: int) -> str:
    """What is right of so many cells."""
    passed = 0
    for place, character in enumerate(line):
        if passed >= cells:
            return line[place:]
        passed += cell_len(character)
    return ""


# ── the command ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def gate() -> Iterator[ThreadingHTTPServer]:
    """What answers like a gate's admin port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = page().encode()
            self.send_response(200 if self.path == "/metrics" else 404)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def top(port: int, *options: str, stdout: int = subprocess.PIPE) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tidegate", "top", "--admin-port", str(port), "--interval", "1", *options]
    return subprocess.Popen(command, stdout=stdout, stderr=subprocess.PIPE, text=True)


def test_once_prints_a_table_and_ends(gate: ThreadingHTTPServer) -> None:
    """Also where the output is no terminal."""
    out, err = top(gate.server_port, "--once").communicate(timeout=50)
    assert err == ""
    assert "ready, configuration 3" in out
    assert "worker-1" in out


def test_json_is_one_object_a_line_until_the_gate_is_gone(gate: ThreadingHTTPServer) -> None:
    """Then status 1, where, and what to do; no traceback."""
    process = top(gate.server_port, "--json")
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["version"] == 3
    gate.shutdown()
    gate.server_close()
    _, err = process.communicate(timeout=50)
    assert process.returncode == 1
    assert err.startswith(f"error: no gate answers at http://127.0.0.1:{gate.server_port}: start one")
    assert err.count("\n") == 1


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_ctrl_c_ends_it_well(gate: ThreadingHTTPServer, options: tuple[str, ...]) -> None:
    """Status 0 and nothing on stderr."""
    process = top(gate.server_port, *options)
    assert process.stdout is not None
    assert process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=50)
    assert (process.returncode, err) == (0, "")


def test_in_a_terminal_the_table_is_renewed_in_place(gate: ThreadingHTTPServer) -> None:
    """And the cursor is there again after Ctrl-C."""
    ours, theirs = pty.openpty()
    process = top(gate.server_port, stdout=theirs)
    os.close(theirs)
    text = ""
    while text.count("configuration 3") < 2:
        text += os.read(ours, 65_536).decode()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=50)
    text += os.read(ours, 65_536).decode()
    os.close(ours)
    assert (process.returncode, err) == (0, "")
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l")


def test_without_a_gate_it_says_so() -> None:
    """Status 1; an interval below the page's own second is wrong usage."""
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        port = server.server_port
    process = top(port, "--once")
    _, err = process.communicate(timeout=50)
    assert (process.returncode, "tidegate serve" in err) == (1, True)
    process = top(port, "--interval", "0.5")
    _, err = process.communicate(timeout=50)
    assert (process.returncode, "once a second" in err) == (2, True)
