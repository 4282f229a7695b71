"""All rules over all samples."""

import math

from tests.policy.alerts.conftest import SECOND, START, rule, sample
from tidegate.model.alert_state import FIRING, RESOLVED
from tidegate.model.alerts import AlertSettings
from tidegate.policy.alerts import judge
from tidegate.policy.alerts.judge import MOST_A_RULE, Judge


def made(*rules: object, **more: object) -> Judge:
    return Judge(AlertSettings(rules=rules or (rule(),), **more), (), START)  # type: ignore[arg-type]


def test_each_label_set_is_an_alert_of_its_own() -> None:
    """And only those that a rule means, which is switched on."""
    found = made(rule(match={"m": "a*"}), rule("off", enabled=False))
    judged = found.judge([sample(10, m="a1"), sample(10, m="a2"), sample(10, m="b"), sample(99, "off")], START)
    assert sorted(event.labels for event in judged.events) == [(("m", "a1"),), (("m", "a2"),)]


def test_what_is_missing_is_waited_for_and_then_over() -> None:
    """Also where somebody else takes over: the time begins anew then."""
    found = made(missing_us=3 * SECOND)
    found.judge([sample(10)], START)
    assert not found.judge([], START + 2 * SECOND).events
    later = START + 100 * SECOND
    heir = Judge(AlertSettings(rules=(rule(),), missing_us=3 * SECOND), found.alerts.values(), later)
    assert not heir.judge([], later + 2 * SECOND).events
    assert [event.change for event in heir.judge([], later + 3 * SECOND).events] == [RESOLVED]


def test_nothing_is_missing_where_not_all_can_be_heard() -> None:
    """The time begins anew when all can."""
    found = made(missing_us=3 * SECOND)
    found.judge([sample(10)], START)
    assert not found.judge([], START + 60 * SECOND, whole=False).events
    assert not found.judge([], START + 62 * SECOND).events
    assert [event.change for event in found.judge([], START + 63 * SECOND).events] == [RESOLVED]


def test_a_rule_that_is_gone_ends_its_alerts() -> None:
    """Also one that looks at something else now."""
    found = made()
    found.judge([sample(10)], START)
    for rules in ((), (rule(metric="other"),)):
        heir = Judge(AlertSettings(rules=rules), found.alerts.values(), START)
        assert [event.change for event in heir.judge([sample(10)], START).events] == [RESOLVED]
        found.judge([sample(10)], START + SECOND)


def test_no_more_than_so_many_of_a_rule() -> None:
    """The others are counted; when some are forgotten there is room again."""
    found = made()
    crowd = [sample(10, m=str(number)) for number in range(MOST_A_RULE + 7)]
    assert len(found.judge(crowd, START).events) == MOST_A_RULE
    assert found.dropped["r"] == 7
    found.forget(next(iter(found.alerts.values())))
    found.judge(crowd, START)
    assert found.dropped["r"] == 7
    assert len(found.alerts) == MOST_A_RULE


def test_values_that_are_no_numbers_move_nothing_and_endless_ones_are_bounded() -> None:
    """JSON has neither."""
    found = made()
    assert not found.judge([sample(math.nan)], START).touched
    (alert,) = found.judge([sample(math.inf)], START).touched
    assert math.isfinite(alert.value)


def test_events_and_alerts_have_names_of_their_own() -> None:
    """The same moment, alert and change is the same event, so that it is kept once."""
    found = made()
    (event,) = found.judge([sample(10)], START).events
    (alert,) = found.alerts.values()
    assert event == judge.event_of(alert, FIRING, START)
    assert event.id != judge.event_of(alert, FIRING, START + 1).id
