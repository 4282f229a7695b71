"""The process beside the calls, with real processes: when it is there, and what its death costs."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.planes.gate import Gate, wait_gone, wait_until


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Gate]]:
    gates: list[Gate] = []

    def start_gate(text: str) -> Gate:
        gates.append(Gate(tmp_path, text))
        return gates[-1].wait_ready()

    yield start_gate
    for gate in gates:
        gate.close()


def told(gate: Gate) -> tuple[int, str]:
    """Pid and snapshot of who was told last; (0, "") while nobody was."""
    try:
        pid, _, snapshot = (gate.state / "semantic.told").read_text(encoding="utf-8").partition(" ")
    except FileNotFoundError:
        return 0, ""
    return int(pid), snapshot


def reload(gate: Gate, text: str) -> None:
    gate.config.write_text(text, encoding="utf-8")
    gate.signal(signal.SIGHUP)


def wait_told(gate: Gate, snapshot: str, other_than: int = 0) -> int:
    wait_until(lambda: told(gate)[1] == snapshot and told(gate)[0] != other_than, lambda: f"{snapshot}: {told(gate)}")
    return told(gate)[0]


def test_it_comes_and_goes_with_the_configuration(start: Callable[..., Gate]) -> None:
    """Nobody asks for it: it is not there. A reload starts it, tells the same one what is new, and ends it."""
    gate = start("plain")
    assert "semantic" not in gate.children()
    reload(gate, "meaning")
    pid = wait_told(gate, "meaning version=2")
    assert gate.children()["semantic"] == pid
    reload(gate, "more meaning")
    assert wait_told(gate, "more meaning version=3") == pid
    reload(gate, "plain")
    wait_gone(pid)
    assert gate.call()[1] == "plain version=4"
    assert "semantic ended" not in gate.log()


def test_its_death_costs_no_call_and_it_comes_back(start: Callable[..., Gate]) -> None:
    """The same worker answers on, and another one stands in with the configuration in force."""
    gate = start("meaning")
    pid = wait_told(gate, "meaning version=1")
    worker = gate.call()[0]
    os.kill(pid, signal.SIGKILL)
    wait_gone(pid)
    assert gate.call()[0] == worker
    assert wait_told(gate, "meaning version=1", other_than=pid)
    gate.wait_log("semantic ended and is started again")


def test_one_that_does_not_leave_makes_room_for_the_next(start: Callable[..., Gate]) -> None:
    """It was to leave and hangs; when it is wanted again it is killed, and a new one is started."""
    gate = start("stubborn meaning")
    pid = wait_told(gate, "stubborn meaning version=1")
    reload(gate, "plain")
    gate.wait_log('"version": 2')
    reload(gate, "meaning")
    wait_gone(pid)
    assert wait_told(gate, "meaning version=3") != pid


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_it_dies_with_the_supervisor(start: Callable[..., Gate], number: int) -> None:
    """However that ends; also when it hangs."""
    gate = start("meaning")
    pid = wait_told(gate, "meaning version=1")
    os.kill(pid, signal.SIGSTOP)
    gate.signal(number)
    gate.wait_end()
    wait_gone(pid)
