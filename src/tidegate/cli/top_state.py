"""How a gate stands, from two looks at its metrics page. No I/O; rates are a second, memory and lag are bytes."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from tidegate.cli.top_metrics import Labels, Reading, key_of, rate, rates

_NONE: tuple[Labels, float] = ({}, 1.0)


@dataclass(frozen=True, slots=True)
class Process:
    """One process of the gate. `limit` is in CPUs, 0 = none; `held` is the part of its periods in which it was held."""

    name: str
    namespace: str
    port: int
    ready: bool
    cpu_percent: float
    limit: float
    held_percent: float
    not_enforced: str  # why a limit is none
    resident_bytes: int


@dataclass(frozen=True, slots=True)
class Quota:
    """What is used of one limit of a scope for a model."""

    worker: str
    provider: str
    scope: str
    model: str
    unit: str
    used: float
    limit: float
    open: bool


@dataclass(frozen=True, slots=True)
class Queue:
    """Who waits in a pool for a model."""

    worker: str
    pool: str
    model: str
    waiting: dict[str, int]  # by tier
    oldest_seconds: float


@dataclass(frozen=True, slots=True)
class State:
    """Everything `top` shows."""

    ready: bool
    draining: bool
    version: int
    restarts: int
    calls: float
    tokens: float
    refused: float  # by the gate itself
    throttled: float  # 429s of providers
    failed: float  # 5xx, and calls that were lost
    ledger_up: bool | None
    ledger_lag_bytes: int
    ledger_alarm: bool
    processes: list[Process] = field(default_factory=list)
    quotas: list[Quota] = field(default_factory=list)
    queues: list[Queue] = field(default_factory=list)


def state(before: Reading, after: Reading) -> State:
    """How it stands at the second look, and how fast it went since the first."""
    up = after.one("tidegate_ledger_up")
    failed = sum(rate(before, after, "tidegate_calls_total", status=one) for one in ("5xx", "lost"))
    return State(
        ready=bool(after.one("tidegate_ready")),
        draining=bool(after.one("tidegate_draining")),
        version=int(after.one("tidegate_config_version") or 0),
        restarts=int(after.one("tidegate_worker_restarts_total") or 0),
        calls=rate(before, after, "tidegate_calls_total"),
        tokens=sum(value for _, value in after.all("token_usage_rate")),
        refused=rate(before, after, "tidegate_refusals_total"),
        throttled=rate(before, after, "tidegate_provider_throttled_total"),
        failed=failed,
        ledger_up=None if up is None else bool(up),
        ledger_lag_bytes=int(sum(value for _, value in after.all("tidegate_ledger_lag_bytes"))),
        ledger_alarm=bool(after.one("tidegate_ledger_alarm")),
        processes=list(_processes(before, after)),
        quotas=list(_quotas(after)),
        queues=list(_queues(after)),
    )


def _processes(before: Reading, after: Reading) -> Iterator[Process]:
    cpu = {labels["process"]: grown for labels, grown in rates(before, after, "tidegate_process_cpu_seconds_total")}
    workers = {f"worker-{found['worker']}": (found, value) for found, value in after.all("tidegate_worker_ready")}
    memory = {found["process"]: int(value) for found, value in after.all("tidegate_resident_memory_bytes")}
    for name in sorted({*workers, *memory}, key=lambda name: (not name.startswith("worker"), len(name), name)):
        labels, ready = workers.get(name, _NONE)
        worker = labels.get("worker", "none")
        yield Process(
            name,
            labels.get("namespace", ""),
            int(labels.get("port", 0)),
            bool(ready),
            100 * cpu.get(name, 0.0),
            after.one("tidegate_cpu_limit", worker=worker) or 0.0,
            _held(before, after, worker),
            _not_enforced(after, worker),
            memory.get(name, 0),
        )


def _held(before: Reading, after: Reading, worker: str) -> float:
    ran = rate(before, after, "tidegate_cpu_periods_total", worker=worker)
    return 100 * rate(before, after, "tidegate_cpu_throttled_periods_total", worker=worker) / ran if ran else 0.0


def _not_enforced(after: Reading, worker: str) -> str:
    for labels, value in after.all("tidegate_cpu_limit_enforced"):
        if labels["worker"] == worker and not value:
            return labels["reason"] or "no cgroup"
    return ""


def _quotas(after: Reading) -> Iterator[Quota]:
    left, lanes = after.keyed("tidegate_quota_left"), after.keyed("tidegate_lane_open")
    for labels, limit in after.all("tidegate_quota_limit"):
        lane = key_of({name: value for name, value in labels.items() if name != "unit"})
        yield Quota(
            labels["worker"],
            labels["provider"],
            labels["scope"],
            labels["model"],
            labels["unit"],
            max(0.0, limit - left.get(key_of(labels), 0.0)),
            limit,
            bool(lanes.get(lane, 1.0)),
        )


def _queues(after: Reading) -> Iterator[Queue]:
    found: dict[tuple[str, str, str], dict[str, int]] = {}
    for labels, value in after.all("tidegate_queue_calls"):
        waiting = found.setdefault((labels["worker"], labels["pool"], labels["model"]), {})
        if value:
            waiting[labels["tier"]] = int(value)
    oldest = after.keyed("tidegate_queue_oldest_seconds")
    for (worker, pool, model), waiting in found.items():
        at = key_of({"worker": worker, "pool": pool, "model": model})
        yield Queue(worker, pool, model, waiting, oldest.get(at, 0.0))
