"""A gate's processes from outside: started, watched, signalled, and never left behind."""

import re
import socket
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Final, Self

from harness.process import NotReady, ready_line
from harness.wait import DEADLINE, wait_gone, wait_until

START: Final = 60.0  # seconds of a busy machine for all processes of a gate; one that ends before is noticed at once
READY: Final = re.compile(r"tidegate ready: (https?)://([^ ]+):(\d+)/v1 \(admin http://127\.0\.0\.1:(\d+)(.*)\)\n")
OTHER: Final = re.compile(r"; (\S+) http://[^ ]+:(\d+)/v1")
_PARTS: Final = ("worker", "control", "semantic", "desk", "runner")


class Supervised:
    """One supervisor and its children. It tells its ports: the system chooses them."""

    modules: ClassVar[tuple[str, ...]] = (".{}",)  # how the end of a child's module reads

    def __init__(self, folder: Path) -> None:
        """Nothing runs yet."""
        self.state = folder / "state"
        self.config = folder / "tidegate.yaml"
        self.log_path = folder / "log"

    def launch(self, command: Sequence[str], *, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> None:
        """Its process; `wait_ready` waits for it."""
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, cwd=cwd, env=env)
        self.port = self.admin_port = 0
        self.ports: dict[str, int] = {}  # of isolated namespaces
        self.watched: set[int] = set()

    def wait_ready(self) -> Self:
        """Until its line with the ports. Raises `NotReady` with its log."""
        line = self.line()
        found = READY.fullmatch(line)
        if not found:
            raise NotReady(f"no ready line but {line!r}; log: {self.log()}")
        self.port, self.admin_port = int(found[3]), int(found[4])
        self.ports = {name: int(port) for name, port in OTHER.findall(found[5])}
        self.children()
        return self

    def line(self) -> str:
        """The line with the ports, as it comes. Raises `NotReady` when there is none in time."""
        return ready_line(self.process, self.log_path, START)

    def log(self) -> str:
        """What it said so far."""
        return self.log_path.read_text(encoding="utf-8", errors="replace")

    def wait_log(self, text: str) -> None:
        """Until it has said so."""
        wait_until(lambda: text in self.log(), lambda: f"{text!r} in the log: {self.log()}")

    def children(self) -> dict[str, int]:
        """Living children by name."""
        found = {}
        for pid in self._child_pids():
            words = command_line(pid)
            for name in _PARTS:
                if any(word.endswith(tuple(one.format(name) for one in self.modules)) for word in words):
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
        wait_until(lambda: self.children().get(name) not in {other_than, None}, f"a new {name}")
        return self.children()[name]

    def connect(self, port: int = 0) -> socket.socket:
        """A connection to its port, or to an isolated namespace's."""
        return socket.create_connection(("127.0.0.1", port or self.port), timeout=DEADLINE)

    def signal(self, number: int) -> None:
        """To the supervisor."""
        self.process.send_signal(number)

    def wait_end(self) -> int:
        """Its status, once it and whoever was seen of its children are gone."""
        status = self.process.wait(DEADLINE)
        for pid in self.watched:
            wait_gone(pid)
        return status

    def close(self) -> None:
        """SIGKILL, unless it has ended; its children have to follow it."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()
        for pid in self.watched:
            wait_gone(pid)


def command_line(pid: int) -> list[str]:
    """The words of a process's command line; none when it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
    except OSError:
        return []
