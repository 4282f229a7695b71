"""A worker that keeps its quota by itself is replaced while calls wait: predecessor and successor spend it once."""

import asyncio
import json
import signal
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from harness.gate import HUGE, provider
from harness.supervised import START
from harness.twin import Twin
from harness.wait import until
from tests.e2e.stand import Gate, queued
from tidegate.worker.owed import NAME

MODEL, KEY, RPM = "gpt-4o", "sk-rolling", 240
LIMITS = {"rpm": RPM, "tpm": HUGE}
WAITING, MORE = 32, 12  # eight seconds' worth wait until the successor is there, and three more are asked of it


@pytest.fixture
def twin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twin]:
    """It answers at once, and its minute is this test's."""
    twin = Twin(tmp_path_factory.mktemp("rolling"), {"limits": LIMITS, "timing": {"ttft_ms": 0, "tpot_ms": 0}})
    yield twin
    twin.close()


async def test_what_waits_at_the_predecessor_is_nobody_elses(twin: Twin, gates: Callable[..., Gate]) -> None:
    """No call is lost or refused, the provider refuses none, and who comes to the successor waits behind the others."""
    gate = gates({"providers": {"openai": provider(twin.url, KEY, {MODEL: LIMITS}, window="continuous")}})
    before = gate.worker
    async with asyncio.TaskGroup() as tasks:
        calls = [tasks.create_task(gate.chat(MODEL)) for _ in range(RPM + WAITING)]
        await until(lambda: sum(call.done() for call in calls) >= RPM - 4, "the burst")
        while not queued(gate, MODEL):
            await asyncio.sleep(0)
        gate.signal(signal.SIGUSR2)

        def replaced() -> bool:
            """Until it is so, as many wait as before."""
            if sum(not call.done() for call in calls) < WAITING:
                calls.append(tasks.create_task(gate.chat(MODEL)))
            return "every worker was replaced" in gate.log()

        await until(replaced, "the successor", START)
        calls += [tasks.create_task(gate.chat(MODEL)) for _ in range(MORE)]
    assert gate.worker != before
    told = [owed for path in gate.state.rglob(NAME) for owed in json.loads(path.read_bytes()).values()]
    assert [owed["requests"] > 4 for owed in told] == [True], "too few waited: nothing was tried"
    assert Counter(call.result().status for call in calls) == {200: len(calls)}
    books = twin.ledger(KEY, MODEL)
    assert (books["calls"], books["throttled"], books["avoidable"]) == (len(calls), 0, 0)
