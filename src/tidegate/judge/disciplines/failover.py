"""The fail-over matrix: every kind of fault, unary and streamed, before and after the first token."""

import asyncio
from collections.abc import Sequence
from typing import Final

from tidegate.judge import rules
from tidegate.judge.arena import Arena
from tidegate.judge.client import Ask
from tidegate.judge.disciplines.discipline import Discipline
from tidegate.judge.faults import CELLS, TOKENS, Cell, wrong
from tidegate.judge.faults import rules as struck
from tidegate.judge.hearing import Heard
from tidegate.judge.rules import Measure, Verdict

_BESIDE: Final = 4  # cells at the same time


def measures(heard: Sequence[tuple[Cell, Heard]]) -> tuple[Measure, ...]:
    """A share for each part of the matrix; a cell that is asked several times counts each time."""
    kinds = dict.fromkeys(cell.kind for cell, _ in heard)
    found = []
    for kind in kinds:
        rows = [not wrong(cell, one) for cell, one in heard if cell.kind == kind]
        found.append(rules.share(kind, sum(rows), len(rows)))
    slowest = max((one.done_us - one.sent_us for _, one in heard), default=0)
    return (*found, rules.told("the slowest of all calls", slowest / 1e6, "s"))


def details(heard: Sequence[tuple[Cell, Heard]]) -> tuple[str, ...]:
    """What went wrong, a line for each cell."""
    lines = {f"{cell.name}, {cell.kind}: {why}": None for cell, one in heard if (why := wrong(cell, one))}
    return tuple(lines)


async def _run(arena: Arena) -> Verdict:
    await arena.strike("failover", struck())
    turns, key = asyncio.Semaphore(_BESIDE), arena.options.keys[0]

    async def one(cell: Cell, number: int) -> tuple[Cell, Heard]:
        async with turns:
            client = arena.clients[number % len(arena.clients)]
            return cell, await client.ask(Ask(cell.model, key, TOKENS, cell.stream))

    rounds = 1 if arena.options.quick else 3
    heard: list[tuple[Cell, Heard]] = []
    for turn in range(rounds):
        heard += await asyncio.gather(*(one(cell, turn + number) for number, cell in enumerate(CELLS)))
    await arena.strike("failover", [])
    return Verdict("failover", measures(heard), arrivals=f"{len(heard):,} calls, one by one", details=details(heard))


DISCIPLINES: Final = (
    Discipline(
        "failover",
        "the matrix: kinds of faults × unary and stream × before and after the first token",
        "a fallback model for a model; a time-out for a provider that is silent",
        _run,
    ),
)
