"""One attempt at a job, against a server that answers as gates do."""

import asyncio
from pathlib import Path

import pytest

from tests.jobs.run.setting import BODY, SECOND, SECRET, Executors, Hasty, a_lease, snapshot
from tests.jobs.run.standin import OK, Request, Standin, reply
from tidegate.clock import SystemClock
from tidegate.jobs.records import End, Owner
from tidegate.model.entitlements import Isolation
from tidegate.model.jobs import DEAD, DONE, FAILED, QUEUED
from tidegate.model.snapshot import Snapshot
from tidegate.policy.access.job_tokens import read

TICKET = "x-tidegate-job-ticket"


async def run(executor: Executors, gate: Standin, answer: bytes, **jobs: object) -> End:
    """An attempt that is answered so."""
    gate.answer = lambda _request: answer
    return await executor(snapshot(gate_url=await gate.at_port(), **jobs)).run(a_lease())


async def test_an_answer_is_kept_as_it_came(executor: Executors, gate: Standin) -> None:
    """With what it cost, the gate's id of the call, and the lines of its head that are the client's."""
    end = await run(
        executor, gate, reply(200, OK, "x-request-id: req_1f", "x-tidegate-target: p/m", "connection: keep-alive")
    )
    assert (end.id, end.fence, end.state, end.reason, end.counts) == ("job_1", 3, DONE, "", True)
    assert (end.call_id, end.prompt_tokens, end.completion_tokens) == ("req_1f", 7, 3)
    assert end.began_us
    assert end.result is not None
    assert (end.result.status, end.result.body) == (200, OK)
    assert end.result.head == (b"content-type: application/json\r\nx-request-id: req_1f\r\nx-tidegate-target: p/m\r\n")


async def test_what_the_gate_is_sent(executor: Executors, gate: Standin) -> None:
    """The job's own path, body and lines, whose it is as a ticket, how long it may take; and nobody's credential."""
    lines = b"x-tidegate-tag: nightly\r\nAuthorization: Bearer k\r\nX-Request-Id: mine\r\nidempotency-key: 1\r\n"
    url = await gate.at_port()
    lease = a_lease(headers=lines, path="/v1/chat/completions?a=1")
    await executor(snapshot(gate_url=f"{url}/edge/", call_deadline_us=90 * SECOND)).run(lease)
    (request,) = gate.requests
    assert request.line == "POST /edge/v1/chat/completions?a=1 HTTP/1.1"
    assert request.body == BODY
    assert {name for name, _ in request.headers} == {
        "host", "content-type", "content-length", "x-tidegate-deadline-ms", "x-tidegate-tag", TICKET,
    }  # fmt: skip
    assert request.header("host") == url.removeprefix("http://")
    assert request.header("x-tidegate-deadline-ms") == "90000"
    wall = SystemClock().wall()
    ticket = read(request.header(TICKET).encode(), SECRET, wall)
    assert (ticket.job, ticket.fence) == ("job_1", 3)
    assert (ticket.client, ticket.namespace, ticket.user) == ("ada", "sales", "ada@example.com")
    assert wall < ticket.until_us < wall + 160 * SECOND


async def test_a_call_may_take_what_its_job_has_left(executor: Executors, gate: Standin) -> None:
    """Where that is less than an attempt may take."""
    left = executor(snapshot(gate_url=await gate.at_port()))
    await left.run(a_lease(deadline_us=SystemClock().wall() + 9 * SECOND))
    (request,) = gate.requests
    assert 8_000 < int(request.header("x-tidegate-deadline-ms")) <= 9_000


async def test_each_namespace_has_its_socket(executor: Executors, gate: Standin, tmp_path: Path) -> None:
    """Who is served by a worker of its own, and everybody else."""
    settings = snapshot()
    settings = Snapshot(version=1, providers=(), jobs=settings.jobs, isolated=(Isolation("sales", 8081),))
    other = Standin()
    await gate.at_socket(tmp_path / "calls.sock")
    await other.at_socket(tmp_path / "workers" / "sales" / "calls.sock")
    runs = executor(settings, tmp_path)
    assert (await runs.run(a_lease())).state == DONE
    assert (await runs.run(a_lease(owner=Owner("support", "bob")))).state == DONE
    assert [len(gate.requests), len(other.requests)] == [1, 1]
    assert gate.requests[0].header("host") == "tidegate"
    await other.close()


async def test_by_url_a_namespace_of_its_own_has_its_port(executor: Executors, gate: Standin) -> None:
    """On the host of the gate."""
    own = Standin()
    port = int((await own.at_port()).rpartition(":")[2])
    settings = snapshot(gate_url=await gate.at_port())
    settings = Snapshot(version=1, providers=(), jobs=settings.jobs, isolated=(Isolation("sales", port),))
    await executor(settings).run(a_lease())
    assert [len(gate.requests), len(own.requests)] == [0, 1]
    await own.close()


@pytest.mark.parametrize(
    ("answer", "state", "reason", "counts", "pause"),
    [
        (
            reply(400, b'{"error":{"code":"invalid_request","message":"no"}}', "x-request-id: req_2"),
            FAILED, "invalid_request: no", True, 0,
        ),
        (reply(404, b"nothing here"), FAILED, "http_404: the answer was 404", True, 0),
        (
            reply(429, b'{"error":{"code":"rate_limit_exceeded","message":"in use"}}', "retry-after: 3",
                  "retry-after-ms: 2500"),
            QUEUED, "rate_limit_exceeded: in use", False, 2_500_000,
        ),
        (reply(503, b"", "retry-after: 3"), QUEUED, "http_503: the answer was 503", False, 3 * SECOND),
        (reply(502, b'{"error":{"code":"upstream_failed","message":"it broke"}}'), QUEUED, "upstream_failed: it broke",
         True, SECOND),
    ],
)  # fmt: skip
async def test_a_refusal(
    executor: Executors, gate: Standin, answer: bytes, state: str, reason: str, counts: bool, pause: int
) -> None:
    """What it says decides; what ends the job is kept for its client."""
    end = await run(executor, gate, answer)
    assert (end.state, end.reason, end.counts) == (state, reason, counts)
    assert (end.result is not None) == (state == FAILED)
    if pause:
        assert end.began_us + pause <= end.not_before_us < end.began_us + pause + 30 * SECOND


async def test_anthropics_words_are_read(executor: Executors, gate: Standin) -> None:
    """The path says whose API it is."""
    body = b'{"type":"error","error":{"type":"invalid_request_error","message":"no"}}'
    gate.answer = lambda _request: reply(400, body)
    end = await executor(snapshot(gate_url=await gate.at_port())).run(a_lease(path="/v1/messages"))
    assert end.reason == "invalid_request_error: no"


async def test_an_answer_that_is_too_long_has_failed(executor: Executors, gate: Standin) -> None:
    """It was paid for, and its call can be found; to try again would cost the same."""
    end = await run(executor, gate, reply(200, b"x" * 1_001, "x-request-id: req_3"), max_result_bytes=1_000)
    assert (end.state, end.reason, end.call_id) == (FAILED, "too_large: the answer is longer than 1000 bytes", "req_3")
    assert end.result is None
    assert (await run(executor, gate, reply(200, b"x" * 1_000), max_result_bytes=1_000)).state == DONE


async def test_a_call_that_breaks_off_has_failed_once(executor: Executors, gate: Standin) -> None:
    """It may have been served."""

    def cut(_request: Request) -> bytes:
        raise ConnectionResetError

    gate.answer = cut
    end = await executor(snapshot(gate_url=await gate.at_port())).run(a_lease(attempts=1))
    assert (end.state, end.counts) == (QUEUED, True)
    assert end.reason.startswith("cut: ")
    last = await executor(snapshot(gate_url=await gate.at_port())).run(a_lease(attempts=4))
    assert last.state == DEAD


async def test_a_gate_that_is_started_again_is_waited_for(executor: Executors, gate: Standin, tmp_path: Path) -> None:
    """Nothing was sent: the attempt is the same one."""
    clock = Hasty()
    coming: list[asyncio.Task[None]] = []

    def start() -> None:
        if not coming:
            coming.append(asyncio.get_running_loop().create_task(gate.at_socket(tmp_path / "calls.sock")))

    clock.woken = start
    end = await executor(snapshot(), tmp_path, clock).run(a_lease())
    assert end.state == DONE
    assert 0 < clock.slept < 5 * SECOND


async def test_a_gate_that_is_away_costs_no_attempt(executor: Executors, tmp_path: Path) -> None:
    """The job is handed back after a while."""
    clock = Hasty()
    end = await executor(snapshot(), tmp_path, clock).run(a_lease(attempts=4))
    assert (end.state, end.counts) == (QUEUED, False)
    assert end.reason.startswith("unreachable: cannot connect")
    assert clock.slept < 5 * SECOND


async def test_a_job_whose_time_is_over_is_not_tried(executor: Executors, gate: Standin) -> None:
    """Nobody waits for it."""
    url = await gate.at_port()
    end = await executor(snapshot(gate_url=url)).run(a_lease(deadline_us=SystemClock().wall()))
    assert (end.state, end.reason) == (DEAD, "deadline: its time was over before it could be tried")
    assert gate.requests == []


@pytest.mark.parametrize("changed", [{"owner": Owner(user="u" * 9_000)}, {"path": "/v1/ü"}])
async def test_what_cannot_be_said_has_failed(executor: Executors, gate: Standin, changed: dict[str, object]) -> None:
    """And says why."""
    end = await executor(snapshot(gate_url=await gate.at_port())).run(a_lease(**changed))
    assert end.state == FAILED
    assert end.reason.startswith("unsendable: ")


async def test_a_cancelled_attempt_ends_the_call(executor: Executors, gate: Standin) -> None:
    """Its connection is closed, by which the gate knows."""
    gate.answer = lambda _request: b""
    task = asyncio.create_task(executor(snapshot(gate_url=await gate.at_port())).run(a_lease()))
    (request,) = await gate.wait_for(1)
    task.cancel()
    await request.gone.wait()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("url", ["ftp://gate", "http://", "nonsense"])
async def test_an_address_that_is_none(executor: Executors, url: str) -> None:
    """Is told before anything is run."""
    with pytest.raises(ValueError, match=r"URL|http"):
        executor(snapshot(gate_url=url))


async def test_replicas_take_turns(executor: Executors, gate: Standin, tmp_path: Path) -> None:
    """Whichever folders their sockets are in; one that has died holds nobody up."""
    other, dead = Standin(), Standin()
    await gate.at_socket(tmp_path / "calls.sock")
    await other.at_socket(tmp_path / "workers" / "+1" / "calls.sock")
    await dead.at_socket(tmp_path / "workers" / "+2" / "calls.sock")
    await dead.close()
    assert (tmp_path / "workers" / "+2" / "calls.sock").exists()
    runs = executor(snapshot(), tmp_path)
    assert [(await runs.run(a_lease())).state for _ in range(6)] == [DONE] * 6
    assert min(len(gate.requests), len(other.requests)) >= 2
    assert len(gate.requests) + len(other.requests) == 6
    await other.close()


async def test_a_namespace_is_found_where_its_successor_is(executor: Executors, gate: Standin, tmp_path: Path) -> None:
    """After a rolling restart it serves in another folder."""
    settings = Snapshot(version=1, providers=(), jobs=snapshot().jobs, isolated=(Isolation("sales", 8081),))
    await gate.at_socket(tmp_path / "workers" / "sales+" / "calls.sock")
    assert (await executor(settings, tmp_path).run(a_lease())).state == DONE
    assert len(gate.requests) == 1
