"""Alerts as somebody looks at them: which are silenced, and which come first."""

from collections.abc import Iterable

from tidegate.model.alert_state import PENDING, Alert
from tidegate.model.alerts import AlertSilence
from tidegate.policy.alerts.match import in_force, silenced
from tidegate.policy.alerts.threshold import RANK


def is_silenced(alert: Alert, silences: Iterable[AlertSilence], now: int) -> bool:
    """Is it not told at this moment?"""
    return silenced(in_force(silences, now), alert.rule, alert.labels)


def worst_first(alerts: Iterable[Alert]) -> list[Alert]:
    """What fires before what only may, the critical ones first, then the oldest."""
    return sorted(
        alerts, key=lambda alert: (alert.stage == PENDING, -RANK[alert.severity], alert.since_us, alert.labels)
    )
