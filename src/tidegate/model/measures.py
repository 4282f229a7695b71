"""What alerts, panels and trends look at: samples of how the gate does, by name and labels.

A metric's name carries its unit. Samples of one moment are made by whoever knows them (`control/windows.py`, the store,
the drills) and judged by rules (`policy/alerts/`).
"""

from typing import Final, NamedTuple

Labels = tuple[tuple[str, str], ...]  # sorted by name


class Sample(NamedTuple):
    """What one metric was at one moment, of what its labels name."""

    metric: str
    labels: Labels
    value: float


class Metric(NamedTuple):
    """What can be watched: its labels, and how it is called."""

    labels: tuple[str, ...]
    english: str
    chinese: str
    unit: str  # ms | % | s | bytes | "" (a number)


_LANE: Final = ("provider", "scope", "model")

# Rules may name these and no other. Windows are the last minute, unless a name says otherwise.
METRICS: Final = {
    "queue_wait_ms": Metric(("pool", "model"), "queue wait (mean of the last minute)", "排队等待(近一分钟均值)", "ms"),
    "token_utilisation_percent": Metric(_LANE, "tokens used of quota", "令牌配额使用率", "%"),
    "request_utilisation_percent": Metric(
        _LANE, "requests used of quota", "请求配额使用率", "%"
    ),
    "error_rate_percent": Metric(("plan",), "calls that failed (5xx, and lost)", "调用失败率", "%"),
    "refusal_rate_percent": Metric(("plan",), "calls that the gate refused", "网关拒绝率", "%"),
    "fallback_rate_percent": Metric(("plan",), "calls that left their primary model", "降级切换率", "%"),
    "limited_seconds": Metric(("model",), "limited without a pause for", "持续受限时长", "s"),
    "throttled_per_minute": Metric(_LANE, "429s of the provider a minute", "上游每分钟 429 次数", ""),
    "lane_closed_seconds": Metric(_LANE, "closed by its breaker for", "熔断时长", "s"),
    "keys_dead": Metric(("provider", "scope"), "keys that the provider refuses", "被上游拒绝的密钥数", ""),
    "budget_used_percent": Metric(("namespace", "period"), "used of its budget", "预算使用率", "%"),
    "quota_exhausted_in_seconds": Metric(_LANE, "quota will be exhausted in", "预计配额耗尽剩余", "s"),
    "journal_behind_bytes": Metric(("node",), "records that are not in the database", "未入库的流水", "bytes"),
    "journal_failing_seconds": Metric(("node",), "journal cannot be written for", "流水无法写入时长", "s"),
    "database_down_seconds": Metric(("node",), "database away for", "数据库不可用时长", "s"),
    "shared_state_lost_seconds": Metric(("node",), "without the shared state for", "共享状态丢失时长", "s"),
    "worker_restarts": Metric(("node",), "workers started again in five minutes", "五分钟内工作进程重启次数", ""),
    "workers_down": Metric(("node",), "workers that do not serve", "未就绪的工作进程数", ""),
    "jobs_dead_per_hour": Metric((), "jobs given up in the last hour", "近一小时被放弃的任务数", ""),
    "drill_failed": Metric(("plan", "target"), "fallback did not pass its drill", "备用路径演练未通过", ""),
    "drill_expired": Metric(("plan", "target"), "proof of the fallback is too old", "备用路径证明已过期", ""),
}  # fmt: skip
