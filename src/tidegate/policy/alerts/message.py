"""A message about alerts: the worst first, a few of them in full, the others counted."""

from collections.abc import Sequence
from typing import Final

from tidegate.model.alert_state import Alert
from tidegate.model.alerts import RESOLVED, AlertItem, Notice
from tidegate.policy.alerts.judge import digest
from tidegate.policy.alerts.threshold import RANK

MOST_ITEMS: Final = 20


def message(group: str, state: str, alerts: Sequence[Alert], now: int) -> Notice:
    """One message of a group. Its id is the same for the same content, so that it may be made twice and sent once."""
    ordered = sorted(alerts, key=lambda alert: (-RANK[alert.severity], alert.since_us, alert.labels))
    name = digest(group, state, str(now), *sorted(alert.id for alert in alerts))
    items = tuple(_item(alert, over=state == RESOLVED) for alert in ordered[:MOST_ITEMS])
    return Notice(name, state, ordered[0].severity, now, items, len(ordered) - len(items))


def _item(alert: Alert, *, over: bool) -> AlertItem:
    return AlertItem(
        alert.rule, alert.metric, alert.severity, alert.labels, alert.value, alert.threshold, alert.since_us, over
    )
