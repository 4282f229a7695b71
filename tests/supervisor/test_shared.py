"""The gate's own Valkey: there before workers are told of it, kept alive, ended last, and by SIGKILL too."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.wait import wait_gone, wait_until
from tests.supervisor.gate import Gate
from tidegate.supervisor import shared
from tidegate.supervisor.shared import DIRECTORY, SOCKET


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Gate]]:
    gates: list[Gate] = []

    def start_gate(text: str = "plain", **options: object) -> Gate:
        folder = tmp_path / str(len(gates))
        folder.mkdir()
        gates.append(Gate(folder, text, **{"workers": 2} | options))
        return gates[-1]

    yield start_gate
    for gate in gates:
        gate.close()


def server_of(gate: Gate) -> int:
    """The pid that the claim names."""
    found = int((gate.state / DIRECTORY / "lock").read_text())
    gate.watched.add(found)
    return found


def ask(gate: Gate, words: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(20)
        connection.connect(str(gate.state / SOCKET))
        connection.sendall(words + b"\r\n")
        return connection.recv(4_096)


def answers(gate: Gate) -> bool:
    try:
        return ask(gate, b"PING") == b"+PONG\r\n"
    except OSError:
        return False


def test_several_workers_have_a_server_and_it_ends_with_them(start: Callable[..., Gate]) -> None:
    """Only this user reaches it, only by its socket; nothing that it keeps is evicted."""
    gate = start().wait_ready()
    server_of(gate)
    assert answers(gate)
    assert (gate.state / SOCKET).stat().st_mode & 0o777 == 0o700
    assert (gate.state / DIRECTORY).stat().st_mode & 0o777 == 0o700
    for name, value in ((b"maxmemory-policy", b"noeviction"), (b"appendonly", b"yes"), (b"port", b"0")):
        assert ask(gate, b"CONFIG GET " + name).split()[-1] == value

    gate.signal(signal.SIGTERM)
    assert gate.wait_end() == 0
    assert not (gate.state / SOCKET).exists()


@pytest.mark.parametrize(("text", "workers"), [("plain", 1), ("plain elsewhere", 2)])
def test_nobody_else_has_one(start: Callable[..., Gate], text: str, workers: int) -> None:
    """One worker alone, and a cluster whose server the file names."""
    gate = start(text, workers=workers).wait_ready()
    assert not (gate.state / DIRECTORY).exists()


def test_it_dies_with_a_killed_supervisor(start: Callable[..., Gate]) -> None:
    """And so do the workers."""
    gate = start().wait_ready()
    server, workers = server_of(gate), gate.workers()
    assert len(workers) == 2
    gate.signal(signal.SIGKILL)
    for pid in (server, *workers.values()):
        wait_gone(pid)


def test_it_is_started_again_with_what_it_kept(start: Callable[..., Gate]) -> None:
    """SIGKILL loses nothing: what was answered is in the kernel's hands."""
    gate = start().wait_ready()
    server, workers = server_of(gate), gate.workers()
    assert ask(gate, b"SET some thing") == b"+OK\r\n"
    os.kill(server, signal.SIGKILL)
    wait_gone(server)
    wait_until(lambda: answers(gate), lambda: f"a new server; {gate.log()}")
    assert ask(gate, b"GET some").split() == [b"$5", b"thing"]
    assert server_of(gate) != server
    assert gate.workers() == workers
    assert "Valkey ended and is started again" in gate.log()


def test_what_was_kept_outlives_the_gate(start: Callable[..., Gate], tmp_path: Path) -> None:
    """The same state directory, the same state."""
    first = start().wait_ready()
    ask(first, b"SET some thing")
    server_of(first)
    first.signal(signal.SIGTERM)
    first.wait_end()
    second = start(state_dir=str(first.state)).wait_ready()
    second.state = first.state
    server_of(second)
    assert ask(second, b"GET some").split() == [b"$5", b"thing"]


def test_an_orphan_of_an_earlier_gate_is_ended_first(start: Callable[..., Gate], tmp_path: Path) -> None:
    """Two servers would write into one file."""
    state = tmp_path / "state"
    state.mkdir()
    ours, theirs = socket.socketpair()
    command = [sys.executable, "-m", "tidegate.supervisor.valkey", "--state-dir", str(state)]
    with ours, theirs:
        orphan = subprocess.Popen([*command, "--channel", str(theirs.fileno())], pass_fds=[theirs.fileno()])
    try:
        wait_until((state / SOCKET).exists, lambda: "a server")
        gate = start(state_dir=str(state)).wait_ready()
        gate.state = state
        assert orphan.wait(20) == -signal.SIGKILL
        assert server_of(gate) != orphan.pid
        assert answers(gate)
    finally:
        orphan.kill()
        orphan.wait()


def test_a_server_that_cannot_be_started_ends_the_gate_with_the_remedy(start: Callable[..., Gate]) -> None:
    """Before anybody serves."""
    gate = start(shared_module="tests.supervisor.no_such_module")
    assert gate.wait_end() == 1
    assert shared.REMEDY in gate.log()
