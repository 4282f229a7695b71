"""The supervisor with real processes: what dies, what lives, what is refused."""

import os
import re
import signal
import socket
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.wait import wait_gone, wait_until
from tests.supervisor.gate import Gate


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Gate]]:
    gates: list[Gate] = []

    def start_gate(text: str = "plain", **options: object) -> Gate:
        folder = tmp_path / str(len(gates))
        folder.mkdir()
        gates.append(Gate(folder, text, **options))
        return gates[-1]

    yield start_gate
    for gate in gates:
        gate.close()


def test_one_line_tells_both_urls_once_calls_are_served(start: Callable[..., Gate]) -> None:
    """Port 0 shows as the real port; the state directory is for this user alone; warnings are in the log."""
    gate = start("plain warned").wait_ready()
    assert gate.call() == (gate.children()["worker"], "plain warned version=1")
    assert gate.admin_port > 0
    state = gate.config.parent / "state"
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    assert '"detail": "careful"' in gate.log()
    gate.signal(signal.SIGTERM)
    assert gate.wait_end() == 0
    assert gate.process.stdout is not None
    assert gate.process.stdout.read() == b""


def test_all_children_die_with_a_killed_supervisor(start: Callable[..., Gate]) -> None:
    """SIGKILL leaves nobody behind."""
    gate = start().wait_ready()
    gate.wait_child("control", 0)
    children = gate.children()
    assert len(children) == 2
    gate.signal(signal.SIGKILL)
    for pid in children.values():
        wait_gone(pid)


def test_a_killed_control_process_costs_no_call_and_comes_back(start: Callable[..., Gate]) -> None:
    """The same worker answers on, and a new control process stands in."""
    gate = start().wait_ready()
    gate.wait_child("control", 0)
    before = gate.children()
    kill(before["control"])
    assert gate.call()[0] == before["worker"]
    gate.wait_child("control", before["control"])
    assert gate.call()[0] == before["worker"]
    gate.wait_log("control ended and is started again")


def test_a_killed_worker_refuses_nobody(start: Callable[..., Gate]) -> None:
    """Connections wait in the backlog; a new worker answers them from the same snapshot."""
    gate = start().wait_ready()
    before = gate.children()["worker"]
    kill(before)
    answered_by, snapshot = gate.call()
    assert answered_by != before
    assert snapshot == "plain version=1"
    assert gate.children()["worker"] == answered_by


def loaders_of(gate: Gate) -> list[int]:
    pid = gate.process.pid
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [int(child) for child in children if b"fake_loader" in Path(f"/proc/{child}/cmdline").read_bytes()]


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    wait_gone(pid)


def test_a_bad_file_ends_everything_with_2(start: Callable[..., Gate]) -> None:
    """Its errors are on stderr word for word, and no child stays."""
    gate = start("bad")
    assert gate.wait_end() == 2
    assert "tidegate.yaml:1:1: something: is wrong; write it right\n" in gate.log()
    assert "nothing was started" in gate.log()


def test_sighup_puts_a_new_file_in_force_in_the_same_worker(start: Callable[..., Gate]) -> None:
    """Reload needs no restart."""
    gate = start("one").wait_ready()
    pid, _ = gate.call()
    gate.config.write_text("two", encoding="utf-8")
    gate.signal(signal.SIGHUP)
    gate.wait_log("configuration reloaded")
    assert gate.call() == (pid, "two version=2")


def test_a_sighup_during_a_load_is_not_lost(start: Callable[..., Gate], tmp_path: Path) -> None:
    """The file may have changed after the running loader read it: it is read again."""
    gate = start("one").wait_ready()
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    gate.config.write_text(f"after {fifo}", encoding="utf-8")
    gate.signal(signal.SIGHUP)
    with fifo.open("wb"):  # opens when the loader reads, so it has read the file
        gate.config.write_text("two", encoding="utf-8")
        gate.signal(signal.SIGHUP)
    gate.wait_log('"version": 3')
    assert gate.call()[1] == "two version=3"


def test_a_loader_that_hangs_is_ended_and_reloads_go_on(start: Callable[..., Gate], tmp_path: Path) -> None:
    """It is said why, whoever asked is told, and what came in between is read without being asked again."""
    gate = start("one", loader_seconds=5.0).wait_ready()
    gate.wait_child("control", 0)
    gate.wait_log("control hears of one version=1")
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    gate.config.write_text(f"after {fifo}", encoding="utf-8")
    os.kill(gate.children()["control"], signal.SIGUSR1)
    with fifo.open("wb"):  # the loader has read the file; it is told nothing more, as by a mount that is away
        (loader,) = loaders_of(gate)
        gate.config.write_text("two", encoding="utf-8")
        gate.signal(signal.SIGHUP)
        gate.wait_log("control is told 1: 0 error: ")
        assert "tidegate.yaml was not read within 5 s" in gate.log()
        wait_gone(loader)
        gate.wait_log("configuration reloaded")
    assert gate.call()[1] == "two version=3"


def test_a_first_load_that_hangs_ends_the_gate(start: Callable[..., Gate], tmp_path: Path) -> None:
    """With 1, and the reason."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    gate = start(f"after {fifo}", loader_seconds=0.5)
    assert gate.wait_end() == 1
    assert "was not read within 0.5 s" in gate.log()


def test_who_asks_for_the_file_during_a_drain_is_told_at_once(start: Callable[..., Gate], tmp_path: Path) -> None:
    """As is whoever waits when the drain begins."""
    gate = start("one").wait_ready()
    gate.wait_child("control", 0)
    gate.wait_log("control hears of one version=1")
    control = gate.children()["control"]
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    gate.config.write_text(f"after {fifo}", encoding="utf-8")
    with gate.connect() as connection, connection.makefile("rwb") as stream:
        stream.write(b"start\n")
        stream.flush()
        stream.readline()
        os.kill(control, signal.SIGUSR1)
        wait_until(lambda: loaders_of(gate), lambda: "a loader")
        gate.signal(signal.SIGTERM)
        gate.wait_log("control is told 1: 0 the gate ends")
        os.kill(control, signal.SIGUSR1)
        gate.wait_log("control is told 2: 0 the gate ends")
        stream.write(b"finish\n")
        stream.flush()
        stream.readline()
    assert gate.wait_end() == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("bad", "the file cannot be used"),
        ("unwelcome", "I do not like it"),
        ("deadly", "died of the new configuration"),
    ],
)
def test_a_reload_that_fails_changes_nothing(start: Callable[..., Gate], text: str, said: str) -> None:
    """The loader refuses the file, the worker does, or dies of it: the last good snapshot stays, also for the next."""
    gate = start("good").wait_ready()
    gate.config.write_text(text, encoding="utf-8")
    gate.signal(signal.SIGHUP)
    gate.wait_log(said)
    pid, snapshot = gate.call()
    assert snapshot == "good version=1"
    kill(pid)
    assert gate.call()[1] == "good version=1"


def test_a_changed_file_is_taken_over(start: Callable[..., Gate]) -> None:
    """Without a signal: written in place, or replaced by renaming; a bad one is told once and keeps the last."""
    gate = start("one", watch_seconds=0.02).wait_ready()
    gate.config.write_text("two", encoding="utf-8")
    gate.wait_log('"version": 2')
    assert gate.call()[1] == "two version=2"
    gate.config.write_text("bad", encoding="utf-8")
    gate.wait_log("the file cannot be used")
    new = gate.config.with_name("new")
    new.write_text("four", encoding="utf-8")
    new.rename(gate.config)
    gate.wait_log('"version": 4')
    assert gate.call()[1] == "four version=4"
    assert gate.log().count("the file cannot be used") == 1


def test_of_a_common_configuration_only_what_all_agreed_upon_is_in_force(start: Callable[..., Gate]) -> None:
    """A change is told to control, and what control offers is served by; what workers refuse control hears."""
    gate = start("common one", watch_seconds=0.02).wait_ready()
    gate.wait_log("control hears of common one")
    gate.config.write_text("agreed common two", encoding="utf-8")
    gate.wait_log("control hears of agreed common two")
    assert gate.call()[1] == "agreed common two"
    gate.config.write_text("agreed common unwelcome", encoding="utf-8")
    gate.wait_log("control hears: worker-0 refused it: I do not like it")
    assert gate.call()[1] == "agreed common two"
    gate.config.write_text("bad", encoding="utf-8")  # control says nothing of it, and nobody else reads it
    gate.signal(signal.SIGHUP)
    gate.config.write_text("agreed common three", encoding="utf-8")
    gate.wait_log("control hears of agreed common three")
    assert "the file cannot be used" not in gate.log()


def test_a_file_that_the_configuration_names_counts(start: Callable[..., Gate], tmp_path: Path) -> None:
    """Also when it is what was wrong."""
    gate = start("one", watch_seconds=0.02).wait_ready()
    other = tmp_path / "other"
    other.write_text("bad", encoding="utf-8")
    gate.config.write_text(f"see {other}", encoding="utf-8")
    gate.wait_log("the file cannot be used")
    other.write_text("good", encoding="utf-8")
    gate.wait_log('"version": 3')
    assert gate.call()[1] == "good version=3"


def test_sigterm_lets_calls_finish_and_refuses_new_ones(start: Callable[..., Gate]) -> None:
    """The drain ends when the last call does, with exit 0."""
    gate = start().wait_ready()
    with gate.connect() as connection, connection.makefile("rwb") as stream:
        stream.write(b"start\n")
        stream.flush()
        stream.readline()
        gate.signal(signal.SIGTERM)
        gate.wait_log("draining")
        refused_in_the_end(gate)
        stream.write(b"finish\n")
        stream.flush()
        assert stream.readline() == b"end\n"
    assert gate.wait_end() == 0


def test_a_file_that_is_read_when_the_gate_ends_is_nobodys_any_more(start: Callable[..., Gate], tmp_path: Path) -> None:
    """Its ports are closed by then: the gate ends as it would have."""
    gate = start("one").wait_ready()
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    gate.config.write_text(f"after {fifo}", encoding="utf-8")
    with gate.connect() as connection, connection.makefile("rwb") as stream:
        stream.write(b"start\n")
        stream.flush()
        stream.readline()
        gate.signal(signal.SIGHUP)
        with fifo.open("wb"):
            (loader,) = loaders_of(gate)
            gate.signal(signal.SIGTERM)
            refused_in_the_end(gate)
        wait_gone(loader)
        stream.write(b"finish\n")
        stream.flush()
        stream.readline()
    assert gate.wait_end() == 0


def refused_in_the_end(gate: Gate) -> None:
    def refused() -> bool:
        try:
            gate.connect().close()
        except ConnectionRefusedError:
            return True
        return False

    wait_until(refused, lambda: "a refused connection")


@pytest.mark.parametrize(("text", "again"), [("hasty", False), ("patient", True)])
def test_a_drain_is_bounded_and_a_second_signal_ends_it(start: Callable[..., Gate], text: str, again: bool) -> None:
    """A call that never ends holds the gate for the drain time at most, or until it is told twice."""
    gate = start(text).wait_ready()
    with gate.connect() as connection, connection.makefile("rwb") as stream:
        stream.write(b"start\n")
        stream.flush()
        stream.readline()
        gate.signal(signal.SIGINT)
        gate.wait_log("draining")
        if again:
            gate.signal(signal.SIGINT)
        assert gate.wait_end() == 0


def test_a_port_in_use_is_said_plainly(start: Callable[..., Gate]) -> None:
    """Exit 1, the port and the remedy."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        gate = start(port=port)
        assert gate.wait_end() == 1
        assert f"error: port {port} on 127.0.0.1 is in use" in gate.log()
        assert "--port" in gate.log()


def test_two_gates_cannot_share_a_state_directory(start: Callable[..., Gate]) -> None:
    """The second is told who has it; once the first is dead, however it died, another may."""
    first = start().wait_ready()
    state = str(first.config.parent / "state")
    second = start(state_dir=state)
    assert second.wait_end() == 1
    assert f"in use by another gate (pid {first.process.pid})" in second.log()
    first.signal(signal.SIGKILL)
    first.wait_end()
    start(state_dir=state).wait_ready()


def test_without_client_keys_only_loopback_is_served(start: Callable[..., Gate]) -> None:
    """Exit 2 and the reason; with keys the same address is fine, and a reload cannot take them away."""
    assert start("open", host="0.0.0.0").wait_end() == 2
    gate = start("clients", host="0.0.0.0").wait_ready()
    gate.config.write_text("open", encoding="utf-8")
    gate.signal(signal.SIGHUP)
    gate.wait_log("anybody could spend your quota")
    assert gate.call()[1] == "clients version=1"


def test_the_admin_port_is_where_it_is_asked_for(start: Callable[..., Gate]) -> None:
    """A container's or a cluster's probes come from another address; without being asked nobody else reaches it."""
    gate = start(admin_host="0.0.0.0")
    assert re.search(r"\(admin http://0\.0\.0\.0:\d+\)", gate.line())
    assert start(admin_host="no such host").wait_end() == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [("unwelcome", "worker-0 cannot start: I do not like it"), ("deadly", "ended before it was ready (exit status 3)")],
)
def test_a_gate_that_cannot_start_ends_with_1(start: Callable[..., Gate], text: str, said: str) -> None:
    """No crash loop before the first ready line: the reason, and the end."""
    gate = start(text)
    assert gate.wait_end() == 1
    assert said in gate.log()


def test_the_url_tells_tls(start: Callable[..., Gate]) -> None:
    """With server-side TLS the line says https."""
    gate = start("tls")
    line = gate.line()
    assert line.startswith("tidegate ready: https://127.0.0.1:")
