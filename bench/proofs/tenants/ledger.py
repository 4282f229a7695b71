"""The ledger against the provider's bill, and against whatever is killed: steps of 4/9, with real processes.

The judge of the bill is the twin's own ledger. The gate's database is read after all calls have ended.
"""

import asyncio
import contextlib
import os
import random
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg

from bench.figures import at_least, at_most, exactly, told
from bench.proofs.stage import Stage, stage
from bench.proofs.steps import Context, Row
from bench.proofs.tenants.callers import Callers, Load, Tally
from harness import cpu
from harness.servers.postgres import Postgres
from harness.twin import Twin
from tidegate.journal import journal
from tidegate.model.facts import CallRecord, Intent

CALLS, QUICK = 100_000, 4_000
TOLERANCE = 0.1  # per cent of tokens
_LEFT, _LEAVING = 20, 23  # per cent of the clients; some that are about to leave come too late
_SETTLED_S = 60.0
# Where a stream is stopped, what was made and not yet delivered is not known: there tokens come slowly.
_TIMING = {"ttft_ms": 40, "tpot_ms": 10, "tokens": 40, "chunk_tokens": 1, "chunk_ms": 0}
_QUICKLY = _TIMING | {"ttft_ms": 5, "tpot_ms": 1}
_CLIENTS = 40
_MODELS = ({"name": "first"}, {"name": "second"})
_FAULTS: tuple[tuple[str, float, dict[str, Any]], ...] = (  # of a call to the first model
    ("500", 0.03, {}),
    ("429", 0.02, {"retry_after_ms": 20}),
    ("close", 0.01, {}),
)
# A stream that its provider cuts states no usage. What was generated and never left the provider nobody can know, so
# where all is to be exact, streams are cut behind their last content.
_CUTS: dict[str, tuple[tuple[str, float, dict[str, Any]], ...]] = {
    "cancel": (
        ("cut", 0.02, {"at": "content"}),
        ("cut", 0.01, {"after_bytes": 3_000}),
        ("error_event", 0.01, {"at": "content"}),
    ),
    "drain": (("cut", 0.02, {"at": "finish"}), ("cut", 0.01, {"at": "end"}), ("error_event", 0.01, {"at": "finish"})),
}
_LIMITS = {"rpm": 1_000_000_000, "tpm": 1_000_000_000_000}
Rows = Callable[[str], Sequence[tuple[Any, ...]]]


def cancelled(context: Context, row: Row) -> None:
    """The default: the provider is stopped when the client leaves, and what it bills for that is estimated."""
    _billed(context, row, "cancel")


def drained(context: Context, row: Row) -> None:
    """Where the exact usage is wanted: what a client left is read to its end."""
    _billed(context, row, "drain")


def _billed(context: Context, row: Row, mode: str) -> None:
    calls = QUICK if context.quick else CALLS
    row.commands.append(f"tidegate twin -c, tidegate serve -c (streams: {{on_disconnect: {mode}}}); {calls:,} calls")
    home = context.work / f"ledger-{mode}"
    timing = _TIMING if mode == "cancel" else _QUICKLY
    with stage(home, timing, _MODELS, lambda running: _settings(running, mode)) as running:
        running.provider.ask("faults", {"rules": list(_rules(mode))})
        tally = asyncio.run(Callers(Load(running.port, "service", calls, _CLIENTS, _LEAVING / 100)).run())
        rows = _in_sqlite(running.home)
        _settle(running.home, rows)
        _tell(row, mode, tally, rows, running.provider.ask("ledger?per_second=0"))


def _rules(mode: str) -> Iterator[dict[str, Any]]:
    for fault, part, more in _FAULTS:
        yield {"fault": fault, "probability": part, "match": {"model": "first"}} | more
    for fault, part, more in _CUTS[mode]:
        yield {"fault": fault, "probability": part, "match": {"model": "first", "stream": True}} | more


def _settings(running: Twin, mode: str) -> dict[str, Any]:
    def provider(key: str, model: str) -> dict[str, Any]:
        scope = {"name": "main", "keys": [key], "limits": {model: _LIMITS}}
        price = {"input": 2, "output": 8}
        models = {model: {"price": price}}
        return {"dialect": "openai", "base_url": running.url, "scopes": [scope], "models": models}

    strategy = {
        "primary_model": "first",
        "fallback_models": [{"model": "second"}],
        "retry_policy": {"max_retries": 1, "base_seconds": 0.01, "budget": 1, "budget_floor": 100_000},
        "streams": {"on_disconnect": mode},
    }
    providers = {"one": provider("sk-one", "first"), "two": provider("sk-two", "second")}
    return {"providers": providers, "strategies": {"service": strategy}}


def _tell(row: Row, mode: str, tally: Tally, rows: Rows, report: dict[str, Any]) -> None:
    ((tries, ours, cost),) = rows("SELECT count(*), sum(prompt_tokens + completion_tokens), sum(cost_nano) FROM tries")
    ((calls, answered, several),) = rows("SELECT count(*), sum(status = 200), sum(attempts > 1) FROM calls")
    ((of_sums, cost_of_sums),) = rows("SELECT sum(prompt_tokens + completion_tokens), sum(cost_nano) FROM hourly")
    billed = int(report["billed_tokens"])
    note = f"{tries:,} attempts of {calls:,} calls; {tally.left:,} clients left, {several:,} calls had several attempts"
    left = 100 * tally.left / tally.begun
    row.figures.append(at_least(f"{mode}: clients that left before the end", left, _LEFT, "%", f"of {tally.begun:,}"))
    name = f"{mode}: tokens of the ledger beside the twin's bill of {billed:,}"
    if mode == "drain":
        row.figures.append(exactly(name, ours, billed, note))
    else:
        row.figures.append(at_most(name, 100 * abs(ours - billed) / billed, TOLERANCE, "%", note))
    for model, booked in rows("SELECT model, sum(prompt_tokens + completion_tokens) FROM tries GROUP BY model"):
        off = booked - report["by_model"][model]["billed_tokens"]
        row.figures.append(told(f"{mode}, {model}: ledger − bill", f"{off:+,} tokens"))
    known = {call for (call,) in rows("SELECT call_id FROM calls WHERE status = 200")}
    row.figures.append(exactly(f"{mode}: answered calls without a row", len(set(tally.answered) - known), 0))
    shown = f"{answered:,}, {len(tally.answered):,}"
    row.figures.append(told(f"{mode}: answered, as the ledger and as the clients say", shown))
    row.figures.append(exactly(f"{mode}: the hourly sums less the attempts, tokens", of_sums - ours, 0))
    row.figures.append(exactly(f"{mode}: the same, billionths of money", cost_of_sums - cost, 0))


def killed(context: Context, row: Row) -> None:
    """Kill -9 of worker, control process and database, in turn and then at random, while calls run."""
    seconds = 25 if context.quick else 180
    row.commands.append(f"tidegate serve -c (ledger: {{database: postgresql://…}}); kill -9 for {seconds} s")
    with contextlib.ExitStack() as ending:
        server = Postgres()
        ending.callback(server.close)
        settings: dict[str, Any] = {"ledger": {"database": server.database("ledger")}}
        made = stage(
            context.work / "ledger-killed", _TIMING, _MODELS, lambda running: _settings(running, "cancel") | settings
        )
        running = ending.enter_context(made)
        tally, kills = asyncio.run(_beset(running, server, seconds))
        rows = _in_postgres(settings["ledger"]["database"])
        _settle(running.home, rows)
        _tell_killed(row, running.home, rows, tally, kills)


def _tell_killed(row: Row, home: Path, rows: Rows, tally: Tally, kills: Counter[str]) -> None:
    records, open_ = _journal(home)
    stored = Counter(call for (call,) in rows("SELECT call_id FROM calls"))
    answered = {call for (call,) in rows("SELECT call_id FROM calls WHERE status = 200")}
    ((sums,),) = rows("SELECT sum(calls) FROM hourly")
    note = ", ".join(f"{name} {count}" for name, count in sorted(kills.items()))
    row.figures.append(told("calls answered to their end", f"{len(tally.answered):,}", f"killed: {note}"))
    row.figures.append(exactly("answered calls without a row", len(set(tally.answered) - answered), 0))
    row.figures.append(exactly("calls of the journal without a row", len(records.keys() - stored.keys()), 0))
    twice = sum(count > 1 for count in (records | stored).values())
    row.figures.append(exactly("calls with two records or rows", twice, 0))
    row.figures.append(exactly("calls in the hourly sums less rows", int(sums) - len(stored), 0))
    row.figures.append(exactly("reservations that were never settled", len(open_), 0))


def _journal(home: Path) -> tuple[Counter[int], set[int]]:
    """How many records each call has, and the calls that have none."""
    facts = list(journal.read(_state(home) / "journal"))
    records = Counter(fact.call_id for fact in facts if isinstance(fact, CallRecord))
    return records, {fact.call_id for fact in facts if isinstance(fact, Intent)} - records.keys()


async def _beset(running: Stage, server: Postgres, seconds: float) -> tuple[Tally, Counter[str]]:
    callers = Callers(Load(running.port, "service", 10_000_000, clients=16, leaving=0.1))
    load = asyncio.get_running_loop().create_task(callers.run())
    luck, kills = random.Random(4), Counter[str]()
    names, until = ["worker", "control", "database"], time.monotonic() + seconds
    turns = iter(names)
    while time.monotonic() < until:
        await asyncio.sleep(1.5 * luck.random())
        name = next(turns, "") or luck.choice(names)
        kills[name] += 1
        if name == "database":
            server.kill()
            await asyncio.sleep(2 * luck.random())
            await asyncio.to_thread(server.start)
        else:
            _kill(name)
    callers.stop()
    return await load, kills


def away(context: Context, row: Row) -> None:
    """The database is killed and stays away while calls run: they are answered as before, and all come to it later."""
    seconds, before = (12, 6) if context.quick else (600, 60)
    row.commands.append(f"tidegate serve -c (ledger: {{database: postgresql://…}}); no database for {seconds} s")
    with contextlib.ExitStack() as ending:
        server = Postgres()
        ending.callback(server.close)
        settings: dict[str, Any] = {"ledger": {"database": server.database("ledger")}}
        made = stage(
            context.work / "ledger-away", _TIMING, _MODELS, lambda running: _settings(running, "cancel") | settings
        )
        running = ending.enter_context(made)
        tally, rates = asyncio.run(_without(running, server, before, seconds))
        rows = _in_postgres(settings["ledger"]["database"])
        held = sum(path.stat().st_size for path in (_state(running.home) / "journal").iterdir())
        _settle(running.home, rows)
        row.figures.append(told("calls a second with the database, and without it", f"{rates[0]:.1f}, {rates[1]:.1f}"))
        row.figures.append(told("journal after that, MiB", f"{held / 1_048_576:.0f}"))
        _tell_killed(row, running.home, rows, tally, Counter())


async def _without(
    running: Stage, server: Postgres, before: float, seconds: float
) -> tuple[Tally, tuple[float, float]]:
    callers = Callers(Load(running.port, "service", 10_000_000, clients=8, leaving=0.1))
    load = asyncio.get_running_loop().create_task(callers.run())
    await asyncio.sleep(before)
    up = len(callers.tally.answered)
    server.kill()
    await asyncio.sleep(seconds)
    down = len(callers.tally.answered) - up
    await asyncio.to_thread(server.start)
    await asyncio.sleep(2)
    callers.stop()
    return await load, (up / before, down / seconds)


def _kill(name: str) -> None:
    for pid in cpu.tree(os.getpid()):
        if f"tidegate.{name}" in cpu.command(pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _settle(home: Path, rows: Rows) -> None:
    """Wait until no call is open and all of the journal is in the database. Raises `TimeoutError`."""
    limit = time.monotonic() + _SETTLED_S
    while time.monotonic() < limit:
        records, open_ = _journal(home)
        counted = _counted(rows)
        if not open_ and counted >= len(records):
            return
        time.sleep(0.5)
    raise TimeoutError("calls are open, or not in the database")


def _counted(rows: Rows) -> int:
    try:
        return int(rows("SELECT count(*) FROM calls")[0][0])
    except (sqlite3.OperationalError, psycopg.Error):  # the control process is not as far
        return 0


def _state(home: Path) -> Path:
    (state,) = home.glob("gate-*/state")
    return state


def _in_sqlite(home: Path) -> Rows:
    path = _state(home) / "tidegate.db"

    def rows(query: str) -> Sequence[tuple[Any, ...]]:
        with contextlib.closing(sqlite3.connect(path, timeout=30)) as connection:
            return connection.execute(query).fetchall()

    return rows


def _in_postgres(url: str) -> Rows:
    def rows(query: str) -> Sequence[tuple[Any, ...]]:
        with psycopg.connect(url) as connection:
            return connection.execute(query.encode()).fetchall()

    return rows
