"""The alerts' part of the metrics page."""

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from tidegate.alerts.figures import AlertsStanding, ChannelFigures
from tidegate.control.metrics.alerts import alert_metrics


def page(standing: AlertsStanding | None) -> str:
    class Page(Collector):
        def collect(self) -> list[Metric]:
            return list(alert_metrics(standing))

    registry = CollectorRegistry(auto_describe=False)
    registry.register(Page())
    return generate_latest(registry).decode()


def test_what_fires_and_who_was_told() -> None:
    """By rule and severity, and by channel."""
    figures = ChannelFigures(sent=3, failed=1, retried=2, repeated=4, waiting=5)
    shown = page(AlertsStanding(True, False, 2_000_000, {("r", "critical"): 2}, 1, 1, {"r": 9}, {"ops": figures}))
    for line in (
        "tidegate_alerts_judged_here 1.0",
        "tidegate_alerts_kept 0.0",
        "tidegate_alerts_judged_timestamp_seconds 2.0",
        'tidegate_alerts_firing{rule="r",severity="critical"} 2.0',
        "tidegate_alerts_pending 1.0",
        'tidegate_alerts_without_room{rule="r"} 9.0',
        'tidegate_alert_notices_sent_total{channel="ops"} 3.0',
        'tidegate_alert_notices_failed_total{channel="ops"} 1.0',
        'tidegate_alert_notices_retried_total{channel="ops"} 2.0',
        'tidegate_alert_notices_repeated_total{channel="ops"} 4.0',
        'tidegate_alert_notices_waiting{channel="ops"} 5.0',
    ):
        assert line in shown.splitlines()


def test_nothing_where_nobody_has_judged() -> None:
    """A gate that starts."""
    assert page(None) == ""
