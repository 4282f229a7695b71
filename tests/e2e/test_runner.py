"""Jobs in the rows of a real gate: its runner makes them calls of their keys, and nothing that dies loses one."""

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from harness.gate import provider
from harness.twin import Twin
from harness.wait import until, wait_gone
from tests.e2e.stand import USER, Gate
from tidegate.clock import SystemClock
from tidegate.jobs.hints import UnixHints
from tidegate.jobs.records import Job, NewJob, Owner
from tidegate.jobs.rows.open import open_rows
from tidegate.jobs.rows.rows import JobRows
from tidegate.model.jobs import DONE, ENDS, FAILED, QUEUED, RUNNING, JobSettings

HOUR_US = 3_600_000_000
ANYBODY = Owner()


class Desk:
    """Who puts jobs into the rows of a gate."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        self.rows: JobRows = open_rows(JobSettings(), "", gate.state)
        self.hints = UnixHints(gate.state)

    def submit(self, name: str, owner: Owner = ANYBODY, **asked: Any) -> None:
        body = msgspec.json.encode({"model": "gpt-4o", "messages": USER, "max_tokens": 20} | asked)
        wall = SystemClock(asyncio.get_running_loop()).wall()
        path = "/v1/chat/completions"
        self.rows.submit([NewJob(id=name, owner=owner, path=path, body=body, deadline_us=wall + HOUR_US)], wall)
        self.hints.work()

    def job(self, name: str) -> Job:
        found = self.rows.find(name)
        assert found is not None
        return found

    async def stands(self, name: str, *states: str) -> Job:
        """The job, when it is in one of these."""
        await until(lambda: self.job(name).state in states, f"{name} {states}")
        return self.job(name)

    def close(self) -> None:
        self.hints.close()
        self.rows.engine.dispose()


@pytest.fixture
def tree(twin: Twin, keys: Iterator[str]) -> dict[str, Any]:
    limits = {"gpt-4o": {"rpm": 100_000, "tpm": 60_000_000}}
    return {"providers": {"openai": provider(twin.url, next(keys), limits)}, "jobs": {}}


@pytest.fixture
def desks() -> Iterator[Callable[[Gate], Desk]]:
    made: list[Desk] = []

    def make(gate: Gate) -> Desk:
        made.append(Desk(gate))
        return made[-1]

    yield make
    for desk in made:
        desk.close()


async def test_a_job_is_a_call_of_its_key(
    gates: Callable[..., Gate], desks: Callable[[Gate], Desk], tree: dict[str, Any], twin: Twin
) -> None:
    """Its answer is in the rows, its record in the ledger; a key that does not exist is refused for good."""
    tree["clients"] = {"keys": [{"name": "ada", "key": "sk-ada-0123456789abcdef"}]}
    gate = gates(tree)
    desk = desks(gate)
    desk.submit("job_1", Owner(client="ada"))
    job = await desk.stands("job_1", *ENDS)
    assert (job.state, job.attempts, job.reason) == (DONE, 1, "")
    result = desk.rows.result("job_1")
    assert result is not None
    answer = msgspec.json.decode(result.body)
    assert len(answer["choices"][0]["message"]["content"].split()) == 20
    assert (job.prompt_tokens, job.completion_tokens) == (answer["usage"]["prompt_tokens"], 20)
    await until(gate.records, "its record")
    (record,) = gate.records()
    assert (record.job, record.client, record.tier) == ("job_1#1", "ada", "batch")
    (attempt,) = desk.rows.attempts("job_1")
    assert attempt.call_id == f"req_{record.call_id:x}"
    desk.submit("job_2", Owner(client="bob"))
    job = await desk.stands("job_2", *ENDS)
    assert (job.state, job.status) == (FAILED, 401)
    assert len(twin.calls()) == 1


async def test_a_killed_runners_job_runs_again(
    gates: Callable[..., Gate], desks: Callable[[Gate], Desk], tree: dict[str, Any], twin: Twin
) -> None:
    """Its call was begun twice, and both are in the ledger; it has one answer."""
    gate = gates(tree)
    desk = desks(gate)
    twin.fault({"fault": "stall", "count": 1})
    desk.submit("job_1")
    await desk.stands("job_1", RUNNING)
    await until(lambda: twin.ask("faults")["rules"][0]["hits"], "its call at the provider")
    pid = gate.children()["runner-0"]
    os.kill(pid, signal.SIGKILL)
    wait_gone(pid)
    job = await desk.stands("job_1", *ENDS)
    assert (job.state, job.crashes, job.fence) == (DONE, 1, 2)
    assert [one.outcome for one in desk.rows.attempts("job_1")] == ["lost", "done"]
    await until(lambda: len(gate.records()) == 2, "both records")
    assert {record.job for record in gate.records()} == {"job_1#1", "job_1#2"}


async def test_who_is_told_to_end_hands_back(
    gates: Callable[..., Gate], desks: Callable[[Gate], Desk], tree: dict[str, Any], twin: Twin
) -> None:
    """An orderly end of the gate costs a job nothing, and no crash."""
    tree["server"] = {"drain_timeout_seconds": 4}
    gate = gates(tree)
    desk = desks(gate)
    twin.fault({"fault": "stall"})
    desk.submit("job_1")
    await desk.stands("job_1", RUNNING)
    gate.process.send_signal(signal.SIGTERM)
    job = await desk.stands("job_1", QUEUED)
    assert (job.attempts, job.crashes, job.not_before_us) == (0, 0, 0)
    assert job.reason.startswith("stopped: ")
