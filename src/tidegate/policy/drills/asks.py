"""What a run asks of one fallback: each question of itself, and by the whole way with the primary broken."""

from collections.abc import Iterator
from typing import NamedTuple

from tidegate.model.drills import CUT, Drill, DrillPrompt


class Ask(NamedTuple):
    """One question. `fault` "": the target itself is asked; else that befalls the primary, and the way leads there."""

    prompt: DrillPrompt
    fault: str = ""
    streamed: bool = False


def asks(drill: Drill, *, primary: bool) -> Iterator[Ask]:
    """In their order. A primary is asked itself only: nothing leads to it.

    Of the whole way each fault comes whole and streamed at least once, and each question at least once: not each with
    each, which would cost eight times as much and prove nothing more of the way.
    """
    for prompt in drill.prompts:
        for _ in range(drill.repeat):
            yield Ask(prompt)
    ways = (
        [] if primary else [(fault, flow) for fault in drill.faults for flow in (False, True) if flow or fault != CUT]
    )
    if ways:
        for number in range(max(len(ways), len(drill.prompts))):
            fault, flow = ways[number % len(ways)]
            yield Ask(drill.prompts[number % len(drill.prompts)], fault, flow)
