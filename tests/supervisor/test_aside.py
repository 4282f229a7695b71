"""The processes beside the calls, with real processes: when they are there, and what their death costs."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.wait import wait_gone, wait_until
from tests.supervisor.gate import Gate


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Gate]]:
    gates: list[Gate] = []

    def start_gate(text: str) -> Gate:
        gates.append(Gate(tmp_path, text))
        return gates[-1].wait_ready()

    yield start_gate
    for gate in gates:
        gate.close()


def told(gate: Gate, name: str = "semantic") -> tuple[int, str]:
    """Pid and snapshot of who was told last; (0, "") while nobody was."""
    try:
        pid, _, snapshot = (gate.state / f"{name}.told").read_text(encoding="utf-8").partition(" ")
    except FileNotFoundError:
        return 0, ""
    return int(pid), snapshot


def reload(gate: Gate, text: str) -> None:
    gate.config.write_text(text, encoding="utf-8")
    gate.signal(signal.SIGHUP)


def wait_told(gate: Gate, snapshot: str, name: str = "semantic", other_than: int = 0) -> int:
    wait_until(
        lambda: told(gate, name)[1] == snapshot and told(gate, name)[0] != other_than,
        lambda: f"{name} {snapshot}: {told(gate, name)}",
    )
    return told(gate, name)[0]


def wait_file(gate: Gate, name: str) -> None:
    wait_until((gate.state / name).exists, lambda: name)


def hold(gate: Gate, name: str) -> Path:
    """What one that is holding waits for: it is let go by writing."""
    path = gate.state / f"{name}.go"
    os.mkfifo(path)
    return path


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


def test_there_are_as_many_as_the_configuration_names(start: Callable[..., Gate]) -> None:
    """Runners by their numbers, with the desk: a reload adds one, lets the last go, and the others live on."""
    gate = start("jobs=1")
    desk, first = (wait_told(gate, "jobs=1 version=1", name) for name in ("desk", "runner-0"))
    assert set(gate.children()) - {"worker", "control"} == {"desk", "runner-0"}
    reload(gate, "jobs=2")
    second = wait_told(gate, "jobs=2 version=2", "runner-1")
    assert wait_told(gate, "jobs=2 version=2", "runner-0") == first
    reload(gate, "jobs=1")
    wait_gone(second)
    wait_file(gate, "runner-1.left")
    assert wait_told(gate, "jobs=1 version=3", "runner-0") == first
    assert wait_told(gate, "jobs=1 version=3", "desk") == desk
    reload(gate, "plain")
    wait_gone(first)
    wait_gone(desk)
    assert "ended and is started again" not in gate.log()


@pytest.mark.parametrize(("text", "name"), [("meaning", "semantic"), ("jobs=1", "desk"), ("jobs=1", "runner-0")])
def test_its_death_costs_no_call_and_it_comes_back(start: Callable[..., Gate], text: str, name: str) -> None:
    """The same worker answers on, and another one stands in with the configuration in force."""
    gate = start(text)
    pid = wait_told(gate, f"{text} version=1", name)
    worker = gate.call()[0]
    os.kill(pid, signal.SIGKILL)
    wait_gone(pid)
    assert gate.call()[0] == worker
    assert wait_told(gate, f"{text} version=1", name, other_than=pid)
    gate.wait_log(f"{name} ended and is started again")


def test_what_it_cannot_serve_by_is_said(start: Callable[..., Gate]) -> None:
    """And nothing else comes of it: the configuration is in force for the calls."""
    gate = start("jobs=1 picky")
    wait_told(gate, "jobs=1 picky version=1", "desk")
    gate.wait_log("desk cannot serve by the configuration")
    assert gate.call()[1] == "jobs=1 picky version=1"


def test_one_that_does_not_leave_makes_room_for_the_next(start: Callable[..., Gate]) -> None:
    """It was to leave and hangs; when it is wanted again it is killed a moment later, and a new one is started."""
    gate = start("stubborn meaning")
    pid = wait_told(gate, "stubborn meaning version=1")
    reload(gate, "plain")
    gate.wait_log('"version": 2')
    reload(gate, "meaning")
    wait_gone(pid)
    assert wait_told(gate, "meaning version=3") != pid


def test_one_that_does_not_leave_is_ended_in_the_end(start: Callable[..., Gate]) -> None:
    """Also when nobody wants it again: by the drain's time."""
    gate = start("stubborn meaning")
    pid = wait_told(gate, "stubborn meaning version=1")
    reload(gate, "hasty")
    wait_gone(pid)
    assert gate.call()[1] == "hasty version=2"


def test_who_is_wanted_again_has_a_moment_to_hand_back_what_it_holds(start: Callable[..., Gate]) -> None:
    """It is not killed at once: what it holds would be lost for a while."""
    gate = start("jobs=1 holding")
    pid = wait_told(gate, "jobs=1 holding version=1", "runner-0")
    held = hold(gate, "runner-0")
    reload(gate, "plain")
    wait_file(gate, "runner-0.leaving")
    held.write_bytes(b"")
    reload(gate, "jobs=1")
    assert wait_told(gate, "jobs=1 version=3", "runner-0") != pid
    assert (gate.state / "runner-0.left").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize(("text", "name"), [("meaning", "semantic"), ("hasty jobs=1", "runner-0")])
def test_it_dies_with_the_supervisor(start: Callable[..., Gate], text: str, name: str, number: int) -> None:
    """However that ends; also when it hangs, and holds work: a drain has its time."""
    gate = start(text)
    pid = wait_told(gate, f"{text} version=1", name)
    os.kill(pid, signal.SIGSTOP)
    gate.signal(number)
    gate.wait_end()
    wait_gone(pid)


def test_a_drain_does_not_wait_for_who_is_still_starting(start: Callable[..., Gate]) -> None:
    """It holds nothing: calls have ended, and the drain's 20 s are not waited for."""
    gate = start("jobs=1 picky stubborn")
    wait_told(gate, "jobs=1 picky stubborn version=1", "runner-0")
    gate.signal(signal.SIGTERM)
    assert gate.wait_end() == 0
    assert "did not drain in time" not in gate.log()


def test_a_drain_waits_for_what_runners_hand_back(start: Callable[..., Gate]) -> None:
    """The gate has no call left, and ends when the last runner has."""
    gate = start("holding jobs=2")
    names = ("desk", "runner-0", "runner-1")
    pids = [wait_told(gate, "holding jobs=2 version=1", name) for name in names]
    held = [hold(gate, name) for name in names]
    worker = gate.children()["worker"]
    gate.signal(signal.SIGTERM)
    wait_gone(worker)
    for name in names:
        wait_file(gate, f"{name}.leaving")
    assert gate.process.poll() is None
    for path in held:
        path.write_bytes(b"")
    assert gate.wait_end() == 0
    for pid, name in zip(pids, names, strict=True):
        wait_gone(pid)
        assert (gate.state / f"{name}.left").exists()
