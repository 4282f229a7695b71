"""Who is told when."""

from tests.policy.alerts.conftest import SECOND, START, Played, route, rule, sample
from tidegate.model.alerts import (
    CRITICAL,
    ESCALATED,
    FIRING,
    REPEATED,
    RESOLVED,
    WARNING,
    WORSE,
    AlertSilence,
)
from tidegate.policy.alerts.engine import Engine
from tidegate.policy.alerts.groups import MOST_GROUPS


def test_every_channel_is_told_where_there_is_no_route() -> None:
    """After five seconds, once, and when it is over."""
    gate = Played(channels=("a", "b"))
    assert gate.over(5, sample(10)) == []
    assert sorted(gate.over(5, sample(10))) == [("a", FIRING), ("b", FIRING)]
    assert sorted(gate.over(90, sample(1))) == [("a", RESOLVED), ("b", RESOLVED)]
    assert gate.alerts == []


def test_without_channels_alerts_are_known_all_the_same() -> None:
    """And forgotten when they are over."""
    gate = Played(channels=())
    assert gate.over(9, sample(10)) == []
    assert [alert.fires for alert in gate.alerts] == [True]
    gate.over(3, sample(1))
    assert gate.alerts == []


def test_alerts_of_a_group_that_come_together_are_one_message() -> None:
    """Those that come later wait for the interval; another group does not wait for it."""
    gate = Played(rule(), rule("s"), routes=[route(group_wait_us=2 * SECOND, group_interval_us=10 * SECOND)])
    one, two, three = (sample(10, n=str(number)) for number in range(3))
    assert gate.look(one) == []
    assert gate.over(2, one, two) == [("a", FIRING)]
    assert len(gate.told[0][1].items) == 2
    assert gate.over(9, one, two, three) == []
    assert gate.over(3, one, two, three, sample(10, "s")) == [("a", FIRING), ("a", FIRING)]
    assert sorted(len(notice.items) for _, notice in gate.told[1:]) == [1, 1]


def test_ten_thousand_alerts_are_few_messages() -> None:
    """The first of them in full, the others counted."""
    gate = Played(*(rule(f"r{number}") for number in range(5)))
    crowd = [sample(10, f"r{number % 5}", n=str(number)) for number in range(10_000)]
    assert len(gate.over(8, *crowd)) == 5
    assert sum(len(notice.items) + notice.more for _, notice in gate.told) == 10_000
    assert max(len(notice.items) for _, notice in gate.told) == 20


def test_groups_of_a_route_are_bounded() -> None:
    """Those beyond are told together."""
    gate = Played(routes=[route(group_by=("n",))])
    said = gate.look(*(sample(10, n=str(number)) for number in range(MOST_GROUPS + 50)))
    assert len(said) == MOST_GROUPS + 1


def test_what_becomes_critical_does_not_wait_for_the_interval() -> None:
    """What is only one more warning does."""
    gate = Played(routes=[route(group_interval_us=60 * SECOND)])
    assert gate.look(sample(10)) == [("a", FIRING)]
    assert gate.look(sample(20)) == [("a", WORSE)]
    assert gate.look(sample(20), sample(20, n="2")) == []
    assert gate.told[-1][1].severity == CRITICAL


def test_a_route_takes_severities_rules_and_labels() -> None:
    """Each channel hears of an alert by one route only."""
    routes = [
        route("a", severities=(CRITICAL,)),
        route("a", "b", rules=("r",), match={"n": "1*"}),
    ]
    gate = Played(rule(), rule("s"), channels=("a", "b"), routes=routes)
    assert gate.look(sample(10, n="2"), sample(10, "s", n="1")) == []
    assert sorted(gate.look(sample(20, n="1"))) == [("a", FIRING), ("b", FIRING)]


def test_nobody_is_told_of_what_is_over_before_it_was_told() -> None:
    """Nor of its end."""
    gate = Played(routes=[route(group_wait_us=9 * SECOND)])
    assert gate.over(3, sample(10)) == []
    assert gate.over(30, sample(1)) == []
    assert gate.alerts == []


def test_a_route_may_leave_the_end_out() -> None:
    """Then nothing is told, and nothing kept."""
    gate = Played(routes=[route(recovery=False)])
    gate.look(sample(10))
    assert gate.over(5, sample(1)) == []
    assert gate.alerts == []
    assert gate.engine.groups.groups == {}


def test_what_nobody_takes_is_repeated_and_goes_further() -> None:
    """Until somebody does; who was told of it hears of its end."""
    far = route(repeat_us=10 * SECOND, escalate_us=15 * SECOND, escalate_to=("b",))
    gate = Played(channels=("a", "b"), routes=[far])
    said = gate.over(30, sample(10))
    assert said == [("a", FIRING), ("a", REPEATED), ("b", ESCALATED), ("a", REPEATED), ("b", REPEATED)]
    gate.engine.take(gate.alerts[0].id, "ann", gate.now, gate.now)
    assert gate.over(60, sample(10)) == []
    assert sorted(gate.over(9, sample(1))) == [("a", RESOLVED), ("b", RESOLVED)]


def test_what_somebody_took_in_time_goes_no_further() -> None:
    """The second channel never hears of it."""
    gate = Played(channels=("a", "b"), routes=[route(escalate_us=5 * SECOND, escalate_to=("b",), repeat_us=0)])
    gate.over(3, sample(10))
    gate.engine.take(gate.alerts[0].id, "ann", gate.now, gate.now)
    assert gate.over(20, sample(10)) == []
    assert gate.over(9, sample(1)) == [("a", RESOLVED)]


def test_nothing_is_said_while_it_is_silenced() -> None:
    """Neither its beginning nor its end; what still is so is told when the silence is over."""
    gate = Played(routes=[route()], silences=[AlertSilence({"n": "1"}, START, START + 10 * SECOND)])
    assert gate.over(8, sample(10, n="1")) == []
    assert gate.over(3, sample(10, n="1")) == [("a", FIRING)]
    gate.silences = (AlertSilence({"rule": "r"}, gate.now, gate.now + 20 * SECOND),)
    assert gate.over(15, sample(1, n="1")) == []
    assert gate.over(9, sample(1, n="1")) == [("a", RESOLVED)]


def test_what_comes_back_before_its_end_was_told_is_nothing_new() -> None:
    """For who was told that it is on, it is."""
    gate = Played(routes=[route(group_interval_us=30 * SECOND)])
    assert gate.look(sample(10)) == [("a", FIRING)]
    assert gate.over(9, sample(1)) == []
    assert gate.over(40, sample(10)) == []
    assert gate.over(30, sample(1)) == [("a", RESOLVED)]


def test_who_takes_over_says_nothing_twice() -> None:
    """Alerts and groups are all that has to be known."""
    gate = Played(channels=("a", "b"), routes=[route("a", "b")])
    gate.look(sample(10))
    heir = Engine(gate.settings, gate.now, gate.alerts, gate.engine.groups.groups.values())
    heir.step([sample(10)], (), gate.now + SECOND)
    assert heir.unsaved.notices == []
    for at in range(2, 9):
        heir.step([sample(1)], (), gate.now + at * SECOND)
    assert sorted((one.channel, one.notice.state) for one in heir.unsaved.notices) == [("a", RESOLVED), ("b", RESOLVED)]


def test_other_routes_do_not_tell_again_what_a_channel_knows() -> None:
    """A channel that is gone is forgotten, a new one is told."""
    gate = Played(channels=("a", "b"), routes=[route("a", "b")])
    gate.look(sample(10))
    other = Played(channels=("a", "c"), routes=[route("c"), route("a")])
    gate.engine = gate.engine.changed(other.settings, gate.now)
    assert gate.look(sample(10)) == [("c", FIRING)]
    assert sorted(gate.over(5, sample(1))) == [("a", RESOLVED), ("c", RESOLVED)]
    assert gate.engine.groups.groups == {}
    assert {notice.severity for _, notice in gate.told} == {WARNING}
