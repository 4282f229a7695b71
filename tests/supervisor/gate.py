"""A real gate's processes, as a test sees them: started, watched, signalled, and never left behind."""

import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
DEADLINE = 20.0  # seconds; only a failure takes as long
START = 60.0  # seconds of a busy machine for all processes of a gate; one that ends before is noticed at once
MODULES = {
    "worker_module": "tests.supervisor.fake_worker",
    "control_module": "tests.supervisor.fake_control",
    "loader_module": "tests.supervisor.fake_loader",
    "semantic_module": "tests.supervisor.fake_semantic",
    "desk_module": "tests.supervisor.fake_desk",
    "runner_module": "tests.supervisor.fake_runner",
}
READY = re.compile(r"tidegate ready: (https?)://([^ ]+):(\d+)/v1 \(admin http://127\.0\.0\.1:(\d+)(.*)\)\n")
OTHER = re.compile(r"; (\S+) http://[^ ]+:(\d+)/v1")


class Gate:
    """One supervisor and its children."""

    def __init__(self, folder: Path, text: str = "plain", **options: object) -> None:
        self.state = folder / "state"
        self.config = folder / "tidegate.yaml"
        self.config.write_text(text, encoding="utf-8")
        self.log_path = folder / "log"
        chosen: dict[str, object] = {
            "config": str(self.config),
            "port": 0,
            "admin_port": 0,
            "state_dir": str(self.state),
        }
        chosen |= {"watch_seconds": 0}  # what a test does not ask for must not happen
        command = [sys.executable, "-m", "tests.supervisor.run_gate", json.dumps(chosen | MODULES | options)]
        path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
        with self.log_path.open("wb") as log:
            self.process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=log, cwd=ROOT, env=os.environ | {"PYTHONPATH": path}
            )
        self.port = self.admin_port = 0
        self.ports: dict[str, int] = {}  # of isolated namespaces
        self.watched: set[int] = set()

    def wait_ready(self) -> "Gate":
        line = self._line()
        found = READY.fullmatch(line)
        assert found, f"no ready line but {line!r}; log: {self.log()}"
        self.port, self.admin_port = int(found[3]), int(found[4])
        self.ports = {name: int(port) for name, port in OTHER.findall(found[5])}
        self.children()
        return self

    def _line(self) -> str:
        assert self.process.stdout is not None
        readable, _, _ = select.select([self.process.stdout], [], [], START)
        assert readable, f"not ready in time; log: {self.log()}"
        return self.process.stdout.readline().decode()

    def log(self) -> str:
        return self.log_path.read_text(encoding="utf-8", errors="replace")

    def wait_log(self, text: str) -> None:
        wait_until(lambda: text in self.log(), lambda: f"{text!r} in the log: {self.log()}")

    def children(self) -> dict[str, int]:
        """Living children by name."""
        found = {}
        for pid in self._child_pids():
            words = command_line(pid)
            for name in ("worker", "control", "semantic", "desk", "runner"):
                if any(word.endswith((f".{name}", f"fake_{name}")) for word in words):
                    number = words[words.index("--worker") + 1] if name == "runner" else ""
                    found[f"{name}-{number}" if number else name] = pid
        self.watched |= set(found.values())
        return found

    def workers(self) -> dict[int, int]:
        """Living workers' pids by number."""
        lines = {pid: command_line(pid) for pid in self._child_pids()}
        found = {
            int(words[words.index("--worker") + 1]): pid
            for pid, words in lines.items()
            if any("worker" in word for word in words[:4]) and "--worker" in words
        }
        self.watched |= set(found.values())
        return found

    def _child_pids(self) -> list[int]:
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in path.read_text(encoding="ascii").split()]

    def wait_child(self, name: str, other_than: int) -> int:
        """The pid of a child started in place of another."""
        wait_until(lambda: self.children().get(name) not in (other_than, None), lambda: f"a new {name}")
        return self.children()[name]

    def connect(self, port: int = 0) -> socket.socket:
        return socket.create_connection(("127.0.0.1", port or self.port), timeout=DEADLINE)

    def call(self, port: int = 0) -> tuple[int, str]:
        """One whole call: the worker's pid and snapshot."""
        with self.connect(port) as connection, connection.makefile("rwb") as stream:
            stream.write(b"start\nfinish\n")
            stream.flush()
            pid, _, snapshot = stream.readline().decode().strip().partition(" ")
            assert stream.readline() == b"end\n"
        return int(pid), snapshot

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def wait_end(self) -> int:
        status = self.process.wait(DEADLINE)
        for pid in self.watched:
            wait_gone(pid)
        return status

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()
        for pid in self.watched:
            wait_gone(pid)


def command_line(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
    except OSError:
        return []


def wait_gone(pid: int) -> None:
    """Until the process has ended; it is killed when it has not in time."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        ended, _, _ = select.select([descriptor], [], [], DEADLINE)
        if not ended:
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        assert ended, f"process {pid} lives on"
    finally:
        os.close(descriptor)


def wait_until(condition: object, what: object) -> None:
    """Poll for what no descriptor tells."""
    deadline = time.monotonic() + DEADLINE
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, f"waited in vain for {what()}"  # type: ignore[operator]
        time.sleep(0.005)
