"""A notice for machines: the JSON that webhooks and commands get."""

from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from tidegate.alerts.formats import plain
from tidegate.alerts.texts import compose
from tidegate.model.alerts import AlertItem, AlertSettings, Notice
from tidegate.model.measures import METRICS

_PLAIN: Final = 8_000  # bytes
_ITEMS: Final = 500


def event(notice: Notice, settings: AlertSettings, language: str = "") -> bytes:
    """`type`, `timestamp` and `data`, as Standard Webhooks asks for."""
    return msgspec.json.encode({
        "type": f"alert.{notice.state}", "timestamp": _moment(notice.at_us), "data": data(notice, settings, language),
    })  # fmt: skip


def data(notice: Notice, settings: AlertSettings, language: str = "") -> dict[str, Any]:
    """The notice with its words and its numbers."""
    text = compose(notice, settings, language)
    return {
        "id": notice.id,
        "state": notice.state,
        "severity": notice.severity,
        "gate": settings.gate,
        "title": text.title,
        "text": plain(text, _PLAIN),
        "link": settings.link,
        "alerts": [_item(item) for item in notice.items[:_ITEMS]],
        "more": notice.more + len(notice.items[_ITEMS:]),
    }


def _item(item: AlertItem) -> dict[str, Any]:
    known = METRICS.get(item.metric)
    return {
        "rule": item.rule,
        "metric": item.metric,
        "unit": known.unit if known else "",
        "severity": item.severity,
        "labels": dict(item.labels),
        "value": item.value,
        "threshold": item.threshold,
        "since": _moment(item.since_us),
        "resolved": item.resolved,
    }


def _moment(us: int) -> str:
    return datetime.fromtimestamp(us // 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
