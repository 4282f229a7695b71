"""The rules that every gate has. A rule of the same name in the file stands in its place."""

from typing import Final

from tidegate.model.alerts import AlertRule

_SECOND: Final = 1_000_000
_MB: Final = 1_048_576
_FOR: Final = 30 * _SECOND  # means of a minute: somebody learns of it within the next one

BUILT_IN_RULES: Final = (
    AlertRule("queue_wait_ms", "queue_wait_ms", 200, 500, for_us=_FOR),
    AlertRule("token_utilisation_percent", "token_utilisation_percent", 90, 95, for_us=_FOR),
    AlertRule("error_rate_percent", "error_rate_percent", 0.5, 1, for_us=_FOR),
    AlertRule("limited_seconds", "limited_seconds", None, 300),  # for five minutes on end
    AlertRule("keys_dead", "keys_dead", 1),
    AlertRule("database_down_seconds", "database_down_seconds", 15, 60),
    AlertRule("journal_failing_seconds", "journal_failing_seconds", None, 5),
    AlertRule("journal_behind_bytes", "journal_behind_bytes", 64 * _MB, 256 * _MB, for_us=_FOR),
    AlertRule("shared_state_lost_seconds", "shared_state_lost_seconds", 5, 60),
    AlertRule("workers_down", "workers_down", None, 1, for_us=15 * _SECOND),
    AlertRule("worker_restarts", "worker_restarts", 3, 10),
    AlertRule("jobs_dead_per_hour", "jobs_dead_per_hour", 1, 100),
    AlertRule("budget_used_percent", "budget_used_percent", 80, 100),
    AlertRule("quota_exhausted_in_seconds", "quota_exhausted_in_seconds", 3_600, 600, below=True, for_us=_FOR),
    AlertRule("drill_failed", "drill_failed", None, 1),
    AlertRule("drill_expired", "drill_expired", 1),
)
