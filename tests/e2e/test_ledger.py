"""The ledger of a real gate, whatever is killed while calls run."""

import asyncio
import os
import random
import resource
import signal
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest

from harness.gate import provider
from harness.servers.postgres import Postgres
from harness.twin import Twin
from harness.wait import until
from tests.e2e.stand import Gate, total
from tidegate.model.facts import CallRecord, Intent

CLIENTS, ROUNDS = 8, 6
Rows = Callable[[str], Sequence[tuple[Any, ...]]]


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    server = Postgres()
    yield server
    server.close()


def tree(twin: Twin, key: str, **more: Any) -> dict[str, Any]:
    return {
        "providers": {"openai": provider(twin.url, key, {"gpt-4o": {"rpm": 1_000_000, "tpm": 600_000_000}})},
        **more,
    }


def in_sqlite(gate: Gate) -> Rows:
    path = gate.state / "tidegate.db"

    def rows(query: str) -> Sequence[tuple[Any, ...]]:
        connection = sqlite3.connect(path, timeout=10)
        try:
            return connection.execute(query).fetchall()
        except sqlite3.OperationalError:  # there are no tables yet
            return []
        finally:
            connection.close()

    return rows


def in_postgres(url: str) -> Rows:
    def rows(query: str) -> Sequence[tuple[Any, ...]]:
        try:
            with psycopg.connect(url) as connection:
                return connection.execute(query.encode()).fetchall()
        except psycopg.Error:
            return []

    return rows


class Callers:
    """Clients that call until they are told to stop, and remember what was answered to its end."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._on = True
        self.answered: list[int] = []

    async def call(self) -> None:
        """Whole answers and streams in turn; what is cut is begun again."""
        while self._on:
            try:
                answer = await self._gate.chat("gpt-4o", stream=len(self.answered) % 2 == 0)
            except (OSError, EOFError, AssertionError, TimeoutError):
                continue
            whole = answer.ended == "length" or answer.events[-1:] == ["[DONE]"]
            if answer.status == 200 and whole:
                self.answered.append(int(answer.headers["x-request-id"].removeprefix("req_"), 16))

    async def more(self, count: int) -> None:
        """So many more answers."""
        wanted = len(self.answered) + count
        await until(lambda: len(self.answered) >= wanted, "answers")

    def stop(self) -> None:
        self._on = False


async def kill(gate: Gate, name: str) -> None:
    pid = gate.children().get(name)
    if pid is not None:
        os.kill(pid, signal.SIGKILL)
        await until(lambda: gate.children().get(name, pid) != pid, f"a new {name}")


def unsettled(gate: Gate) -> set[int]:
    """Calls with an intent and without a record."""
    facts = gate.facts()
    ended = {fact.call_id for fact in facts if isinstance(fact, CallRecord)}
    return {fact.call_id for fact in facts if isinstance(fact, Intent)} - ended


async def judged(gate: Gate, rows: Rows, callers: Callers) -> None:
    """Each answer has one row, no call has two, the sums agree with the rows, and nothing is reserved any more."""
    records = Counter(record.call_id for record in gate.records())
    assert set(records.values()) == {1}
    await until(lambda: len(rows("SELECT call_id FROM calls")) == len(records), "all rows")
    stored = Counter(call for (call,) in rows("SELECT call_id FROM calls WHERE status = 200"))
    assert set(stored.values()) == {1}
    assert not set(callers.answered) - set(stored)
    ((calls,),) = rows("SELECT sum(calls) FROM hourly")
    assert calls == len(records)
    for table in ("calls", "tries"):
        assert rows(f"SELECT sum(prompt_tokens + completion_tokens), sum(charged_tokens) FROM {table}") == rows(
            "SELECT sum(prompt_tokens + completion_tokens), sum(charged_tokens) FROM hourly"
        )
    assert unsettled(gate) == set()


async def beset(gate: Gate, rows: Rows, deeds: Sequence[Callable[[], Any]]) -> None:
    """Calls run while these things happen, one after the other."""
    callers = Callers(gate)
    tasks = [asyncio.create_task(callers.call()) for _ in range(CLIENTS)]
    await callers.more(CLIENTS)
    for deed in deeds:
        await deed()
        await callers.more(CLIENTS)
    callers.stop()
    await asyncio.gather(*tasks)
    await judged(gate, rows, callers)


async def test_worker_and_control_are_killed(gates: Callable[..., Gate], twin: Twin, keys: Iterator[str]) -> None:
    """In turn and at random, with SQLite in the state directory."""
    gate, luck = gates(tree(twin, next(keys))), random.Random(7)
    names = ["worker", "control", *luck.choices(["worker", "control"], k=ROUNDS - 2)]

    def deed(name: str) -> Callable[[], Any]:
        return lambda: kill(gate, name)

    await beset(gate, in_sqlite(gate), [deed(name) for name in names])


async def test_the_database_is_killed_too(
    gates: Callable[..., Gate], twin: Twin, keys: Iterator[str], postgres: Postgres
) -> None:
    """PostgreSQL dies, stays away while calls go on, and comes back; between it worker and control die."""
    url = postgres.database("beset")
    gate = gates(tree(twin, next(keys), ledger={"database": url}))

    async def away() -> None:
        postgres.kill()

    async def back() -> None:
        await asyncio.to_thread(postgres.start)

    async def worker() -> None:
        await kill(gate, "worker")

    async def control() -> None:
        await kill(gate, "control")

    await beset(gate, in_postgres(url), [away, worker, back, control, away, control, back])


async def test_a_database_that_is_frozen_holds_up_no_call(
    gates: Callable[..., Gate], twin: Twin, keys: Iterator[str], postgres: Postgres
) -> None:
    """While it is stopped calls are answered, and the lag is shown; afterwards everything is there."""
    url = postgres.database("frozen")
    gate = gates(tree(twin, next(keys), ledger={"database": url}))
    rows = in_postgres(url)
    assert (await gate.chat("gpt-4o")).status == 200
    await until(lambda: len(rows("SELECT call_id FROM calls")) == 1, "the first row")
    postgres.freeze()
    try:
        statuses = [(await gate.chat("gpt-4o")).status for _ in range(20)]
    finally:
        postgres.freeze(signal.SIGCONT)
    assert statuses == [200] * 20
    await until(lambda: len(rows("SELECT call_id FROM calls")) == 21, "all rows")


@pytest.mark.parametrize("policy", ["stop", "continue"])
async def test_a_disk_that_takes_no_more(
    gates: Callable[..., Gate], twin: Twin, keys: Iterator[str], policy: str
) -> None:
    """Calls are refused or go on, as the policy says, with an alarm; nothing that was answered is unrecorded.

    The operating system refuses the worker any larger file, as a full disk does.
    """
    journal = {"segment_bytes": 65_536}
    gate = gates(tree(twin, next(keys), journal=journal, ledger={"on_journal_failure": policy}))
    assert (await gate.chat("gpt-4o")).status == 200
    resource.prlimit(gate.worker, resource.RLIMIT_FSIZE, (4_096, resource.RLIM_INFINITY))
    answers = [await gate.chat("gpt-4o") for _ in range(250)]
    statuses = Counter(answer.status for answer in answers)
    await until(lambda: total(gate, "tidegate_journal_failing") == 1, "the alarm")
    if policy == "stop":
        assert statuses.keys() == {200, 503}
        assert "Free space in its state directory" in answers[-1].json["error"]["message"]
        assert total(gate, "tidegate_journal_unwritten_intents") == 0
    else:
        assert statuses.keys() == {200}
        assert total(gate, "tidegate_journal_unwritten_intents") > 0
    resource.prlimit(gate.worker, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    await until(lambda: total(gate, "tidegate_journal_failing") == 0, "its end")
    assert (await gate.chat("gpt-4o")).status == 200
    assert total(gate, "tidegate_journal_dropped_records") == 0
    assert len(twin.calls()) == statuses[200] + 2 == sum(record.status == 200 for record in gate.records())
    rows = in_sqlite(gate)
    await until(lambda: len(rows("SELECT call_id FROM calls")) == 252, "all rows")


async def test_the_metrics_page_tells_how_the_ledger_stands(
    gates: Callable[..., Gate], twin: Twin, keys: Iterator[str], tmp_path: Path
) -> None:
    """Down and up again, with what waits, and what was taken."""
    place = tmp_path / "away"
    gate = gates(tree(twin, next(keys), ledger={"database": f"sqlite:///{place}/tidegate.db"}))
    assert (await gate.chat("gpt-4o")).status == 200
    await until(lambda: total(gate, "tidegate_ledger_lag_bytes") > 0, "a lag")
    assert total(gate, "tidegate_ledger_up") == 0
    place.mkdir()
    await until(lambda: total(gate, "tidegate_ledger_calls_total") == 1, "the call")
    assert total(gate, "tidegate_ledger_up") == 1
    assert total(gate, "tidegate_journal_failing") == 0
