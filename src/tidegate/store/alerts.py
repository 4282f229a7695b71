"""What is known of alerts, kept: their state, who has taken them, what is silenced, what became of them.

The state is the memory of one process, the keeper: whoever leads after it reads it and becomes the keeper, and what the
former one still remembers is old then. Writing the same twice does nothing more than once.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import msgspec
from sqlalchemy import Connection, delete, func, insert, select, text

from tidegate.model.alert_state import Alert, AlertEvent, Group
from tidegate.model.alerts import AlertSilence
from tidegate.store.alert_tables import (
    ALERT_EVENTS,
    ALERT_GROUPS,
    ALERT_KEEPER,
    ALERT_NOTICES,
    ALERT_SILENCES,
    ALERT_TAKES,
    ALERTS,
)

MOST_SILENCES: Final = 1_000

_PUT_ALERT: Final = text(
    "INSERT INTO alerts (id, rule, stage, severity, state) VALUES (:id, :rule, :stage, :severity, :state) "
    "ON CONFLICT (id) DO UPDATE SET stage = excluded.stage, severity = excluded.severity, state = excluded.state"
)
_PUT_GROUP: Final = text(
    "INSERT INTO alert_groups (key, state) VALUES (:key, :state) ON CONFLICT (key) DO UPDATE SET state = excluded.state"
)
_PUT_EVENT: Final = text(
    "INSERT INTO alert_events (id, at_us, alert, change, rule, severity, event) "
    "VALUES (:id, :at_us, :alert, :change, :rule, :severity, :event) ON CONFLICT (id) DO NOTHING"
)
_PUT_TAKE: Final = text(
    'INSERT INTO alert_takes (alert, at_us, "by") VALUES (:alert, :at_us, :by) ON CONFLICT (alert) DO NOTHING'
)
_PUT_KEEPER: Final = text(
    "INSERT INTO alert_keeper (one, holder) VALUES (1, :holder) "
    "ON CONFLICT (one) DO UPDATE SET holder = excluded.holder"
)


class State(NamedTuple):
    """All that whoever judges next has to know."""

    alerts: list[Alert]
    groups: list[Group]


class Take(NamedTuple):
    """Somebody has taken an alert."""

    alert: str
    at_us: int
    by: str


def load(connection: Connection) -> State:
    """The state. O(alerts + groups)."""
    alerts = [msgspec.json.decode(row.state, type=Alert) for row in connection.execute(select(ALERTS.c.state))]
    groups = [msgspec.json.decode(row.state, type=Group) for row in connection.execute(select(ALERT_GROUPS.c.state))]
    return State(alerts, groups)


def keep(
    connection: Connection,
    alerts: Mapping[str, Alert | None],
    groups: Mapping[str, Group | None],
    events: Sequence[AlertEvent],
) -> None:
    """Write what changed, by id and key; None = gone."""
    if rows := [_alert_row(alert) for alert in alerts.values() if alert is not None]:
        connection.execute(_PUT_ALERT, rows)
    _remove(connection, "alerts", "id", [name for name, alert in alerts.items() if alert is None])
    if rows := [{"key": one.key, "state": _json(one)} for one in groups.values() if one is not None]:
        connection.execute(_PUT_GROUP, rows)
    _remove(connection, "alert_groups", "key", [name for name, one in groups.items() if one is None])
    if rows := [_event_row(event) for event in events]:
        connection.execute(_PUT_EVENT, rows)


def keeper(connection: Connection) -> str:
    """Whose memory the state is, "" = nobody's yet."""
    return connection.execute(select(ALERT_KEEPER.c.holder)).scalar() or ""


def become_keeper(connection: Connection, holder: str) -> None:
    """It is this one's from now on."""
    connection.execute(_PUT_KEEPER, {"holder": holder})


def take(connection: Connection, taken: Take) -> None:
    """Note it for the keeper, who takes it over with `takes`; the first one counts."""
    connection.execute(_PUT_TAKE, taken._asdict())


def takes(connection: Connection) -> list[Take]:
    """What is noted."""
    return [Take(row.alert, row.at_us, row.by) for row in connection.execute(select(ALERT_TAKES))]


def untake(connection: Connection, names: Sequence[str]) -> None:
    """It stands in the state of these alerts now, or they are gone."""
    _remove(connection, "alert_takes", "alert", names)


def alert(connection: Connection, name: str) -> Alert | None:
    """One that there is something to say of."""
    found = connection.execute(select(ALERTS.c.state).where(ALERTS.c.id == name)).scalar()
    return None if found is None else msgspec.json.decode(found, type=Alert)


def silences(connection: Connection, now: int) -> list[AlertSilence]:
    """Those that are not over, the first to end first."""
    query = select(ALERT_SILENCES.c.silence).where(ALERT_SILENCES.c.until_us > now)
    rows = connection.execute(query.order_by(ALERT_SILENCES.c.until_us, ALERT_SILENCES.c.id))
    return [msgspec.json.decode(row.silence, type=AlertSilence) for row in rows]


def add_silence(connection: Connection, silence: AlertSilence) -> bool:
    """False when there are too many."""
    if connection.execute(select(func.count()).select_from(ALERT_SILENCES)).scalar_one() >= MOST_SILENCES:
        return False
    row = {"id": silence.id, "from_us": silence.from_us, "until_us": silence.until_us, "silence": _json(silence)}
    connection.execute(insert(ALERT_SILENCES), row)
    return True


def remove_silence(connection: Connection, name: str) -> AlertSilence | None:
    """It holds no longer; None = there is none."""
    found = connection.execute(select(ALERT_SILENCES.c.silence).where(ALERT_SILENCES.c.id == name)).scalar()
    if found is None:
        return None
    connection.execute(delete(ALERT_SILENCES).where(ALERT_SILENCES.c.id == name))
    return msgspec.json.decode(found, type=AlertSilence)


class Wanted(NamedTuple):
    """Which events: "" and 0 = any."""

    alert: str = ""
    rule: str = ""
    from_us: int = 0
    to_us: int = 0
    limit: int = 100


def events(connection: Connection, wanted: Wanted) -> list[AlertEvent]:
    """The newest first."""
    query = select(ALERT_EVENTS.c.event).order_by(ALERT_EVENTS.c.at_us.desc(), ALERT_EVENTS.c.id).limit(wanted.limit)
    for column, value in ((ALERT_EVENTS.c.alert, wanted.alert), (ALERT_EVENTS.c.rule, wanted.rule)):
        query = query.where(column == value) if value else query
    if wanted.from_us:
        query = query.where(ALERT_EVENTS.c.at_us >= wanted.from_us)
    if wanted.to_us:
        query = query.where(ALERT_EVENTS.c.at_us < wanted.to_us)
    return [msgspec.json.decode(row.event, type=AlertEvent) for row in connection.execute(query)]


def forget(connection: Connection, before_us: int) -> None:
    """Events, messages that are done and silences that are over, from before that moment."""
    connection.execute(delete(ALERT_EVENTS).where(ALERT_EVENTS.c.at_us < before_us))
    done = ALERT_NOTICES.c.stage.in_(("sent", "failed"))
    connection.execute(delete(ALERT_NOTICES).where(done, ALERT_NOTICES.c.at_us < before_us))
    connection.execute(delete(ALERT_SILENCES).where(ALERT_SILENCES.c.until_us < before_us))
    connection.execute(delete(ALERT_TAKES).where(ALERT_TAKES.c.at_us < before_us))


def _alert_row(one: Alert) -> dict[str, object]:
    return {"id": one.id, "rule": one.rule, "stage": one.stage, "severity": one.severity, "state": _json(one)}


def _event_row(event: AlertEvent) -> dict[str, object]:
    return {
        "id": event.id, "at_us": event.at_us, "alert": event.alert, "change": event.change, "rule": event.rule,
        "severity": event.severity, "event": _json(event),
    }  # fmt: skip


def _remove(connection: Connection, table: str, column: str, names: Sequence[str]) -> None:
    if names:
        statement = text(f"DELETE FROM {table} WHERE {column} = :name")  # noqa: S608 - our own words
        connection.execute(statement, [{"name": name} for name in names])


def _json(record: object) -> str:
    return msgspec.json.encode(record).decode()
