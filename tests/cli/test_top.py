"""`tidegate top`: what it shows of a metrics page, and how it ends."""

import fcntl
import io
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from tests.cli.pages import MORE, page
from tidegate.cli.top import pressed
from tidegate.cli.top_headline import headline
from tidegate.cli.top_look import state
from tidegate.cli.top_metrics import rate, read
from tidegate.cli.top_state import Alarm, Closed, DeadKeys, Queue, Quota, State
from tidegate.cli.top_view import PANELS, Look, Screen
from tidegate.cli.top_view import page as view

QUOTA = Quota("a", "s", "m", "tokens", 500.0, 400.0, 1_000.0, 0.0, 0.0, open=True)
CALM = State(True, False, 3, 0, 5.0, 100.0, 0.0, 0.0, 0.0, True, 0, ledger_alarm=False, quotas=[QUOTA])
ALERTS = [
    {"rule": "wait", "severity": "critical", "stage": "firing", "labels": {"model": "m", "pool": "main"}, "value": 700,
     "taken_by": "ann"},
    {"rule": "soon", "severity": "warning", "stage": "pending", "labels": {}, "value": 1},
]  # fmt: skip


def seen(**changes: object) -> State:
    """Two looks, ten seconds apart; the second with changes."""
    return state(read(page(), 0.0), read(page(**changes), 10.0))


def shown(one: State, width: int = 120, panel: str = "all") -> list[str]:
    console = Console(width=width, force_terminal=False, record=True, file=io.StringIO())
    console.print(view(one, width, panel))
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
    assert (quota.used, quota.held, quota.limit, quota.open) == (750.0, 750.0, 1_000.0, False)
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
    assert shown(one)[0].startswith("No worker is ready")


@pytest.mark.parametrize("width", [30, 60, 120])
@pytest.mark.parametrize("name", ["m", "千问-长文本-最新版-模型", "🙂" * 40, "[red]m[/red]"])
def test_names_in_any_script_keep_the_columns(name: str, width: int) -> None:
    """No line is wider than the terminal, and what is right of a name begins where its heading does."""
    lines = shown(seen(model=name), width)
    assert all(cell_len(line) <= width for line in lines)
    head = next(number for number, line in enumerate(lines) if line.startswith("scope"))
    heading, row = lines[head], lines[head + 1]
    if width >= 60:
        at = cell_len(heading[: heading.index("unit")])
        assert cut(row, at).startswith("tokens ")
    assert "75" in row


def cut(line: str, cells: int) -> str:
    """What is right of so many cells."""
    passed = 0
    for place, character in enumerate(line):
        if passed >= cells:
            return line[place:]
        passed += cell_len(character)
    return ""


# ── the panels ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def told() -> State:
    """All that a gate tells."""
    text = page() + MORE
    return state(read(text, 0.0), read(text.replace('scope="s",model="m"} 4.0', 'scope="s",model="m"} 14.0'), 10.0))


def test_a_quota_is_one_line_whatever_worker_spends_from_it(told: State) -> None:
    """Used in the last minute as the page says, else what the mirror holds; the fullest first."""
    first, second = told.quotas
    assert (first.provider, first.used, first.held, first.learnt, first.open) == ("a", 700.0, 750.0, 900.0, False)
    assert (second.provider, second.used, second.limit, second.open) == ("b", 0.0, 10.0, True)
    assert (first.throttled, second.throttled) == (1.0, 0.0)


def test_tenants_breakers_and_keys(told: State) -> None:
    """Of workers the one that knows most; keys that were restored are not dead."""
    assert [(one.namespace, one.used, one.reserved, one.allowed) for one in told.tenants] == [
        ("team", 95.0, 3.0, 100.0),
        ("lab", 1.5, 0.0, 200.0),
    ]
    assert told.closed == [Closed("a", "s", "m", 90.0)]
    assert told.dead_keys == [DeadKeys("a", "s", 2)]
    assert told.queues[0].wait_ms == 230.0


def test_without_a_token_thresholds_are_told(told: State) -> None:
    """The worse of a rule's; time that is left is bad when it is short; and it says that these are no alerts."""
    assert [(one.severity, one.rule, one.value, one.fires) for one in told.alarms] == [
        ("critical", "tokens", 96.0, False),
        ("warning", "ahead", 1_800.0, False),
        ("warning", "wait", 230.0, False),
    ]
    assert "need an admin token" in "\n".join(shown(told, panel="trouble"))


@pytest.mark.parametrize(
    ("panel", "words"),
    [
        ("quotas", ["700", "learnt", "900", "closed", "████████░░"]),
        ("queues", ["7 paid", "1.5 s", "0.2 s"]),
        ("tenants", ["team", "98", "money a month", "200.00"]),
        ("trouble", ["tokens", "96.0", "closed for 2 min: a/s m", "2 dead keys: a/s"]),
        ("processes", ["worker-1", "gold", "36 MB", "not ready"]),
    ],
)
def test_each_panel_shows_its_own(told: State, panel: str, words: list[str]) -> None:
    """And no other; together they show all."""
    text = "\n".join(shown(told, panel=panel))
    everything = "\n".join(shown(told))
    for word in words:
        assert word in text
        assert word in everything
    assert sum(f"{number} {name}" in text for number, name in enumerate(PANELS, 1)) == 1


def test_who_sees_to_an_alert_is_told() -> None:
    """And for how long it has been on."""
    alarms = [
        Alarm("critical", "wait", "main m", 700, fires=True, lasts_s=240, taken_by="ann"),
        Alarm("warning", "tokens", "a s m", 96, fires=True, silenced=True),
    ]
    text = "\n".join(shown(replace(CALM, alarms=alarms), panel="trouble"))
    assert re.search(r"critical +wait +main m +700.0 +4 min +taken by ann", text)
    assert re.search(r"warning +tokens +a s m +96.0 +silenced", text)


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_without_anything_says_so(panel: str) -> None:
    """It is no empty screen."""
    one = state(read("", 0.0), read("", 1.0))
    assert len([line for line in shown(one, panel=panel) if line.strip()]) >= 4


@pytest.mark.parametrize("size", [(200, 60), (80, 24), (40, 10), (20, 4)])
@pytest.mark.parametrize("panel", ["all", *PANELS])
def test_the_screen_is_as_large_as_the_terminal(told: State, size: tuple[int, int], panel: str) -> None:
    """The sentence stands on top and the keys at the foot, however small it is; nothing is wider."""
    console = Console(width=size[0], height=size[1], force_terminal=True, record=True, file=io.StringIO())
    console.print(Screen(told, Look(panel, paused=True)), end="")
    lines = console.export_text().split("\n")
    assert len(lines) == size[1]
    assert all(cell_len(line) <= size[0] for line in lines)
    assert lines[0].startswith("1 worker is not")
    assert lines[-1].startswith("PAUSED")


def test_keys_choose_panels_and_pause() -> None:
    """What means nothing changes nothing."""
    look = Look()
    assert pressed(look, "3").panel == "tenants"
    assert pressed(pressed(look, "3"), "0") == look
    assert pressed(look, "p").paused
    assert pressed(pressed(look, " "), "P") == look
    assert pressed(look, "x") == pressed(look, "") == look


@pytest.mark.parametrize(
    ("changes", "sentence", "mood"),
    [
        ({}, "All is well: 5.0 calls a second; the fullest quota is a/s m (50 % of its tokens).", "well"),
        ({"draining": True}, "The gate drains", "bad"),
        ({"ready": False}, "No worker is ready", "bad"),
        ({"closed": [Closed("a", "s", "m", 90.0)]}, "Every scope of m is closed", "bad"),
        (
            {"closed": [Closed("b", "s", "x", 90.0)], "quotas": [QUOTA, replace(QUOTA, model="x")]},
            "b/s x closed for 2 min: other scopes",
            "bad",
        ),
        ({"failed": 0.5}, "0.5 of 5.0 calls a second fail.", "bad"),
        ({"failed": 0.01}, "All is well", "well"),
        ({"failed": 0.5, "refused": 0.5}, "0.5 calls a second are refused.", "busy"),
        ({"dead_keys": [DeadKeys("a", "s", 2)]}, "2 keys of a/s refused by the provider.", "bad"),
        ({"ledger_up": False}, "The ledger's database is away", "bad"),
        ({"ledger_alarm": True}, "More of the journal", "bad"),
        ({"alarms": [Alarm("critical", "wait", "main m", 1, fires=True)]}, "wait: main m.", "bad"),
        ({"alarms": [Alarm("warning", "wait", "main m", 1, fires=True)]}, "All is well", "well"),
        ({"alarms": [Alarm("critical", "wait", "main m", 1, fires=True, silenced=True)]}, "All is well", "well"),
        ({"alarms": [Alarm("critical", "wait", "main m", 1, fires=True, taken_by="ann")]}, "All is well", "well"),
        ({"quotas": [replace(QUOTA, held=980.0)]}, "a/s m is used up (98 % of its tokens); nobody waits yet.", "busy"),
        ({"refused": 2.0}, "2.0 calls a second are refused.", "busy"),
        ({"throttled": 1.0, "refused": 2.0}, "Providers refuse 1.0 calls a second with 429; 2.0 a second are", "busy"),
        (
            {"queues": [Queue("0", "main", "m", {"paid": 7}, 1.5, -1)], "quotas": [replace(QUOTA, used=1_000.0)]},
            "7 calls wait, the longest for 1.5 s: a/s m is used up (100 % of its tokens).",
            "busy",
        ),
        ({"queues": [Queue("0", "main", "m", {"paid": 1}, 0.1, -1)]}, "1 call waits, the longest for 0.1 s.", "busy"),
        ({"calls": 0.0, "quotas": []}, "All is well: no calls.", "well"),
    ],
)
def test_one_sentence_says_what_is_happening(changes: dict[str, Any], sentence: str, mood: str) -> None:
    """The worst first."""
    told = headline(replace(CALM, **changes))
    assert told.text.startswith(sentence)
    assert told.mood == mood


# ── the command ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def gate() -> Iterator[ThreadingHTTPServer]:
    """What answers like a gate's admin port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = page().encode() if self.path == "/metrics" else json.dumps(ALERTS).encode()
            allowed = self.path == "/metrics" or self.headers.get("authorization") == "Bearer tga_good"
            self.send_response(200 if allowed else 401)
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


def top(
    port: int, *options: str, stdout: int = subprocess.PIPE, stdin: int = subprocess.DEVNULL, token: str = ""
) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tidegate", "top", "--admin-port", str(port), "--interval", "1", *options]
    env = os.environ | {"TIDEGATE_ADMIN_TOKEN": token, "TERM": "xterm"}
    return subprocess.Popen(command, stdin=stdin, stdout=stdout, stderr=subprocess.PIPE, text=True, env=env)


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


class Terminal:
    """One of 100 × 30, in which `top` runs and somebody types."""

    def __init__(self, port: int) -> None:
        self.ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
        self.process = top(port, stdin=theirs, stdout=theirs)
        os.close(theirs)
        self.text = ""

    def until(self, words: str, times: int = 1) -> None:
        """Read until they stood there so often, since this was asked last."""
        self.text = ""
        while self.text.count(words) < times:
            self.text += os.read(self.ours, 65_536).decode(errors="replace")

    def type(self, keys: str) -> None:
        os.write(self.ours, keys.encode())

    def ended(self) -> tuple[int, str]:
        while True:
            try:
                piece = os.read(self.ours, 65_536)
            except OSError:  # as Linux tells that the other side has closed
                break
            if not piece:
                break
            self.text += piece.decode(errors="replace")
        os.close(self.ours)
        _, err = self.process.communicate(timeout=50)
        return self.process.returncode, err


def test_in_a_terminal_it_is_renewed_and_keys_are_heard(gate: ThreadingHTTPServer) -> None:
    """Panels change at once, a pause holds them, `q` ends it; then cursor and screen are as before."""
    terminal = Terminal(gate.server_port)
    terminal.until("configuration 3", 2)
    terminal.type("5")
    terminal.until("5 processes", 2)
    terminal.type("2")
    terminal.until("7 paid")
    terminal.type("p")
    terminal.until("PAUSED")
    terminal.type("\x1b[Ax\x1b[1;5Cp")
    terminal.until("p pause")
    terminal.type("q")
    assert terminal.ended() == (0, "")
    assert terminal.text.rindex("\x1b[?25h") > terminal.text.rfind("\x1b[?25l")
    assert terminal.text.rindex("\x1b[?1049l") > terminal.text.rfind("\x1b[?1049h")
    assert "7 paid" in terminal.text[terminal.text.rindex("\x1b[?1049l") :]


def test_ctrl_c_in_a_terminal_leaves_it_as_it_was(gate: ThreadingHTTPServer) -> None:
    """Also there status 0 and nothing on stderr."""
    terminal = Terminal(gate.server_port)
    terminal.until("configuration 3", 2)
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.ended() == (0, "")
    assert "\x1b[?1049l" in terminal.text


@pytest.mark.parametrize(
    ("token", "alarms", "source"),
    [
        ("tga_good", [("critical", "wait", "main m", "ann")], ""),
        ("tga_bad", [], "alerts cannot be told: the gate answered 401"),
        ("", [], "metrics beyond their thresholds"),
    ],
)
def test_alerts_are_told_where_a_token_is_at_hand(
    gate: ThreadingHTTPServer, token: str, alarms: list[tuple[str, ...]], source: str
) -> None:
    """Else the reason, and the rest all the same."""
    out, err = top(gate.server_port, "--once", "--json", token=token).communicate(timeout=50)
    found = json.loads(out)
    assert err == ""
    assert [tuple(one[name] for name in ("severity", "rule", "what", "taken_by")) for one in found["alarms"]] == alarms
    assert found["alarms_from"].startswith(source)
    assert found["alarms_from"] or not source
    assert found["version"] == 3


def test_a_token_file_that_cannot_be_read_is_wrong_usage(gate: ThreadingHTTPServer) -> None:
    """It was asked for."""
    process = top(gate.server_port, "--once", "--token-file", "/nowhere/token")
    _, err = process.communicate(timeout=50)
    assert (process.returncode, "--token-file /nowhere/token" in err) == (2, True)


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
