"""`/alerts`: what is on, what became of it, who was told; taking, silencing, and a test of each channel."""

import asyncio
import secrets
from typing import Annotated

from fastapi import Path, Query
from sqlalchemy import Connection

from tidegate.alerts.channels.table import open_channel
from tidegate.alerts.face import NotSent
from tidegate.alerts.look import worst_first
from tidegate.clock import SystemClock
from tidegate.config.schema.base import Name
from tidegate.control.admin.auth.rights import Right
from tidegate.control.admin.office import Office
from tidegate.control.admin.problems import Refused, refused
from tidegate.control.admin.routing import Desk, Who, needs, router
from tidegate.control.admin.services import alerting
from tidegate.control.admin.services.changes import Deed
from tidegate.control.admin.services.known import absent
from tidegate.control.admin.services.settings import from_moment
from tidegate.control.admin.views.alert import (
    AlertEventView,
    AlertPage,
    AlertsQuery,
    AlertView,
    ChannelView,
    HistoryQuery,
    Id,
    NewSilence,
    NoticesQuery,
    NoticeView,
    RuleView,
    SilenceView,
    TestedView,
)
from tidegate.model.alert_state import PENDING, RESOLVED, Alert
from tidegate.model.alerts import TEST, WARNING, AlertItem, AlertSettings, AlertSilence, Notice
from tidegate.store import alert_outbox, alerts
from tidegate.store.alerts import Take, Wanted
from tidegate.units import MINUTE_US, SECOND_US

ROUTER = router("alerts")
AlertId = Annotated[Id, Path(description="The alert's id.")]
SilenceId = Annotated[Id, Path(description="The silence's id.")]
ChannelName = Annotated[Name, Path(description="The channel's name.", max_length=128)]
_SPARE_SECONDS = 5


@ROUTER.get("/alerts", response_model_exclude_none=True)
@needs(Right.STATUS)
def list_alerts(desk: Desk, asked: Annotated[AlertsQuery, Query()]) -> list[AlertView]:
    """What is on, the worst first."""
    now = desk.clocks.wall()
    with desk.engine.connect() as connection:
        found = [alert for alert in alerts.load(connection).alerts if _wanted(alert, asked)]
        silences = _silences(desk, connection, now)
    return [alerting.alert_view(alert, silences, now) for alert in worst_first(found)[: asked.limit]]


@ROUTER.get("/alerts/history", response_model_exclude_none=True)
@needs(Right.STATUS)
def list_history(desk: Desk, asked: Annotated[HistoryQuery, Query()]) -> list[AlertEventView]:
    """What became of alerts, the newest first; kept for 30 days."""
    wanted = Wanted(
        asked.alert or "", asked.rule or "", from_moment(asked.since), from_moment(asked.until), asked.limit
    )
    with desk.engine.connect() as connection:
        return [alerting.event_view(event) for event in alerts.events(connection, wanted)]


@ROUTER.get("/alerts/notices", response_model_exclude_none=True)
@needs(Right.STATUS)
def list_notices(desk: Desk, asked: Annotated[NoticesQuery, Query()]) -> list[NoticeView]:
    """Messages and what became of them, the newest first."""
    with desk.engine.connect() as connection:
        return [alerting.notice_view(row) for row in alert_outbox.rows(connection, asked.channel or "", asked.limit)]


@ROUTER.get("/alerts/rules", response_model_exclude_none=True)
@needs(Right.STATUS)
def list_rules(desk: Desk) -> list[RuleView]:
    """All rules, the built-in ones too."""
    return [alerting.rule_view(rule) for rule in _settings(desk).rules]


@ROUTER.get("/alerts/channels", response_model_exclude_none=True)
@needs(Right.STATUS)
def list_channels(desk: Desk) -> list[ChannelView]:
    """Who can be told."""
    settings = _settings(desk)
    return [alerting.channel_view(desk, channel, settings) for channel in settings.channels]


@ROUTER.post("/alerts/channels/{channel}/test", response_model_exclude_none=True)
@needs(Right.CHANGE_ALERTS)
async def test_channel(desk: Desk, who: Who, channel: ChannelName) -> TestedView:
    """Tell it now that this is a test, and wait for what it says; once in 20 s. It stands in the audit."""
    settings = _settings(desk)
    found = next((one for one in settings.channels if one.name == channel), None)
    if found is None:
        raise absent("channel", "channel")
    wait = desk.trying.take(found, settings.channels, desk.clocks.now())
    if wait:
        raise _too_soon(wait)
    now = desk.clocks.wall()
    item = AlertItem(TEST, TEST, WARNING, (("sent_by", who.name),), 0, 0, now)
    problem = ""
    try:
        async with asyncio.timeout(found.timeout_us / 1e6 + _SPARE_SECONDS):
            await open_channel(found, settings, SystemClock()).send(
                Notice(secrets.token_hex(16), TEST, WARNING, now, (item,))
            )
    except NotSent as error:
        problem = str(error)
        desk.trying.shut(found, error.retry_after_us or 0, desk.clocks.now())
    except TimeoutError:
        problem = "it did not answer in time"
    deed = Deed("alert.test", "", channel, None, {"sent": not problem})
    await asyncio.to_thread(desk.changes.carry_out, who, lambda _connection, _now: deed)
    return TestedView(channel=channel, sent=not problem, problem=problem)


@ROUTER.get("/alerts/silences", response_model_exclude_none=True)
@needs(Right.STATUS)
def list_silences(desk: Desk) -> list[SilenceView]:
    """What is not told, from the file and made at run time; those that are over are not here."""
    now = desk.clocks.wall()
    with desk.engine.connect() as connection:
        return [alerting.silence_view(one) for one in _silences(desk, connection, now) if one.until_us > now]


@ROUTER.post("/alerts/silences", status_code=201, response_model_exclude_none=True)
@needs(Right.CHANGE_ALERTS)
def create_silence(desk: Desk, who: Who, said: NewSilence) -> SilenceView:
    """Matching alerts are not told for so long. It stands in the audit."""
    made: list[AlertSilence] = []

    def work(connection: Connection, now: int) -> Deed:
        until = now + said.minutes * MINUTE_US
        silence = AlertSilence(dict(said.match), now, until, said.why, secrets.token_hex(4), who.name)
        if not alerts.add_silence(connection, silence):
            raise refused(409, "alerts.silences", "there are too many", "end some, or match more with one")
        made.append(silence)
        return Deed("alert.silence", "", silence.id, None, silence)

    desk.changes.carry_out(who, work)
    return alerting.silence_view(made[0])


@ROUTER.delete("/alerts/silences/{silence}", status_code=204)
@needs(Right.CHANGE_ALERTS)
def end_silence(desk: Desk, who: Who, silence: SilenceId) -> None:
    """What still is so is told from now on. It stands in the audit."""

    def work(connection: Connection, _now: int) -> Deed:
        found = alerts.remove_silence(connection, silence)
        if found is None:
            raise absent("silence", "silence")
        return Deed("alert.unsilence", "", silence, found)

    desk.changes.carry_out(who, work)


@ROUTER.get("/alerts/{alert}", response_model_exclude_none=True)
@needs(Right.STATUS)
def show_alert(desk: Desk, alert: AlertId) -> AlertPage:
    """One alert, and what became of it."""
    now = desk.clocks.wall()
    with desk.engine.connect() as connection:
        found = alerts.alert(connection, alert)
        events = alerts.events(connection, Wanted(alert))
        silences = _silences(desk, connection, now)
    if found is None and not events:
        raise absent("alert", "alert")
    view = None if found is None else alerting.alert_view(found, silences, now)
    return AlertPage(alert=view, events=[alerting.event_view(event) for event in events])


@ROUTER.post("/alerts/{alert}/ack", response_model_exclude_none=True)
@needs(Right.CHANGE_ALERTS)
def take_alert(desk: Desk, who: Who, alert: AlertId) -> AlertView:
    """It is yours: it is not repeated, and goes no further. It stands in the audit."""
    taken: list[Alert] = []

    def work(connection: Connection, now: int) -> Deed:
        found = alerts.alert(connection, alert)
        if found is None or not found.fires:
            raise absent("alert", "alert")
        if not found.taken_us:
            alerts.take(connection, Take(alert, now, who.name))
            found.taken_us, found.taken_by = now, who.name
        taken.append(found)
        return Deed("alert.ack", "", alert, None, {"rule": found.rule, "labels": dict(found.labels)})

    desk.changes.carry_out(who, work)
    return alerting.alert_view(taken[0], list(_settings(desk).silences), desk.clocks.wall())


def _too_soon(wait_us: int) -> Refused:
    seconds = str(-(-wait_us // SECOND_US))
    remedy = "makers shut out for minutes who sends too often, and with the tests the alerts"
    return refused(429, "path.channel", f"can be tested again in {seconds} s", remedy, ("retry-after", seconds))


def _settings(desk: Office) -> AlertSettings:
    return desk.declaration.now.alerts


def _silences(desk: Office, connection: Connection, now: int) -> list[AlertSilence]:
    return [*_settings(desk).silences, *alerts.silences(connection, now)]


def _wanted(alert: Alert, asked: AlertsQuery) -> bool:
    if alert.stage == RESOLVED or (alert.stage == PENDING and not asked.pending):
        return False
    return asked.rule in {None, alert.rule} and asked.severity in {None, alert.severity}
