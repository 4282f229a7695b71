"""The embedded runner, over real rows, against a server that answers as gates do."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from msgspec import structs

from tests.jobs.run.setting import BODY, SECOND
from tests.jobs.run.stage import RUNNER, Stage
from tests.jobs.run.standin import OK, Request, reply
from tidegate.jobs.records import Owner
from tidegate.jobs.rows.rows import JobRows
from tidegate.model.jobs import CANCELLED, DEAD, DONE, QUEUED, RUNNING

Stages = Callable[..., Awaitable[Stage]]


def names(count: int) -> list[str]:
    return [f"job_{number}" for number in range(count)]


def hang(_request: Request) -> bytes:
    return b""


async def test_what_is_due_is_run(stage: Stages) -> None:
    """Each once, with its answer in the rows and who ran it; and who waits is told."""
    one = await stage(concurrency=8)
    one.submit(*names(50))
    jobs = await one.ended(*names(50))
    assert {job.state for job in jobs} == {DONE}
    assert {job.attempts for job in jobs} == {1}
    assert len(one.gate.requests) == 50
    assert {job.prompt_tokens for job in jobs} == {7}
    result = one.rows.result("job_3")
    assert result is not None
    assert (result.status, result.body) == (200, OK)
    (attempt,) = one.rows.attempts("job_3")
    assert (attempt.outcome, attempt.runner, attempt.fence) == (DONE, RUNNER, 1)


async def test_no_more_run_than_may(stage: Stages) -> None:
    """A place that gets free is filled; nothing is claimed that cannot begin."""
    one = await stage(concurrency=3)
    one.gate.answer = hang
    one.submit(*names(5))
    held = list(await one.gate.wait_for(3))
    assert len(one.work) == 3
    assert [one.job(name).state for name in names(5)].count(RUNNING) == 3
    running = next(name for name in names(5) if one.job(name).state == RUNNING)
    one.rows.cancel(running, None, one.clock.wall())
    one.work.changed([running])
    await one.gate.wait_for(4)
    assert len(one.work) == 3
    assert len(held) == 3


async def test_a_dead_provider_holds_up_nobody_else(stage: Stages) -> None:
    """Whose calls hang has at most his share of places, also where he came alone; then those who come are run."""
    one = await stage(concurrency=6)
    one.gate.answer = lambda request: hang(request) if b"dead" in request.body else reply()
    for dead in ("sales", "research"):
        names_of = [f"{dead}_{number}" for number in range(20)]
        one.submit(*names_of, owner=Owner(dead, "ada"), body=BODY.replace(b"{", b'{"user": "dead",', 1))
        await one.gate.wait_for(6)
    one.submit(*names(9), owner=Owner("support", "eve"))
    jobs = await one.ended(*names(9))
    assert {job.state for job in jobs} == {DONE}
    assert len(one.work) <= 8


async def test_ends_go_in_groups(stage: Stages) -> None:
    """What ends together is written together."""
    one = await stage(concurrency=64)
    one.submit(*names(64))
    await one.ended(*names(64))
    assert one.rows.done["finish"] < 40


async def test_a_failure_is_tried_again(stage: Stages) -> None:
    """Until it is answered, or has failed too often."""
    one = await stage(max_attempts=3)
    one.gate.answer = lambda _request: reply() if len(one.gate.requests) == 2 else reply(502, b"")
    one.submit("job_1")
    (job,) = await one.ended("job_1")
    assert (job.state, job.attempts) == (DONE, 3)
    one.gate.answer = lambda _request: reply(502, b"")
    one.submit("job_2")
    (job,) = await one.ended("job_2")
    assert (job.state, job.attempts, job.status) == (DEAD, 3, 502)
    assert job.reason.startswith("attempts: 3 have failed, the last with http_502")


async def test_a_cancelled_job_ends_its_call(stage: Stages) -> None:
    """Within a renewal; with a hint, at once."""
    one = await stage(lease_us=60 * SECOND)
    one.gate.answer = hang
    one.submit("job_1")
    (request,) = await one.gate.wait_for(1)
    one.rows.cancel("job_1", None, one.clock.wall())
    one.work.changed(["job_1", "another"])
    await request.gone.wait()
    (job,) = await one.ended("job_1")
    assert (job.state, job.reason) == (CANCELLED, "cancelled: as it was asked")


async def test_a_lost_job_is_let_go(stage: Stages) -> None:
    """Another has it: its call ends here, and nothing that it came to is written."""
    one = await stage(lease_us=60 * SECOND)
    one.gate.answer = hang
    one.submit("job_1")
    (request,) = await one.gate.wait_for(1)
    one.embedded.stop()
    later = one.clock.wall() + 61 * SECOND
    assert one.rows.reap(3, later).again == ("job_1",)
    (lease,) = one.rows.claim("", 1, "another", 60 * SECOND, later)
    one.work.changed(["job_1"])
    await request.gone.wait()
    await one.stop()
    assert "finish" not in one.rows.done
    job = one.job("job_1")
    assert (job.state, job.fence, job.crashes) == (RUNNING, lease.fence, 1)
    assert [attempt.runner for attempt in one.rows.attempts("job_1")] == [RUNNER, "another"]


async def test_leases_are_renewed(stage: Stages) -> None:
    """For as long as a call takes; all of them at once."""
    one = await stage(lease_us=SECOND // 2)
    one.gate.answer = hang
    one.submit(*names(3))
    await one.gate.wait_for(3)
    await one.rows.until("renew", 5)
    assert one.rows.reap(3, one.clock.wall()).again == ()
    assert {one.job(name).fence for name in names(3)} == {1}


async def test_while_the_database_is_away_ends_are_kept(stage: Stages) -> None:
    """They are written when it is back; the calls are not made again."""
    one = await stage()
    one.rows.away = {"finish", "renew"}
    one.submit(*names(5))
    await one.gate.wait_for(5)
    await one.rows.until("finish", 2)
    one.rows.away = set()
    jobs = await one.ended(*names(5))
    assert {job.state for job in jobs} == {DONE}
    assert len(one.gate.requests) == 5


async def test_while_nothing_can_be_claimed_the_runner_waits(stage: Stages) -> None:
    """And looks again."""
    one = await stage()
    await one.rows.until("claim", 1)
    one.rows.away = {"claim"}
    for looks in (2, 3):
        one.submit("job_1")
        await one.rows.until("claim", looks)
    one.rows.away = set()
    one.embedded.poke()
    (job,) = await one.ended("job_1")
    assert job.state == DONE


async def test_who_is_told_to_end_hands_back(stage: Stages) -> None:
    """At once due again, as if it had not begun; its call is ended, and other runners are told."""
    one = await stage()
    one.gate.answer = hang
    one.submit("job_1")
    (request,) = await one.gate.wait_for(1)
    one.submit("job_2", not_before_us=one.clock.wall() + 3_600 * SECOND)
    await one.stop()
    await request.gone.wait()
    job = one.job("job_1")
    assert (job.state, job.attempts, job.crashes, job.not_before_us) == (QUEUED, 0, 0, 0)
    assert job.reason == "stopped: its runner was told to end; another one takes it"
    assert one.told.worked == 1
    assert one.rows.attempts("job_2") == []


async def test_who_is_told_to_end_lets_calls_end(stage: Stages) -> None:
    """As long as that does not take too long."""
    one = await stage()
    ending: list[asyncio.Task[None]] = []

    def answer(_request: Request) -> bytes:
        ending.append(asyncio.get_running_loop().create_task(one.stop(20 * SECOND)))
        return reply()

    one.gate.answer = answer
    one.submit("job_1")
    await one.gate.wait_for(1)
    await ending[0]
    assert one.job("job_1").state == DONE


async def test_a_job_that_was_to_be_cancelled_is_not_begun(stage: Stages) -> None:
    """Its runner had not heard it: the next one says so."""
    one = await stage()
    one.rows.away = {"claim"}
    one.submit("job_1")
    (lease,) = JobRows(one.rows.engine).claim("", 1, "dead", SECOND, one.clock.wall())
    end = await one.work.do(structs.replace(lease, cancelling=True))
    assert end is not None
    assert (end.state, one.job("job_1").state) == (CANCELLED, CANCELLED)
    assert one.gate.requests == []


async def test_a_defect_is_not_hidden(stage: Stages) -> None:
    """Who renews no lease must not go on as if he did: the process ends by it, and another one begins."""
    one = await stage()
    one.gate.answer = hang
    one.rows.defect = "renew"
    one.submit("job_1")
    await one.gate.wait_for(1)
    one.work.changed(["job_1"])
    with pytest.raises(ZeroDivisionError):
        await one.work.broken


async def test_a_slow_database_makes_leases_longer(stage: Stages) -> None:
    """A lease begins before the transaction that writes it."""
    one = await stage(lease_us=60 * SECOND)
    one.gate.answer = hang
    one.work.leases.took(15 * SECOND)
    one.submit("job_1")
    await one.gate.wait_for(1)
    assert one.rows.reap(3, one.clock.wall() + 61 * SECOND).again == ()
    assert one.rows.reap(3, one.clock.wall() + 76 * SECOND).again == ("job_1",)
