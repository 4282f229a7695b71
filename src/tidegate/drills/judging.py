"""Verdicts on an answer: what can be seen at once, and what takes a pattern's process, a schema, an embedder, a judge.

Whoever judges and fails at it has not judged: `Verdict.met` is None then, and never True.
"""

import json
from typing import Final, NamedTuple

from jsonschema import Draft202012Validator

from tidegate.drills import patterns
from tidegate.drills.gate import Gate, Target
from tidegate.drills.meaning import alike
from tidegate.model.drills import JSON_SCHEMA, JUDGE, REGEX, SIMILAR, TOOL, Drill, DrillPrompt, Expectation
from tidegate.policy.drills import grading
from tidegate.policy.drills.expect import Verdict, arguments_of, calls_tool, judged, looked_at
from tidegate.policy.drills.told import Told

_SHOWN: Final = 160
_PATIENCE: Final = 2


class Judged(NamedTuple):
    """The verdicts, and the tokens that judging took."""

    verdicts: tuple[Verdict, ...]
    tokens: int


class Judge:
    """The drill's judge in one run. Who has failed twice running is not asked again: each time may take a time-out."""

    __slots__ = ("_failures", "_gate", "_problem")

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._failures = 0
        self._problem = ""

    def ask(self, drill: Drill, body: dict[str, object]) -> Told:
        """Its word."""
        if self._failures >= _PATIENCE:
            return Told(problem=f"{self._problem}; it is not asked again", asked=False)
        word = self._gate.ask(Target(drill.name, "", drill.judge), body, drill.timeout_us / 1e6)
        self._failures = self._failures + 1 if word.problem else 0
        self._problem = word.problem
        return word


def verdicts(drill: Drill, prompt: DrillPrompt, told: Told, gate: Gate, judge: Judge) -> Judged:
    """One for each expectation, in their order."""
    found, tokens = [], 0
    for expectation in prompt.expect:
        verdict, took = _verdict(drill, prompt, expectation, told, gate, judge)
        found.append(verdict)
        tokens += took
    return Judged(tuple(found), tokens)


def _verdict(
    drill: Drill, prompt: DrillPrompt, expectation: Expectation, told: Told, gate: Gate, judge: Judge
) -> tuple[Verdict, int]:
    seen = looked_at(expectation, told)
    if seen is not None:
        return seen, 0
    if expectation.kind == SIMILAR:
        return _similar(drill, expectation, told, gate)
    if expectation.kind == JUDGE:
        return _graded(drill, prompt, expectation, told, judge)
    check = {REGEX: _pattern, JSON_SCHEMA: _schema, TOOL: _tool}[expectation.kind]
    return check(expectation, told), 0


def _pattern(expectation: Expectation, told: Told) -> Verdict:
    found = patterns.found(expectation.text, told.text, fold=expectation.fold)
    if found is None:
        return judged(expectation, None, "its pattern took more than a second and was given up")
    return judged(expectation, found, f"it does not match {expectation.text[:_SHOWN]}")


def _schema(expectation: Expectation, told: Told) -> Verdict:
    try:
        value = json.loads(told.text)
    except (ValueError, RecursionError):
        return judged(expectation, False, "it is not JSON")
    why = _misfit(expectation.schema, value)
    return judged(expectation, not why, why)


def _tool(expectation: Expectation, told: Told) -> Verdict:
    called = calls_tool(expectation, told)
    if not called.met or not expectation.schema:
        return called
    given = [arguments_of(one.arguments) for one in told.tools if one.name == expectation.text]
    whys = [_misfit(expectation.schema, one) for one in given if one is not None]
    return judged(expectation, "" in whys, f"its arguments: {whys[0]}")


def _misfit(schema: str, value: object) -> str:
    """Why it does not fit, "" = it does. What a schema refers to elsewhere is not fetched."""
    try:
        error = next(iter(Draft202012Validator(json.loads(schema)).iter_errors(value)), None)
    except Exception as fault:  # noqa: BLE001 - of a schema that refers to what is not there, in the library's kinds
        return f"its schema cannot be used ({type(fault).__name__})"
    return "" if error is None else f"{error.json_path} {error.message}"[:_SHOWN]


def _similar(drill: Drill, expectation: Expectation, told: Told, gate: Gate) -> tuple[Verdict, int]:
    found = alike(told.text, expectation.text, gate, drill.name, drill.embedder)
    if found.value is None:
        return judged(expectation, None, f"not compared: {found.how}"), found.tokens
    why = f"its similarity is {found.value:.2f} {found.how}, less than {expectation.least:g}"
    return judged(expectation, found.value >= expectation.least, why), found.tokens


def _graded(
    drill: Drill, prompt: DrillPrompt, expectation: Expectation, told: Told, judge: Judge
) -> tuple[Verdict, int]:
    body: dict[str, object] = {
        "model": drill.judge,
        "messages": grading.messages(question_of(prompt), expectation.text, told.text),
        "max_tokens": grading.TOKENS,
        "temperature": 0,
    }
    word = judge.ask(drill, body)
    if word.problem:
        return judged(expectation, None, f"not judged: the judge {drill.judge} failed ({word.problem})"), word.tokens
    grade = grading.grade_of(word.text)
    if grade is None:
        return judged(expectation, None, f"not judged: the judge {drill.judge} gave no grade"), word.tokens
    score, reason = grade
    why = f"graded {score} of 10, less than {expectation.least:g}: {reason}"
    return judged(expectation, score >= expectation.least, why), word.tokens


def question_of(prompt: DrillPrompt) -> str:
    """What its judge is told that was asked: the texts of the conversation."""
    lines = []
    for message in json.loads(prompt.messages):
        content = message.get("content") if isinstance(message, dict) else None
        parts = content if isinstance(content, list) else [{"text": content}]
        texts = [str(part["text"]) for part in parts if isinstance(part, dict) and part.get("text")]
        lines.append(f"{message.get('role', '')}: {' '.join(texts)}")
    return "\n".join(lines)
