"""Errors of alerts that no single field shows: metrics and channels that there are not, thresholds without sense."""

from collections.abc import Collection, Iterable

from tidegate.config.findings import Path
from tidegate.config.source import Document, as_list, as_mapping
from tidegate.model.alert_rules import BUILT_IN_RULES
from tidegate.model.measures import METRICS, Metric

_BUILT_IN = {rule.name: rule for rule in BUILT_IN_RULES}
_PERCENT = "%"
_WHOLE = 100
_OVER_WHOLE = frozenset({"budget_used_percent"})  # what is used may be more than there is
_RULE = "rule"
_EVERY = [*sorted({label for metric in METRICS.values() for label in metric.labels}), _RULE]  # labels of matches


def check_alerts(document: Document) -> None:
    """Add to `document` what is wrong."""
    alerts = as_mapping(as_mapping(document.data).get("alerts"))
    rules = as_mapping(alerts.get("rules"))
    for name, rule in rules.items():
        _rule(str(name), as_mapping(rule), document)
    channels = dict.fromkeys(str(name) for name in as_mapping(alerts.get("channels")))
    known = dict.fromkeys([*_BUILT_IN, *map(str, rules)])
    for number, route in enumerate(as_list(alerts.get("routes"))):
        _route(as_mapping(route), ("alerts", "routes", number), channels, known, document)
    for number, silence in enumerate(as_list(alerts.get("silences"))):
        match = as_mapping(as_mapping(silence).get("match"))
        _labels(match, _EVERY, ("alerts", "silences", number, "match"), document)


def _rule(name: str, rule: dict[str, object], document: Document) -> None:
    at = ("alerts", "rules", name)
    base = _BUILT_IN.get(name)
    named = rule.get("metric", base.metric if base is not None else name)
    if not isinstance(named, str):
        return
    metric = METRICS.get(named)
    if metric is None:
        where = (*at, "metric") if "metric" in rule else at
        document.refuse(
            where, "there is no such metric", document.choice(named, (), ", as docs/alerts.md lists them", METRICS)
        )
        return
    _labels(as_mapping(rule.get("match")), metric.labels, (*at, "match"), document)
    _thresholds(rule, named, metric, at, document)


def _thresholds(rule: dict[str, object], named: str, metric: Metric, at: Path, document: Document) -> None:
    refuse = document.refuse
    base = _BUILT_IN.get(at[-1]) if isinstance(at[-1], str) else None
    given = {word: value for word in ("warning", "critical") if isinstance(value := rule.get(word), (int, float))}
    if not given and rule.get("enabled") is not False and (base is None or base.metric != named):
        refuse(at, "it has no threshold, so it never fires", f"give it a warning or a critical, in {_unit(metric)}")
    for word, value in given.items():
        if metric.unit == _PERCENT and value > _WHOLE and named not in _OVER_WHOLE:
            message = f"{document.said(named)} is a share in per cent and never above {_WHOLE}"
            refuse((*at, word), message, f"write 0 to {_WHOLE}: 0.5 is half a per cent, 90 nine tenths")
    below = rule.get("below", base.below if base is not None else False)
    if len(given) == 2 and isinstance(below, bool):
        warning, critical = given["warning"], given["critical"]
        if critical > warning if below else critical < warning:
            side = "below" if below else "above"
            refuse((*at, "critical"), "it is reached before the warning is", f"the critical one lies {side} the other")
    if below is False and any(value == 0 for value in given.values()):
        word = next(word for word, value in given.items() if value == 0)
        refuse((*at, word), "it is always reached, and never left", "give a value above 0, or say `below: true`")


def _unit(metric: Metric) -> str:
    return {"ms": "milliseconds", "%": "per cent", "s": "seconds", "": "numbers"}.get(metric.unit, metric.unit)


def _route(
    route: dict[str, object], at: Path, channels: Collection[str], rules: Collection[str], document: Document
) -> None:
    refuse = document.refuse
    told = set(_names(route.get("channels")))
    for word in ("channels", "escalate_to"):
        for number, name in enumerate(_names(route.get(word))):
            if name not in channels:
                remedy = (
                    document.choice(name, channels) if channels else "there is none yet: add it under alerts.channels"
                )
                refuse((*at, word, number), "there is no such channel", remedy)
            elif word == "escalate_to" and name in told:
                refuse((*at, word, number), "this channel is told from the beginning", "name another one")
    for number, name in enumerate(_names(route.get("rules"))):
        if name not in rules:
            refuse((*at, "rules", number), "there is no such rule", document.choice(name, rules))
    _labels(as_mapping(route.get("match")), _EVERY, (*at, "match"), document)
    for number, name in enumerate(_names(route.get("group_by"))):
        if name not in _EVERY:
            refuse((*at, "group_by", number), "no metric has this label", document.choice(name, (), also=_EVERY))
    after, others = route.get("escalate_seconds", 0), _names(route.get("escalate_to"))
    if others and after == 0:
        refuse((*at, "escalate_to"), "it never comes to that", "say after how long: `escalate_seconds: 900`")
    elif isinstance(after, (int, float)) and after > 0 and not others:
        refuse((*at, "escalate_seconds"), "nobody is named for then", "name channels in `escalate_to`")


def _labels(match: dict[str, object], known: Iterable[str], at: Path, document: Document) -> None:
    names = list(known)
    for name in match:
        if name not in names:
            remedy = (
                document.choice(str(name), (), also=names) if names else "leave `match` out: this metric has no labels"
            )
            document.refuse((*at, str(name)), "it has no such label", remedy)


def _names(value: object) -> list[str]:
    return [item for item in as_list(value) if isinstance(item, str)]
