"""One run of a drill: every target of its strategies is asked, and each is told what its proof is worth.

Questions are asked one after the other, as calls of the last tier: a drill takes what conversations leave.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from tidegate.drills.gate import Gate, Target
from tidegate.drills.judging import Judge, verdicts
from tidegate.model.drills import FAILED, PASSED, Drill, DrilledStrategy, DrillPrompt, DrillSettings, DrillTarget
from tidegate.policy.drills.asks import Ask, asks
from tidegate.policy.drills.checks import likely_tokens
from tidegate.policy.drills.score import Answered, Proof, score
from tidegate.policy.drills.told import Told

_MILLION = 1_000_000
_LEFT = "it was not asked any more"


class Outcome(NamedTuple):
    """What a run found out of one target."""

    drill: str
    strategy: str
    target: str
    primary: bool
    proof: Proof
    at_us: int
    until_us: int  # a pass holds so long, 0 = it is none
    answers: tuple[Answered, ...]
    tokens: int
    cost_nano: int


class Purse:
    """What a run may spend, and has; and who grades in it."""

    __slots__ = ("_drill", "judge", "nano", "tokens")

    def __init__(self, drill: Drill, judge: Judge) -> None:
        self._drill = drill
        self.judge = judge
        self.tokens = 0
        self.nano = 0

    def short(self, target: DrillTarget, prompt: DrillPrompt) -> str:
        """Why this is not asked any more, "" = there is enough for what it will probably take."""
        asked = likely_tokens(prompt)
        if self.tokens + asked + prompt.max_tokens > self._drill.max_tokens:
            return f"max_tokens of the drill ({self._drill.max_tokens:,}) are used up"
        likely = cost(target, asked, prompt.max_tokens)
        if self._drill.max_cost_nano and self.nano + likely > self._drill.max_cost_nano:
            return "max_cost of the drill is used up"
        return ""

    def spend(self, tokens: int, nano: int) -> None:
        """So much was."""
        self.tokens += tokens
        self.nano += nano


def cost(target: DrillTarget, prompt: int, completion: int) -> int:
    """Billionths of the house currency; 0 where no price is known."""
    return (prompt * target.prompt_nano + completion * target.completion_nano) // _MILLION


class Runner:
    """Runs drills against the workers of this machine. One thread at a time."""

    __slots__ = ("_gate", "_stopped", "_wall")

    def __init__(self, gate: Gate, wall: Callable[[], int], stopped: Callable[[], bool] = lambda: False) -> None:
        """`wall`: microseconds since 1970. `stopped`: the run is to end with the answer that is being made."""
        self._gate = gate
        self._wall = wall
        self._stopped = stopped

    def run(self, drill: Drill, settings: DrillSettings, strategy: str = "") -> Iterator[Outcome]:
        """Each target's, as soon as it is known; of one strategy only, where that is named."""
        purse = Purse(drill, Judge(self._gate))
        for name in drill.strategies:
            found = settings.strategy(name)
            if found is not None and strategy in {"", name}:
                for number, target in enumerate(found.targets):
                    yield self._of_target(drill, found, target, purse, primary=not number)

    def _of_target(
        self, drill: Drill, strategy: DrilledStrategy, target: DrillTarget, purse: Purse, *, primary: bool
    ) -> Outcome:
        answers: list[Answered] = []
        before, stopped = (purse.tokens, purse.nano), ""
        todo = list(asks(drill, primary=primary))
        for number, ask in enumerate(todo, 1):
            stopped = purse.short(target, ask.prompt)
            if not stopped and self._stopped():
                stopped = "the run was ended"
            if stopped:
                break
            answers.append(self._answer(drill, strategy, target, ask, purse))
            if hopeless(answers, todo[number:], drill.pass_permille):
                break  # it cannot pass any more: what is left would cost, and tell nothing
        left = [Answered(ask.prompt.name, ask.fault, ask.streamed, unasked=_LEFT) for ask in todo[len(answers) :]]
        proof = score([*answers, *left], drill.pass_permille, stopped=stopped)
        wall = self._wall()
        until = wall + drill.expires_us if proof.state == PASSED else 0
        spent = purse.tokens - before[0], purse.nano - before[1]
        return Outcome(drill.name, strategy.name, target.model, primary, proof, wall, until, tuple(answers), *spent)

    def _answer(self, drill: Drill, strategy: DrilledStrategy, target: DrillTarget, ask: Ask, purse: Purse) -> Answered:
        seconds = min(drill.timeout_us, strategy.deadline_us) / 1e6
        whom = Target(drill.name, strategy.name, target.model, ask.fault)
        told = self._gate.ask(whom, body_of(strategy.name, ask), seconds)
        purse.spend(told.tokens, cost(target, told.prompt_tokens, told.completion_tokens))
        found = Answered(ask.prompt.name, ask.fault, ask.streamed, call=told.call)
        if not told.asked:
            return found._replace(unasked=told.problem)
        broken = told.problem or astray(target, told)
        if broken:
            return found._replace(broken=broken)
        judged = verdicts(drill, ask.prompt, told, self._gate, purse.judge)
        purse.spend(judged.tokens, judged.tokens * drill.judge_nano // _MILLION)
        return found._replace(verdicts=judged.verdicts)


def body_of(model: str, ask: Ask) -> dict[str, object]:
    """The call for it, as an application would make it."""
    prompt = ask.prompt
    body: dict[str, object] = {
        "model": model,
        "messages": json.loads(prompt.messages),
        "max_tokens": prompt.max_tokens,
    }
    if prompt.tools:
        body["tools"] = json.loads(prompt.tools)
    if ask.streamed:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    return body


def astray(target: DrillTarget, told: Told) -> str:
    """Why the answer is not this target's, "" = it is."""
    provider, _, rest = told.target.partition("/")
    if provider == target.provider and rest.endswith(f"/{target.model}"):
        return ""
    return f"another target answered: {told.target or 'nobody says which'}"


def hopeless(answers: Sequence[Answered], left: Sequence[Ask], pass_permille: int) -> bool:
    """It has failed whatever the questions that are left come to."""
    rest = [Answered(ask.prompt.name, ask.fault, ask.streamed, unasked=_LEFT) for ask in left]
    return score([*answers, *rest], pass_permille).state == FAILED
