"""Several workers with real processes: what happens to one costs the others nothing."""

import os
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.ports import free_port
from harness.wait import wait_gone, wait_until
from tests.supervisor.gate import Gate
from tidegate.supervisor.cgroup import Groups, NoGroups

TWO = "plain gold:0:0:calm night:0:0:calm"


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Gate]]:
    gates: list[Gate] = []

    def start_gate(text: str = TWO, **options: object) -> Gate:
        folder = tmp_path / str(len(gates))
        folder.mkdir()
        gates.append(Gate(folder, text, **options))
        return gates[-1]

    yield start_gate
    for gate in gates:
        gate.close()


def reload(gate: Gate, text: str, said: str) -> None:
    gate.config.write_text(text, encoding="utf-8")
    gate.signal(signal.SIGHUP)
    gate.wait_log(said)


def refused(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except ConnectionRefusedError:
        return True
    return False


def test_the_ready_line_names_every_port_once_all_serve(start: Callable[..., Gate]) -> None:
    """Each port is another process with a snapshot and a directory of its own."""
    gate = start().wait_ready()
    assert set(gate.ports) == {"gold", "night"}
    answers = [gate.call(), gate.call(gate.ports["gold"]), gate.call(gate.ports["night"])]
    assert [snapshot for _, snapshot in answers] == [
        "plain version=1",
        "gold calm version=1",
        "night calm version=1",
    ]
    assert [pid for pid, _ in answers] == [gate.workers()[number] for number in range(3)]
    state = gate.config.parent / "state" / "workers"
    assert sorted(path.name for path in state.iterdir()) == ["gold", "night"]
    gate.signal(signal.SIGTERM)
    assert gate.wait_end() == 0


def test_a_killed_worker_costs_the_others_nothing(start: Callable[..., Gate]) -> None:
    """A call that is running elsewhere goes on; the one that was killed comes back behind its port."""
    gate = start().wait_ready()
    before = gate.workers()
    with gate.connect(gate.ports["night"]) as connection, connection.makefile("rwb") as stream:
        stream.write(b"start\n")
        stream.flush()
        stream.readline()
        os.kill(before[1], signal.SIGKILL)
        wait_gone(before[1])
        assert gate.call()[0] == before[0]
        pid, snapshot = gate.call(gate.ports["gold"])
        assert pid not in before.values()
        assert snapshot == "gold calm version=1"
        stream.write(b"finish\n")
        stream.flush()
        assert stream.readline() == b"end\n"
    assert gate.workers() == before | {1: pid}
    assert "worker-1 (gold) ended and is started again" in gate.log()


def test_a_reload_is_in_force_everywhere_or_nowhere(start: Callable[..., Gate]) -> None:
    """All processes stay; one that refuses keeps the last good one for all, also for who is started later."""
    gate = start("one gold:0:0:calm").wait_ready()
    workers = gate.workers()
    reload(gate, "two gold:0:0:calm", "configuration reloaded")
    assert gate.call() == (workers[0], "two version=2")
    assert gate.call(gate.ports["gold"]) == (workers[1], "gold calm version=2")
    reload(gate, "three gold:0:0:unwelcome", "worker-1 (gold) refused it: I do not like it")
    wait_until(lambda: gate.call()[1] == "two version=2", lambda: "the last good snapshot")
    assert gate.call(gate.ports["gold"])[1] == "gold calm version=2"
    os.kill(workers[0], signal.SIGKILL)
    wait_gone(workers[0])
    assert gate.call()[1] == "two version=2"
    reload(gate, "four gold:0:0:deadly", "worker-1 (gold) died of the new configuration")
    wait_until(lambda: gate.call()[1] == "two version=2", lambda: "the last good snapshot")
    assert gate.call(gate.ports["gold"])[1] == "gold calm version=2"
    reload(gate, "five gold:0:0:calm", '"version": 5')
    assert gate.call()[1] == "five version=5"


def test_workers_come_and_go_by_reload(start: Callable[..., Gate]) -> None:
    """A new one serves before the configuration is in force; one that is dropped finishes its calls first."""
    gate = start("one gold:0:0:calm").wait_ready()
    workers = gate.workers()
    port, own = free_port(), gate.state / "workers" / "gold"
    for name in ("nonces", "nonces.old", "spend"):
        (own / name).write_bytes(b"")
    with gate.connect(gate.ports["gold"]) as connection, connection.makefile("rwb") as stream:
        stream.write(b"start\n")
        stream.flush()
        stream.readline()
        reload(gate, f"two night:{port}:0:calm", "configuration reloaded")
        assert gate.call() == (workers[0], "two version=2")
        assert gate.call(port)[1] == "night calm version=2"
        wait_until(lambda: refused(gate.ports["gold"]), lambda: "a closed port")
        stream.write(b"finish\n")
        stream.flush()
        assert stream.readline() == b"end\n"
    wait_gone(workers[1])
    wait_until(lambda: not list(own.glob("nonces*")), lambda: "another worker knows what was signed since")
    assert (own / "spend").exists()
    assert gate.workers()[0] == workers[0]
    assert len(gate.workers()) == 2


def test_a_worker_moves_to_another_port_with_its_directory(start: Callable[..., Gate]) -> None:
    """The next one starts when the last one has ended: a journal has one writer."""
    gate = start("one gold:0:0:calm").wait_ready()
    old, port = gate.workers()[1], free_port()
    with gate.connect(gate.ports["gold"]) as connection, connection.makefile("rwb") as stream:
        stream.write(b"start\n")
        stream.flush()
        stream.readline()
        reload(gate, f"one gold:{port}:0:calm", "configuration reloaded")
        assert list(gate.workers().values()).count(old) == 1
        assert len(gate.workers()) == 2
        stream.write(b"finish\n")
        stream.flush()
        assert stream.readline() == b"end\n"
    pid, snapshot = gate.call(port)
    assert (pid != old, snapshot) == (True, "gold calm version=2")
    assert refused(gate.ports["gold"])


def test_ports_are_swapped_and_handed_on(start: Callable[..., Gate]) -> None:
    """Nobody else gets between: connections to a port wait for whom it belongs to next."""
    one, two = free_port(), free_port()
    gate = start(f"one gold:{one}:0:calm night:{two}:0:calm").wait_ready()
    reload(gate, f"one gold:{two}:0:calm night:{one}:0:calm", '"version": 2')
    wait_until(lambda: answers(gate, one, two) == ["night", "gold"], lambda: "the other way round")
    reload(gate, f"one other:{one}:0:calm gold:{two}:0:calm", '"version": 3')
    wait_until(lambda: answers(gate, one, two) == ["other", "gold"], lambda: "the first port in other hands")
    assert len(gate.workers()) == 3


def answers(gate: Gate, *ports: int) -> list[str]:
    return [gate.call(port)[1].partition(" ")[0] for port in ports]


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("night:{taken}:0:calm", "is in use"),
        ("night:0:0:deadly", "worker-2 (night) died of it (exit status 3)"),
        ("night:0:0:unwelcome", "worker-2 (night) refused it"),
    ],
)
def test_a_new_worker_that_cannot_serve_changes_nothing(start: Callable[..., Gate], part: str, said: str) -> None:
    """Its port in use, or it dies or refuses: who served before serves on, and nothing is left of it."""
    gate = start("one gold:0:0:calm").wait_ready()
    workers = gate.workers()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        reload(gate, "two gold:0:0:calm " + part.format(taken=taken.getsockname()[1]), said)
    wait_until(lambda: gate.call()[1] == "one version=1", lambda: "the last good snapshot")
    assert gate.call(gate.ports["gold"]) == (workers[1], "gold calm version=1")
    wait_until(lambda: gate.workers() == workers, lambda: f"{workers} alone, not {gate.workers()}")


def test_all_workers_drain(start: Callable[..., Gate]) -> None:
    """The gate ends when the last call of the last worker does."""
    gate = start().wait_ready()
    with gate.connect(gate.ports["night"]) as connection, connection.makefile("rwb") as stream:
        stream.write(b"start\n")
        stream.flush()
        stream.readline()
        gate.signal(signal.SIGTERM)
        for port in (gate.port, gate.ports["gold"], gate.ports["night"]):
            wait_until(lambda port=port: refused(port), lambda: "a closed port")
        assert gate.process.poll() is None
        stream.write(b"finish\n")
        stream.flush()
        assert stream.readline() == b"end\n"
    assert gate.wait_end() == 0


def test_all_die_with_a_killed_supervisor(start: Callable[..., Gate]) -> None:
    """SIGKILL leaves nobody behind."""
    gate = start().wait_ready()
    workers = gate.workers()
    gate.signal(signal.SIGKILL)
    for pid in workers.values():
        wait_gone(pid)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("one gold:0:0:unwelcome", "worker-1 (gold) cannot start: I do not like it"),
        ("one gold:0:0:deadly", "worker-1 (gold) ended before it was ready (exit status 3)"),
    ],
)
def test_a_gate_that_cannot_start_all_ends_with_1(start: Callable[..., Gate], text: str, said: str) -> None:
    """Rather than serving some of what was configured."""
    gate = start(text)
    assert gate.wait_end() == 1
    assert said in gate.log()


def test_a_port_in_use_is_said_with_its_field(start: Callable[..., Gate]) -> None:
    """Exit 1, before anybody serves."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        gate = start(f"one gold:{taken.getsockname()[1]}:0:calm")
        assert gate.wait_end() == 1
    assert "is in use" in gate.log()
    assert "namespaces.gold.isolation.port" in gate.log()


# ── groups ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def group_of(pid: int) -> str:
    """The process's path in the hierarchy of the cpu controller."""
    lines = [line.split(":", 2) for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines()]
    return next((path for _, names, path in lines if "cpu" in names.split(",")), "") or lines[-1][2]


@pytest.fixture
def cgroups(tmp_path: Path) -> None:
    try:
        Groups(str(tmp_path)).close()
    except NoGroups as error:
        pytest.skip(f"this machine lets us make no cgroups: {error}")


def test_a_worker_is_in_its_group_from_its_first_life_on(start: Callable[..., Gate], cgroups: None) -> None:
    """Who has no limit has no group; a new process is put into the same one; the end leaves none."""
    gate = start("one gold:0:300:calm night:0:0:calm").wait_ready()
    workers = gate.workers()
    group = group_of(workers[1])
    assert group.endswith("/gold")
    assert group_of(workers[0]) == group_of(workers[2]) == group_of(os.getpid())
    os.kill(workers[1], signal.SIGKILL)
    wait_gone(workers[1])
    pid, _ = gate.call(gate.ports["gold"])
    assert group_of(pid) == group
    gate.signal(signal.SIGTERM)
    assert gate.wait_end() == 0
    assert not list(Path("/sys/fs/cgroup").glob(f"*{group}"))


def test_a_limit_changes_by_reload(start: Callable[..., Gate], cgroups: None) -> None:
    """In the same process; without a limit it stays where it is, unbounded."""
    gate = start("one gold:0:300:calm").wait_ready()
    pid = gate.workers()[1]
    group = group_of(pid)
    for text, version in (("one gold:0:700:calm", 2), ("one gold:0:0:calm", 3)):
        reload(gate, text, f'"version": {version}')
        assert gate.workers()[1] == pid
        assert group_of(pid) == group
    found = [path.read_text().split() for path in Path("/sys/fs/cgroup").glob(f"*{group}/cpu.cfs_quota_us")]
    assert found in ([], [["-1"]])
    gate.signal(signal.SIGTERM)
    gate.wait_end()


def test_without_the_right_to_make_groups_all_else_works(start: Callable[..., Gate], tmp_path: Path) -> None:
    """One line says what is missing and what helps; every worker serves."""
    gate = start("one gold:0:300:calm night:0:300:calm", groupless=True).wait_ready()
    assert gate.call(gate.ports["gold"])[1] == "gold calm version=1"
    assert gate.log().count("CPU limits are not enforced") == 1
    assert "Delegate=cpu" in gate.log()
