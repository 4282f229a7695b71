"""What the metrics page says of processes and their limits."""

import os
from pathlib import Path

from tidegate.control.metrics.workers import worker_metrics
from tidegate.supervisor.messages import WorkerState

Samples = dict[tuple[str, tuple[str, ...]], float]


def samples(*workers: WorkerState, **pids: int) -> Samples:
    families = worker_metrics(workers, pids)
    return {(one.name, tuple(one.labels.values())): one.value for family in families for one in family.samples}


def worker(number: int, namespace: str, permille: int = 0, group: str = "", trouble: str = "") -> WorkerState:
    return WorkerState(number, namespace, 7, number == 0, 8_080 + number, 0, permille, group, trouble)


def test_every_worker_has_its_port_and_whether_it_serves() -> None:
    """The main one is worker 0, without a namespace."""
    found = samples(worker(0, ""), worker(1, "gold"))
    assert found["tidegate_worker_ready", ("0", "", "8080")] == 1
    assert found["tidegate_worker_ready", ("1", "gold", "8081")] == 0
    assert not any(name.startswith("tidegate_cpu") for name, _ in found)


def test_a_limit_is_told_with_what_it_did(tmp_path: Path) -> None:
    """In CPUs and seconds, from the group's own file."""
    (tmp_path / "cpu.stat").write_text("nr_periods 30\nnr_throttled 20\nthrottled_usec 1500000\n")
    found = samples(worker(1, "gold", 700, str(tmp_path)))
    assert found["tidegate_cpu_limit", ("1", "gold")] == 0.7
    assert found["tidegate_cpu_limit_enforced", ("1", "gold", "")] == 1
    assert found["tidegate_cpu_periods_total", ("1", "gold")] == 30
    assert found["tidegate_cpu_throttled_periods_total", ("1", "gold")] == 20
    assert found["tidegate_cpu_throttled_seconds_total", ("1", "gold")] == 1.5


def test_a_limit_that_is_not_enforced_says_why() -> None:
    """It does not look as if it held."""
    found = samples(worker(1, "gold", 300, "", "no right"), worker(2, "night", 300, "/gone"))
    assert found["tidegate_cpu_limit_enforced", ("1", "gold", "no right")] == 0
    assert ("tidegate_cpu_periods_total", ("1", "gold")) not in found
    assert ("tidegate_cpu_periods_total", ("2", "night")) not in found


def test_cpu_time_is_the_systems_own_count() -> None:
    """A process that is gone is left out."""
    found = samples(control=os.getpid(), gone=2**22 + 1)
    assert 0 < found["tidegate_process_cpu_seconds_total", ("control",)] <= sum(os.times()[:2]) + 0.01
    assert ("tidegate_process_cpu_seconds_total", ("gone",)) not in found
