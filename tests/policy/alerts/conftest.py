"""Rules, samples and an engine that is moved on by hand."""

from collections.abc import Iterable
from typing import Any

from tidegate.model.alert_state import Alert
from tidegate.model.alerts import AlertChannel, AlertRoute, AlertRule, AlertSettings, AlertSilence, Notice
from tidegate.model.measures import Sample
from tidegate.policy.alerts.engine import Engine

SECOND = 1_000_000
START = 1_700_000_000 * SECOND


def rule(name: str = "r", **fields: Any) -> AlertRule:
    """Of a metric of the same name: 10 warns, 20 is critical, at once; over when below 9 for two seconds."""
    return AlertRule(**({"name": name, "metric": name, "warning": 10, "critical": 20, "clear_us": 2 * SECOND} | fields))


def sample(value: float, metric: str = "r", **labels: str) -> Sample:
    return Sample(metric, tuple(sorted(labels.items())), value)


class Played:
    """An engine whose clock is moved by `look`, and what it said to whom."""

    def __init__(
        self,
        *rules: AlertRule,
        channels: Iterable[str] = ("a",),
        routes: Iterable[AlertRoute] = (),
        silences: Iterable[AlertSilence] = (),
        **more: Any,
    ) -> None:
        named = tuple(AlertChannel(name, "webhook") for name in channels)
        self.settings = AlertSettings(rules or (rule(),), named, tuple(routes), **more)
        self.now = START
        self.silences = tuple(silences)
        self.engine = Engine(self.settings, self.now)
        self.told: list[tuple[str, Notice]] = []

    def look(self, *samples: Sample, seconds: float = 1) -> list[tuple[str, str]]:
        """Time passes, then it looks; channels and states of what it said."""
        self.now += round(seconds * SECOND)
        self.engine.step(samples, self.silences, self.now)
        new = [(one.channel, one.notice) for one in self.engine.unsaved.notices]
        self.engine.saved()
        self.told += new
        return [(channel, notice.state) for channel, notice in new]

    def over(self, seconds: int, *samples: Sample) -> list[tuple[str, str]]:
        """The same samples every second."""
        return [said for _ in range(seconds) for said in self.look(*samples)]

    @property
    def alerts(self) -> list[Alert]:
        return self.engine.alerts


def route(*channels: str, **fields: Any) -> AlertRoute:
    """Without waiting for company."""
    return AlertRoute(channels or ("a",), **({"group_wait_us": 0, "group_interval_us": 0} | fields))
