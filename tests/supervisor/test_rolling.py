"""A rolling restart with real processes: every port is served, no call is cut off, and what fails changes nothing."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import pytest

from harness.wait import wait_gone, wait_until
from tests.supervisor.gate import Gate


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Gate]]:
    gates: list[Gate] = []

    def start_gate(text: str, **options: object) -> Gate:
        folder = tmp_path / str(len(gates))
        folder.mkdir()
        gates.append(Gate(folder, text, **options))
        return gates[-1]

    yield start_gate
    for gate in gates:
        gate.close()


@contextmanager
def held(gate: Gate) -> Iterator[BinaryIO]:
    """A call whose answer has begun."""
    with gate.connect() as connection, connection.makefile("rwb") as stream:
        stream.write(b"start\n")
        stream.flush()
        stream.readline()
        yield stream
        stream.write(b"finish\n")
        stream.flush()
        assert stream.readline() == b"end\n"


def roll(gate: Gate, said: str = "every worker was replaced") -> None:
    gate.signal(signal.SIGUSR2)
    gate.wait_log(said)


@pytest.mark.parametrize("word", ["alone", "shared"])
@pytest.mark.parametrize("workers", [1, 3])
def test_every_worker_is_replaced_and_every_call_is_answered(
    start: Callable[..., Gate], word: str, workers: int
) -> None:
    """Of whoever is replaced, calls in flight end as they would have; whatever comes meanwhile is answered."""
    gate = start(f"{word} gold:0:0:calm elsewhere", workers=workers).wait_ready()
    before = set(gate.workers().values())
    with held(gate):
        gate.signal(signal.SIGUSR2)
        while "every worker was replaced" not in gate.log():
            assert gate.call()[1].startswith(word)
            assert gate.call(gate.ports["gold"])[1] == "gold calm version=1"
            gate.workers()
    for pid in before:
        wait_gone(pid)
    assert len(gate.workers()) == workers + 1
    assert gate.call()[0] in gate.workers().values()
    gate.signal(signal.SIGTERM)
    assert gate.wait_end() == 0


def test_each_life_has_a_folder_and_the_next_gate_knows_which(start: Callable[..., Gate], tmp_path: Path) -> None:
    """Two for each place, in turn; another number of workers forgets what one of them alone knew of signatures."""
    gate = start("alone elsewhere").wait_ready()
    homes = []
    for _ in range(3):
        (pid,) = gate.workers().values()
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
        homes.append(Path(words[words.index("--own-dir") + 1]))
        logged = gate.log().count("every worker was replaced")
        gate.signal(signal.SIGUSR2)
        wait_until(lambda logged=logged: gate.log().count("every worker was replaced") > logged, gate.log)
        wait_gone(pid)
    assert homes == [gate.state, gate.state / "workers" / "+0+", gate.state]
    gate.signal(signal.SIGTERM)
    gate.wait_end()
    (homes[1] / "nonces").write_bytes(b"")
    second = start("alone elsewhere", state_dir=str(gate.state), workers=2).wait_ready()
    assert len(second.workers()) == 2
    assert not (homes[1] / "nonces").exists()


def test_a_successor_that_cannot_serve_changes_nothing(start: Callable[..., Gate]) -> None:
    """It dies, or refuses: its predecessor serves on, and the next try may be better."""
    gate = start("alone heirless elsewhere", workers=2).wait_ready()
    before = gate.workers()
    roll(gate, "the rolling restart ends")
    assert gate.call()[1] == "alone heirless elsewhere version=1"
    wait_until(lambda: gate.workers() == before, lambda: f"{before} alone, not {gate.workers()}")
    gate.config.write_text("alone elsewhere")
    gate.signal(signal.SIGHUP)
    gate.wait_log("configuration reloaded")
    roll(gate)
    assert gate.call()[0] not in before.values()


def test_a_reload_in_the_middle_waits_for_its_moment(start: Callable[..., Gate]) -> None:
    """And is in force everywhere in the end."""
    gate = start("one elsewhere", workers=3).wait_ready()
    gate.signal(signal.SIGUSR2)
    gate.config.write_text("two elsewhere")
    gate.signal(signal.SIGHUP)
    gate.wait_log("every worker was replaced")
    wait_until(lambda: gate.call()[1].startswith("two"), gate.log)
    for _ in range(20):
        assert gate.call()[1].startswith("two")


def test_a_killed_successor_comes_again(start: Callable[..., Gate]) -> None:
    """Once it serves it is a worker as any other, and knows that it succeeds nobody any more."""
    gate = start("alone elsewhere").wait_ready()
    roll(gate)
    (number,) = gate.workers()
    pid = gate.workers()[number]
    os.kill(pid, signal.SIGKILL)
    wait_gone(pid)
    assert gate.call()[0] != pid
    words = Path(f"/proc/{gate.workers()[number]}/cmdline").read_bytes().decode().split("\0")
    assert "--after" not in words


def test_one_at_a_time(start: Callable[..., Gate]) -> None:
    """A folder is free when whoever was there has ended."""
    gate = start("alone elsewhere").wait_ready()
    with held(gate):
        roll(gate)
        roll(gate, "workers that were replaced before have not ended yet")
