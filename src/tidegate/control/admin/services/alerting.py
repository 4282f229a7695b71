"""Alerts for the admin API: from what is kept to what is shown."""

from tidegate.alerts.look import is_silenced
from tidegate.control.admin.office import Office
from tidegate.control.admin.services.settings import as_moment
from tidegate.control.admin.views.alert import (
    AlertEventView,
    AlertView,
    ChannelView,
    NoticeView,
    RuleView,
    SilenceView,
)
from tidegate.model.alert_state import Alert, AlertEvent
from tidegate.model.alerts import AlertChannel, AlertRule, AlertSettings, AlertSilence
from tidegate.model.measures import METRICS
from tidegate.store.alert_outbox import Row

_SECOND = 1_000_000


def alert_view(alert: Alert, silences: list[AlertSilence], now: int) -> AlertView:
    """One alert; `silences`: the file's and those made at run time."""
    return AlertView(
        id=alert.id,
        rule=alert.rule,
        metric=alert.metric,
        labels=dict(alert.labels),
        stage=alert.stage,
        severity=alert.severity,
        value=alert.value,
        unit=_unit(alert.metric),
        threshold=alert.threshold,
        since=as_moment(alert.since_us) or "",
        fired=as_moment(alert.fired_us),
        taken=as_moment(alert.taken_us),
        taken_by=alert.taken_by or None,
        silenced=is_silenced(alert, silences, now),
    )


def event_view(event: AlertEvent) -> AlertEventView:
    """One change."""
    return AlertEventView(
        at=as_moment(event.at_us) or "",
        alert=event.alert,
        change=event.change,
        rule=event.rule,
        severity=event.severity,
        labels=dict(event.labels),
        value=event.value,
        threshold=event.threshold,
        by=event.by or None,
    )


def notice_view(row: Row) -> NoticeView:
    """One message."""
    return NoticeView(
        id=row.notice.id,
        channel=row.channel,
        at=as_moment(row.notice.at_us) or "",
        state=row.notice.state,
        severity=row.notice.severity,
        alerts=len(row.notice.items) + row.notice.more,
        rules=sorted({item.rule for item in row.notice.items}),
        stage=row.stage,
        tries=row.tries,
        done=as_moment(row.done_us),
        repeated=row.repeated,
        problem=row.problem,
    )


def rule_view(rule: AlertRule) -> RuleView:
    """One rule."""
    return RuleView(
        name=rule.name,
        metric=rule.metric,
        unit=_unit(rule.metric),
        warning=rule.warning,
        critical=rule.critical,
        below=rule.below,
        match=rule.match,
        for_seconds=rule.for_us / _SECOND,
        clear_percent=rule.clear_permille / 10,
        clear_seconds=rule.clear_us / _SECOND,
        enabled=rule.enabled,
    )


def channel_view(desk: Office, channel: AlertChannel, settings: AlertSettings) -> ChannelView:
    """One channel, with its figures."""
    standing = desk.board.alerts
    figures = standing.channels.get(channel.name) if standing is not None else None
    view = ChannelView(name=channel.name, kind=channel.kind, language=channel.language or settings.language)
    if figures is not None:
        view.sent, view.failed, view.retried = figures.sent, figures.failed, figures.retried
        view.repeated, view.waiting = figures.repeated, figures.waiting
    return view


def silence_view(silence: AlertSilence) -> SilenceView:
    """One silence."""
    return SilenceView(
        id=silence.id or None,
        match=silence.match,
        since=as_moment(silence.from_us) or "",
        until=as_moment(silence.until_us) or "",
        why=silence.why,
        by=silence.by or None,
        declared="managed" if silence.id else "file",
    )


def _unit(metric: str) -> str:
    found = METRICS.get(metric)
    return "" if found is None else found.unit
