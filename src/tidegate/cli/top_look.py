"""From two looks at a gate's metrics page to how it stands. No I/O."""

from collections.abc import Iterator
from typing import Final

from tidegate.cli.top_metrics import Key, Labels, Reading, key_of, rate, rates
from tidegate.cli.top_state import Alarm, Closed, DeadKeys, Process, Queue, Quota, State, Tenant, place, share

_NONE: tuple[Labels, float] = ({}, 1.0)
_LANE: Final = ("provider", "scope", "model")
_MEASURE: Final = "tidegate_measure_"
_BELOW: Final = frozenset(("quota_exhausted_in_seconds",))  # what is bad when it is small
_WORST: Final = ("critical", "warning")
BEYOND: Final = "metrics beyond their thresholds; alerts need an admin token"


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
        quotas=sorted(_quotas(before, after), key=lambda one: (-_fullness(one), one.provider, one.scope, one.model)),
        queues=sorted(_queues(after), key=lambda one: (-one.oldest_seconds, one.pool, one.model, one.worker)),
        tenants=sorted(_tenants(after), key=lambda one: (-share(one.used, one.allowed), one.namespace, one.limit)),
        closed=list(_closed(after)),
        dead_keys=list(_dead_keys(after)),
        alarms=sorted(_beyond(after), key=lambda one: (_WORST.index(one.severity), one.rule, one.what)),
        alarms_from=BEYOND,
    )


def _fullness(quota: Quota) -> float:
    return share(max(quota.used, quota.held), quota.limit)


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


def _quotas(before: Reading, after: Reading) -> Iterator[Quota]:
    """Of workers that say different things the one that is told most: they share one quota, or have none in common."""
    left, limits = after.keyed("tidegate_quota_left"), after.all("tidegate_quota_limit")
    allowed, held = _widest(limits), dict[Key, float]()
    for labels, limit in limits:
        key = _without(labels, "worker")
        held[key] = max(held.get(key, 0.0), limit - left.get(key_of(labels), 0.0))
    used = _widest(after.all("tidegate_quota_used"))
    learnt = _widest([one for one in after.all("tidegate_limit_known") if one[0]["source"] == "refusals"], "source")
    throttled: dict[Key, float] = {}
    for labels, grown in rates(before, after, "tidegate_provider_throttled_total"):
        key = _without(labels, "worker")
        throttled[key] = throttled.get(key, 0.0) + grown
    shut = {_without(labels, "worker") for labels, value in after.all("tidegate_lane_open") if not value}
    for key, limit in allowed.items():
        names = dict(key)
        lane = key_of({name: names[name] for name in _LANE})
        yield Quota(
            names["provider"],
            names["scope"],
            names["model"],
            names["unit"],
            used.get(key, held[key]),
            held[key],
            limit,
            learnt.get(key, 0.0),
            throttled.get(lane, 0.0),
            lane not in shut,
        )


def _without(labels: Labels, *names: str) -> Key:
    return key_of({name: value for name, value in labels.items() if name not in names})


def _widest(samples: list[tuple[Labels, float]], *names: str) -> dict[Key, float]:
    """The highest of all workers, without their label and these."""
    found: dict[Key, float] = {}
    for labels, value in samples:
        key = _without(labels, "worker", *names)
        found[key] = max(value, found.get(key, 0.0))
    return found


def _queues(after: Reading) -> Iterator[Queue]:
    found: dict[tuple[str, str, str], dict[str, int]] = {}
    for labels, value in after.all("tidegate_queue_calls"):
        waiting = found.setdefault((labels["worker"], labels["pool"], labels["model"]), {})
        if value:
            waiting[labels["tier"]] = int(value)
    oldest = after.keyed("tidegate_queue_oldest_seconds")
    means = after.keyed(f"{_MEASURE}queue_wait_ms")
    for (worker, pool, model), waiting in found.items():
        at = key_of({"worker": worker, "pool": pool, "model": model})
        mean = means.get(key_of({"pool": pool, "model": model}), -1.0)
        yield Queue(worker, pool, model, waiting, oldest.get(at, 0.0), mean)


def _tenants(after: Reading) -> Iterator[Tenant]:
    used, reserved = _widest(after.all("tidegate_tenant_used")), _widest(after.all("tidegate_tenant_reserved"))
    for key, allowed in _widest(after.all("tidegate_tenant_limit")).items():
        names = dict(key)
        yield Tenant(
            names["namespace"], names["model"], names["limit"], used.get(key, 0.0), reserved.get(key, 0.0), allowed
        )


def _closed(after: Reading) -> Iterator[Closed]:
    seconds = after.keyed(f"{_MEASURE}lane_closed_seconds")
    for key in sorted({_without(labels, "worker") for labels, value in after.all("tidegate_lane_open") if not value}):
        names = dict(key)
        yield Closed(names["provider"], names["scope"], names["model"], seconds.get(key, -1.0))


def _dead_keys(after: Reading) -> Iterator[DeadKeys]:
    """Those that were retired and not restored; every worker finds them itself, so that the most is taken."""
    restored = after.keyed("tidegate_keys_restored_total")
    found: dict[tuple[str, str], int] = {}
    for labels, retired in after.all("tidegate_keys_retired_total"):
        dead = int(retired - restored.get(key_of(labels), 0.0))
        at = (labels["provider"], labels["scope"])
        found[at] = max(dead, found.get(at, 0))
    for (provider, scope), count in sorted(found.items()):
        if count > 0:
            yield DeadKeys(provider, scope, count)


def _beyond(after: Reading) -> Iterator[Alarm]:
    """What is beyond a threshold, of each rule the worse one. A rule's own conditions are not on the page."""
    thresholds: dict[tuple[str, str], dict[str, float]] = {}
    for labels, value in after.all("tidegate_alert_threshold"):
        thresholds.setdefault((labels["rule"], labels["metric"]), {})[labels["severity"]] = value
    for (rule, metric), known in thresholds.items():
        for labels, value in after.all(f"{_MEASURE}{metric}"):
            severity = next((one for one in _WORST if one in known and _is_beyond(metric, value, known[one])), "")
            if severity:
                yield Alarm(severity, rule, place(labels), value, fires=False)


def _is_beyond(metric: str, value: float, threshold: float) -> bool:
    return value <= threshold if metric in _BELOW else value >= threshold
