"""A slice of the fault matrix: every kind of ending, both forms, both clients, both fallbacks.

`./dev prove 3` runs all of it.
"""

import sys
from pathlib import Path

import pytest

from bench.proofs.faults.cells import Cell, cells
from bench.proofs.faults.run import Outcome, figures, run

# fault, stream, client, fallback: each fault group once or twice, each client and fallback in each form.
CHOSEN = {
    ("429 short", False, "openai", "anthropic"),
    ("429 long", True, "anthropic", "anthropic"),
    ("billing", True, "openai", "openai"),
    ("529", False, "anthropic", "openai"),
    ("refused", True, "openai", "anthropic"),
    ("reset", False, "openai", "openai"),
    ("cut in the body", False, "anthropic", "anthropic"),
    ("cut in the head", True, "anthropic", "openai"),
    ("cut before the last byte", False, "openai", "anthropic"),
    ("malformed chunk in the body", False, "anthropic", "openai"),
    ("malformed chunk", True, "openai", "anthropic"),
    ("cut in the first event", True, "openai", "anthropic"),
    ("cut after the role", True, "anthropic", "openai"),
    ("cut within content", True, "openai", "anthropic"),
    ("cut within content", True, "anthropic", "openai"),
    ("cut within a tool's arguments", True, "anthropic", "anthropic"),
    ("cut before the last event", True, "openai", "openai"),
    ("malformed event", True, "anthropic", "anthropic"),
    ("error event first", True, "openai", "anthropic"),
    ("error event within content", True, "openai", "openai"),
    ("fewer bytes than promised", True, "anthropic", "anthropic"),
    ("more bytes than promised", False, "openai", "anthropic"),
}


def place(cell: Cell) -> tuple[str, bool, str, str]:
    return cell.fault.name, cell.stream, cell.client, cell.fallback


def told(outcome: Outcome) -> str:
    return f"{place(outcome.cell)}: {outcome.wrong}"


async def test_a_slice_of_the_matrix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each ends as documented: no stream lost before its content, none cut silently after it, no token twice."""
    monkeypatch.setenv("BENCH_GATE", str(Path(sys.executable).with_name("tidegate")))
    chosen = [cell for cell in cells() if place(cell) in CHOSEN]
    assert len(chosen) == len(CHOSEN)
    outcomes = await run(tmp_path, chosen)
    assert [told(outcome) for outcome in outcomes if outcome.wrong] == []
    judged = [figure for figure in figures(outcomes) if figure.target and "worst" not in figure.name]
    assert all(figure.met for figure in judged)
