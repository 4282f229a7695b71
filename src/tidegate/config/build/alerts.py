"""From the checked configuration to the snapshot: alerts, with the rules that every gate has."""

from collections.abc import Iterator, Mapping
from datetime import UTC

from tidegate.config.build.channels import channels
from tidegate.config.schema.access import moment_us
from tidegate.config.schema.alerts import AlertsConfig, RouteConfig, RuleConfig, SilenceConfig
from tidegate.model.alert_rules import BUILT_IN_RULES
from tidegate.model.alerts import AlertRoute, AlertRule, AlertSettings, AlertSilence
from tidegate.zones import zone_of

_SECOND = 1_000_000
_BUILT_IN = {rule.name: rule for rule in BUILT_IN_RULES}


def alerts(item: AlertsConfig, environ: Mapping[str, str]) -> AlertSettings:
    """The record; proxies of channels come from `environ` where the file names none. Raises `BadProxy`."""
    return AlertSettings(
        rules=tuple(_rules(item.rules)),
        channels=channels(item.channels, environ),
        routes=tuple(_route(one) for one in item.routes),
        silences=tuple(_silence(one, item.zone) for one in item.silences),
        language=item.language,
        zone=item.zone,
        gate=item.gate,
        link=item.link,
        look_us=_us(item.look_seconds),
        missing_us=_us(item.missing_seconds),
        give_up_us=_us(item.give_up_seconds),
    )


def _rules(given: Mapping[str, RuleConfig]) -> Iterator[AlertRule]:
    for rule in BUILT_IN_RULES:
        yield _rule(rule.name, given[rule.name]) if rule.name in given else rule
    for name, item in given.items():
        if name not in _BUILT_IN:
            yield _rule(name, item)


def _rule(name: str, item: RuleConfig) -> AlertRule:
    """What it does not say is as built in; its thresholds are one statement: a rule that gives one has no other."""
    base = _BUILT_IN.get(name, AlertRule(name, name))
    if item.metric is not None and item.metric != base.metric:
        base = AlertRule(name, item.metric)
    stated = item.warning is not None or item.critical is not None
    return AlertRule(
        name=name,
        metric=base.metric,
        warning=item.warning if stated else base.warning,
        critical=item.critical if stated else base.critical,
        below=base.below if item.below is None else item.below,
        match=dict(item.match),
        for_us=base.for_us if item.for_seconds is None else _us(item.for_seconds),
        clear_permille=round(item.clear_percent * 10),
        clear_us=_us(item.clear_seconds),
        enabled=item.enabled,
    )


def _route(item: RouteConfig) -> AlertRoute:
    return AlertRoute(
        channels=tuple(item.channels),
        severities=tuple(item.severities),
        rules=tuple(item.rules),
        match=dict(item.match),
        group_by=tuple(item.group_by),
        group_wait_us=_us(item.group_wait_seconds),
        group_interval_us=_us(item.group_interval_seconds),
        repeat_us=_us(item.repeat_seconds),
        escalate_us=_us(item.escalate_seconds),
        escalate_to=tuple(item.escalate_to),
        recovery=item.recovery,
    )


def _silence(item: SilenceConfig, zone: str) -> AlertSilence:
    at = zone_of(zone) if zone else UTC
    return AlertSilence(dict(item.match), moment_us(item.since, at), moment_us(item.until, at), item.why)


def _us(seconds: float) -> int:
    return round(seconds * _SECOND)
