"""What the answers come to: a score, and whether the fallback is proved. Pure."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from tidegate.model.drills import FAILED, NOT_JUDGED, PASSED
from tidegate.policy.drills.expect import Verdict

FULL: Final = 1_000


class Answered(NamedTuple):
    """One question's answer, judged.

    `broken`: there was none, or it came from elsewhere. `unasked`: nobody was asked, since something stood in the way.
    """

    prompt: str
    fault: str
    streamed: bool
    verdicts: tuple[Verdict, ...] = ()
    broken: str = ""
    unasked: str = ""
    call: str = ""


class Proof(NamedTuple):
    """What a run came to. `permille` is the least that the score can be, whatever was not judged."""

    state: str  # PASSED | FAILED | NOT_JUDGED
    permille: int
    why: str = ""


def score(answers: Sequence[Answered], pass_permille: int, *, stopped: str = "") -> Proof:
    """`stopped`: why not all was asked. O(answers × expectations).

    Each question counts the same, within it each expectation by its weight. A question that was repeated has met what
    most of its answers meet. The way to the fallback has to hold each time: there no score makes up for a break.
    """
    direct: dict[str, list[Answered]] = {}
    for one in answers:
        if not one.fault:
            direct.setdefault(one.prompt, []).append(one)
    bounds = [_majority(group) for group in direct.values()]
    bounds += [_bounds(one) for one in answers if one.fault]
    if not bounds:
        return Proof(NOT_JUDGED, 0, stopped or "nothing was asked")
    least = sum(low for low, _ in bounds) // len(bounds)
    most = sum(high for _, high in bounds) // len(bounds)
    if any(one.fault and one.broken for one in answers):
        return Proof(FAILED, least, _first(answers))
    if most < pass_permille:
        return Proof(FAILED, least, _first(answers))
    if least < pass_permille or stopped or any(one.unasked for one in answers):
        unasked = next((f"{one.prompt}: {one.unasked}" for one in answers if one.unasked), "")
        return Proof(NOT_JUDGED, least, stopped or unasked or _unjudged(answers))
    return Proof(PASSED, least, _first(answers))


def _majority(group: Sequence[Answered]) -> tuple[int, int]:
    """The least and the most that a question which was asked several times is worth."""
    heard = [one for one in group if not one.unasked]
    if not heard:
        return 0, FULL
    if len(heard) == 1:
        return _bounds(heard[0])
    weights = next((one.verdicts for one in heard if one.verdicts), ())
    total = sum(verdict.weight for verdict in weights)
    if not total:
        return 0, 0
    low = high = 0
    for index, verdict in enumerate(weights):
        met = [one.verdicts[index].met if one.verdicts else False for one in heard]
        yes, unknown = met.count(True), met.count(None)
        low += verdict.weight if 2 * yes > len(heard) else 0
        high += verdict.weight if 2 * (yes + unknown) > len(heard) else 0
    return low * FULL // total, high * FULL // total


def _bounds(one: Answered) -> tuple[int, int]:
    if one.unasked:
        return 0, FULL
    total = sum(verdict.weight for verdict in one.verdicts)
    if one.broken or not total:
        return 0, 0
    low = sum(verdict.weight for verdict in one.verdicts if verdict.met)
    high = low + sum(verdict.weight for verdict in one.verdicts if verdict.met is None)
    return low * FULL // total, high * FULL // total


def _first(answers: Sequence[Answered]) -> str:
    """Why the first answer that is not as expected is not."""
    for one in answers:
        why = one.broken or next((verdict.why for verdict in one.verdicts if verdict.met is False), "")
        if why:
            return f"{one.prompt}{f', primary {one.fault}' if one.fault else ''}: {why}"
    return ""


def _unjudged(answers: Sequence[Answered]) -> str:
    for one in answers:
        why = next((verdict.why for verdict in one.verdicts if verdict.met is None), "")
        if why:
            return f"{one.prompt}: {why}"
    return "not everything was judged"
