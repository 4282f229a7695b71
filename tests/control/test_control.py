"""The control process itself, started as the supervisor does."""

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from tests.journal.facts import record
from tidegate.clock import SystemClock
from tidegate.control.declared import Declared
from tidegate.model.cluster import ClusterSettings
from tidegate.observe.observer import Observer
from tidegate.observe.push import FRAME, Pusher
from tidegate.supervisor.messages import Decoder, Load, Ready, Status, encode


class Control(NamedTuple):
    process: subprocess.Popen[bytes]
    channel: socket.socket
    port: int
    socket_path: Path

    def wait_ready(self) -> None:
        assert Decoder().feed(self.channel.recv(100)) == [Ready(self.process.pid)]

    def log(self) -> str:
        return self.socket_path.with_name("log").read_text(encoding="utf-8")

    async def get(self, path: str) -> tuple[int, str]:
        return await self.ask(f"GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")

    async def ask(self, request: str) -> tuple[int, str]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(request.encode())
        head, _, body = (await reader.read()).decode().partition("\r\n\r\n")
        writer.close()
        await writer.wait_closed()
        return int(head.split()[1]), body


@contextmanager
def started(folder: Path) -> Iterator[Control]:
    ours, theirs = socket.socketpair()
    listener = socket.create_server(("127.0.0.1", 0))
    inherited = (theirs.fileno(), listener.fileno())
    options = ["--channel", str(inherited[0]), "--listen", str(inherited[1]), "--state-dir", str(folder)]
    log = (folder / "log").open("wb")
    with ours, listener, log:
        process = subprocess.Popen([sys.executable, "-m", "tidegate.control", *options], pass_fds=inherited, stderr=log)
        theirs.close()
        ours.settimeout(20)
        try:
            yield Control(process, ours, listener.getsockname()[1], folder / "control.sock")
        finally:
            process.kill()
            process.wait()


@pytest.fixture
def control(tmp_path: Path) -> Iterator[Control]:
    with started(tmp_path) as process:
        yield process


async def test_health_follows_the_supervisor_and_metrics_the_worker(control: Control) -> None:
    """Ready once it listens; the status it is told shows; pushed counters are on the page; nonsense is thrown out."""
    control.channel.sendall(encode(Status(ready=False, draining=False, version=1, restarts=0)))
    control.wait_ready()
    assert (await control.get("/readyz"))[0] == 503
    control.channel.sendall(encode(Status(ready=True, draining=False, version=1, restarts=0)))
    while (await control.get("/readyz"))[0] != 200:
        pass

    clock = SystemClock()
    observer = Observer(clock)
    observer.finished(record(1))
    pusher = Pusher(control.socket_path, observer, clock, worker=0, pid=os.getpid())
    await pusher.push()
    while "tidegate_calls_total{" not in (await control.get("/metrics"))[1]:
        pass
    pusher._drop()

    reader, writer = await asyncio.open_unix_connection(control.socket_path)
    writer.write(FRAME.pack(3) + b"abc")
    assert await reader.read() == b""
    writer.close()
    assert json.loads(control.socket_path.with_name("log").read_text())["level"] == "error"
    assert control.socket_path.stat().st_mode & 0o077 == 0


def test_it_ends_with_its_channel(control: Control) -> None:
    """Also where no kernel tells of a parent's death."""
    control.channel.sendall(encode(Status(ready=True, draining=False, version=1, restarts=0)))
    control.wait_ready()
    control.channel.close()
    assert control.process.wait(20) == 0


async def test_it_hears_on_after_a_message_that_it_fails_on(control: Control) -> None:
    """A snapshot of another version is told in the log; what the supervisor says next is heard."""
    control.channel.sendall(encode(Status(ready=False, draining=False, version=1, restarts=0)))
    control.wait_ready()
    control.channel.sendall(encode(Load(b"\xc1")))
    control.channel.sendall(encode(Status(ready=True, draining=False, version=1, restarts=0)))
    while (await control.get("/readyz"))[0] != 200:
        pass
    assert "hearing the supervisor failed, and begins anew" in control.log()


def test_what_it_does_not_understand_ends_it(control: Control) -> None:
    """To be started again: a process that hears nothing would go on telling what was."""
    control.channel.sendall(encode(Status(ready=False, draining=False, version=1, restarts=0)))
    control.wait_ready()
    control.channel.sendall(b"\xff" * 64)
    assert control.process.wait(20) == 1
    assert "the supervisor is not understood" in control.log()


async def test_it_looks_for_the_other_nodes_again_after_a_defect(control: Control) -> None:
    """Told each time, and nothing else of it stands still."""
    control.channel.sendall(encode(Status(ready=False, draining=False, version=1, restarts=0)))
    control.wait_ready()
    declared = Declared(version=2, cluster=ClusterSettings(url="nonsense://", node="n"))
    control.channel.sendall(encode(Load(msgspec.msgpack.encode(declared))))
    while control.log().count("standing among the nodes failed, and begins anew") < 2:
        await control.get("/readyz")
    control.channel.sendall(encode(Status(ready=True, draining=False, version=2, restarts=0)))
    while (await control.get("/readyz"))[0] != 200:
        pass
