"""One rule and one label set: pending, firing, clearing, over. Mutates an `Alert`, says what became of it."""

from typing import Final

from tidegate.model.alert_state import CLEARING, FIRING, MILDER, PENDING, RESOLVED, Alert
from tidegate.model.alerts import CRITICAL, WARNING, WORSE, AlertRule
from tidegate.policy.alerts.threshold import calm, level, mildest, threshold

NOTHING: Final = ""


def advance(alert: Alert, rule: AlertRule, value: float, now: int) -> str:
    """Take a sample: FIRING, WORSE, MILDER or RESOLVED when it became so, "" otherwise.

    One that is pending and back within bounds is RESOLVED in its stage, and nothing became of it. O(1).
    """
    found = level(rule, value)
    alert.value, alert.seen_us, alert.metric = value, now, rule.metric
    alert.critical_us = (alert.critical_us or now) if found == CRITICAL else 0
    if alert.stage == RESOLVED and found:
        alert.stage, alert.since_us, alert.calm_us, alert.milder_us = PENDING, now, 0, 0
    if alert.stage == PENDING:
        return _pending(alert, rule, found, now)
    return _on(alert, rule, value, now) if alert.fires else NOTHING


def end(alert: Alert, now: int) -> str:
    """Nobody measures it any more, or its rule is gone."""
    fired = alert.fires
    alert.stage = RESOLVED
    alert.calm_us = alert.critical_us = alert.milder_us = 0
    if fired:
        alert.resolved_us = now
    return RESOLVED if fired else NOTHING


def _pending(alert: Alert, rule: AlertRule, found: str, now: int) -> str:
    if not found:
        return end(alert, now)
    if alert.critical_us and now - alert.critical_us >= rule.for_us:
        severity = CRITICAL
    elif rule.warning is not None and now - alert.since_us >= rule.for_us:
        severity = WARNING
    else:
        return NOTHING
    alert.stage, alert.fired_us, alert.resolved_us, alert.taken_us, alert.taken_by = FIRING, now, 0, 0, ""
    _become(alert, rule, severity)
    return FIRING


def _on(alert: Alert, rule: AlertRule, value: float, now: int) -> str:
    if alert.severity == WARNING and alert.critical_us and now - alert.critical_us >= rule.for_us:
        alert.stage, alert.calm_us, alert.milder_us = FIRING, 0, 0
        _become(alert, rule, CRITICAL)
        return WORSE
    if calm(rule, value, mildest(rule)):
        alert.stage, alert.calm_us = CLEARING, alert.calm_us or now
        if now - alert.calm_us >= rule.clear_us:
            return end(alert, now)
    else:
        alert.stage, alert.calm_us = FIRING, 0
    return _milder(alert, rule, value, now)


def _milder(alert: Alert, rule: AlertRule, value: float, now: int) -> str:
    """A critical one becomes a warning as slowly as it would end."""
    if alert.severity != CRITICAL or rule.warning is None or not calm(rule, value, CRITICAL):
        alert.milder_us = 0
        return NOTHING
    alert.milder_us = alert.milder_us or now
    if now - alert.milder_us < rule.clear_us:
        return NOTHING
    alert.milder_us = 0
    _become(alert, rule, WARNING)
    return MILDER


def _become(alert: Alert, rule: AlertRule, severity: str) -> None:
    alert.severity, alert.threshold = severity, threshold(rule, severity)
