"""`llmock`, which is not ours, in the provider's place: it breaks its replies and grades whoever calls it."""

import asyncio
import contextlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.figures import Figure, exactly, missing, told
from bench.install import python_extra, python_version
from bench.proofs.faults.cells import ANTHROPIC, DIALECTS, Cell
from bench.proofs.faults.clients import Clients, Got
from bench.proofs.faults.faults import Fault
from bench.proofs.steps import Context, Row
from bench.twin import gated
from harness.plain import exchange
from harness.ports import accepts, free_port
from harness.process import running

_ERRORS = {
    "retry_storm": "retry storms (more than ten attempts for a call)",
    "retry_after_ignored": "retries before the time that Retry-After names",
    "truncated_stream_accepted": "truncated streams that were taken for whole ones",
    "retried_non_retryable": "retries of what cannot be served",
}
_SEEN = ("calls", "attempts", "faults_injected")


@dataclass(frozen=True, slots=True)
class Trial:
    """What the judge does to one call. `served`: a retry can help. `streams`: it strikes streams only."""

    name: str
    behaviour: dict[str, Any]
    served: bool = True
    streams: bool = False


def _broken(kind: str, **more: Any) -> dict[str, Any]:
    return {"type": "stream_fault", "kind": kind, "after_chunks": 3, **more}


TRIALS = (
    Trial("429, Retry-After 1", {"type": "fail", "status": 429, "retry_after": 1, "times": 2}),
    Trial("429 without a time", {"type": "fail", "status": 429, "times": 3}),
    Trial("500", {"type": "fail", "status": 500, "times": 2}),
    Trial("503", {"type": "fail", "status": 503, "times": 1}),
    Trial("529", {"type": "fail", "status": 529, "times": 1}),
    Trial("503 for ever", {"type": "fail", "status": 503, "times": None}, served=False),
    Trial("400", {"type": "fail", "status": 400, "times": None}, served=False),
    Trial("401", {"type": "fail", "status": 401, "times": None}, served=False),
    Trial("404", {"type": "fail", "status": 404, "times": None}, served=False),
    Trial("422", {"type": "fail", "status": 422, "times": None}, served=False),
    Trial("connection lost", _broken("disconnect"), streams=True),
    Trial("truncated", _broken("truncate"), streams=True),
    Trial("truncated at once", _broken("truncate") | {"after_chunks": 0}, streams=True),
    Trial("malformed chunk", _broken("malformed"), streams=True),
    Trial("stalled", _broken("stall", stall_seconds=20), streams=True),
)


def graded(context: Context, row: Row) -> None:
    """Every trial, unary and streamed, in both dialects, beside each other."""
    binaries = python_extra("judge")
    row.commands.append("llmock serve --port …; tidegate serve -c (a provider and a strategy for each trial)")
    tried = trials()
    with _judge(binaries, context.work) as port, gated(context.work, _settings(port, tried)) as url:
        _ask(port, "scenario", {"behaviors": [_aimed(trial, cell) for cell, trial in tried]})
        got = asyncio.run(_all(url, [cell for cell, _ in tried]))
        verdict = _ask(port, "verdict")
        requests = _ask(port, "requests")["requests"]
    row.figures += figures(verdict, requests)
    row.figures += _clients([(trial, cell, one) for (cell, trial), one in zip(tried, got, strict=True)])
    row.figures.append(told("the judge", f"llmock {python_version(binaries, 'llmock')}"))


def trials() -> list[tuple[Cell, Trial]]:
    """Each in every form and dialect that it has, under a model of its own."""
    found: list[tuple[Cell, Trial]] = []
    for trial in TRIALS:
        for stream in (True,) if trial.streams else (False, True):
            for dialect in DIALECTS:
                cell = Cell(len(found), Fault(trial.name), stream, dialect, dialect)
                found.append((cell, trial))
    return found


def figures(verdict: dict[str, Any], requests: Sequence[dict[str, Any]]) -> list[Figure]:
    """The judge's findings, each error by itself; its warnings are told with what they are about."""
    findings = verdict["findings"]
    if not verdict["faults_injected"]:
        return [missing("graded by llmock", "faults were injected", "it saw none of our calls")]
    names = {request["seq"]: request["fault"] for request in requests}
    codes = [finding["code"] for finding in findings]
    found = [exactly(what, codes.count(code), 0) for code, what in _ERRORS.items()]
    found.append(exactly("all errors that it finds", verdict["errors"], 0))
    found.append(told("what it saw", ", ".join(f"{verdict[name]} {name.replace('_', ' ')}" for name in _SEEN)))
    for finding in findings:
        struck = {str(names.get(number)) for number in finding["requests"]}
        found.append(told(f"{finding['severity']}: {finding['code']}", ", ".join(sorted(struck)), finding["title"]))
    return found


def _clients(results: Sequence[tuple[Trial, Cell, Got]]) -> list[Figure]:
    """What the callers of the gate got: an answer where a retry can help, else a typed error."""
    wrong = [(trial, cell, got) for trial, cell, got in results if not _right(trial, got)]
    found = [
        exactly(
            "callers that got an answer, or an error where none is to be had", len(results) - len(wrong), len(results)
        )
    ]
    for trial, cell, got in wrong[:10]:
        name = f"{trial.name}, {'stream' if cell.stream else 'unary'}, {cell.client}"
        found.append(told(name, got.error or f"{len(got.text)} characters, finished: {got.finished}"))
    return found


def _right(trial: Trial, got: Got) -> bool:
    if trial.served:
        return got.whole
    return bool(got.error) and not got.error.startswith("unwrapped")


async def _all(url: str, cells: Sequence[Cell]) -> list[Got]:
    clients = Clients(url.removesuffix("/v1"))
    try:
        return await asyncio.gather(*(clients.ask(cell) for cell in cells))
    finally:
        await clients.close()


@contextlib.contextmanager
def _judge(binaries: Path, work: Path) -> Iterator[int]:
    port = free_port()
    command: list[str | Path] = [binaries / "llmock", "serve", "--port", str(port), "--log-level", "warning"]
    with running(command, work / "llmock.log", lambda: accepts(port), seconds=60):
        yield port


def _ask(port: int, path: str, body: dict[str, Any] | None = None) -> Any:
    reply = exchange(port, f"/_llmock/{path}", None if body is None else json.dumps(body).encode())
    if reply.status not in {200, 201}:
        raise RuntimeError(f"llmock answers {reply.status} to {path}: {reply.body[:200]!r}")
    return json.loads(reply.body)


def _aimed(trial: Trial, cell: Cell) -> dict[str, Any]:
    return {**trial.behaviour, "match": {"model": cell.first}}


def _settings(port: int, tried: Sequence[tuple[Cell, Trial]]) -> dict[str, Any]:
    """One target for each: a fallback would look to the judge like giving up."""
    providers, strategies = {}, {}
    for cell, _ in tried:
        path = "/anthropic" if cell.client == ANTHROPIC else "/v1"
        scope = {"name": "main", "keys": [f"sk-{cell.first}"], "limits": {cell.first: {"rpm": 1_000_000}}}
        providers[cell.first] = {
            "profile": cell.client,
            "base_url": f"http://127.0.0.1:{port}{path}",
            "scopes": [scope],
            "timeouts": {"first_byte_seconds": 10, "idle_seconds": 2},
        }
        strategies[cell.strategy] = {
            "primary_model": cell.first,
            "retry_policy": {"max_retries": 5, "base_seconds": 0.1, "budget": 1, "budget_floor": 1_000_000},
            "deadline_seconds": 30,
            "streams": {"on_cut": "restart"},
        }
    return {"providers": providers, "strategies": strategies}
