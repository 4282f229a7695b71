"""Who is proved, and who is left out."""

from tidegate.model.drills import (
    FAILED,
    NOT_JUDGED,
    PASSED,
    Drill,
    DrilledStrategy,
    DrillSettings,
    DrillTarget,
    Latest,
)
from tidegate.policy.drills.standing import EXPIRED, UNPROVED, left_out, samples, standing


def target(model: str) -> DrillTarget:
    return DrillTarget(model, "p", "openai", "https://p.example")


def settings(on_failure: str = "out") -> DrillSettings:
    strategy = DrilledStrategy("s", (target("main"), target("one"), target("two")))
    return DrillSettings((Drill("d", ("s",), (), on_failure=on_failure),), (strategy,))


def latest(model: str, state: str, until_us: int = 100, last: str = "") -> Latest:
    return Latest("d", "s", model, 1, state, until_us, 900, "why", last=last or state)


def states(*known: Latest, wall: int = 50, on_failure: str = "out") -> dict[str, tuple[str, bool]]:
    return {one.target: (one.state, one.out) for one in standing(settings(on_failure), known, wall)}


def test_each_target_of_each_drill() -> None:
    """Passed as long as it holds, then expired; failed; never found out."""
    known = latest("main", PASSED), latest("one", FAILED), latest("two", PASSED, 50)
    assert states(*known, on_failure="alert") == {
        "main": (PASSED, False),
        "one": (FAILED, False),
        "two": (EXPIRED, False),
    }
    assert states() == dict.fromkeys(("main", "one", "two"), (UNPROVED, False))


def test_what_has_no_proof_is_left_out() -> None:
    """Where the drill says so, and until it passes; never the primary."""
    known = latest("main", PASSED), latest("one", FAILED), latest("two", PASSED, 50)
    assert states(*known) == {"main": (PASSED, False), "one": (FAILED, True), "two": (EXPIRED, True)}
    assert not states(latest("one", PASSED))["one"][1]
    assert not states(latest("main", FAILED), latest("one", PASSED))["main"][1]


def test_the_last_one_is_never_left_out() -> None:
    """Where all have failed nobody is; a primary that has failed is no reason to keep a bad one beside a good one."""
    everybody = [latest(model, FAILED) for model in ("main", "one", "two")]
    assert not any(out for _, out in states(*everybody).values())
    found = states(latest("main", FAILED), latest("one", FAILED), latest("two", PASSED))
    assert [found[model][1] for model in ("main", "one", "two")] == [False, True, False]
    gone = states(latest("main", FAILED), latest("one", FAILED), latest("two", PASSED, 50))
    assert gone["one"][1] is False
    assert gone["two"][1] is False


def test_a_judge_that_is_away_takes_nobody_out() -> None:
    """What could not be found out leaves things as they were, and is said."""
    known = latest("one", "", 0, last=NOT_JUDGED), latest("two", PASSED, last=NOT_JUDGED)
    assert states(*known)["one"] == (UNPROVED, False)
    assert states(*known)["two"] == (PASSED, False)
    values = {(one.metric, dict(one.labels)["target"]): one.value for one in samples(standing(settings(), known, 50))}
    assert values["drill_expired", "one"] == 1
    assert values["drill_expired", "two"] == 0


def test_what_alerts_look_at() -> None:
    """Both metrics for each target, 0 too: so that alerts end. The worst of several drills."""
    two = DrillSettings((*settings().drills, Drill("e", ("s",), ())), settings().strategies)
    known = latest("one", PASSED), Latest("e", "s", "one", 1, FAILED), latest("two", PASSED, 50)
    found = {(one.metric, one.labels): one.value for one in samples(standing(two, known, 50))}
    assert len(found) == 6
    assert found["drill_failed", (("plan", "s"), ("target", "one"))] == 1
    assert found["drill_expired", (("plan", "s"), ("target", "two"))] == 1
    assert found["drill_failed", (("plan", "s"), ("target", "main"))] == 0
    assert left_out(two, []) == frozenset()
