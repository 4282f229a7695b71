"""On which side of a rule's thresholds a value is."""

from typing import Final

from tidegate.model.alerts import CRITICAL, WARNING, AlertRule

_MILLE: Final = 1_000
RANK: Final = {"": 0, WARNING: 1, CRITICAL: 2}


def threshold(rule: AlertRule, severity: str) -> float:
    """Of a severity that the rule has; of any other the one that it has."""
    wanted = rule.critical if severity == CRITICAL else rule.warning
    other = rule.warning if severity == CRITICAL else rule.critical
    return wanted if wanted is not None else other if other is not None else 0.0


def level(rule: AlertRule, value: float) -> str:
    """The severity of a value; "" = it is beyond no threshold."""
    if rule.critical is not None and _beyond(rule, value, rule.critical):
        return CRITICAL
    return WARNING if rule.warning is not None and _beyond(rule, value, rule.warning) else ""


def mildest(rule: AlertRule) -> str:
    """Of the severities that the rule has."""
    return WARNING if rule.warning is not None else CRITICAL


def calm(rule: AlertRule, value: float, severity: str) -> bool:
    """Is it so far on the other side of a threshold that it may end?"""
    limit = threshold(rule, severity)
    if rule.below:
        return value > limit * _MILLE / rule.clear_permille
    return value < limit * rule.clear_permille / _MILLE


def _beyond(rule: AlertRule, value: float, limit: float) -> bool:
    return value <= limit if rule.below else value >= limit
