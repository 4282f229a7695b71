"""`/alerts`: what is on, what became of it, who is told, and what people do about it."""

import sys

import pytest
from msgspec.structs import replace

from tests.control.admin.desk import WALL, Desk
from tidegate.alerts.figures import AlertsStanding, ChannelFigures
from tidegate.model.alert_rules import BUILT_IN_RULES
from tidegate.model.alert_state import FIRING, PENDING, RESOLVED, TAKEN, Alert, AlertEvent
from tidegate.model.alerts import CRITICAL, WARNING, AlertChannel, AlertSettings, AlertSilence, Notice
from tidegate.store import alert_outbox, alerts
from tidegate.store.alerts import Take
from tidegate.store.engine import writing
from tidegate.units import SECOND_US

CHANNELS = (
    AlertChannel("ops", "command", command=("/bin/true",)),
    AlertChannel("deaf", "command", command=(sys.executable, "-c", "raise SystemExit(3)"), language="zh"),
    AlertChannel("hush", "slack", url="https://hooks.slack.com/services/T0/B0/HIDDENWORD", secret="HIDDENWORD"),
)


def alert(name: str, severity: str = WARNING, stage: str = FIRING, **labels: str) -> Alert:
    found = tuple(sorted(labels.items()))
    return Alert(
        name, "limited_seconds", "limited_seconds", found, stage, severity, 320, 300, WALL, WALL, fired_us=WALL
    )


@pytest.fixture
def watched(desk: Desk) -> Desk:
    """Three alerts, one of them pending, and three channels."""
    silences = (AlertSilence({"model": "quiet"}, 1, WALL * 2, "filed"),)
    settings = AlertSettings(BUILT_IN_RULES, CHANNELS, silences=silences)
    desk.declaration.now = replace(desk.declaration.now, alerts=settings)
    found = [alert("a1", model="quiet"), alert("a2", CRITICAL, model="gpt-4o"), alert("a3", stage=PENDING)]
    event = AlertEvent("e1", WALL, "a0", RESOLVED, "r", "limited_seconds", WARNING, (), 1, 300)
    assert desk.engine is not None
    with writing(desk.engine) as connection:
        alerts.keep(connection, {one.id: one for one in found}, {}, [event])
        alert_outbox.put(connection, [("ops", Notice("n1", FIRING, WARNING, WALL, (), 7))], frozenset(), WALL)
    return desk


def test_what_is_on_the_worst_first(watched: Desk) -> None:
    """Pending ones on demand; the file's silences are seen."""
    found = watched.ask("GET", "/alerts").json()
    assert [(one["id"], one["silenced"]) for one in found] == [("a2", False), ("a1", True)]
    assert found[0] | {"since": ""} == {
        "id": "a2", "rule": "limited_seconds", "metric": "limited_seconds", "labels": {"model": "gpt-4o"},
        "stage": "firing", "severity": "critical", "value": 320.0, "unit": "s", "threshold": 300.0, "since": "",
        "fired": found[0]["since"], "silenced": False,
    }  # fmt: skip
    assert [one["id"] for one in watched.ask("GET", "/alerts?pending=true").json()] == ["a2", "a1", "a3"]
    assert [one["id"] for one in watched.ask("GET", "/alerts?severity=warning").json()] == ["a1"]
    assert watched.ask("GET", "/alerts?rule=other").json() == []


def test_one_alert_and_what_became_of_it(watched: Desk) -> None:
    """Of one that is over only that; of none nothing."""
    assert watched.ask("GET", "/alerts/a2").json()["alert"]["id"] == "a2"
    over = watched.ask("GET", "/alerts/a0").json()
    assert ("alert" in over, [event["change"] for event in over["events"]]) == (False, ["resolved"])
    assert [event["alert"] for event in watched.ask("GET", "/alerts/history?rule=r").json()] == ["a0"]
    assert watched.ask("GET", "/alerts/ffff").status_code == 404


def test_messages_rules_and_channels(watched: Desk) -> None:
    """Neither an address nor a secret is told."""
    watched.board.alerts = AlertsStanding(channels={"ops": ChannelFigures(sent=3, waiting=1)})
    (notice,) = watched.ask("GET", "/alerts/notices?channel=ops").json()
    assert (notice["id"], notice["alerts"], notice["stage"]) == ("n1", 7, "waiting")
    rules = watched.ask("GET", "/alerts/rules").json()
    assert {"name": "keys_dead", "warning": 1.0}.items() <= rules[4].items()
    assert len(rules) == len(BUILT_IN_RULES)
    answer = watched.ask("GET", "/alerts/channels")
    assert "HIDDENWORD" not in answer.text
    assert [(one["name"], one["language"], one["sent"]) for one in answer.json()] == [
        ("ops", "en", 3),
        ("deaf", "zh", 0),
        ("hush", "en", 0),
    ]


def test_who_takes_an_alert_has_it(watched: Desk) -> None:
    """The first one; it is noted for who judges, and in the audit."""
    taken = watched.ask("POST", "/alerts/a2/ack").json()
    assert taken["taken_by"] == "admin-all"
    watched.ask("POST", "/alerts/a2/ack", token="operator")
    assert watched.engine is not None
    with watched.engine.connect() as connection:
        assert alerts.takes(connection) == [Take("a2", WALL, "admin-all")]
    entry = watched.ask("GET", "/audit?action=alert").json()[-1]
    assert (entry["action"], entry["target"], entry["actor"]) == ("alert.ack", "a2", "admin-all")
    assert watched.ask("POST", "/alerts/a3/ack").status_code == 404
    assert TAKEN


def test_a_silence_is_made_seen_and_ended(watched: Desk) -> None:
    """With who made it; those of the file stand beside it and are not ended here."""
    made = watched.made("/alerts/silences", {"match": {"model": "gpt-*"}, "minutes": 60, "why": "we know"})
    assert (made["by"], made["declared"]) == ("admin-all", "managed")
    assert [one["silenced"] for one in watched.ask("GET", "/alerts").json()] == [True, True]
    listed = watched.ask("GET", "/alerts/silences").json()
    assert [one["declared"] for one in listed] == ["file", "managed"]
    assert watched.ask("DELETE", f"/alerts/silences/{made['id']}").status_code == 204
    assert watched.ask("DELETE", f"/alerts/silences/{made['id']}").status_code == 404
    actions = [entry["action"] for entry in watched.ask("GET", "/audit?action=alert").json()]
    assert actions == ["alert.unsilence", "alert.silence"]


@pytest.mark.parametrize("body", [{"match": {}, "minutes": 5}, {"match": {"a": "b"}, "minutes": 0}, {"minutes": 5}])
def test_a_silence_says_what_and_for_how_long(watched: Desk, body: object) -> None:
    """One that means everything, or lasts for nothing, is a mistake."""
    assert watched.ask("POST", "/alerts/silences", body).status_code == 422


def test_a_channel_is_tested_at_once(watched: Desk) -> None:
    """And says what is wrong with it."""
    assert watched.ask("POST", "/alerts/channels/ops/test").json() == {"channel": "ops", "sent": True, "problem": ""}
    deaf = watched.ask("POST", "/alerts/channels/deaf/test").json()
    assert not deaf["sent"]
    assert deaf["problem"]
    assert watched.ask("POST", "/alerts/channels/nobody/test").status_code == 404
    assert watched.ask("GET", "/audit?action=alert.test").json()[0]["after"] == {"sent": False}


def test_a_channel_is_not_tested_too_often(watched: Desk) -> None:
    """Makers shut out for minutes who sends more than they take: so each waits, for itself, and is told how long."""
    press = "/alerts/channels/ops/test"
    assert watched.ask("POST", press).json()["sent"]
    watched.hands.now += 1
    soon = watched.ask("POST", press)
    assert (soon.status_code, soon.headers["retry-after"]) == (429, "20")
    assert soon.json()["errors"][0]["field"] == "path.channel"
    assert soon.json()["errors"][0]["problem"] == "can be tested again in 20 s"
    assert len(watched.ask("GET", "/audit?action=alert.test").json()) == 1
    assert watched.ask("POST", "/alerts/channels/deaf/test").status_code == 200
    sent = 1
    for _ in range(60):
        watched.hands.now += SECOND_US
        sent += watched.ask("POST", press).status_code == 200
    assert sent == 4


def test_a_channel_that_is_another_one_now_does_not_wait(watched: Desk) -> None:
    """And what is kept is of the channels that are configured."""
    assert watched.ask("POST", "/alerts/channels/ops/test").status_code == 200
    assert watched.ask("POST", "/alerts/channels/deaf/test").status_code == 200
    moved = AlertSettings(channels=(replace(CHANNELS[0], url="other"),))
    watched.declaration.now = replace(watched.declaration.now, alerts=moved)
    assert watched.ask("POST", "/alerts/channels/ops/test").status_code == 200
    watched.declaration.now = replace(watched.declaration.now, alerts=AlertSettings(channels=CHANNELS))
    assert watched.ask("POST", "/alerts/channels/deaf/test").status_code == 200


def test_a_channel_that_takes_nothing_is_left_alone(watched: Desk) -> None:
    """As long as it says, and ten minutes at most: then it may be asked again."""
    channel = CHANNELS[0]
    for asked_us, waited_us in ((60 * SECOND_US, 60 * SECOND_US), (10**15, 600 * SECOND_US)):
        watched.hands.now += 700 * SECOND_US
        watched.office.trying.shut(channel, asked_us, watched.hands.now)
        assert watched.office.trying.take(channel, CHANNELS, watched.hands.now) == waited_us
