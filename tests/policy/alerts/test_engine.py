"""Invariants over whatever happens, and what has to be kept."""

from collections import defaultdict

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.policy.alerts.conftest import SECOND, START, Played, route, rule, sample
from tidegate.model.alert_state import TAKEN
from tidegate.model.alerts import CRITICAL, ESCALATED, FIRING, REPEATED, RESOLVED, WORSE, AlertSilence
from tidegate.policy.alerts.engine import Engine
from tidegate.policy.alerts.threshold import RANK

_VALUES = st.sampled_from([0.0, 9.5, 10.0, 15.0, 20.0, 30.0])
_STEP = st.tuples(st.integers(1, 30), st.dictionaries(st.sampled_from("abc"), _VALUES))
_SILENCES = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 200), st.integers(1, 100)), max_size=3)


def _silences(found: list[tuple[str, int, int]]) -> tuple[AlertSilence, ...]:
    return tuple(AlertSilence({"n": n}, START + at * SECOND, START + (at + long) * SECOND) for n, at, long in found)


def _played(steps: list[tuple[int, dict[str, float]]], silences: tuple[AlertSilence, ...], **fields: int) -> Played:
    """All of it, then quiet until everything is over and every silence has passed. Who judges changes in between."""
    far = route("a", escalate_us=20 * SECOND, escalate_to=("b",), repeat_us=25 * SECOND, **fields)
    gate = Played(rule(for_us=3 * SECOND), channels=("a", "b"), routes=[far], silences=silences, missing_us=9 * SECOND)
    for number, (seconds, values) in enumerate(steps):
        gate.look(*(sample(value, n=n) for n, value in values.items()), seconds=seconds)
        if number % 5 == 4:
            state = gate.alerts, list(gate.engine.groups.groups.values())
            gate.engine = Engine(gate.settings, gate.now, *state)
    gate.over(600, *(sample(0, n=n) for n in "abc"))
    return gate


@settings(max_examples=60, deadline=None)
@given(st.lists(_STEP, max_size=25), _SILENCES, st.sampled_from([0, 5]), st.sampled_from([0, 40]))
def test_nobody_is_told_twice_and_every_beginning_has_its_end(
    steps: list[tuple[int, dict[str, float]]], silences: list[tuple[str, int, int]], wait: int, interval: int
) -> None:
    """On, worse, over, in this order, for every channel and alert; severities fall within a message."""
    holding = _silences(silences)
    fields = {"group_wait_us": wait * SECOND, "group_interval_us": interval * SECOND}
    gate = _played(steps, holding, **fields)
    known: dict[tuple[str, str], str] = {}
    ids = defaultdict[str, int](int)
    for channel, notice in gate.told:
        ids[f"{channel} {notice.id}"] += 1
        ranks = [RANK[item.severity] for item in notice.items]
        assert ranks == sorted(ranks, reverse=True)
        assert RANK[notice.severity] == ranks[0]
        for item in notice.items:
            which = (channel, item.labels[0][1])
            assert not any(
                one.match["n"] == which[1] and one.from_us <= notice.at_us < one.until_us for one in holding
            ), "silenced"
            if notice.state in {FIRING, ESCALATED}:
                assert which not in known, "told twice"
                known[which] = item.severity
            elif notice.state == WORSE:
                assert which in known
                assert item.severity == CRITICAL
            elif notice.state == REPEATED:
                assert which in known
            else:
                assert notice.state == RESOLVED
                assert known.pop(which), "over without a beginning"
    assert known == {}, "no end"
    assert max(ids.values(), default=1) == 1
    assert gate.alerts == []
    assert gate.engine.groups.groups == {}


@settings(max_examples=30, deadline=None)
@given(st.lists(_STEP, max_size=25))
def test_who_takes_over_goes_on_where_the_former_stood(steps: list[tuple[int, dict[str, float]]]) -> None:
    """The same messages as one that judged all the time."""
    handed = _played(steps, ())
    kept = Played(
        rule(for_us=3 * SECOND), channels=("a", "b"), missing_us=9 * SECOND,
        routes=[route("a", escalate_us=20 * SECOND, escalate_to=("b",), repeat_us=25 * SECOND)],
    )  # fmt: skip
    for seconds, values in steps:
        kept.look(*(sample(value, n=n) for n, value in values.items()), seconds=seconds)
    kept.over(600, *(sample(0, n=n) for n in "abc"))
    if all(seconds < 9 for seconds, _ in steps):  # else time waits for whom nobody measures anew
        assert [n.state for _, n in handed.told if n.state != RESOLVED][:1] == [
            n.state for _, n in kept.told if n.state != RESOLVED
        ][:1]


def test_what_has_to_be_kept_is_named_once() -> None:
    """An alert that begins, one that ends, and now and then the value of one that goes on."""
    gate = Played(rule(for_us=SECOND), channels=())
    engine, unsaved = gate.engine, gate.engine.unsaved
    engine.step([sample(10)], (), START)
    (name,) = unsaved.alerts
    engine.saved()
    engine.step([sample(10)], (), START + SECOND)
    assert [event.change for event in engine.unsaved.events] == [FIRING]
    engine.saved()
    engine.step([sample(11)], (), START + 2 * SECOND)
    assert not engine.unsaved.any
    engine.step([sample(12)], (), START + 40 * SECOND)
    assert [alert.value for alert in engine.unsaved.alerts.values() if alert] == [12]
    engine.take(name, "ann", START, START)
    engine.take(name, "bob", START, START)
    assert [(event.change, event.by) for event in engine.unsaved.events] == [(TAKEN, "ann")]
    engine.saved()
    for at in (41, 44):
        engine.step([sample(1)], (), START + at * SECOND)
    assert engine.unsaved.alerts == {name: None}
