"""What every engine promises: the same table for the embedded one, Celery on Redis and Celery on RabbitMQ."""

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.jobs.engines.stand import Stand
from tests.jobs.run.setting import HOUR
from tests.jobs.run.standin import OK, Request, reply
from tidegate.jobs.celery.backend import CeleryBackend
from tidegate.jobs.celery.names import queue_of
from tidegate.jobs.records import Dispatch
from tidegate.model.jobs import CANCELLED, DEAD, DONE, FAILED, QUEUED, RUNNING

HANGS = b""
FAILS = reply(500, b'{"error":{"message":"no","code":"server_error"}}')
REFUSES = reply(400, b'{"error":{"message":"no such field","code":"bad_field"}}')
WAITS = reply(429, b'{"error":{"message":"later","code":"rate_limit"}}', "retry-after-ms: 20")
PLACES = 8
pytestmark = pytest.mark.timeout(180)  # processes are started, killed and started again
brokers_only = pytest.mark.parametrize("stand", ["redis", "rabbitmq"], indirect=True)


@dataclass(frozen=True)
class Case:
    """What the gate answers, in turn and then always the last; and what the job comes to."""

    answers: tuple[bytes, ...]
    state: str
    attempts: int
    asked: int
    reason: str = ""


CASES = {
    "answered": Case((reply(),), DONE, 1, 1),
    "refused": Case((REFUSES,), FAILED, 1, 1, "bad_field: no such field"),
    "failed once": Case((FAILS, reply()), DONE, 2, 2),
    "told to wait": Case((WAITS, WAITS, reply()), DONE, 1, 3),
    "fails always": Case((FAILS,), DEAD, 3, 3, "attempts: 3 have failed"),
}


def answers_of(stand: Stand) -> Callable[[Request], bytes]:
    """By the table; what is not in it hangs."""

    def answer(request: Request) -> bytes:
        name = request.body.decode()
        case = CASES.get(name)
        return HANGS if case is None else case.answers[min(len(stand.requests(name)), len(case.answers) - 1)]

    return answer


async def test_the_table(stand: Stand) -> None:
    """How jobs end, with how many attempts and calls; cancelled while it waits, and while it runs; handed back.

    A message that comes twice, too late, or for a job that nobody knows, runs nothing.
    """
    stand.gate.answer = answers_of(stand)
    runner = stand.runner()
    stand.submit("waits", not_before_us=stand.clock.wall() + HOUR)
    for name in [*CASES, "runs", "is handed back"]:
        stand.submit(name)
    for name, case in CASES.items():
        job = await stand.ended(name)
        found = (job.state, job.attempts, len(stand.requests(name)), job.reason[: len(case.reason)])
        assert found == (case.state, case.attempts, case.asked, case.reason), name
    assert (kept := stand.rows.result("answered")) is not None
    assert kept.body == OK

    running = await stand.asked_for("runs")
    stand.cancel("waits")
    stand.cancel("runs")
    assert [(await stand.ended(name)).state for name in ("waits", "runs")] == [CANCELLED, CANCELLED]
    await running.gone.wait()
    assert stand.requests("waits") == []

    if stand.backend:
        publish_old_ones(stand)
        stand.submit("after them")
        await stand.asked_for("after them")
        assert len(stand.requests("answered")) == 1

    await stand.asked_for("is handed back")
    assert await runner.end() == 0
    back = await stand.until("is handed back", lambda job: job.state != RUNNING)
    assert (back.state, back.attempts, back.crashes) == (QUEUED, 0, 0)


def publish_old_ones(stand: Stand) -> None:
    backend = CeleryBackend(stand.backend, queue_of(stand.rows.secret()))
    backend.publish(
        [Dispatch("answered", 0), Dispatch("answered", 1), Dispatch("nobody's", 0), Dispatch("answered", 7)]
    )
    backend.close()


async def test_killed_runners(stand: Stand) -> None:
    """What a killed runner ran is run by the next one and ends once; a job that kills each of its runners is buried."""
    stand.gate.answer = lambda request: reply() if request.body.startswith(b"ready") else HANGS
    first = stand.runner()
    for name in ("innocent", "poison"):
        stand.submit(name)
        await stand.asked_for(name)
    second = stand.runner()
    await ready(stand, "runner-1")
    stand.gate.answer = lambda request: HANGS if request.body == b"poison" else reply()
    first.kill()
    began = time.monotonic()
    innocent = await stand.ended("innocent")
    took, lease = time.monotonic() - began, stand.snapshot.jobs.lease_us / 1e6
    print(f"\n{stand.name}: done {took:.2f} s after the kill, where leases are {lease} s")
    assert (innocent.state, innocent.crashes, innocent.attempts) == (DONE, 1, 1)
    assert [one.outcome for one in stand.rows.attempts("innocent")] == ["lost", "done"]

    await stand.asked_for("poison", 2)
    second.kill()
    poison = await stand.ended("poison")
    assert (poison.state, poison.crashes) == (DEAD, 2)
    assert poison.reason.startswith("crashed: 2 runners died over it")


async def ready(stand: Stand, runner: str) -> None:
    """Return when this one takes jobs."""
    for number in itertools.count():
        name = f"ready {number}"
        stand.submit(name)
        assert (await stand.ended(name)).state == DONE
        if stand.rows.attempts(name)[0].runner == runner:
            return


@brokers_only
async def test_a_broker_in_trouble(stand: Stand) -> None:
    """Frozen: jobs are accepted, and what runs ends. Killed, back and empty: what it forgot is given to it again."""
    stand.gate.answer = lambda _request: HANGS
    stand.runner()
    names = [f"job {number}" for number in range(30)]
    for name in names:
        stand.submit(name)
    async with stand.gate.came:
        await stand.gate.came.wait_for(lambda: len(stand.gate.requests) >= PLACES)
    running = [request.body.decode() for request in stand.gate.requests]
    broker = stand.broker
    assert broker is not None
    broker.freeze()
    stand.gate.answer = lambda _request: reply()
    stand.submit("meanwhile")
    stand.cancel(running[0])
    assert (await stand.ended(running[0])).state == CANCELLED
    broker.kill()
    broker.lose()
    stand.cancel(running[1])
    assert (await stand.ended(running[1])).state == CANCELLED
    broker.start()
    began = time.monotonic()
    for name in running[3:]:
        stand.cancel(name)
    rest = [name for name in [*names, "meanwhile"] if name != running[2]]
    ends = [(await stand.ended(name)).state for name in rest]
    print(f"\n{stand.name}: all ended {time.monotonic() - began:.2f} s after the broker was back")
    assert sorted(ends) == [CANCELLED] * (PLACES - 1) + [DONE] * (31 - PLACES)
    stand.cancel(running[2])  # its message came over a connection that is no more
    assert (await stand.ended(running[2])).state == CANCELLED
    for name in ("afterwards", "and again"):
        stand.submit(name)
        assert (await stand.ended(name)).state == DONE
    assert "Celery has stopped" not in stand.said()
    assert all(len(stand.requests(name)) == 1 for name in names)
