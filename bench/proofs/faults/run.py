"""Run the matrix and say of each cell whether it ended as documented."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from bench.figures import Figure, at_most, console, exactly, told
from bench.proofs.faults.cells import ANTHROPIC, OPENAI, TOKENS, Cell, cells, stage
from bench.proofs.faults.clients import Clients, Got
from bench.proofs.faults.faults import End
from bench.proofs.steps import Context, Row

_BESIDE = 6  # cells at the same time
_SHORT = {OPENAI: "O", ANTHROPIC: "A"}
_OK = 200
_UNTYPED = ("unwrapped", "APIConnectionError", "APITimeoutError")  # the SDK's own words: no error event was read


@dataclass(frozen=True, slots=True)
class Outcome:
    """One cell and what came of it; `late_ms`: the fallback's first token after its provider's, None = no stream."""

    cell: Cell
    got: Got
    wrong: str
    late_ms: float | None = None


def matrix(context: Context, row: Row) -> None:
    """Every fault × unary and stream × both clients × fallback to the same and to the other dialect."""
    row.commands.append("tidegate twin -c (a model for each cell); tidegate serve -c (a strategy for each cell)")
    outcomes = asyncio.run(run(context.work, cells()))
    console().print(table(outcomes))
    row.figures += figures(outcomes)


async def run(work: Path, chosen: Sequence[Cell]) -> list[Outcome]:
    """All cells, a few at a time, over one twin and one gate."""
    with stage(work, list(chosen)) as (provider, url):
        clients, turns = Clients(url), asyncio.Semaphore(_BESIDE)

        async def one(cell: Cell) -> tuple[Cell, Got]:
            async with turns:
                return cell, await clients.ask(cell)

        done = await asyncio.gather(*(one(cell) for cell in chosen))
        await clients.close()
        calls = {call["model"]: call for call in provider.ask("calls?limit=2000")}
    return [_judged(cell, got, calls) for cell, got in done]


def _judged(cell: Cell, got: Got, calls: dict[str, dict[str, Any]]) -> Outcome:
    second = calls.get(cell.second)
    late = None
    if cell.stream and second is not None and second["first_byte_us"] and got.first_at:
        late = got.first_at * 1_000 - second["first_byte_us"] / 1_000
    return Outcome(cell, got, wrong(cell, got, fell_back=second is not None), late)


def wrong(cell: Cell, got: Got, *, fell_back: bool) -> str:
    """Why the ending is not the documented one, "" when it is."""
    said = f"{len(got.numbers)} tokens, {'finished' if got.finished else 'unfinished'}, {got.error or 'no error'}"
    if not got.gapless:
        return f"tokens out of order: {got.numbers}"
    if cell.wanted is End.TOLD:
        if fell_back:
            return "answered by the wrong provider"
        why = _untold(cell, got)
        return f"{why}: {said}" if why else ""
    complete = got.whole and (cell.fault.tools or len(got.numbers) == TOKENS)
    if not complete:
        return f"not a whole answer: {said}"
    return "" if fell_back is (cell.wanted is End.FALLBACK) else "answered by the wrong provider"


def _untold(cell: Cell, got: Got) -> str:
    """Why this is no stream that began well, said a part of its answer (or all of it) and then an error."""
    count = len(got.numbers)
    if got.opened != _OK:
        return f"the stream did not begin: {got.opened or got.status}"
    if not (got.arguments if cell.fault.tools else count):
        return "nothing came before the error"
    if not cell.fault.tools and (count != TOKENS if cell.fault.late else count >= TOKENS):
        return "not the part that the provider had sent"
    if got.finished and not cell.fault.late:
        return "a part that says it is whole"
    return "" if got.error and not got.error.startswith(_UNTYPED) else "not told of the cut"


def figures(outcomes: Sequence[Outcome]) -> list[Figure]:
    """What the issue asks of the matrix."""
    wrong = [outcome for outcome in outcomes if outcome.wrong]
    early = [one for one in outcomes if one.cell.stream and one.cell.wanted is End.FALLBACK]
    late = [one for one in outcomes if one.cell.stream and one.cell.wanted is not End.FALLBACK]
    silent = [one for one in late if one.got.finished and not one.got.error and len(one.got.numbers) < TOKENS]
    twice = [one for one in outcomes if len(set(one.got.numbers)) < len(one.got.numbers)]
    times = sorted(one.late_ms for one in early if one.late_ms is not None)
    found = [
        exactly("cells that ended as documented", len(outcomes) - len(wrong), len(outcomes)),
        exactly("streams that survived what came before their content", sum(not o.wrong for o in early), len(early)),
        exactly("silent truncations", len(silent), 0),
        exactly("answers with tokens twice", len(twice), 0),
    ]
    if times:
        found.append(at_most("the fallback's first token after the provider's own, worst", times[-1], 250, "ms"))
        found.append(told("the same, median", f"{times[len(times) // 2]:.1f} ms"))
    found += [told(_name(one.cell), one.wrong) for one in wrong[:20]]
    return found


def table(outcomes: Sequence[Outcome]) -> Table:
    """A line a fault; a column for each form, client and fallback."""
    shown = Table(title="fault matrix: client → fallback (O OpenAI, A Anthropic)", title_justify="left")
    shown.add_column("fault")
    columns = [(stream, a, b) for stream in (False, True) for a in (OPENAI, ANTHROPIC) for b in (OPENAI, ANTHROPIC)]
    for stream, client, fallback in columns:
        shown.add_column(f"{'stream' if stream else 'unary'} {_SHORT[client]}→{_SHORT[fallback]}")
    by_fault: dict[str, dict[tuple[bool, str, str], Outcome]] = {}
    for one in outcomes:
        by_fault.setdefault(one.cell.fault.name, {})[one.cell.stream, one.cell.client, one.cell.fallback] = one
    for name, row in by_fault.items():
        shown.add_row(name, *(_mark(row.get(column)) for column in columns))
    return shown


def _mark(outcome: Outcome | None) -> str:
    if outcome is None:
        return "–"
    word = outcome.cell.wanted.name.lower()
    return f"[green]{word}[/]" if not outcome.wrong else f"[red]not {word}[/]"


def _name(cell: Cell) -> str:
    form = "stream" if cell.stream else "unary"
    return f"{cell.fault.name}, {form}, {_SHORT[cell.client]}→{_SHORT[cell.fallback]}"
