"""The alerts' part of the metrics page."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

if TYPE_CHECKING:
    from tidegate.alerts.figures import AlertsStanding


def alert_metrics(standing: "AlertsStanding | None") -> Iterator[Metric]:
    """What fires, whether it is judged and kept, and what became of messages."""
    if standing is None:
        return
    yield GaugeMetricFamily("tidegate_alerts_judged_here", "1 where this node judges for all", value=standing.judges)
    yield GaugeMetricFamily("tidegate_alerts_kept", "1 while the database takes their state", value=standing.kept)
    yield GaugeMetricFamily(
        "tidegate_alerts_judged_timestamp_seconds", "When rules were last judged here", value=standing.judged_us / 1e6
    )
    firing = GaugeMetricFamily("tidegate_alerts_firing", "Alerts that fire", labels=["rule", "severity"])
    for (rule, severity), count in sorted(standing.firing.items()):
        firing.add_metric([rule, severity], count)
    yield firing
    yield GaugeMetricFamily("tidegate_alerts_pending", "Beyond a threshold, not yet for long", value=standing.pending)
    yield GaugeMetricFamily("tidegate_alerts_silenced", "Firing, and not told", value=standing.silenced)
    dropped = GaugeMetricFamily("tidegate_alerts_without_room", "Label sets beyond a rule's most", labels=["rule"])
    for rule, count in standing.dropped.items():
        dropped.add_metric([rule], count)
    yield dropped
    yield from _channels(standing)


def _channels(standing: "AlertsStanding") -> Iterator[Metric]:
    labels = ["channel"]
    sent = CounterMetricFamily("tidegate_alert_notices_sent", "Messages that channels took", labels=labels)
    failed = CounterMetricFamily("tidegate_alert_notices_failed", "Messages that were given up", labels=labels)
    retried = CounterMetricFamily("tidegate_alert_notices_retried", "Tries that were not taken", labels=labels)
    repeated = CounterMetricFamily(
        "tidegate_alert_notices_repeated", "Sent again after a process died: perhaps told twice", labels=labels
    )
    waiting = GaugeMetricFamily("tidegate_alert_notices_waiting", "Messages that are to be sent", labels=labels)
    for name, figures in standing.channels.items():
        sent.add_metric([name], figures.sent)
        failed.add_metric([name], figures.failed)
        retried.add_metric([name], figures.retried)
        repeated.add_metric([name], figures.repeated)
        waiting.add_metric([name], figures.waiting)
    yield from (sent, failed, retried, repeated, waiting)
