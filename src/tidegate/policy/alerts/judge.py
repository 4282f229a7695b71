"""All rules over all samples of a moment: which alerts there are, and what became of them. Bounded."""

import hashlib
import math
from collections import Counter
from collections.abc import Iterable
from typing import Final, NamedTuple

from tidegate.model.alert_state import PENDING, RESOLVED, Alert, AlertEvent
from tidegate.model.alerts import AlertRule, AlertSettings
from tidegate.model.measures import Labels, Sample
from tidegate.policy.alerts import series
from tidegate.policy.alerts.match import matches
from tidegate.policy.alerts.threshold import level, threshold

MOST_A_RULE: Final = 2_000  # label sets beyond a rule's threshold at a time
MOST: Final = 20_000  # of all rules
_LARGEST: Final = 1e18  # JSON knows no infinity


class Judged(NamedTuple):
    """What a look came to."""

    touched: list[Alert]  # changed in something that has to be kept
    events: list[AlertEvent]


class Judge:
    """The alerts that there are. `dropped` counts label sets of the last look that no room was left for, by rule."""

    __slots__ = ("_began", "_by_metric", "_counts", "_missing_us", "_rules", "alerts", "dropped")

    def __init__(self, settings: AlertSettings, alerts: Iterable[Alert], now: int) -> None:
        """`alerts` are those of who judged before; what they lack is waited for from now on."""
        self._rules = {rule.name: rule for rule in settings.rules if rule.enabled}
        self._by_metric: dict[str, list[AlertRule]] = {}
        for rule in self._rules.values():
            self._by_metric.setdefault(rule.metric, []).append(rule)
        self._missing_us = settings.missing_us
        self._began = now
        self.alerts = {(alert.rule, alert.labels): alert for alert in alerts}
        self._counts = Counter(alert.rule for alert in self.alerts.values())
        self.dropped: Counter[str] = Counter()

    def judge(self, samples: Iterable[Sample], now: int, *, whole: bool = True) -> Judged:
        """Take the samples of this moment; where they are not all, nothing is missing. O(samples + alerts)."""
        judged = Judged([], [])
        if not whole:
            self._began = now
        self.dropped = Counter()
        for sample in samples:
            for rule in self._by_metric.get(sample.metric, ()):
                if not math.isnan(sample.value) and matches(rule.match, sample.labels, rule.name):
                    self._take(rule, sample, now, judged)
        for alert in list(self.alerts.values()):
            if alert.stage != RESOLVED and self._over(alert, now):
                _note(alert, series.end(alert, now), now, judged)
        return judged

    def forget(self, alert: Alert) -> None:
        """It is over, and everybody has been told."""
        if self.alerts.pop((alert.rule, alert.labels), None) is not None:
            self._counts[alert.rule] -= 1

    def _over(self, alert: Alert, now: int) -> bool:
        """Its rule looks at something else now, or nobody has measured it for long."""
        rule = self._rules.get(alert.rule)
        if rule is None or rule.metric != alert.metric:
            return True
        return now - max(alert.seen_us, self._began) >= self._missing_us

    def _take(self, rule: AlertRule, sample: Sample, now: int, judged: Judged) -> None:
        value = min(max(sample.value, -_LARGEST), _LARGEST)
        alert = self.alerts.get((rule.name, sample.labels))
        if alert is None:
            severity = level(rule, value)
            if not severity:
                return
            if self._counts[rule.name] >= MOST_A_RULE or len(self.alerts) >= MOST:
                self.dropped[rule.name] += 1
                return
            alert = _new(rule, sample.labels, severity, value, now)
            self.alerts[rule.name, sample.labels] = alert
            self._counts[rule.name] += 1
            before: tuple[object, ...] = ()
        else:
            before = _kept(alert)
        became = series.advance(alert, rule, value, now)
        if became or _kept(alert) != before:
            _note(alert, became, now, judged)


def digest(*words: str) -> str:
    """A name of 16 bytes for what these words name."""
    return hashlib.blake2b("\0".join(words).encode(errors="surrogatepass"), digest_size=16).hexdigest()


def _new(rule: AlertRule, labels: Labels, severity: str, value: float, now: int) -> Alert:
    name = digest(rule.name, *(word for pair in labels for word in pair), str(now))
    return Alert(name, rule.name, rule.metric, labels, PENDING, severity, value, threshold(rule, severity), now, now)


def _kept(alert: Alert) -> tuple[object, ...]:
    return (alert.stage, alert.severity, alert.critical_us, alert.calm_us, alert.milder_us)


def _note(alert: Alert, became: str, now: int, judged: Judged) -> None:
    judged.touched.append(alert)
    if became:
        judged.events.append(event_of(alert, became, now))


def event_of(alert: Alert, change: str, now: int, by: str = "") -> AlertEvent:
    """For the history."""
    return AlertEvent(
        digest(alert.id, change, str(now)), now, alert.id, change, alert.rule, alert.metric, alert.severity,
        alert.labels, alert.value, alert.threshold, by,
    )  # fmt: skip
