"""The outbox: in order, once, and again after a death."""

from sqlalchemy import Engine

from tidegate.model.alerts import FIRING, AlertItem, Notice
from tidegate.store import alert_outbox as outbox
from tidegate.store.alert_outbox import FAILED, SENT, WAITING
from tidegate.store.engine import writing

NOW = 1_800_000_000_000_000
LEASE = 20


def notice(name: str, at: int = NOW) -> Notice:
    item = AlertItem("r", "m", "warning", (("model", "gpt-4o"),), 1, 1, NOW)
    return Notice(name, FIRING, "warning", at, (item,), 3)


def test_each_channel_is_told_in_order(engine: Engine) -> None:
    """What is put again is there once; the next one comes when the first is done."""
    with writing(engine) as connection:
        for _ in range(2):
            outbox.put(connection, [("a", notice("1")), ("b", notice("1")), ("a", notice("2"))], frozenset(), NOW)
        assert outbox.waiting(connection) == {"a": 2, "b": 1}
        first = outbox.claim(connection, "a", NOW, LEASE)
        assert first is not None
        assert (first.notice, first.tries, first.repeated) == (notice("1"), 1, False)
        assert outbox.claim(connection, "a", NOW + LEASE - 1, LEASE) is None
        outbox.sent(connection, first, NOW)
        second = outbox.claim(connection, "a", NOW, LEASE)
        assert second is not None
        assert second.notice == notice("2")
        outbox.failed(connection, second, NOW, "it is gone")
        assert outbox.claim(connection, "a", NOW + 99, LEASE) is None
        assert [(row.channel, row.stage, row.problem) for row in outbox.rows(connection, "a")] == [
            ("a", FAILED, "it is gone"),
            ("a", SENT, ""),
        ]


def test_what_was_not_taken_is_tried_again_and_holds_up_its_channel_only(engine: Engine) -> None:
    """When its moment has come."""
    with writing(engine) as connection:
        outbox.put(connection, [("a", notice("1")), ("a", notice("2")), ("b", notice("3"))], frozenset(), NOW)
        first = outbox.claim(connection, "a", NOW, LEASE)
        assert first is not None
        outbox.later(connection, first, NOW + 50, "no answer")
        assert outbox.claim(connection, "a", NOW + 49, LEASE) is None
        assert outbox.claim(connection, "b", NOW, LEASE) is not None
        again = outbox.claim(connection, "a", NOW + 50, LEASE)
        assert again is not None
        assert (again.notice, again.tries, again.repeated, again.problem) == (notice("1"), 2, False, "no answer")


def test_what_a_dead_process_had_is_another_one_s_after_its_lease(engine: Engine) -> None:
    """Under the same id, marked; should the first one live after all, it does not count any more."""
    with writing(engine) as connection:
        outbox.put(connection, [("a", notice("1"))], frozenset(), NOW)
        first = outbox.claim(connection, "a", NOW, LEASE)
        again = outbox.claim(connection, "a", NOW + LEASE, LEASE)
        assert first is not None
        assert again is not None
        assert (again.notice.id, again.repeated) == ("1", True)
        outbox.later(connection, first, NOW, "late word")
        assert outbox.claim(connection, "a", NOW + LEASE, LEASE) is None
        outbox.sent(connection, again, NOW)
        assert outbox.waiting(connection) == {}


def test_what_was_sent_meanwhile_is_only_noted(engine: Engine) -> None:
    """While the database was away."""
    with writing(engine) as connection:
        outbox.put(connection, [("a", notice("1")), ("b", notice("1"))], frozenset({("1", "a")}), NOW)
        assert outbox.waiting(connection) == {"b": 1}


def test_a_crowd_loses_its_oldest(engine: Engine) -> None:
    """A channel that takes nothing does not fill the database; what waits for one that is gone goes."""
    with writing(engine) as connection:
        crowd = [("a", notice(str(number))) for number in range(outbox.MOST_WAITING + 3)]
        outbox.put(connection, [*crowd, ("b", notice("x"))], frozenset(), NOW)
        assert outbox.drop_crowd(connection, NOW) == {"a": 3}
        found = outbox.claim(connection, "a", NOW, LEASE)
        assert found is not None
        assert found.notice.id == "3"
        outbox.drop_strangers(connection, ["a"], NOW)
        assert "b" not in outbox.waiting(connection)
        assert outbox.rows(connection, "a", 1)[0].stage == WAITING
