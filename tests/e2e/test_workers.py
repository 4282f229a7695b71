"""One gate of several processes: one is killed, all are replaced, their number changes; no call is cut off or lost."""

import asyncio
import os
import signal
from collections import Counter
from pathlib import Path
from typing import Any

from harness.gate import provider
from harness.supervised import START
from harness.twin import Twin
from harness.wait import until, wait_gone
from tests.e2e.stand import Gate, Line, request
from tests.e2e.test_ledger import in_sqlite
from tidegate.journal import journal
from tidegate.model.facts import CallRecord

MODEL = "gpt-4o"
BODY = {"model": MODEL, "messages": [{"role": "user", "content": "three short words"}], "max_tokens": 20}
CLIENTS = 8


class Clients:
    """Connections that are used again and again, until a reply says that they end. Every failure is kept."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._on = True
        self.answered: list[str] = []
        self.failures: list[object] = []

    async def call(self, number: int) -> None:
        """Streams and whole answers."""
        words = request("/v1/chat/completions", BODY | {"stream": number % 2 == 0})
        while self._on:
            async with Line(self._gate) as line:
                open_still = True
                while self._on and open_still:
                    try:
                        line.send(words)
                        answer = await line.reply()
                    except (OSError, EOFError, TimeoutError) as error:
                        self.failures.append(error)
                        break
                    whole = answer.ended == "length" or answer.events[-1:] == ["[DONE]"]
                    if answer.status == 200 and whole:
                        self.answered.append(answer.headers["x-request-id"])
                    else:
                        self.failures.append((answer.status, answer.ended, answer.body))
                        break
                    open_still = answer.headers.get("connection") != "close"

    async def answers(self, count: int) -> None:
        """Until so many more were answered."""
        enough = len(self.answered) + count
        await until(lambda: len(self.answered) >= enough, f"{count} answers")

    def stop(self) -> None:
        self._on = False


def tree(twin: Twin, key: str) -> dict[str, Any]:
    return {"providers": {"openai": provider(twin.url, key, {MODEL: {"rpm": 10_000_000, "tpm": 900_000_000}})}}


async def in_the_ledger_once(gate: Gate, answered: list[str]) -> None:
    """Each call that was answered has one row; so has each record of whichever journal."""
    rows, folders = in_sqlite(gate), [gate.state, *(gate.state / "workers").iterdir()]
    records = [fact for folder in folders for fact in journal.read(folder / "journal") if isinstance(fact, CallRecord)]
    await until(lambda: len(rows("SELECT call_id FROM calls")) == len(records), "all rows")
    stored = Counter(f"req_{call:x}" for (call,) in rows("SELECT call_id FROM calls WHERE status = 200"))
    assert {stored[call] for call in answered} == {1}


async def test_one_is_killed_all_are_replaced_and_fewer_come_back(twin: Twin, tmp_path: Path) -> None:
    """A killed worker costs its own calls, a rolling restart none, and what was served is in the ledger once.

    Also of replicas that a gate of fewer workers does not have any more.
    """
    gate = Gate(tmp_path / "gate", tree(twin, "sk-workers"), "--workers", "3")
    twin.fault({"fault": "slow", "match": {"model": MODEL}, "ms": 100})  # whose calls take no time take all processors
    try:
        clients = Clients(gate)
        calling = [asyncio.create_task(clients.call(number)) for number in range(CLIENTS)]
        await clients.answers(40)
        killed = gate.workers()[1]
        os.kill(killed, signal.SIGKILL)
        wait_gone(killed)
        await clients.answers(40)
        assert len(clients.failures) <= CLIENTS
        failed, before = len(clients.failures), set(gate.workers().values())
        gate.signal(signal.SIGUSR2)
        await until(lambda: "every worker was replaced" in gate.log(), "new workers", START)
        await clients.answers(40)
        assert clients.failures[failed:] == []
        clients.stop()
        await asyncio.gather(*calling)
        for pid in before:
            wait_gone(pid)
        gate.signal(signal.SIGTERM)
        assert gate.wait_end() == 0, gate.log()[-3000:]
        gate.close()
        gate = Gate(tmp_path / "gate", tree(twin, "sk-workers"))
        assert len(gate.workers()) == 1
        assert (await gate.chat(MODEL)).status == 200
        await in_the_ledger_once(gate, clients.answered)
    finally:
        gate.close()


async def test_a_killed_supervisor_leaves_nobody(twin: Twin, tmp_path: Path) -> None:
    """Neither workers nor what they share; the next gate begins with both."""
    folder = tmp_path / "gate"
    for _ in range(2):
        gate = Gate(folder, tree(twin, "sk-orphans"), "--workers", "2")
        try:
            server = int((gate.state / "valkey" / "lock").read_text())
            assert len(gate.workers()) == 2
            assert (await gate.chat(MODEL)).status == 200
            gate.signal(signal.SIGKILL)
            for pid in (server, *gate.watched):
                wait_gone(pid)
        finally:
            gate.close()
