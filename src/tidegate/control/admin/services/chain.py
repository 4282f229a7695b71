"""From a call's row, its attempts and its story to its chain: the stages that it went through, in order, with times.

The one place that knows how these three fit together. Pure: what comes out is drawn by the CLI and by pages. A stage's
time counts from the arrival of the call's head; what was told in words is said in English, its figures are beside it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from tidegate.control.admin.services.lineup import LaneStage, lanes
from tidegate.model.story import (
    ASKED,
    BROKE,
    CACHED,
    CHOSEN,
    DEGRADED,
    DRAINED,
    LIMITED,
    MOVED,
    PAUSED,
    PICKED,
    QUEUED,
    REFUSED,
    SMOOTHED,
    Step,
)

Figures = dict[str, int | str]
Row = Mapping[str, Any]

READ: Final = "read"
ATTEMPT: Final = "attempt"
FIRST: Final = "first content"
END: Final = "end"
_WAITS: Final = {
    "quota": "for quota",
    "turn": "for its turn",
    "bound": "for the strategy's own limits",
    "concurrency": "for a place among the calls in flight",
    "shut": "for the provider, which refused",
}
_MEASURES: Final = (
    "account", "first_byte_us", "prompt_tokens", "completion_tokens", "reserved_tokens", "charged_tokens",
)  # fmt: skip
_ENDS: Final = {
    0: "its end was not seen",
    499: "the client left",
    502: "the stream broke, or no target answered",
}


class Stage(msgspec.Struct, frozen=True):
    """One of them. `at_us` since the call's head arrived; `says`: what happened, for people."""

    stage: str
    at_us: int
    lasted_us: int = 0
    target: str = ""
    why: str = ""
    says: str = ""
    figures: Figures = {}
    headers: tuple[str, ...] = ()
    lanes: tuple[LaneStage, ...] = ()


def stages(row: Row, tries: Sequence[Row], story: Sequence[Step]) -> list[Stage]:
    """The whole chain, by the moments at which its stages began. O(steps + attempts)."""
    found = [*_before(row, story), *_steps(row, tries, story), *_after(row)]
    return sorted(found, key=_place)


def _place(stage: Stage) -> tuple[int, int]:
    """By time; the end is the end."""
    return stage.at_us, {READ: -1, FIRST: 1, END: 2}.get(stage.stage, 0)


def _before(row: Row, story: Sequence[Step]) -> Iterator[Stage]:
    read_us = row["read_us"]
    if read_us or row["request_bytes"]:
        yield Stage(READ, 0, read_us, says="read, known and let in", figures={"bytes": row["request_bytes"]})
    if row["cache"] and not any(step.what == CACHED for step in story):
        yield Stage(CACHED, read_us, why=row["cache"], says=f"the cache: {row['cache']}")


def _steps(row: Row, tries: Sequence[Row], story: Sequence[Step]) -> Iterator[Stage]:
    read_us, asked = row["read_us"], {}
    for step in story:
        number = dict(step.figures).get("try")
        if step.what == ASKED and isinstance(number, int):
            asked[number] = step
        elif step.what == ASKED:
            yield _unsent(step, read_us)
        else:
            yield _told(step, read_us)
    began = row["at_us"] - row["duration_us"]
    for number, one in enumerate(tries, 1):
        known = asked.get(number)
        at = one["at_us"] - began if known is None else known.after_us
        lasted = one["duration_us"] if known is None else known.lasted_us
        yield _attempt(one, read_us + max(0, at), lasted)


def _after(row: Row) -> Iterator[Stage]:
    read_us = row["read_us"]
    if row["first_token_us"]:
        yield Stage(FIRST, read_us + row["first_token_us"], says="the first content was there")
    status = row["status"]
    says = _ENDS.get(status, "answered" if status < 400 else "refused or failed")
    figures: Figures = {
        "status": status,
        "prompt_tokens": row["prompt_tokens"],
        "completion_tokens": row["completion_tokens"],
        "reserved_tokens": row["reserved_tokens"],
        "charged_tokens": row["charged_tokens"],
        "bytes": row["answer_bytes"],
    }
    yield Stage(END, read_us + row["duration_us"], says=says, figures=figures)


def _attempt(one: Row, at: int, lasted: int) -> Stage:
    target = f"{one['provider']}/{one['scope']}/{one['model']}"
    status, reason = one["status"], one["reason"]
    says = f"{status or 'no reply'}{', ' + reason if reason else ''}"
    figures: Figures = {"attempt": one["number"], "status": status}
    for name in _MEASURES:
        if one[name]:
            figures[name] = one[name]
    headers = tuple(line for line in one["headers"].split("\n") if line)
    return Stage(ATTEMPT, at, lasted, target, reason, says, figures, headers)


def _unsent(step: Step, read_us: int) -> Stage:
    figures = dict(step.figures)
    says = f"never left: {figures.get('error', step.why)}"
    return Stage(ATTEMPT, read_us + step.after_us, step.lasted_us, step.target, step.why, says, figures)


def _told(step: Step, read_us: int) -> Stage:
    figures = dict(step.figures)
    say = _SAYINGS.get(step.what)
    says = step.why if say is None else say(step, figures)
    if "dropped" in figures:
        says += f" ({figures['dropped']} steps before this one were not kept)"
    told = lanes(step)
    return Stage(step.what, read_us + step.after_us, step.lasted_us, step.target, step.why, says, figures, lanes=told)


def _chosen(step: Step, figures: Figures) -> str:
    waits = ", ".join(f"{name} {_wait(wait)}" for name, wait in figures.items() if name != "dropped")
    if step.target:
        return f"{step.target}, of {waits}"
    if figures and all(wait == DRAINED for name, wait in figures.items() if name != "dropped"):
        return f"none of {', '.join(figures)}: an operator has taken their accounts out of service"
    return f"none of {waits}: {'no room to wait' if step.why == 'full' else 'not before the deadline'}"


def _wait(wait: int | str) -> str:
    """A wait that was foretold."""
    if wait == "never":
        return "never: it is too large"
    number, _, words = str(wait).partition(" ")
    said = "at once" if number == "0" else f"in {seconds(int(number))}" if number.isdecimal() else number
    return f"{said} ({words})" if words else said


def _picked(step: Step, figures: Figures) -> str:
    whole = f"the {figures.get('lanes', len(step.lanes))} accounts of pool {figures.get('pool', '?')}"
    return f"{step.target}, of {whole} by {step.why}" if step.target else f"none of {whole} could serve"


def _queued(step: Step, figures: Figures) -> str:
    words = [f"waited {_WAITS.get(step.why, step.why)} at pool {figures.get('pool', '?')}"]
    if figures.get("waiting"):
        words.append(f"{figures.get('ahead', 0)} before it, {figures['waiting']} waiting")
    predicted = figures.get("predicted_us")
    if isinstance(predicted, int) and predicted < 1 << 60:
        words.append(f"{seconds(predicted)} foretold")
    if "turn" in figures:
        words.append("its turn never came")
    return "; ".join(words)


def _smoothed(_step: Step, figures: Figures) -> str:
    used = figures.get("used_permille", 0)
    return f"held back: {int(used) / 10:g} % of the quota was in use"


def _moved(step: Step, figures: Figures) -> str:
    return f"from {figures.get('from', '?')} to {step.target or 'nowhere'}: {step.why}"


def _refused(step: Step, figures: Figures) -> str:
    told = figures.get("told_us")
    return f"{step.why}{f', told to come back in {seconds(int(told))}' if told else ''}"


_SAYINGS: Final[dict[str, Callable[[Step, Figures], str]]] = {
    CHOSEN: _chosen,
    PICKED: _picked,
    QUEUED: _queued,
    SMOOTHED: _smoothed,
    MOVED: _moved,
    REFUSED: _refused,
    PAUSED: lambda step, _: f"waited before the next attempt: {step.why}",
    DEGRADED: lambda step, _: f"given less: {step.why}",
    LIMITED: lambda step, _: f"its tenant's own limits: {step.why}",
    CACHED: lambda step, _: f"the cache: {step.why}",
    BROKE: lambda step, figures: (
        f"broke ({step.why}) after {figures.get('sent_bytes', 0)} bytes; then: {figures.get('then', '?')}"
    ),
}


def seconds(us: int) -> str:
    """A time as people read it."""
    if us < 1_000:
        return f"{us} µs"
    return f"{us / 1_000:.1f} ms" if us < 1_000_000 else f"{us / 1_000_000:.2f} s"
