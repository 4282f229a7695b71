"""Several gates as the nodes of one cluster, each with its workers, its state directory and its place in a network."""

import contextlib
import http.client
import json
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final

from bench import cpu, gate
from bench.plain import Reply
from bench.process import NotReady, await_ready, end, free_port
from bench.prove.fleet import accepted
from bench.upstreams import ROOT

WORKER: Final = "tidegate.worker"
WORKER_BIT: Final = 53  # ids of calls carry the worker's number above it


@dataclass(frozen=True, slots=True)
class Place:
    """Where a node runs: its address, what is put before its command, and what its environment has more."""

    host: str = "127.0.0.1"
    via: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)


class Node:
    """One `tidegate serve`, that can be killed, as can each of its workers."""

    def __init__(
        self, home: Path, full: Mapping[str, Any], workers: int = 1, place: Place = Place(), *, checked: bool = True
    ) -> None:
        """Raises `NotReady` for a file that the gate refuses, unless that is what is looked at."""
        home.mkdir(parents=True)
        self.home, self.name, self.size, self.place = home, home.name, workers, place
        self.config, self._full = home / "tidegate.yaml", dict(full)
        self.config.write_text(json.dumps(full))
        complaint = accepted(self.config) if checked else ""
        if complaint:
            raise NotReady(complaint)
        self.port, self.admin = free_port(), free_port()
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

    def write(self, cluster: Mapping[str, Any]) -> None:
        """Another shared state, for its next start."""
        self.config.write_text(json.dumps(self._full | {"cluster": cluster}))

    def command(self) -> list[str]:
        """How it is started."""
        serve = gate.serve_command(self.config, self.port, self.admin)
        named = ["--node", self.name] if "cluster" in self._full else []
        return [*self.place.via, *serve, "--host", self.place.host, "--workers", str(self.size), *named]

    def start(self) -> None:
        """Returns when it is ready. Raises `NotReady`."""
        env = {**os.environ, **self.place.env}
        with (self.home / "log").open("ab") as log:
            self.child = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=ROOT, env=env
            )
        await_ready(self.child, self.ready, self.home / "log", 60)

    def ready(self) -> bool:
        """Does it say that traffic may come?"""
        try:
            return self.ask(self.port, "/readyz", seconds=1).status == 200
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


@contextlib.contextmanager
def nodes(
    work: Path, name: str, full: Mapping[str, Any], shape: Sequence[int], places: Sequence[Place] = ()
) -> Iterator[list[Node]]:
    """So many gates with so many workers each, of the same file, until the end of the block. Raises `NotReady`."""
    started: list[Node] = []
    spot = free_port()
    try:
        for number, workers in enumerate(shape):
            place = places[number] if places else Place()
            started.append(Node(work / f"{name}-{spot}-{number}", full, workers, place))
            started[-1].start()
        yield started
    finally:
        for node in started:
            node.stop()


def worker_of(headers: Mapping[str, str]) -> int:
    """The number of the worker that answered, by the id it gave the call; -1 where there is none."""
    name = headers.get("x-request-id", "")
    return int(name.removeprefix("req_"), 16) >> WORKER_BIT if name.startswith("req_") else -1
