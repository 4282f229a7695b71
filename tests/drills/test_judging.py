"""Verdicts that take more than looking."""

import json
import subprocess
from pathlib import Path

import pytest

from tidegate.drills import meaning
from tidegate.drills.embed import NOT_INSTALLED
from tidegate.drills.gate import Away, Gate, Said, Target
from tidegate.drills.judging import Judge, question_of, verdicts
from tidegate.drills.meaning import Likeness, by_model, offline
from tidegate.model import drills as kinds
from tidegate.model.drills import Drill, DrillPrompt, Expectation
from tidegate.policy.drills.told import Told, ToolCall

SCHEMA = json.dumps({"type": "object", "required": ["days"], "properties": {"days": {"type": "integer"}}})
PROMPT = DrillPrompt(
    "p", json.dumps([{"role": "system", "content": "Be brief"}, {"role": "user", "content": "退款?"}]), ()
)


class Fake(Gate):
    """A gate whose judge and embedder say what the test wants."""

    def __init__(self, told: Told | None = None, said: Said | None = None) -> None:
        super().__init__(Path("/nowhere"), lambda: 0)
        self.told = told or Told(problem="502: the judge is down")
        self.said = said
        self.bodies: list[dict[str, object]] = []

    def ask(self, target: Target, body: dict[str, object], seconds: float) -> Told:
        self.bodies.append(body)
        return self.told

    def send(self, target: Target, path: str, body: dict[str, object], seconds: float) -> Said:
        if self.said is None:
            raise Away("nobody")
        return self.said


def judged(expectation: Expectation, told: Told, gate: Gate | None = None, **drill: str) -> tuple[bool | None, str]:
    made = Drill("d", ("s",), (), judge="j", **drill)  # type: ignore[arg-type]
    (verdict,) = verdicts(
        made, DrillPrompt("p", PROMPT.messages, (expectation,)), told, gate or Fake(), Judge(gate or Fake())
    ).verdicts
    return verdict.met, verdict.why


def test_patterns() -> None:
    """Found, not found, given up."""
    assert judged(Expectation(kinds.REGEX, text="[0-9]"), Told("7"))[0] is True
    assert judged(Expectation(kinds.REGEX, text="[0-9]"), Told("x"))[0] is False
    assert judged(Expectation(kinds.REGEX, text="(a+)+$"), Told("a" * 64 + "b"))[0] is None


def test_schemas() -> None:
    """JSON that fits; why it does not, with the place."""
    expectation = Expectation(kinds.JSON_SCHEMA, schema=SCHEMA)
    assert judged(expectation, Told('{"days": 7}')) == (True, "")
    assert judged(expectation, Told('{"days": "7"}'))[1].startswith("$.days")
    assert judged(expectation, Told("seven")) == (False, "it is not JSON")
    elsewhere = Expectation(kinds.JSON_SCHEMA, schema='{"$ref": "https://nowhere.example/schema"}')
    assert judged(elsewhere, Told("{}"))[0] is False


def test_tools() -> None:
    """Called by name with arguments that fit; of several calls one is enough."""
    expectation = Expectation(kinds.TOOL, text="f", schema=SCHEMA)
    good, bad = ToolCall("f", '{"days": 7}'), ToolCall("f", '{"days": "x"}')
    assert judged(expectation, Told(tools=(bad, good)))[0] is True
    assert judged(expectation, Told(tools=(bad,)))[1].startswith("its arguments: $.days")
    assert judged(expectation, Told(tools=(ToolCall("g", "{}"),)))[0] is False


def test_a_judge() -> None:
    """It is shown question, rubric and answer; its grade decides."""
    expectation = Expectation(kinds.JUDGE, text="names 7 days", least=7)
    gate = Fake(Told('{"score": 7, "reason": "ok"}'))
    assert judged(expectation, Told("7 days"), gate) == (True, "")
    shown = json.loads(gate.bodies[0]["messages"][1]["content"])  # type: ignore[index]
    assert shown == {"question": "system: Be brief\nuser: 退款?", "rubric": "names 7 days", "answer": "7 days"}
    low = Fake(Told('{"score": 6, "reason": "vague"}'))
    assert judged(expectation, Told("x"), low) == (False, "graded 6 of 10, less than 7: vague")


@pytest.mark.parametrize("told", [Told(problem="502: down"), Told("I would say 9 of 10"), Told("", asked=False)])
def test_a_judge_that_fails_has_not_judged(told: Told) -> None:
    """Never a pass, whatever its failure."""
    met, why = judged(Expectation(kinds.JUDGE, text="r", least=1), Told("x"), Fake(told))
    assert met is None
    assert why.startswith("not judged: the judge j")


def test_a_judge_that_is_down_is_not_asked_for_ever() -> None:
    """Twice running; a word in between begins anew."""
    gate, drill = Fake(), Drill("d", ("s",), (), judge="j")
    judge = Judge(gate)
    assert [judge.ask(drill, {}).asked for _ in range(4)] == [True, True, False, False]
    assert len(gate.bodies) == 2


def test_likeness(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the embedder that is named, else by the one inside, else by words."""
    vectors = {"data": [{"embedding": [1, 0]}, {"embedding": [0.6, 0.8]}], "usage": {"prompt_tokens": 4}}
    gate = Fake(said=Said(200, {}, json.dumps(vectors).encode(), 0.1))
    assert by_model(["a", "b"], gate, "d", "e") == Likeness(pytest.approx(0.6), "by e", 4)
    expectation = Expectation(kinds.SIMILAR, text="7 days", least=0.7)
    assert judged(expectation, Told("7 days"), gate, embedder="e")[1].startswith("its similarity is 0.60 by e")
    assert judged(expectation, Told("7 days"), Fake(), embedder="e")[0] is None
    broken = Fake(said=Said(500, {}, b"{}", 0.1))
    assert judged(expectation, Told("7 days"), broken, embedder="e")[0] is None
    monkeypatch.setattr(meaning, "offline", lambda _: None)
    assert judged(expectation, Told("7 days"))[0] is True
    assert "by common words" in judged(expectation, Told("sunny"))[1]
    monkeypatch.setattr(meaning, "offline", lambda _: [])
    assert judged(expectation, Told("7 days"))[0] is None


def test_the_embedder_inside() -> None:
    """Not installed, broken, or two vectors."""

    def ran(status: int, out: bytes):
        return lambda *_, **__: subprocess.CompletedProcess([], status, out)

    assert offline(["a", "b"], ran(NOT_INSTALLED, b"")) is None
    assert offline(["a", "b"], ran(0, b"[[1], [2]]")) == [[1], [2]]
    assert offline(["a", "b"], ran(0, b"[[1]]")) == []
    assert offline(["a", "b"], ran(1, b"")) == []


def test_questions_with_parts() -> None:
    """Their texts; images are not told."""
    parts = [{"type": "text", "text": "What?"}, {"type": "image_url", "image_url": {"url": "data:"}}]
    prompt = DrillPrompt("p", json.dumps([{"role": "user", "content": parts}]), ())
    assert question_of(prompt) == "user: What?"
