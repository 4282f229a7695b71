"""Processes on the metrics page: what each uses of the CPU, and what its cgroup holds it to."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from tidegate.supervisor.cgroup import throttling
from tidegate.supervisor.messages import WorkerState

_WORKER = ["worker", "namespace"]
_TICKS = os.sysconf("SC_CLK_TCK")


def worker_metrics(workers: Sequence[WorkerState], pids: dict[str, int]) -> Iterator[Metric]:
    """`workers` as the supervisor tells them; `pids` are the processes whose CPU time is shown. Reads files."""
    ready = GaugeMetricFamily("tidegate_worker_ready", "1 while it accepts calls", labels=[*_WORKER, "port"])
    for worker in workers:
        ready.add_metric([*_labels(worker), str(worker.port)], worker.ready)
    yield ready
    yield _cpu(pids)
    yield from _limits([worker for worker in workers if worker.cpu_permille])


def _cpu(pids: dict[str, int]) -> Metric:
    family = CounterMetricFamily("tidegate_process_cpu_seconds", "CPU time by process", labels=["process"])
    for process, pid in pids.items():
        spent = _spent(pid)
        if spent:
            family.add_metric([process], spent)
    return family


def _limits(workers: Sequence[WorkerState]) -> Iterator[Metric]:
    limit = GaugeMetricFamily("tidegate_cpu_limit", "CPUs that its cgroup allows", labels=_WORKER)
    enforced = GaugeMetricFamily("tidegate_cpu_limit_enforced", "0 = no cgroup", labels=[*_WORKER, "reason"])
    periods = CounterMetricFamily("tidegate_cpu_periods", "Periods in which it ran", labels=_WORKER)
    held = CounterMetricFamily("tidegate_cpu_throttled_periods", "Periods in which it was held", labels=_WORKER)
    seconds = CounterMetricFamily("tidegate_cpu_throttled_seconds", "For how long it was held", labels=_WORKER)
    for worker in workers:
        labels = _labels(worker)
        limit.add_metric(labels, worker.cpu_permille / 1_000)
        enforced.add_metric([*labels, worker.trouble], bool(worker.group))
        found = throttling(worker.group) if worker.group else None
        if found is not None:
            periods.add_metric(labels, found.periods)
            held.add_metric(labels, found.throttled)
            seconds.add_metric(labels, found.throttled_us / 1e6)
    yield from (limit, enforced, periods, held, seconds)


def _labels(worker: WorkerState) -> list[str]:
    return [str(worker.number), worker.namespace]


def _spent(pid: int) -> float:
    """Seconds, 0 where the system does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS
    except (OSError, IndexError, ValueError):
        return 0.0
