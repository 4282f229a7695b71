"""The cells of the matrix, and one twin and one gate over which all of them run beside each other."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.proofs.faults.faults import FAULTS, End, Fault
from bench.twin import gated, twin
from harness.twin import Twin

OPENAI, ANTHROPIC = "openai", "anthropic"
DIALECTS = (OPENAI, ANTHROPIC)
TOKENS = 20  # of a whole answer
_LIMITS = {"rpm": 1_000_000, "tpm": 1_000_000_000}
_PATIENCE = {"connect_seconds": 2, "first_byte_seconds": 2, "idle_seconds": 2}
_DEAD = "http://127.0.0.1:9"  # discard: nobody listens


@dataclass(frozen=True, slots=True)
class Cell:
    """One call: its fault, its form, who asks, and who is asked next."""

    number: int
    fault: Fault
    stream: bool
    client: str
    fallback: str

    @property
    def wanted(self) -> End:
        """How it has to end."""
        end = self.fault.stream if self.stream else self.fault.unary
        assert end is not None
        return end

    @property
    def first(self) -> str:
        """The primary's model; it is at a provider of the client's dialect."""
        return f"first-{self.number}"

    @property
    def second(self) -> str:
        """The fallback's model."""
        return f"second-{self.number}"

    @property
    def strategy(self) -> str:
        """What the client names as its model."""
        return f"cell-{self.number}"


def cells(faults: tuple[Fault, ...] = FAULTS) -> list[Cell]:
    """All of them, in the order of the table."""
    found: list[Cell] = []
    for fault in faults:
        for stream in (False, True):
            if (fault.stream if stream else fault.unary) is None:
                continue
            for client in DIALECTS:
                found += [
                    Cell(len(found) + number, fault, stream, client, fallback)
                    for number, fallback in enumerate(DIALECTS)
                ]
    return found


@contextlib.contextmanager
def stage(work: Path, run: list[Cell]) -> Iterator[tuple[Twin, str]]:
    """A twin that knows a model for each side of each cell and strikes the first ones, and a gate over it; its URL."""
    models = [
        {"name": name, "provider": maker}
        for cell in run
        for name, maker in ((cell.first, cell.client), (cell.second, cell.fallback))
    ]
    tree = {
        "limits": _LIMITS,
        "model_limits": {},
        "timing": {"ttft_ms": 20, "tpot_ms": 2, "tokens": TOKENS, "chunk_tokens": 1, "chunk_ms": 0},
        "models": models,
    }
    file = work / "matrix.yaml"
    file.write_text(json.dumps(tree))
    with twin(work, "-c", str(file)) as provider:
        provider.ask("faults", {"rules": [_rule(cell) for cell in run if cell.fault.rule]})
        with gated(work, _settings(provider, run)) as url:
            yield provider, url.removesuffix("/v1")


def _rule(cell: Cell) -> dict[str, Any]:
    return {**cell.fault.rule, "match": {"model": cell.first}}


def _settings(provider: Twin, run: list[Cell]) -> dict[str, Any]:
    """A provider with a key of its own for each side of each cell: what strikes one must not touch another."""
    providers: dict[str, Any] = {}
    strategies: dict[str, Any] = {}
    for cell in run:
        base = _DEAD if cell.fault.dead else f"http://127.0.0.1:{provider.port}"
        providers[cell.first] = _provider(base, cell.client, cell.first)
        providers[cell.second] = _provider(f"http://127.0.0.1:{provider.port}", cell.fallback, cell.second)
        strategies[cell.strategy] = {
            "primary_model": cell.first,
            "fallback_models": [{"model": cell.second, "priority": 1}],
            "retry_policy": {"max_retries": 1, "budget": 1, "budget_floor": 1_000_000},
            "deadline_seconds": 30,
        }
    return {"providers": providers, "strategies": strategies}


def _provider(base: str, maker: str, model: str) -> dict[str, Any]:
    scope = {"name": "main", "keys": [f"sk-{model}"], "limits": {model: {"rpm": 1_000_000}}}
    path = "/openai/v1" if maker == OPENAI else "/anthropic/v1"
    return {"profile": maker, "base_url": base + path, "scopes": [scope], "timeouts": _PATIENCE}
