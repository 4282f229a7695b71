"""What is kept of alerts, on either database."""

from sqlalchemy import Engine

from tidegate.model.alert_state import FIRING, TAKEN, Alert, AlertEvent, Group, Told
from tidegate.model.alerts import AlertSilence
from tidegate.store import alerts
from tidegate.store.alerts import Take, Wanted
from tidegate.store.engine import writing

NOW = 1_800_000_000_000_000


def alert(name: str = "a", **fields: object) -> Alert:
    made = Alert(name, "r", "m", (("model", "gpt-4o"),), FIRING, "warning", 1.5, 1, NOW, NOW)
    for field, value in fields.items():
        setattr(made, field, value)
    return made


def event(name: str, at: int = NOW, **fields: object) -> AlertEvent:
    given = {"alert": "a", "change": FIRING, "rule": "r", "metric": "m", "severity": "warning", "labels": ()} | fields
    return AlertEvent(name, at, value=1, threshold=1, **given)  # type: ignore[arg-type]


def test_who_judges_next_knows_what_was_known(engine: Engine) -> None:
    """Writing it again changes nothing; what is gone is gone."""
    group = Group("g", "ops", 0, (("rule", "r"),), told={"a": Told("warning", 5)}, last_us=7)
    for _ in range(2):
        with writing(engine) as connection:
            alerts.keep(connection, {"a": alert(), "b": alert("b")}, {"g": group}, [event("e")])
    with writing(engine) as connection:
        alerts.keep(connection, {"a": alert(value=2.5), "b": None}, {}, [])
    with writing(engine) as connection:
        assert alerts.load(connection) == alerts.State([alert(value=2.5)], [group])
        assert alerts.alert(connection, "a") == alert(value=2.5)
        assert alerts.alert(connection, "b") is None
        alerts.keep(connection, {"a": None}, {"g": None}, [])
        assert alerts.load(connection) == alerts.State([], [])


def test_the_state_is_one_process_s_memory(engine: Engine) -> None:
    """Until another one takes it over."""
    with writing(engine) as connection:
        assert alerts.keeper(connection) == ""
        alerts.become_keeper(connection, "one")
        alerts.become_keeper(connection, "two")
        assert alerts.keeper(connection) == "two"


def test_who_takes_an_alert_first_has_it(engine: Engine) -> None:
    """Whoever judges is told until it stands in its state."""
    with writing(engine) as connection:
        alerts.take(connection, Take("a", 1, "ann"))
        alerts.take(connection, Take("a", 2, "bob"))
        assert alerts.takes(connection) == [Take("a", 1, "ann")]
        alerts.untake(connection, ["a", "b"])
        assert alerts.takes(connection) == []


def test_silences_that_are_not_over(engine: Engine) -> None:
    """Also those that have not begun; removing tells which it was."""
    one, two = (AlertSilence({"rule": "r"}, NOW, NOW + at, "so", str(at), "ann") for at in (5, 9))
    with writing(engine) as connection:
        assert alerts.add_silence(connection, two)
        assert alerts.add_silence(connection, one)
        assert alerts.silences(connection, NOW) == [one, two]
        assert alerts.silences(connection, NOW + 5) == [two]
        assert alerts.remove_silence(connection, "9") == two
        assert alerts.remove_silence(connection, "9") is None


def test_silences_are_bounded(engine: Engine) -> None:
    """Somebody who makes them without end is told so."""
    with writing(engine) as connection:
        added = [
            alerts.add_silence(connection, AlertSilence({}, 0, NOW, id=str(number)))
            for number in range(alerts.MOST_SILENCES + 1)
        ]
        assert added == [True] * alerts.MOST_SILENCES + [False]


def test_the_history_is_told_from_its_end(engine: Engine) -> None:
    """Of one alert or rule, of a time; what is old goes."""
    told = [event("1", NOW), event("2", NOW + 1, rule="s"), event("3", NOW + 2, change=TAKEN, by="ann", alert="b")]
    with writing(engine) as connection:
        alerts.keep(connection, {}, {}, told)
        assert alerts.events(connection, Wanted()) == told[::-1]
        assert alerts.events(connection, Wanted(limit=1)) == told[2:]
        assert alerts.events(connection, Wanted(rule="s")) == [told[1]]
        assert alerts.events(connection, Wanted(alert="b")) == [told[2]]
        assert alerts.events(connection, Wanted(from_us=NOW + 1, to_us=NOW + 2)) == [told[1]]
        alerts.forget(connection, NOW + 2)
        assert alerts.events(connection, Wanted()) == [told[2]]
