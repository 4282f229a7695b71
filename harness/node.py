"""A gate whose ports are known before it runs and stay its own when it is killed and started again.

So somebody can call it without a pause through its restarts, and several can name each other in their files. It is
asked whether it is ready and not read: any build can be measured, also one whose words are others. `gate.py` is for
everything else.
"""

import contextlib
import http.client
import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final, Self

from harness import cpu
from harness.gate import HERE
from harness.plain import Reply
from harness.ports import free_ports
from harness.process import READY_AFTER, ROOT, await_ready, end

WORKER: Final = "tidegate.worker"
_START: Final = 60.0  # seconds of a busy machine


@dataclass(frozen=True, slots=True)
class Place:
    """Where a node runs: its address, what is put before its command, and what its environment has more."""

    host: str = "127.0.0.1"
    via: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)


LOCAL: Final = Place()


class Node:
    """One `tidegate serve`, that can be killed, as can each of its workers."""

    def __init__(
        self,
        home: Path,
        full: Mapping[str, Any],
        *options: str,
        program: Sequence[str] = HERE,
        place: Place = LOCAL,
        port: int = 0,
    ) -> None:
        """Its file is written, nothing runs yet. `options` are those of `serve`."""
        home.mkdir(parents=True, exist_ok=True)
        self.home, self.name, self.place = home, home.name, place
        self.config, self._full = home / "tidegate.yaml", dict(full)
        self.config.write_text(json.dumps(full))
        self._program, self._options = tuple(program), options
        chosen, self.admin = free_ports(2)
        self.port = port or chosen
        self.child: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its OpenAI base URL."""
        return f"http://{self.place.host}:{self.port}/v1"

    @property
    def pid(self) -> int:
        """Of the supervisor."""
        assert self.child is not None
        return self.child.pid

    def write(self, **parts: Any) -> None:
        """Other parts of its file, for its next start."""
        self.config.write_text(json.dumps(self._full | parts))

    def complaint(self) -> str:
        """Empty when `tidegate check` takes its file, else its first words."""
        return complaint(self.config, self._program)

    def command(self) -> list[str]:
        """How it is started."""
        options = ["--port", str(self.port), "--admin-port", str(self.admin), "--state-dir", str(self.home / "state")]
        host = [] if self.place.host == "127.0.0.1" else ["--host", self.place.host]
        return [*self.place.via, *self._program, "serve", "-c", str(self.config), *options, *host, *self._options]

    def start(self) -> None:
        """Returns when it is ready. Raises `NotReady`."""
        env, begun = {**os.environ, **self.place.env}, time.monotonic()
        with (self.home / "log").open("ab") as log:
            self.child = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=ROOT, env=env
            )
        await_ready(self.child, self.ready, self.home / "log", _START)
        READY_AFTER[self.pid] = time.monotonic() - begun

    def ready(self) -> bool:
        """Does it say that traffic may come?"""
        return self.healthy(self.port)

    def healthy(self, port: int) -> bool:
        """The same of one of its ports."""
        try:
            return self.ask(port, "/readyz", seconds=1).status == 200
        except (OSError, http.client.HTTPException):
            return False

    def ask(
        self, port: int, path: str, body: bytes | None = None, headers: Mapping[str, str] = {}, seconds: float = 30
    ) -> Reply:
        """GET, or POST with a body, at one of its ports. Raises `OSError` or `http.client.HTTPException`."""
        line = http.client.HTTPConnection(self.place.host, port, timeout=seconds)
        with contextlib.closing(line):
            line.request("GET" if body is None else "POST", path, body, dict(headers))
            reply = line.getresponse()
            return Reply(reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read())

    def workers(self) -> list[int]:
        """Process ids of those that carry calls now."""
        return [pid for pid in cpu.tree(self.pid) if WORKER in cpu.command(pid)]

    def kill_worker(self, luck: Random) -> None:
        """SIGKILL to one of them."""
        if pids := self.workers():
            with contextlib.suppress(ProcessLookupError):
                os.kill(luck.choice(pids), signal.SIGKILL)

    def log(self) -> str:
        """What it said so far."""
        return (self.home / "log").read_text(errors="replace")

    def stop(self, patience: float = 5.0) -> None:
        """SIGTERM and, after `patience` seconds, SIGKILL; with 0 it is killed at once."""
        if self.child is not None:
            if patience <= 0:
                self.child.kill()
            end(self.child, max(patience, 2.0))
            self.child = None

    def __enter__(self) -> Self:
        """Ready. Raises `NotReady`, and nothing is left."""
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def complaint(config: Path, program: Sequence[str] = HERE) -> str:
    """Empty when `tidegate check` takes the file, else its first words."""
    done = subprocess.run([*program, "check", "--json", str(config)], capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return ""
    errors = json.loads(done.stdout).get("errors", []) if done.stdout.startswith("{") else []
    return f"{errors[0]['field']}: {errors[0]['message']}" if errors else done.stderr[-200:] or "refused"
