"""A run, from its questions to its proofs."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from tidegate.drills.due import AGAIN_US, digest, is_due, next_us
from tidegate.drills.gate import Gate, Target
from tidegate.drills.out import publish
from tidegate.drills.runner import Outcome, Runner, astray
from tidegate.model.drills import (
    FAILED,
    NOT_JUDGED,
    OUT,
    PASSED,
    Drill,
    DrilledStrategy,
    DrillPrompt,
    DrillSettings,
    DrillTarget,
    Expectation,
    Latest,
)
from tidegate.policy.drills.told import Told

PROMPT = DrillPrompt("p", '[{"role": "user", "content": "?"}]', (Expectation("contains", words=("7",)),), max_tokens=10)
MAIN = DrillTarget("main", "a", "openai", "https://a.example", prompt_nano=1_000_000, completion_nano=2_000_000)
GOOD = msgspec.structs.replace(MAIN, model="good", provider="b")
DRILL = Drill("d", ("s",), (PROMPT,), faults=("429", "cut"), expires_us=100)
SETTINGS = DrillSettings((DRILL,), (DrilledStrategy("s", (MAIN, GOOD)),))


class Fake(Gate):
    def __init__(self, answer: Callable[[Target], Told]) -> None:
        super().__init__(Path("/nowhere"), lambda: 0)
        self.answer = answer
        self.asked: list[tuple[Target, bool]] = []

    def ask(self, target: Target, body: dict[str, object], seconds: float) -> Told:
        self.asked.append((target, bool(body.get("stream"))))
        return self.answer(target)


def right(target: Target) -> Told:
    place = {"main": "a/main/main", "good": "b/main/good"}[target.model]
    return Told("7", prompt_tokens=3, completion_tokens=2, target=place)


def run(answer: Callable[[Target], Told] = right, drill: Drill = DRILL) -> tuple[dict[str, Outcome], Fake]:
    gate = Fake(answer)
    return {one.target: one for one in Runner(gate, lambda: 1_000).run(drill, SETTINGS)}, gate


def test_everybody_is_asked_and_the_way_is_walked() -> None:
    """A pass holds so long; what it cost is known."""
    found, gate = run()
    assert {name: one.proof.state for name, one in found.items()} == {"main": PASSED, "good": PASSED}
    assert (found["good"].until_us, found["good"].primary, found["main"].primary) == (1_100, False, True)
    assert [(target.model, target.fault, streamed) for target, streamed in gate.asked] == [
        ("main", "", False), ("good", "", False), ("good", "429", False), ("good", "429", True), ("good", "cut", True),
    ]  # fmt: skip
    assert (found["good"].tokens, found["good"].cost_nano) == (20, 4 * 7)


def test_an_answer_from_elsewhere_fails() -> None:
    """Whatever it says."""
    found, _ = run(lambda target: right(target)._replace(target="a/main/main"))
    assert found["good"].proof.state == FAILED
    assert "another target answered: a/main/main" in found["good"].proof.why
    assert not astray(GOOD, Told(target="b/x/good"))
    assert astray(GOOD, Told(target="b/x/not-good"))
    assert astray(GOOD, Told(target="c/x/good"))


def test_it_does_not_understand() -> None:
    """Failed, and no proof."""
    found, _ = run(lambda target: right(target)._replace(text="what?") if target.model == "good" else right(target))
    assert (found["main"].proof.state, found["good"].proof.state, found["good"].until_us) == (PASSED, FAILED, 0)


def test_the_gates_own_quota_proves_nothing() -> None:
    """Neither a pass nor a failure."""
    found, _ = run(lambda _: Told(problem="429: in use", asked=False))
    assert {one.proof.state for one in found.values()} == {NOT_JUDGED}


@pytest.mark.parametrize("bound", [{"max_tokens": 30}, {"max_cost_nano": 40}])
def test_a_budget_ends_it(bound: dict[str, int]) -> None:
    """What is beyond it is not asked, and that is no pass."""
    found, gate = run(drill=msgspec.structs.replace(DRILL, **bound))
    assert len(gate.asked) < 5
    assert found["good"].proof.state == NOT_JUDGED
    assert "used up" in found["good"].proof.why


def latest(target: DrillTarget, at_us: int = 0, last: str = PASSED, drill: Drill = DRILL) -> Latest:
    return Latest("d", "s", target.model, at_us, PASSED, digest=digest(drill, target), last=last)


def test_when_it_is_due() -> None:
    """At once where something was never asked, or is another now; then by its schedule; sooner where nobody judged."""
    day = DRILL.every_us
    both = [latest(MAIN), latest(GOOD)]
    assert is_due(DRILL, SETTINGS, both[:1], 0)
    assert not is_due(DRILL, SETTINGS, both, day - 1)
    assert is_due(DRILL, SETTINGS, both, day)
    other = msgspec.structs.replace(DRILL, repeat=3)
    assert is_due(other, msgspec.structs.replace(SETTINGS, drills=(other,)), both, 0)
    unsure = [latest(MAIN), latest(GOOD, last=NOT_JUDGED)]
    assert not is_due(DRILL, SETTINGS, unsure, AGAIN_US - 1)
    assert is_due(DRILL, SETTINGS, unsure, AGAIN_US)
    assert digest(DRILL, MAIN) != digest(DRILL, msgspec.structs.replace(MAIN, base_url="https://c.example"))


def test_cron_in_its_zone() -> None:
    """Three in the night in Shanghai is seven in the evening before, in UTC."""
    drill = msgspec.structs.replace(DRILL, cron="0 3 * * *", zone="Asia/Shanghai")
    assert next_us(drill, latest(MAIN, 1_000_000)) == 19 * 3_600_000_000


def test_workers_are_told(tmp_path: Path) -> None:
    """How things stand, and only when that has changed; nobody left out is no file."""
    assert not publish(tmp_path, ())
    assert publish(tmp_path, [("s", "two"), ("s", "一")])
    assert not publish(tmp_path, [("s", "一"), ("s", "two")])
    assert (tmp_path / OUT).read_text() == '[["s", "two"], ["s", "一"]]'
    assert publish(tmp_path, ())
    assert list(tmp_path.iterdir()) == []
